"""What the benchmark's tasks run: `python -I -S failover_task.py FOLDER COMMITS`, standard library
only.

Says when it started and under which grant, then beats until a file `go` of its task appears, and
commits once: to a sink that refuses an older grant than the newest it has heard of.
"""

import os
import pathlib
import sqlite3
import sys
import time


def main(folder: pathlib.Path, commits: bool) -> None:
    task, grant = os.environ["SWARM_TASK"], int(os.environ["SWARM_GRANT"])
    with (folder / f"{task}.{grant}").open("a", buffering=1) as beats:
        print(f"{time.time()} {os.getpid()}", file=beats)
        if commits:
            tell(folder, task, grant)
        go = folder / f"{task}.go"
        beat_s = 0.0
        while not go.exists():
            if time.monotonic() - beat_s > 0.2:
                beat_s = time.monotonic()
                print(f"{time.time()} {os.getpid()}", file=beats)
            time.sleep(0.01)
    if commits:
        commit(folder, task, grant)


def sink(folder: pathlib.Path) -> sqlite3.Connection:
    """The tables are made by the first who comes."""
    database = sqlite3.connect(folder / "sink.db", timeout=30, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS heard (task PRIMARY KEY, newest INTEGER)")
    database.execute("CREATE TABLE IF NOT EXISTS commits (task, newest INTEGER, taken INTEGER)")
    return database


def tell(folder: pathlib.Path, task: str, grant: int) -> None:
    """From now on older grants are refused."""
    database = sink(folder)
    database.execute(
        "INSERT INTO heard VALUES (?, ?) ON CONFLICT DO UPDATE SET newest = max(newest, ?)",
        (task, grant, grant),
    )
    database.close()


def commit(folder: pathlib.Path, task: str, grant: int) -> None:
    """Taken or refused, it is counted."""
    database = sink(folder)
    database.execute(
        "INSERT INTO commits SELECT task, ?, newest <= ? FROM heard WHERE task = ?",
        (grant, grant, task),
    )
    database.close()


class PlainActor:
    """The same on plain Ray, which repeats the call in the process that comes next."""

    def run(self, folder: str, name: str) -> None:
        with (pathlib.Path(folder) / f"{name}.ray").open("a") as starts:
            print(f"{time.time()} {os.getpid()}", file=starts)
        while not (pathlib.Path(folder) / f"{name}.go").exists():
            time.sleep(0.01)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2] == "commits")

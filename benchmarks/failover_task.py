"""What the benchmark's tasks run: `python -I -S failover_task.py FOLDER COMMITS`, standard library
only.

Says when it started and under which grant, then beats until a file `go` of its task appears, and
commits once, through `swarm.sink`.
"""

import contextlib
import os
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from swarm import sink  # it is not installed for a bare Python


def main(folder: pathlib.Path, commits: bool) -> None:
    task, grant = os.environ["SWARM_TASK"], int(os.environ["SWARM_GRANT"])
    with (folder / f"{task}.{grant}").open("a", buffering=1) as beats:
        print(f"{time.time()} {os.getpid()}", file=beats)
        if commits:
            with contextlib.closing(effects(folder)) as database:
                sink.came(database, task, grant)
        go = folder / f"{task}.go"
        beat_s = 0.0
        while not go.exists():
            if time.monotonic() - beat_s > 0.2:
                beat_s = time.monotonic()
                print(f"{time.time()} {os.getpid()}", file=beats)
            time.sleep(0.01)
    if commits:
        commit(folder, task, grant)


def effects(folder: pathlib.Path) -> sqlite3.Connection:
    """The tables are made by the first who comes."""
    database = sqlite3.connect(folder / "sink.db", timeout=30, isolation_level=None)
    sink.prepare(database)
    database.execute("CREATE TABLE IF NOT EXISTS effects (task, grant_no INTEGER)")
    database.execute("CREATE TABLE IF NOT EXISTS refused (task, grant_no INTEGER)")
    return database


def commit(folder: pathlib.Path, task: str, grant: int) -> None:
    """Taken or refused, it is counted."""
    with contextlib.closing(effects(folder)) as database:
        database.execute("BEGIN IMMEDIATE")
        into = "effects" if sink.commits(database, task, grant) else "refused"
        database.execute(f"INSERT INTO {into} VALUES (?, ?)", (task, grant))
        database.execute("COMMIT")


class PlainActor:
    """The same on plain Ray, which repeats the call in the process that comes next."""

    def run(self, folder: str, name: str) -> None:
        with (pathlib.Path(folder) / f"{name}.ray").open("a") as starts:
            print(f"{time.time()} {os.getpid()}", file=starts)
        while not (pathlib.Path(folder) / f"{name}.go").exists():
            time.sleep(0.01)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2] == "commits")

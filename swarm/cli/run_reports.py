"""What `swarm run` has to tell of a run, on disk until swarm has it.

A report is a file of a folder before anything is sent, and goes away when swarm has taken or
refused it. Whoever delivers takes the folder's lock, so reports arrive in the order in which they
were written. `python -m swarm.cli.run_reports FOLDER` goes on with that after its run has ended,
one for a folder; what it cannot deliver within 10 minutes is left for the next `swarm run`. The
standard library alone: a line of a crontab is not to wait for imports.
"""

import contextlib
import fcntl
import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ANSWER_S = 2.0
_PAUSE_S = 2.0
_LATER_S = 600.0
_TRIES = 3
_GIVEN_UP = frozenset({400, 404, 409, 413, 422})  # sending it again would not help


class Swarm:
    """The HTTP API at `url`, as far as a run needs it."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer as JSON. Raises OSError where there is none within `ANSWER_S`, whatever holds
        it up, and `urllib.error.HTTPError`, which is one, where it is a refusal."""
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def wait() -> None:
            try:
                answers.put(self._ask(path, body))
            except OSError as error:
                answers.put(error)

        threading.Thread(target=wait, daemon=True).start()
        try:
            answer = answers.get(timeout=ANSWER_S)
        except queue.Empty:
            raise OSError(f"{self.url}: no answer in {ANSWER_S:.0f} s") from None
        if isinstance(answer, OSError):
            raise answer
        return answer

    def _ask(self, path: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return json.load(answer)
        except (ValueError, http.client.HTTPException) as error:
            raise OSError(f"{self.url}: {error}") from None


class Reports:
    """The folder of reports that wait, and the thread that delivers them while the run goes on."""

    def __init__(self, folder: Path, swarm: Swarm | None) -> None:
        self._folder, self._swarm = folder, swarm
        self._told = threading.Event()
        self._number = 0
        if swarm is not None:
            threading.Thread(target=self._deliver, args=(swarm,), daemon=True).start()

    def tell(self, orchestrator: str, run: Mapping[str, Any]) -> None:
        """Keep a report, to be delivered soon. Raises OSError."""
        self._number += 1
        name = f"{time.time_ns():020d}-{os.getpid()}-{self._number}"
        part = self._folder / f".{name}"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(json.dumps({"orchestrator": orchestrator, "runs": [run]}))
        part.rename(self._folder / f"{name}.json")
        self._told.set()

    def close(self, patience_s: float) -> None:
        """Wait so long for what is not delivered; after that another process goes on with it.
        Raises OSError."""
        if self._swarm is None:
            return
        until_s = time.monotonic() + patience_s
        while waiting(self._folder):
            if time.monotonic() > until_s:
                return _deliver_later(self._folder, self._swarm)
            time.sleep(0.01)

    def _deliver(self, swarm: Swarm) -> None:
        while True:
            self._told.clear()
            if deliver(self._folder, swarm):
                self._told.wait()
            else:
                self._told.wait(_PAUSE_S)


def _deliver_later(folder: Path, swarm: Swarm) -> None:
    """Start a process that stays when this one is gone, and keeps no pipe open."""
    later = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"SWARM_URL": swarm.url},
    )
    assert later.stdin is not None
    later.stdin.write(swarm.token.encode())
    later.stdin.close()


def deliver(folder: Path, swarm: Swarm) -> bool:
    """Send all that waits, oldest first; is nothing left?"""
    try:
        with _alone(folder):
            for report in waiting(folder):
                body = json.loads(report.read_text())
                try:
                    swarm.ask("push", body)
                except urllib.error.HTTPError as refusal:
                    if refusal.code not in _GIVEN_UP:
                        return False
                report.unlink(missing_ok=True)
    except (OSError, ValueError):
        return False
    return not waiting(folder)


def waiting(folder: Path) -> list[Path]:
    """The reports that swarm has not got yet, oldest first."""
    return sorted(folder.glob("*.json"))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Deliver what waits in the folder while it is not old; the token comes by stdin."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whoever started it had blocked some
    folder, swarm = Path(sys.argv[1]), Swarm(os.environ["SWARM_URL"], sys.stdin.read())
    with (folder / "later").open("w") as only:
        for _ in range(_TRIES):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(only, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(_PAUSE_S)  # the one that has it may just be ending
        else:
            return
        while not deliver(folder, swarm) and _is_young(waiting(folder)):
            time.sleep(_PAUSE_S)


def _is_young(reports: list[Path]) -> bool:
    age_s = time.time() - int(reports[-1].name.partition("-")[0]) / 1e9 if reports else 0.0
    return age_s < _LATER_S


if __name__ == "__main__":
    main()

"""Watches an orchestrator's own worker on its node, and tells swarm at once when it dies.

    python -m swarm.plugins.beat --url http://swarm:8642 --token-file FILE \\
        --orchestrator prefect --role worker --name lab/w1 -- prefect worker start -p lab -n w1

starts the worker and ends as it does; `--pid PID` watches one that runs already. All workers of a
host go into one request a beat. A request tells the whole state, so it may be sent again, and one
that was lost is made good by the next.

A kernel handle (pidfd) is held on the worker and on each process below it. When the worker ended,
those of them that have ended too are told with it: what ran there cannot go on. What outlives it is
watched for `--linger` seconds more, and this program ends no sooner.
"""

import argparse
import contextlib
import ctypes
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger("swarm.beat")

_ANSWER_S = 5.0
_PAUSE_S = 0.2
_FLUSH_S = 10.0  # for the last word, when all that was watched has ended
_ENDED_TOLD = 2_000
_RUN_IN = b"PREFECT__FLOW_RUN_ID="
_PR_SET_CHILD_SUBREAPER = 36


class Tree:
    """A worker's process and those below it, each by a handle that no other process can take."""

    def __init__(self, pid: int, name: str) -> None:
        self.pid, self.name = pid, name
        self.state, self.detail = "alive", ""
        self.started_s = time.time()
        self.handle = os.pidfd_open(pid)
        self.below: dict[int, int] = {}  # handle to pid
        self.runs: dict[int, str] = {}  # pid to the flow run that its environment names
        self.ended: list[int] = []

    def look(self, orphans_of: int | None) -> list[int]:
        """Take handles on new processes below; the answer is those handles. `orphans_of` is the
        process that gets the children of the dead."""
        known = {self.pid, *self.below.values()}
        roots = [self.pid] if self.state == "alive" else list(self.below.values())
        if self.state != "alive" and orphans_of is not None:
            roots.append(orphans_of)
        fresh = []
        for pid in _below(roots):
            if pid not in known:
                with contextlib.suppress(OSError):  # gone already
                    handle = os.pidfd_open(pid)
                    self.below[handle] = pid
                    fresh.append(handle)
        for pid in self.below.values():
            if pid not in self.runs and (run_id := _run_in(pid)):
                self.runs[pid] = run_id
        return fresh

    def lost(self, handle: int) -> None:
        """A process below has ended."""
        self.ended = [*self.ended, self.below.pop(handle)][-_ENDED_TOLD:]

    def told(self, orchestrator: str, role: str) -> dict[str, Any]:
        return {
            "orchestrator": orchestrator,
            "role": role,
            "name": self.name,
            "pid": self.pid,
            "started_s": self.started_s,
            "presence": self.state,
            "detail": self.detail,
            "ended": [
                {"pid": pid, "run_id": self.runs.get(pid, "")}
                for pid in (self.pid, *self.ended)
                if self.state != "alive"
            ],
        }


class Line:
    """Sends the newest state from a thread of its own: every `every_s`, and at once when told."""

    def __init__(self, url: str, token: str, every_s: float) -> None:
        self._url, self._token, self._every_s = f"{url.rstrip('/')}/api/v1/beats", token, every_s
        self._state: dict[str, Any] = {}
        self._number = self._taken = 0
        self._moved = threading.Condition()
        threading.Thread(target=self._run, name="swarm-beats", daemon=True).start()

    def tell(self, state: dict[str, Any]) -> None:
        """This is how it is now."""
        with self._moved:
            self._state = state
            self._number += 1
            self._moved.notify_all()

    def flush(self, within_s: float) -> None:
        """Return when the newest state was taken, or it is time."""
        with self._moved:
            self._moved.wait_for(lambda: self._taken == self._number, within_s)

    def _run(self) -> None:
        while True:
            with self._moved:
                self._moved.wait_for(lambda: self._taken != self._number, self._every_s)
                state, number = self._state, self._number
            if not state:
                continue
            try:
                self._send(json.dumps(state).encode())
            except (OSError, ValueError) as fault:
                log.warning("swarm is not reached: %s", fault)
                time.sleep(_PAUSE_S)
                continue
            with self._moved:
                self._taken = number
                self._moved.notify_all()

    def _send(self, body: bytes) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:
            answer.read()


class Beat:
    """Watches trees until all of them have ended. `child` is the worker that was started here."""

    def __init__(
        self, trees: list[Tree], line: Line, wanted: argparse.Namespace, child: Any = None
    ) -> None:
        self._trees, self._line, self._wanted, self._child = trees, line, wanted, child
        self._poll = select.poll()
        self._asked_to_end = False
        self._left = False
        self._since_s = 0.0  # when the last worker ended
        for tree in trees:
            self._poll.register(tree.handle, select.POLLIN)

    def run(self) -> None:
        """Return when nothing is left to watch, or when nobody wants it watched any more."""
        look_s = 0.0
        while not self._left and (self._any_alive() or self._lingers()):
            moved = False
            if time.monotonic() >= look_s:
                look_s = time.monotonic() + self._wanted.every
                for tree in self._trees:
                    self._look(tree)
                moved = True
            wait_s = max(0.0, look_s - time.monotonic())
            for handle, _ in self._poll.poll(1000 * wait_s):
                self._poll.unregister(handle)
                moved |= self._ended(handle)
                os.close(handle)
            if moved:
                self._tell()
        self._tell()
        self._line.flush(_FLUSH_S)

    def _any_alive(self) -> bool:
        return any(tree.state == "alive" for tree in self._trees)

    def _lingers(self) -> bool:
        self._since_s = self._since_s or time.monotonic()
        is_time = time.monotonic() - self._since_s > self._wanted.linger
        return any(tree.below for tree in self._trees) and not is_time

    def end(self, number: int, _: object) -> None:
        """A signal to this process: the worker that was started here gets it; others are left."""
        self._asked_to_end = True
        if self._child is not None:
            self._child.send_signal(number)
            return
        for tree in self._trees:
            if tree.state == "alive":
                tree.state, tree.detail = "stopped", "no longer watched"
        self._left = True

    def _look(self, tree: Tree) -> None:
        for handle in tree.look(os.getpid() if self._child is not None else None):
            self._poll.register(handle, select.POLLIN)

    def _ended(self, handle: int) -> bool:
        """Take in the end of a process; whether swarm has to know at once."""
        for tree in self._trees:
            if handle in tree.below:
                self._reap(tree.below[handle])
                tree.lost(handle)
                return tree.state != "alive"
            if handle == tree.handle:
                self._judge(tree)
                self._look(tree)  # its children are ours now
                return True
        return False

    def _judge(self, tree: Tree) -> None:
        tree.state, tree.detail = "dead", "its process ended"
        if self._child is not None:
            code = self._child.wait()
            tree.detail = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            if code == 0 or self._asked_to_end:
                tree.state = "stopped"

    def _reap(self, pid: int) -> None:
        """What lost its parent below a worker that was started here became a child of ours."""
        if self._child is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def _tell(self) -> None:
        wanted = self._wanted
        workers = [tree.told(wanted.orchestrator, wanted.role) for tree in self._trees]
        self._line.tell({"host": wanted.host, "every_s": wanted.every, "workers": workers})


def _below(roots: list[int]) -> Iterator[int]:
    """All processes below these, as the kernel lists them."""
    stack, seen = list(roots), set(roots)
    while stack:
        for task in Path(f"/proc/{stack.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for pid in map(int, task.read_text().split()):
                    if pid not in seen:
                        seen.add(pid)
                        stack.append(pid)
                        yield pid


def _run_in(pid: int) -> str:
    """The flow run that a process of Prefect is for; its server tells its id without a host."""
    with contextlib.suppress(OSError):
        for one in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            if one.startswith(_RUN_IN):
                return one[len(_RUN_IN) :].decode(errors="replace")
    return ""


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m swarm.plugins.beat")
    parser.add_argument("--url", required=True, help="address of swarm's API")
    parser.add_argument("--token-file", required=True, type=Path, help="file with its token")
    parser.add_argument("--orchestrator", required=True, help="its name among swarm's sources")
    roles = ("scheduler", "dag_processor", "triggerer", "daemon", "worker")
    parser.add_argument("--role", required=True, choices=roles)
    parser.add_argument("--name", default="", help="as the server calls it: pool/worker in Prefect")
    parser.add_argument("--host", default=socket.gethostname(), help="as the orchestrator calls it")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two beats")
    parser.add_argument(
        "--linger", type=float, default=60.0, help="seconds to watch what outlives its worker"
    )
    parser.add_argument("--pid", type=int, action="append", help="a worker that runs already")
    parser.add_argument("command", nargs="*", help="after `--`: the worker to start")
    wanted = parser.parse_args(arguments)
    if bool(wanted.pid) == bool(wanted.command):
        parser.error("give either `--pid PID` or `-- COMMAND...`")
    wanted.name = wanted.name or f"{wanted.role}@{wanted.host}"
    return wanted


def main(arguments: list[str]) -> int:
    """Watch until the end; returns the exit code of the worker that was started."""
    wanted = _asked(arguments)
    line = Line(wanted.url, wanted.token_file.read_text().strip(), wanted.every)
    child = None
    if wanted.command:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        child = subprocess.Popen(wanted.command)
    try:
        many = len(wanted.pid or ()) > 1
        trees = [
            Tree(pid, f"{wanted.name}#{pid}" if many else wanted.name)
            for pid in wanted.pid or [child.pid if child else 0]
        ]
    except OSError as fault:
        sys.stderr.write(f"cannot watch {wanted.pid}: {fault}\n")
        return 2
    beat = Beat(trees, line, wanted, child)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, beat.end)
    beat.run()
    if child is None:
        return 0
    code = child.wait()
    return 128 - code if code < 0 else int(code)


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    sys.exit(main(sys.argv[1:]))

"""Runs on swarm's worker, around one flow run: `python -m swarm.plugins.prefect.supervisor`.

Standard library only. Under a later grant of the same task it first asks Prefect's server what the
run's state is, because its worker may have died after the run had ended:

    ended                     nothing is left to do
    suspended                 whoever resumes it makes a new task
    being cancelled           it is cancelled now
    running                   it starts again as the same try: no retry is spent
    anything else             it had not begun; it starts

While the flow runs it looks every few seconds whether the run is to be cancelled; then the engine
is told so, which runs the flow's cancellation hooks, and after a grace is ended. A process that
ends with an error and has not said so itself leaves the run `Crashed`.
"""

import contextlib
import datetime
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

from swarm.plugins.prefect.server import NoSuchRun, Server, Unavailable

T = TypeVar("T")

_LOOK_S = 5.0  # how often a running flow is looked at
_GRACE_S = 30.0  # how long a cancelled flow may take to end
_PATIENCE_S = 300.0  # how long a server that does not answer is asked before a run starts again
_ASK_S = 1.0
_ACK_S = 10.0
_FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_CANCEL, _ACK = b"c", b"a"  # of Prefect's control channel, version 1


class Next(Enum):
    """What is to be done with a flow run under a grant."""

    START = "start"
    START_AGAIN = "start again"  # as the same try
    CANCEL = "cancel"
    NOTHING = "nothing"


def next_step(grant: int, run: Mapping[str, Any]) -> Next:
    """What the server's word about the run means for this grant."""
    state = run.get("state") or {}
    kind = state.get("type")
    if kind in _FINAL:
        return Next.NOTHING
    if kind == "CANCELLING":
        return Next.CANCEL
    if grant == 1:
        return Next.START
    if kind == "PAUSED" and state.get("name") == "Suspended":
        return Next.NOTHING
    return Next.START_AGAIN if kind == "RUNNING" else Next.START


def exit_code(code: int) -> int:
    """As a shell tells it: 128 and the signal's number where a signal ended the process."""
    return 128 - code if code < 0 else code


class Control:
    """The runner's end of the channel over which Prefect's engine learns that a SIGTERM means
    `cancelled` and not `crashed`. An engine that speaks another version never acknowledges."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._token = secrets.token_hex(16)

    def variables(self) -> dict[str, str]:
        """What the engine has to find in its environment."""
        port = self._listener.getsockname()[1]
        return {"PREFECT__CONTROL_PORT": str(port), "PREFECT__CONTROL_TOKEN": self._token}

    def say_cancel(self) -> bool:
        """Whether the engine took note; it waits for the signal then."""
        self._listener.settimeout(_ACK_S)
        try:
            # The engine connected when it began, if it ever did: nothing is awaited here for long.
            engine, _ = self._listener.accept()
            with engine:
                engine.settimeout(_ACK_S)
                with engine.makefile("rb") as words:
                    if words.readline().strip() != self._token.encode():
                        return False
                    engine.sendall(_CANCEL)
                    while word := words.read(1):
                        if word == _ACK:  # a newer engine says hello first
                            return True
        except OSError:
            pass
        return False


def main(argv: Sequence[str]) -> int:
    """Run the command, Prefect's engine unless one is given; its exit code."""
    run = os.environ["PREFECT__FLOW_RUN_ID"]
    grant = int(os.environ.get("SWARM_GRANT", "1"))
    server = Server(os.environ)
    try:
        found = _asked(lambda: server.flow_run(run))
        step = next_step(grant, found)
        _say(f"grant {grant} of flow run {run}, {(found.get('state') or {}).get('name')}: {step}")
        if step is Next.NOTHING:
            return 0
        if step is Next.CANCEL:
            _asked(lambda: server.set_state(run, "CANCELLED", "Cancelled before it ran."))
            return 0
        if step is Next.START_AGAIN:
            _asked(lambda: server.keep_count(found))
            _tell_of_loss(server, run, grant)
    except NoSuchRun:
        _say(f"flow run {run} is not known to the server any more")
        return 0
    except Unavailable as fault:
        _say(f"Prefect's server does not answer: {fault}")
        return 1
    with tempfile.TemporaryDirectory(prefix="flow-run-") as folder:
        return _run(server, run, argv, os.environ.get("SWARM_PREFECT_DIR") or folder)


def _run(server: Server, run: str, argv: Sequence[str], folder: str) -> int:
    # `prefect flow-run execute` is itself such a supervisor, with a process of its own below it.
    supervised = any("flow-run" in word for word in argv)
    control = None if supervised else Control()
    env = os.environ | (control.variables() if control else {})
    process = subprocess.Popen(
        argv or [sys.executable, "-m", "prefect.engine"], env=env, cwd=folder
    )
    while True:
        try:
            code = process.wait(_LOOK_S)
            break
        except subprocess.TimeoutExpired:
            if control is not None and _to_be_cancelled(server, run):
                return _cancel(server, run, process, control)
    if code != 0 and control is not None:
        _report_crash(server, run, code)
    return exit_code(code)


def _to_be_cancelled(server: Server, run: str) -> bool:
    try:
        return (server.flow_run(run).get("state") or {}).get("type") == "CANCELLING"
    except (Unavailable, NoSuchRun):
        return False


def _cancel(server: Server, run: str, process: "subprocess.Popen[bytes]", control: Control) -> int:
    if control.say_cancel():
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    process.kill()
    process.wait()
    with contextlib.suppress(NoSuchRun):
        _asked(lambda: server.set_state(run, "CANCELLED", "Flow run was cancelled."))
    return 0


def _report_crash(server: Server, run: str, code: int) -> None:
    message = f"The flow's process ended with exit code {exit_code(code)} and no word."
    try:
        _asked(lambda: server.set_state(run, "CRASHED", message))
    except (Unavailable, NoSuchRun) as fault:
        _say(f"the crash could not be reported: {fault}")


def _tell_of_loss(server: Server, run: str, grant: int) -> None:
    message = f"The worker of this run was lost; it starts again as the same try (grant {grant})."
    now = datetime.datetime.now(datetime.UTC).isoformat()
    with contextlib.suppress(Unavailable, NoSuchRun):
        server.log(run, message, now)


def _asked(question: Callable[[], T]) -> T:
    """The answer, as soon as the server gives one. Raises `Unavailable` when patience ends."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return question()
        except Unavailable:
            if time.monotonic() > deadline_s:
                raise
        time.sleep(_ASK_S)


def _say(line: str) -> None:
    sys.stderr.write(f"swarm: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`swarm run` around real programs, beside an API that answers, holds, refuses or is silent."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from swarm.demo.processes import free_ports

DEADLINE_S = 180.0
# Where swarm answers in the end, however loaded the machine is.
PATIENT = (
    "from swarm.cli import run_reports; run_reports.ANSWER_S = 50.0; "
    "from swarm.cli.main import main; main()"
)
TOKEN = "a token of the test"


class Api(ThreadingHTTPServer):
    """Takes reports, and says what `held` says to whoever asks for holds."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.reports: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.held: Callable[[], float] = lambda: 0.0
        self.from_s = 0.0
        self.left_out_in_s: float | None = None
        self.left_out = False  # what it says of who is not held any more
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def told(self, *names: str) -> list[tuple[Any, ...]]:
        """In the order they came; one that was sent again, as nobody saw its answer, once."""
        once = {(run["run_id"], run["state"]): run for run in reversed(list(self.reports))}
        return [tuple(run.get(name) for name in names) for run in reversed(list(once.values()))]


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.server.asked.append(self.path)
        for_s = self.server.held()
        reason, left_s = ("its source is late", self.server.left_out_in_s) if for_s else ("", None)
        word = {"left_out_in_s": left_s, "left_out": self.server.left_out and not for_s}
        word["from_s"] = self.server.from_s
        self._answer(200, {"reason": reason, "for_s": for_s, **word})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/api/v1/push"
        self.server.reports += [{"of": body["orchestrator"], **run} for run in body["runs"]]
        self._answer(201, {"seq": 1})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        yield server
        server.shutdown()


@contextmanager
def mute() -> Iterator[int]:
    """A port where somebody accepts and never answers."""
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        yield port


class Shell:
    """Starts `swarm run` with a folder for its reports."""

    def __init__(self, folder: Path) -> None:
        self.spool = folder / "swarm" / "runs"
        (folder / "token").write_text(TOKEN)
        self._folder = folder

    def start(
        self,
        port: int,
        *argv: str,
        name: str = "crontab/load",
        how: Sequence[str] = ("-c", PATIENT),
        **more: Any,
    ) -> Any:
        environ = os.environ | {
            "SWARM_URL": f"http://127.0.0.1:{port}",
            "SWARM_TOKEN_FILE": str(self._folder / "token"),
            "XDG_STATE_HOME": str(self._folder),
        }
        return subprocess.Popen(
            [sys.executable, *how, "run", name, "--", *argv],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, port: int, *argv: str, given: str = "", **more: Any) -> Any:
        started = self.start(port, *argv, **more)
        out, err = started.communicate(given, timeout=DEADLINE_S)
        return started.returncode, out, err

    def spooled(self) -> list[str]:
        reports = sorted(self.spool.glob("*.json"))
        return [json.loads(report.read_text())["runs"][0]["state"] for report in reports]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_input_output_and_exit_code_are_the_programs_own(api: Api, shell: Shell) -> None:
    ran = shell.run(api.port, "sh", "-c", "cat; echo wrong >&2; exit 3", given="rows\n")
    assert ran == (3, "rows\n", "wrong\n")
    (asked,) = api.asked
    path, _, came_s = asked.partition("?came_s=")
    assert path == "/api/v1/holds/crontab%2Fload"
    until(lambda: len(api.told()) == 2)
    assert api.told("of", "pipeline", "state", "exit_code") == [
        ("crontab", "load", "running", None),
        ("crontab", "load", "failed", 3),
    ]
    (planned_s,), (same_s,) = api.told("scheduled_for_s")
    (began_s, _), (_, ended_s) = api.told("started_at_s", "ended_at_s")
    assert planned_s == same_s
    assert planned_s % 60 == 0
    assert planned_s <= float(came_s) <= began_s <= ended_s
    until(lambda: shell.spooled() == [])


def test_it_waits_while_its_pipeline_is_held(api: Api, shell: Shell, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    seen: list[bool] = []

    def held() -> float:
        seen.append(ran.exists())
        return 30.0 if len(seen) < 3 else 0.0

    api.held = held
    code, _, err = shell.run(api.port, "touch", str(ran), name="load")
    assert (code, seen) == (0, [False, False, False])
    assert err == "swarm: crontab/load is held: its source is late\n", "once, not at each look"
    until(lambda: len(api.told()) == 3)
    assert [state for (state,) in api.told("state")] == ["queued", "running", "succeeded"]


@pytest.mark.parametrize(("in_s", "is_left_out"), [(0.0, True), (-1e6, False), (1e6, False)])
def test_what_is_held_until_its_latest_start_is_left_out(
    api: Api, shell: Shell, tmp_path: Path, in_s: float, is_left_out: bool
) -> None:
    """Where swarm says so; what was let go, or swarm cannot tell of, begins."""
    ran = tmp_path / "ran"
    api.held = lambda: 30.0 if len(api.asked) < 2 else 0.0
    api.left_out_in_s, api.left_out = in_s, is_left_out
    code, _, err = shell.run(api.port, "touch", str(ran))
    assert (code, ran.exists()) == ((os.EX_TEMPFAIL, False) if is_left_out else (0, True))
    assert ("it is left out" in err) is is_left_out
    ends = ["skipped"] if is_left_out else ["running", "succeeded"]
    until(lambda: len(api.told()) == 1 + len(ends))
    assert [state for (state,) in api.told("state")] == ["queued", *ends]


def test_it_begins_when_the_hold_goes_on_for_later_starts(
    api: Api, shell: Shell, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    came_s = time.time()
    seen: list[bool] = []

    def held() -> float:
        seen.append(ran.exists())
        api.from_s = came_s + 600.0 if len(seen) == 3 else came_s - 600.0
        return 30.0

    api.held = held
    assert shell.run(api.port, "touch", str(ran))[0] == 0
    assert (seen, ran.exists()) == ([False, False, False], True)
    until(lambda: len(api.told()) == 3)


def test_who_was_never_held_is_not_left_out(api: Api, shell: Shell, tmp_path: Path) -> None:
    """The run before was; that is still told for a while."""
    ran = tmp_path / "ran"
    api.left_out = True
    assert (shell.run(api.port, "touch", str(ran))[0], ran.exists()) == (0, True)


def test_a_swarm_that_falls_silent_leaves_nothing_out(
    api: Api, shell: Shell, tmp_path: Path
) -> None:
    """It is its living word alone that does."""
    ran = tmp_path / "ran"
    api.left_out_in_s = 0.0

    def held() -> float:
        if len(api.asked) == 2:
            raise ConnectionError("it is gone")
        return 30.0

    api.held = held
    assert (shell.run(api.port, "touch", str(ran))[0], ran.exists()) == (0, True)


def test_who_waits_may_be_told_to_end(api: Api, shell: Shell, tmp_path: Path) -> None:
    api.held = lambda: 30.0
    started = shell.start(api.port, "touch", str(tmp_path / "ran"))
    until(lambda: bool(api.asked))
    started.send_signal(signal.SIGTERM)
    assert started.wait(DEADLINE_S) == 128 + signal.SIGTERM
    started.communicate()
    until(lambda: api.told("state")[-1:] == [("cancelled",)])
    assert not (tmp_path / "ran").exists()


def test_a_silent_swarm_stops_nothing_and_hears_of_it_later(shell: Shell) -> None:
    with mute() as port:
        code, out, err = shell.run(port, "echo", "done", how=("-m", "swarm"))
        assert (code, out) == (0, "done\n")
        assert "starts anyway" in err
        assert shell.spooled() == ["running", "succeeded"]
    with Api(port) as api:  # who was left behind to tell it finds it there
        until(lambda: len(api.told()) == 2)
        assert api.told("state") == [("running",), ("succeeded",)]
        until(lambda: shell.spooled() == [])
        api.shutdown()


def test_the_next_run_tells_what_the_last_could_not(api: Api, shell: Shell) -> None:
    shell.spool.mkdir(parents=True)
    old = {"orchestrator": "crontab", "runs": [{"pipeline": "p", "run_id": "r", "state": "failed"}]}
    (shell.spool / "0001-1-1.json").write_text(json.dumps(old))
    shell.run(api.port, "true")
    until(lambda: len(api.told()) == 3)
    assert [state for (state,) in api.told("state")] == ["failed", "running", "succeeded"]


def test_signals_reach_the_program(api: Api, shell: Shell) -> None:
    program = (
        "import signal, sys\n"
        "def end(number, frame): print('ends', flush=True); sys.exit(7)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    started = shell.start(api.port, sys.executable, "-c", program)
    assert started.stdout.readline() == "ready\n"
    started.send_signal(signal.SIGTERM)
    out, _ = started.communicate(timeout=DEADLINE_S)
    assert (started.returncode, out) == (7, "ends\n")


def test_the_program_begins_with_the_signals_as_they_were(api: Api, shell: Shell) -> None:
    program = "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    assert shell.run(api.port, sys.executable, "-c", program)[1] == "set()\n"
    quiet = "import signal; print(signal.getsignal(signal.SIGCHLD))"
    ignored = {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)}
    started = shell.start(api.port, sys.executable, "-c", quiet, **ignored)
    started.communicate(timeout=DEADLINE_S)
    assert started.returncode == 0, "whoever ignores the ends of children hears of none"


@pytest.mark.parametrize(
    ("argv", "code"),
    [(("sh", "-c", "kill -9 $$"), 137), (("no-such-program",), 127), (("/",), 126)],
)
def test_what_ends_badly_ends_as_in_a_shell(
    api: Api, shell: Shell, argv: tuple[str, ...], code: int
) -> None:
    assert shell.run(api.port, *argv)[0] == code
    until(lambda: len(api.told()) == 2)
    assert api.told("state", "exit_code")[-1] == ("failed", code)


def test_without_any_swarm_it_runs(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SWARM_")}
    environ |= {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "swarm", "run", "load", "--", "echo", "done"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "It starts without swarm." in done.stderr

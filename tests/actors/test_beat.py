"""The beat process beside real workers, against a server on a real socket that only listens."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

GENEROUS_S = 180.0
# A worker with a child that ends when this file goes, and sooner when it is told to.
WORKER = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
print(child.pid, flush=True)
time.sleep(600)
"""


class Ear:
    """Hears beats; `refuses` so many of them."""

    def __init__(self) -> None:
        self.beats: list[dict[str, Any]] = []
        self.refuses = 0
        self.tokens: set[str] = set()
        self._news = threading.Condition()
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = 503 if ear.refuses else 200
                ear.refuses = max(0, ear.refuses - 1)
                ear.tokens.add(self.headers["Authorization"])
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                if status == 200:
                    with ear._news:
                        ear.beats.append(body)
                        ear._news.notify_all()

            def log_message(self, *words: object) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def until(self, told: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first worker of a beat that is `told`."""

        def found() -> dict[str, Any] | None:
            ones = (one for beat in self.beats for one in beat["workers"])
            return next((one for one in ones if told(one)), None)

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, GENEROUS_S), self.beats
            worker = found()
        assert worker is not None
        return worker


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


@pytest.fixture
def start(ear: Ear, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    token = tmp_path / "token"
    token.write_text("secret\n")
    started: list[subprocess.Popen[str]] = []

    def make(*what: str) -> subprocess.Popen[str]:
        url = f"http://127.0.0.1:{ear.server.server_port}"
        argv = [sys.executable, "-m", "swarm.plugins.beat", "--url", url, "--every", "0.2"]
        argv += ["--token-file", str(token), "--orchestrator", "pf", "--role", "worker"]
        beat = subprocess.Popen([*argv, *what], stdout=subprocess.PIPE, text=True)
        started.append(beat)
        return beat

    yield make
    for beat in started:
        beat.kill()
        beat.wait()
        assert beat.stdout is not None
        beat.stdout.close()


def pid_of(worker: dict[str, Any]) -> int:
    return int(worker["pid"])


def pids_ended(worker: dict[str, Any]) -> list[int]:
    return [one["pid"] for one in worker["ended"]]


def printed(beat: subprocess.Popen[str]) -> int:
    assert beat.stdout is not None
    return int(beat.stdout.readline())


def test_a_killed_worker_is_told_and_its_child_when_that_ends(
    ear: Ear, start: Callable[..., subprocess.Popen[str]]
) -> None:
    beat = start("--name", "lab/one", "--", sys.executable, "-c", WORKER)
    child = printed(beat)
    alive = ear.until(lambda one: one["presence"] == "alive")
    assert (alive["name"], alive["ended"]) == ("lab/one", [])
    ear.refuses = 2  # it is told again until it is taken
    os.kill(pid_of(alive), signal.SIGKILL)
    dead = ear.until(lambda one: one["presence"] == "dead")
    assert dead["detail"] == "killed by signal 9"
    assert pids_ended(dead) == [pid_of(alive)]
    assert beat.poll() is None  # the child lives on, and so does its watch
    os.kill(child, signal.SIGKILL)
    ear.until(lambda one: child in pids_ended(one))
    assert beat.wait(GENEROUS_S) == 128 + signal.SIGKILL
    assert ear.tokens == {"Bearer secret"}


@pytest.mark.parametrize("ends", ["sys.exit(0)", "time.sleep(600)"])
def test_a_worker_that_ends_as_it_should_is_stopped(
    ear: Ear, start: Callable[..., subprocess.Popen[str]], ends: str
) -> None:
    beat = start("--", sys.executable, "-c", f"import sys, time; print(1, flush=True); {ends}")
    printed(beat)
    if "sleep" in ends:
        ear.until(lambda one: one["presence"] == "alive")
        beat.terminate()
    stopped = ear.until(lambda one: one["presence"] != "alive")
    assert stopped["presence"] == "stopped"
    assert stopped["name"] == f"worker@{os.uname().nodename}"
    beat.wait(GENEROUS_S)


def test_an_exit_code_is_handed_on_and_is_no_stop(
    ear: Ear, start: Callable[..., subprocess.Popen[str]]
) -> None:
    beat = start("--", sys.executable, "-c", "raise SystemExit(3)")
    assert beat.wait(GENEROUS_S) == 3
    assert ear.until(lambda one: one["presence"] == "dead")["detail"] == "exit code 3"


def test_a_worker_that_runs_already_is_watched_by_its_pid(
    ear: Ear, start: Callable[..., subprocess.Popen[str]]
) -> None:
    argv = [sys.executable, "-c", WORKER]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as worker:
        child = printed(worker)
        beat = start("--name", "lab/one", "--linger", "600", "--pid", str(worker.pid))
        ear.until(lambda one: one["presence"] == "alive")
        # One look after the first beat the child is known: two beats later it surely is.
        heard = len(ear.beats)
        while len(ear.beats) < heard + 3:
            assert beat.poll() is None
            time.sleep(0.05)
        worker.kill()
        ear.until(lambda one: one["presence"] == "dead")
        os.kill(child, signal.SIGKILL)
        ear.until(lambda one: child in pids_ended(one))
        assert beat.wait(GENEROUS_S) == 0


def test_what_it_cannot_watch_it_says(start: Callable[..., subprocess.Popen[str]]) -> None:
    assert start("--pid", str(2**22 - 1)).wait(GENEROUS_S) == 2

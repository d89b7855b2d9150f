"""The API under clients that are slow, large or many, and over actors and replicas that die."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import pytest

from swarm.actors.dispatcher import STREAM
from swarm.api.bodies import Pace
from swarm.client import Client
from swarm.model.dispatch import Submitted
from swarm.store.journal import open_journal
from tests.chaos.test_dispatcher import a_swarm
from tests.chaos.test_processes import standing_still
from tests.e2e.conftest import Swarm
from tests.e2e.test_tasks import in_state
from tests.e2e.test_up import actor_process, eventually

REPLICA = "ray::ServeReplica"
# For an agent that nobody keeps: it waits, and takes no worker.
WAITS = {"item": {"n": 1}, "capability": "nobody", "wait_for_capacity": True}
LARGE = 60_000_000
READS = ("pipelines", "graph", "status", "tasks", "workers", "runs", "findings", "losses")


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with a_swarm(tmp_path_factory.mktemp("swarm")) as running:
        yield running


@pytest.fixture
def http(swarm: Swarm) -> Iterator[httpx.Client]:
    header = {"Authorization": f"Bearer {swarm.token}"}
    with httpx.Client(base_url=f"{swarm.url}/api/v1/", headers=header, timeout=180) as client:
        yield client


def replica(swarm: Swarm) -> psutil.Process:
    def found() -> psutil.Process | None:
        for process in psutil.Process(swarm.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if (process.cmdline() or [""])[0].startswith(REPLICA):
                    return process
        return None

    return eventually(found)


def kept(swarm: Swarm) -> list[str]:
    """The tasks that the journal has taken in, each as often as it has."""
    with contextlib.closing(open_journal("", swarm.state)) as journal:
        entries = journal.read(STREAM, 0, 1_000_000)
    return [one.record.submission.task for one in entries if isinstance(one.record, Submitted)]


def raw(swarm: Swarm, method: str, path: str, *headers: str) -> socket.socket:
    """A connection on which a request has begun."""
    where = urlsplit(swarm.url)
    connection = socket.create_connection((where.hostname, where.port), timeout=180)
    lines = [f"{method} /api/v1/{path} HTTP/1.1", f"Host: {where.netloc}"]
    lines += [f"Authorization: Bearer {swarm.token}", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def peak_bytes(process: psutil.Process) -> int:
    """The most memory it has had since `forget_peak`."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) * 1_024


def forget_peak(process: psutil.Process) -> int:
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    return peak_bytes(process)


def test_a_replica_killed_while_it_answers_loses_nothing_that_it_acknowledged(
    swarm: Swarm, http: httpx.Client
) -> None:
    stop, number = threading.Event(), itertools.count()
    acknowledged: list[str] = []
    raw_answers: list[int | str] = []

    def hand_in() -> None:
        """As the SDK does: what breaks is sent again, as it was."""
        with Client(swarm.url, swarm.token, retry_for_s=300) as client:
            while not stop.is_set():
                acknowledged.extend(client.submit([{"id": f"r{next(number)}", **WAITS}]))

    def look() -> None:
        """As anybody does, with no patience at all."""
        while not stop.is_set():
            try:
                raw_answers.append(http.get("tasks").status_code)
            except httpx.TransportError as error:
                raw_answers.append(type(error).__name__)

    with ThreadPoolExecutor(5) as clients:
        working = [clients.submit(hand_in) for _ in range(4)] + [clients.submit(look)]
        try:
            for _ in range(2):
                begun = len(acknowledged)
                eventually(lambda since=begun: len(acknowledged) > since + 20)
                victim = replica(swarm)
                victim.kill()
                eventually(lambda gone=victim: replica(swarm) != gone)
                begun = len(acknowledged)
                eventually(lambda since=begun: len(acknowledged) > since + 20)
            eventually(lambda: raw_answers.count(200) > 5)
        finally:
            stop.set()
        for one in working:
            one.result(600)
    told = {answer for answer in raw_answers if answer != 200}
    assert told <= {503}, told
    taken = kept(swarm)
    assert len(taken) == len(set(taken)), "a task was taken twice"
    assert set(acknowledged) <= set(taken)
    eventually(lambda: http.get("readyz").status_code == 200)
    in_state(swarm, acknowledged[-1], "queued")  # readers hear of it a moment later


@pytest.mark.parametrize("declared", [True, False])
def test_sixty_megabytes_are_refused_without_being_kept(
    swarm: Swarm, http: httpx.Client, declared: bool
) -> None:
    on_the_way = [replica(swarm), actor_process(swarm, "ProxyActor")]
    http.get("status")
    before = [forget_peak(one) for one in on_the_way]
    blocks = itertools.repeat(b"x" * 1_000_000, LARGE // 1_000_000)
    headers = {"Content-Length": str(LARGE)} if declared else {}
    answer = http.post("lineage", content=blocks, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    grown = [peak_bytes(one) - was for one, was in zip(on_the_way, before, strict=True)]
    assert max(grown) < LARGE * 3 / 4, grown
    assert http.get("status").status_code == 200


def test_slow_clients_hold_nobody_up_and_are_ended(swarm: Swarm, http: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        half_sent = []
        for _ in range(60):
            slow = raw(swarm, "POST", "lineage", "Content-Length: 1000")
            stack.callback(slow.close)
            slow.sendall(b'{"job":')
            half_sent.append(slow)
        for _ in range(30):  # asks for much, and takes nothing
            stack.callback(raw(swarm, "GET", "openapi.json").close)
        for path in READS:
            begun_s = time.monotonic()
            assert http.get(path).status_code == 200
            assert time.monotonic() - begun_s < Pace().piece_s, path
        assert http.post("tasks", json={"tasks": [WAITS]}).status_code == 201
        for slow in half_sent[:3]:
            answer = b""  # head and body may come apart
            while b"too-slow" not in answer and (piece := slow.recv(10_000)):
                answer += piece
            assert answer.startswith(b"HTTP/1.1 408"), answer
            assert b"too-slow" in answer


def test_without_the_dispatcher_changes_are_told_to_come_back_and_reads_are_served(
    swarm: Swarm, http: httpx.Client
) -> None:
    body, key = {"tasks": [{**WAITS, "team": "later"}]}, {"Idempotency-Key": "while it is away"}
    before = len(kept(swarm))
    with standing_still(actor_process(swarm, "DispatcherActor")):
        begun_s = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(http.post, "tasks", json=body, headers=key)
            for path in READS:
                assert http.get(path).status_code == 200, path
            assert not waiting.done()
            refused = waiting.result(60)
        assert time.monotonic() - begun_s < 45
        assert (refused.status_code, refused.json()["code"]) == (503, "store-unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    again = eventually(
        lambda: (one := http.post("tasks", json=body, headers=key)).status_code == 201 and one
    )
    assert len(again.json()["tasks"]) == 1
    assert kept(swarm)[before:] == again.json()["tasks"], "it was sent twice and is there once"


def test_a_change_that_is_sent_again_is_told_as_it_was(swarm: Swarm, http: httpx.Client) -> None:
    """Over HTTP, where the proxy of Serve is between."""
    key, body = {"Idempotency-Key": "k"}, {"path": "clerks:Clerk", "count": 0}
    first, again = (http.post("agents", json=body, headers=key) for _ in range(2))
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = http.post("agents", json={**body, "count": 1}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "different-body")

"""The API on Ray Serve, as it is served, beside a handler of Serve that does nothing.

A swarm of its own is started over a journal that holds the mesh of `benchmarks.graph`. Into the
same Serve goes a bare handler, which answers the same paths with the same bytes: what is left
between the two is what swarm's own code costs. Blocks of both run in turns, A B C C B A, each with
the same requests by as many clients at once; in C swarm is asked what nobody asked before, so that
no answer that it keeps will do.
"""

import contextlib
import itertools
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import httpx2 as httpx

from benchmarks.graph import mesh, records
from benchmarks.live_swarm import LiveSwarm, running_swarm, until
from benchmarks.report import progress
from swarm.store.journal import open_journal

_CLIENTS = 8
_BARE = "/bare"
_AT_ONCE = 2_000  # records appended at once


@dataclass(frozen=True, slots=True)
class Scale:
    """How many pipelines, rounds of blocks, requests in a block, batches and tasks in each."""

    pipelines: int
    rounds: int
    requests: int
    batches: int
    tasks: int


FULL = Scale(pipelines=10_000, rounds=5, requests=400, batches=20, tasks=1_000)
QUICK = Scale(pipelines=1_000, rounds=1, requests=80, batches=2, tasks=200)


@dataclass(slots=True)
class _Seen:
    """Requests in a second of each block, and milliseconds of each request, by who answered."""

    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def over_bare(self, who: str) -> float:
        """How the rate of `who` stands to the bare handler's, block by block."""
        pairs = zip(self.rates[who], self.rates["bare"], strict=True)
        return median(mine / bare for mine, bare in pairs)


def serve_figures(scale: Scale, seed: int) -> dict[str, float]:
    """Reads of swarm and of the bare handler, and tasks in a second handed in by batches."""
    with TemporaryDirectory(prefix="api") as name:
        folder = Path(name)
        _fill(folder / "state", scale.pipelines, seed)
        progress(f"starting swarm over {scale.pipelines} pipelines")
        with running_swarm(folder) as swarm, _Client(swarm) as http:
            until("it knows the mesh", lambda: http.pipelines() == scale.pipelines)
            asked = _asked(scale, seed)
            answers = {path: http.get(path).content for path in set(asked)}
            with _bare(folder, answers):
                seen = _reads(http, asked, scale.rounds)
            batch_s = _batches(http, scale)
    found = {
        "reads_per_s": median(seen.rates["swarm"]),
        "bare_reads_per_s": median(seen.rates["bare"]),
        "reads_over_bare": seen.over_bare("swarm"),
        "new_reads_over_bare": seen.over_bare("new"),
        "batch_tasks_per_s": scale.tasks / median(batch_s),
    }
    for who, prefix in (("swarm", "read"), ("bare", "bare_read")):
        cuts = quantiles(seen.ms[who], n=100)
        found |= {f"{prefix}_p50_ms": cuts[49], f"{prefix}_p99_ms": cuts[98]}
    return found


def _fill(state: Path, pipelines: int, seed: int) -> None:
    journal = open_journal("", state)
    stream = journal.open("graph")
    every = list(records(pipelines, mesh(pipelines, seed)))
    for at in range(0, len(every), _AT_ONCE):
        stream.append(every[at : at + _AT_ONCE], time.time(), "benchmark")
    journal.close()


def _asked(scale: Scale, seed: int) -> list[str]:
    """What people and pages ask for, mixed: lists from the beginning on and further down, who is
    hit, how all is doing."""
    dice = random.Random(seed)
    names = [f"bench/pipeline_{dice.randrange(scale.pipelines)}" for _ in range(20)]
    hits = [f"impact?name={name}&limit=20" for name in names]
    lists = ["pipelines?limit=50", "datasets?limit=50", "dependencies?limit=20"]
    rest = ["status", "slas", "decisions", "workers", "runs?limit=50", "findings?limit=20"]
    return dice.choices([*hits, *lists * 7, *rest * 4], k=scale.requests)


class _Client:
    """A few connections to one swarm, each used by one at a time."""

    def __init__(self, swarm: LiveSwarm) -> None:
        self.url = swarm.url
        token = swarm.token_file.read_text()
        self._header = {"Authorization": f"Bearer {token}"}
        limits = httpx.Limits(max_connections=_CLIENTS, max_keepalive_connections=_CLIENTS)
        self._http = httpx.Client(headers=self._header, limits=limits, timeout=60)

    def __enter__(self) -> "_Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, root: str = "/api/v1") -> httpx.Response:
        answer = self._http.get(f"{self.url}{root}/{path}")
        answer.raise_for_status()
        return answer

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        self._http.post(f"{self.url}/api/v1/{path}", json=body).raise_for_status()

    def pipelines(self) -> int:
        return sum(self.get("status").json()["pipelines"].values())


def _reads(http: _Client, asked: Sequence[str], rounds: int) -> _Seen:
    seen = _Seen()
    numbers = itertools.count()
    for _ in range(2):  # all that is made once is made, on both sides
        for root in ("/api/v1", _BARE):
            _block(http, asked[: len(asked) // 2], root)
    for number in range(rounds):
        progress(f"reads, round {number + 1} of {rounds}")
        for who in ("swarm", "bare", "new", "new", "bare", "swarm"):
            root = _BARE if who == "bare" else "/api/v1"
            paths = [_anew(path, next(numbers)) for path in asked] if who == "new" else asked
            seconds, ms = _block(http, paths, root)
            seen.rates[who].append(len(asked) / seconds)
            seen.ms[who] += ms
    return seen


def _anew(path: str, number: int) -> str:
    """The same question in words that nobody used before."""
    return f"{path}{'&' if '?' in path else '?'}n={number}"


def _block(http: _Client, asked: Sequence[str], root: str) -> tuple[float, list[float]]:
    def ask(path: str) -> float:
        begun_s = time.perf_counter()
        http.get(path, root)
        return (time.perf_counter() - begun_s) * 1_000

    begun_s = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as clients:
        ms = list(clients.map(ask, asked))
    return time.perf_counter() - begun_s, ms


def _batches(http: _Client, scale: Scale) -> list[float]:
    """Seconds until each batch of tasks is acknowledged, which is when it is in the journal."""
    # For agents that nobody keeps: they wait, so that no worker takes the machine meanwhile.
    task = {"item": {"n": 1}, "capability": "nobody", "wait_for_capacity": True}
    took = []
    for number in range(scale.batches):
        tasks = [{"id": f"b{number}-{at}", **task} for at in range(scale.tasks)]
        begun_s = time.perf_counter()
        http.post("tasks", {"tasks": tasks})
        took.append(time.perf_counter() - begun_s)
    return took


@contextlib.contextmanager
def _bare(folder: Path, answers: Mapping[str, bytes]) -> Iterator[None]:
    """A handler of Serve beside swarm's, in the same Ray."""
    kept = folder / "answers.json"
    kept.write_text(json.dumps({path: body.decode() for path, body in answers.items()}))
    arguments = [str(folder / "state"), _BARE, str(kept)]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.api_bare", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if not any("it answers" in line for line in process.stdout):
            raise RuntimeError("the bare handler did not begin")
        yield
        process.stdin.close()

"""How long does the API take to say who is hit, when it knows 10,000 pipelines?

The mesh of `benchmarks.graph` is in the read model of the real app; requests go through its whole
stack (guard, routing, search, JSON) in this process, one after the other, and ask for the 100
nearest hits. `impact_*` is the time from request to the last byte, server side: no network.

Beside a bare handler of Ray Serve, which answers the same paths with the same bytes in the same
Serve, over HTTP, by eight clients at once (`api_serve.py`):
- `reads_per_s`, `read_*_ms`: requests in a second, and how long each took; `bare_*` of the other.
- `reads_over_bare`: in blocks that take turns; wanted are 0.7. A few dozen questions are asked over
  and over, as open pages do, of a journal at rest: most answers are kept ones.
- `new_reads_over_bare`: the same with questions that nobody asked before.
- `batch_tasks_per_s`: tasks handed in 1,000 at a time, until they are in the journal.

`sse_lag_*` is the time from a record that is durable in the journal to its event at a listener, on
an installation at rest: a projector beside the app waits for news as the actor does.
"""

import asyncio
import contextlib
import random
import time
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import httpx2 as httpx

from benchmarks.api_serve import FULL, QUICK, serve_figures
from benchmarks.graph import mesh, records
from benchmarks.report import Figures, Options, run
from swarm.actors.handles import DispatchHandle, GraphHandle, OutputsHandle, SequencerHandle
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.api.stream import events
from swarm.clock import SystemClock
from swarm.model.graph import PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projections import Projections, open_projections
from swarm.store.projector import open_projector

PIPELINES = 10_000
TOKEN = "benchmark"
_WAIT_S = 0.5  # as the projector actor waits


def measure(options: Options) -> Figures:
    """Ask for pipelines chosen at random."""
    with TemporaryDirectory() as folder:
        projections = open_projections("", Path(folder))
        deps = _deps(projections)
        for record in records(PIPELINES, mesh(PIPELINES, options.seed)):
            deps.model.apply(record, 0.0)
        names = [str(key) for key in deps.model.graph.pipelines]
        dice = random.Random(options.seed)
        asked = dice.choices(names, k=200 if options.quick else 2_000)
        seconds = asyncio.run(_ask(deps, asked))
        projections.close()
    with TemporaryDirectory() as folder:
        lags = asyncio.run(_lags(Path(folder), 40 if options.quick else 400, dice))
    cuts, lag_cuts = quantiles(seconds, n=100), quantiles(lags, n=100)
    return {
        "impact_p50_ms": cuts[49] * 1_000,
        "impact_p99_ms": cuts[98] * 1_000,
        "impact_max_ms": max(seconds) * 1_000,
        "sse_lag_p50_ms": lag_cuts[49] * 1_000,
        "sse_lag_p99_ms": lag_cuts[98] * 1_000,
        **serve_figures(QUICK if options.quick else FULL, options.seed),
    }


def _deps(projections: Projections) -> Deps:
    return Deps(
        TOKEN,
        GraphHandle(),
        DispatchHandle(),
        OutputsHandle(),
        SequencerHandle(),
        projections,
        SystemClock(),
    )


async def _lags(folder: Path, count: int, dice: random.Random) -> list[float]:
    """Seconds from append to event, of records that come one at a time."""
    journal = open_journal("", folder)
    stream = journal.open("graph")
    projector = open_projector("", folder)
    deps = _deps(open_projections("", folder))
    app = create_app(deps)
    lags = []
    async with app.router.lifespan_context(app):
        projecting = asyncio.create_task(_project(Follower(journal, projector)))
        heard = events(deps, 0)
        for number in range(count):
            await asyncio.sleep(dice.uniform(0.05, 0.35))
            record = PipelineSeen(Pipeline(PipelineKey("bench", f"p{number}")))
            await asyncio.to_thread(stream.append, [record], 0.0, "cause")
            durable_s = time.perf_counter()
            while b"data: " not in await anext(heard):
                pass
            lags.append(time.perf_counter() - durable_s)
        projecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await projecting
    deps.projections.close()
    return lags


async def _project(follower: Follower) -> None:
    while True:
        if not await asyncio.to_thread(follower.step):
            await asyncio.to_thread(follower.wait, _WAIT_S)


async def _ask(deps: Deps, names: list[str]) -> list[float]:
    seconds = []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(deps)),
        base_url="http://swarm/api/v1/",
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as http:
        for name in names:
            started_s = time.perf_counter()
            answer = await http.get("impact", params={"name": name})
            seconds.append(time.perf_counter() - started_s)
            answer.raise_for_status()
    return seconds


if __name__ == "__main__":
    run("api", "How fast does the API answer at 10,000 pipelines?", measure)

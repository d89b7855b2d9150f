"""How long does the API take to say who is hit, when it knows 10,000 pipelines?

The mesh of `benchmarks.graph` is in the read model of the real app; requests go through its whole
stack (guard, routing, search, JSON) in this process, one after the other, and ask for the 100
nearest hits. `impact_*` is the time from request to the last byte, server side: no network.
"""

import asyncio
import random
import time
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import httpx2 as httpx

from benchmarks.graph import mesh, records
from benchmarks.report import Figures, Options, run
from swarm.actors.handles import DispatchHandle, GraphHandle, OutputsHandle, SequencerHandle
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.clock import SystemClock
from swarm.store.projections import open_projections

PIPELINES = 10_000
TOKEN = "benchmark"


def measure(options: Options) -> Figures:
    """Ask for pipelines chosen at random."""
    with TemporaryDirectory() as folder:
        projections = open_projections("", Path(folder))
        deps = Deps(
            TOKEN,
            GraphHandle(),
            DispatchHandle(),
            OutputsHandle(),
            SequencerHandle(),
            projections,
            SystemClock(),
        )
        for record in records(PIPELINES, mesh(PIPELINES, options.seed)):
            deps.model.apply(record, 0.0)
        names = [str(key) for key in deps.model.graph.pipelines]
        dice = random.Random(options.seed)
        asked = dice.choices(names, k=200 if options.quick else 2_000)
        seconds = asyncio.run(_ask(deps, asked))
        projections.close()
    cuts = quantiles(seconds, n=100)
    return {
        "impact_p50_ms": cuts[49] * 1_000,
        "impact_p99_ms": cuts[98] * 1_000,
        "impact_max_ms": max(seconds) * 1_000,
    }


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

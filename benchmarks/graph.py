"""How long does the graph take to build, to answer "who is hit?" and to take in one more edge?

Nodes are pipelines, edges are dependencies. The mesh is what data teams' graphs look like: domains
of about 1,000 tables in 8 layers, edges from each layer to the next, 0.2 % of all edges from the
last two layers of a domain to the first two of a later one; about 4.4 edges a node. One pipeline in
a hundred so reaches more than half of all (`reached_*` tell). networkx does the same beside it:
the same mesh in a `DiGraph`, breadth-first levels from the same starts, `add_edge`.

`impact` counts everything reached and describes the 100 nearest with confidence and cause, as one
page of the API does; networkx only counts. Queries and inserts alternate between the two (A B B A).
Times are CPU times of the calling thread: the questions do no I/O, and the machine may be shared.
"""

import gc
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import thread_time
from typing import TypeVar

import networkx as nx

from benchmarks.report import Figures, Options, progress, run, save
from swarm.graph.index import DependencyGraph
from swarm.graph.query import impact
from swarm.model.graph import DependencyChanged, PipelineSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import Pipeline, Task

QUESTION = "How fast is the graph at 200, 10,000 and 100,000 pipelines, beside plain networkx?"
SIZES = (200, 10_000, 100_000)
DOMAIN = 1_000
LAYERS = 8
CROSS_SHARE = 0.002
EDGES_PER_NODE = 4.43
PAGE = 100

Pair = tuple[int, int]
T = TypeVar("T")


def mesh(nodes: int, seed: int) -> list[Pair]:
    """Edges of the mesh, each once and without cycles; the same for the same seed."""
    dice = random.Random(seed)
    wanted = round(nodes * EDGES_PER_NODE)
    size = min(DOMAIN, nodes)
    width = size // LAYERS
    edges: dict[Pair, None] = {}
    while len(edges) < wanted:
        down = dice.randrange(nodes)
        domain, place = divmod(down, size)
        if dice.random() < CROSS_SHARE:
            if domain:
                last = dice.randrange(1, domain + 1) * size - 1 - dice.randrange(2 * width)
                edges[last, domain * size + dice.randrange(2 * width)] = None
        elif place >= width:
            above = min(place // width, LAYERS - 1) - 1
            edges[domain * size + above * width + dice.randrange(width), down] = None
    return list(edges)


def measure(options: Options) -> Figures:
    """All figures; a full run asks more often."""
    figures: dict[str, float] = {}
    for nodes in SIZES:
        queries = (60 if nodes == SIZES[-1] else 400) if options.quick else 2_000
        peer_queries = min(queries, 12 if options.quick else 100) if nodes > 10_000 else queries
        figures |= _measure_size(nodes, options.seed, queries, peer_queries)
    return figures


def _measure_size(nodes: int, seed: int, queries: int, peer_queries: int) -> Figures:
    progress(f"{nodes:,} pipelines: build")
    edges = mesh(nodes, seed)
    stream = list(records(nodes, edges))
    dice = random.Random(seed + 1)
    gc.collect()
    build_s, graph = _timed(lambda: DependencyGraph(stream))
    peer_build_s, peer = _timed(lambda: _peer(nodes, edges))
    # The first question at a threshold prepares its rows, once in the life of a process.
    first_s, _ = _timed(lambda: impact(graph, _pipeline(0), limit=PAGE))
    progress(f"{nodes:,} pipelines: {queries} impact queries, {peer_queries} of networkx")
    ours: list[float] = []
    theirs: list[float] = []
    totals: list[float] = []
    starts = [dice.randrange(nodes) for _ in range(queries)]
    for number, start in enumerate(starts):
        asked_too = number < peer_queries
        for ask_peer in _abba(number):
            if not ask_peer:
                seconds, answer = _timed(partial(impact, graph, _pipeline(start), limit=PAGE))
                ours.append(seconds)
            elif asked_too:
                seconds, reached = _timed(partial(_peer_impact, peer, start))
                theirs.append(seconds)
        totals.append(answer.total)
        assert not asked_too or answer.total == reached, "the two graphs disagree"
    progress(f"{nodes:,} pipelines: inserts")
    inserts, peer_inserts = _insert(graph, peer, nodes, dice)
    size = str(nodes)
    return {
        f"build_s_{size}": build_s,
        f"first_query_ms_{size}": first_s * 1e3,
        f"reached_p50_{size}": _percentile(totals, 50),
        f"reached_p99_{size}": _percentile(totals, 99),
        **_latency(f"impact_{{}}_ms_{size}", ours, 1e3),
        **_latency(f"insert_{{}}_us_{size}", inserts, 1e6),
        f"networkx_build_s_{size}": peer_build_s,
        **_latency(f"networkx_impact_{{}}_ms_{size}", theirs, 1e3),
        **_latency(f"networkx_insert_{{}}_us_{size}", peer_inserts, 1e6),
        f"networkx_per_swarm_impact_p50_{size}": _percentile(theirs, 50) / _percentile(ours, 50),
    }


def _insert(
    graph: DependencyGraph, peer: "nx.DiGraph[int]", nodes: int, dice: random.Random
) -> tuple[list[float], list[float]]:
    """One new dependency at a time, while a prepared threshold is kept up to date."""
    ours, theirs = [], []
    for number in range(2_000):
        up, down = sorted(dice.sample(range(nodes), 2))
        record = DependencyChanged(number + 1, _dependency(up, down, "late"))
        for ask_peer in _abba(number):
            if ask_peer:
                theirs.append(_timed(partial(peer.add_edge, up, down))[0])
            else:
                ours.append(_timed(partial(graph.apply, record))[0])
    return ours, theirs


def _abba(number: int) -> tuple[bool, bool]:
    return (False, True) if number % 2 == 0 else (True, False)


def _timed(call: Callable[[], T]) -> tuple[float, T]:
    begin = thread_time()
    result = call()
    return thread_time() - begin, result


def _latency(name: str, seconds: list[float], scale: float) -> Figures:
    return {
        name.format("p50"): _percentile(seconds, 50) * scale,
        name.format("p99"): _percentile(seconds, 99) * scale,
        name.format("max"): max(seconds) * scale,
    }


def _percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _pipeline(number: int) -> PipelineKey:
    return PipelineKey("bench", f"pipeline_{number}")


def _dependency(up: int, down: int, suffix: str = "") -> Dependency:
    key = DependencyKey(
        TaskKey("bench", f"pipeline_{up}", "load"),
        TaskKey("bench", f"pipeline_{down}", "load"),
        DatasetKey("postgres://w:5432", f"db.s.table_{up}{suffix}"),
    )
    return Dependency(key, False, 0.98, ())


def records(nodes: int, edges: list[Pair]) -> Iterator[PipelineSeen | DependencyChanged]:
    """The mesh as the graph stream tells it."""
    for number in range(nodes):
        key = _pipeline(number)
        yield PipelineSeen(Pipeline(key, (Task(TaskKey("bench", key.name, "load")),)))
    for up, down in edges:
        yield DependencyChanged(1, _dependency(up, down))


def _peer(nodes: int, edges: list[Pair]) -> "nx.DiGraph[int]":
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    return graph


def _peer_impact(graph: "nx.DiGraph[int]", start: int) -> int:
    return sum(map(len, nx.bfs_layers(graph, [start]))) - 1


def draw(figures: Figures, path: Path) -> None:
    """Impact latency over size, both libraries."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    for label, prefix in (("swarm", ""), ("networkx", "networkx_")):
        for percentile, style in (("p50", "--"), ("p99", "-")):
            values = [figures[f"{prefix}impact_{percentile}_ms_{size}"] for size in SIZES]
            axes.plot(SIZES, values, style, marker="o", label=f"{label} {percentile}")
    axes.set(xscale="log", yscale="log", xlabel="pipelines", ylabel="impact query, ms")
    save(figure, path)


if __name__ == "__main__":
    run("graph", QUESTION, measure, draw=draw)

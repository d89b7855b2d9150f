"""By when must each pipeline begin, so that every SLA that stands on it can be kept?

Latest starts are propagated back from the deadlines over all edges that are kept or sure (declared,
or `GATE_FROM` and more): a pipeline has to end before the earliest latest start below it, and takes
what nine of ten of its runs take (P90). What is left until then is its slack; over several
orchestrators it is one number, which no priority given by hand can be. The value of an SLA flows up
the same way, and counts once for each pipeline that it stands on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import quantiles

from swarm.graph.index import DependencyGraph
from swarm.graph.reach import behind
from swarm.model.keys import PipelineKey
from swarm.model.lineage import GATE_FROM
from swarm.sequencing.history import History

RUNS = 60  # of so many the P90 is taken


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline, and how much keeping it is worth beside others."""

    at_s: float
    value: float = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pipeline stands before the deadlines: begun at `latest_start_s` it makes each, of
    which `first` is the one that decides; `value` is that of all of them."""

    latest_start_s: float
    first: PipelineKey
    value: float


def places(
    graph: DependencyGraph, history: History, due: Mapping[PipelineKey, Due]
) -> dict[PipelineKey, Place]:
    """Of everything that a deadline stands on, itself included. In a ring there is no order: each
    of it has to end before what is below any."""
    level = graph.by_pipeline
    starts = [node for key in due if (node := level.find(key)) is not None]
    found, rows, parts = behind(starts, level.adjacency.view(GATE_FROM))
    placed: dict[int, Place] = {}
    reached: dict[int, frozenset[PipelineKey]] = {}
    for part in parts:  # downstream first
        keys = {at: level.nodes[found[at]] for at in part}
        downs = {down for at in part for down in rows[at] if down in placed}
        ends = [(placed[down].latest_start_s, placed[down].first) for down in downs]
        own = {key for key in keys.values() if key in due}
        ends_s, first = min([*ends, *((due[key].at_s, key) for key in own)])
        below = frozenset(own.union(*(reached[down] for down in downs)))
        value = sum(due[one].value for one in below)
        for at, key in keys.items():
            reached[at] = below
            placed[at] = Place(ends_s - long_s(history, key), first, value)
    return {level.nodes[found[at]]: place for at, place in placed.items()}


def long_s(history: History, pipeline: PipelineKey) -> float:
    """What nine of ten of its good runs take; 0 where there are none."""
    took = history.good_durations_s(pipeline)[-RUNS:]
    if len(took) < 2:
        return took[0] if took else 0.0
    return quantiles(took, n=10, method="inclusive")[-1]

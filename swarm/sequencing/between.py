"""Which hazards hold between two pipelines, as far as their runs tell."""

from bisect import bisect_left
from collections.abc import Iterator

from swarm.graph.index import Edge
from swarm.model.findings import FindingKind, Hazard
from swarm.model.keys import PipelineKey
from swarm.sequencing.history import History, cadence_s
from swarm.sequencing.order import HABIT_RUNS, order
from swarm.sequencing.world import World

# From here on a cadence is another one.
OTHER_CADENCE = 1.5
# One stale read in a hundred runs is worth a word before it happens.
RACE_FROM = 0.01

Found = Iterator[tuple[FindingKind, Hazard]]


def of_reader(world: World, edge: Edge, behind: int) -> Found:
    """Those of a writer and a reader that no orchestrator keeps in order. Of a stale read and a
    race there is only one: what has happened outweighs what may."""
    writer, reader = edge.upstream, edge.downstream
    assert isinstance(writer, PipelineKey)
    assert isinstance(reader, PipelineKey)
    listed = world.graph.pipelines
    if (
        writer in listed
        and listed[writer].paused
        and not (reader in listed and listed[reader].paused)
    ):
        yield FindingKind.PAUSED_WRITER, Hazard(behind)
    starts = world.history.starts(reader)
    ended = world.history.ended(writer)
    every_s = cadence_s([ran.started_at_s for ran in ended]), cadence_s(starts)
    if every_s[0] is None or every_s[1] is None:
        return
    if not 1 / OTHER_CADENCE < every_s[0] / every_s[1] < OTHER_CADENCE:
        yield FindingKind.CADENCE_MISMATCH, Hazard(behind, every_s=(every_s[0], every_s[1]))
        return
    found = order(ended, starts, every_s[0])
    if found is None or not (found.stale or found.chance >= RACE_FROM):
        return
    yield (
        FindingKind.STALE_READ if found.stale else FindingKind.RACE,
        Hazard(
            behind,
            seen=len(found.stale),
            of=found.runs,
            last_s=found.stale[-1] if found.stale else None,
            chance=found.chance,
            slack_s=found.slack_s,
        ),
    )


def of_writers(history: History, one: PipelineKey, other: PipelineKey, behind: int) -> Found:
    """That of two pipelines which write one dataset, if they have done it at the same time."""
    mine, theirs = history.ended(one), history.ended(other)
    if min(len(mine), len(theirs)) < HABIT_RUNS:
        return
    theirs = tuple(sorted(theirs, key=lambda ran: ran.ended_at_s))
    ends = [ran.ended_at_s for ran in theirs]
    both = []
    for ran in mine:
        at = bisect_left(ends, ran.started_at_s)
        if at < len(theirs) and theirs[at].started_at_s < ran.ended_at_s:
            both.append(ran)
    if both:
        hazard = Hazard(behind, seen=len(both), of=len(mine), last_s=both[-1].started_at_s)
        yield FindingKind.TWO_WRITERS, hazard

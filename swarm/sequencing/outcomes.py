"""What became of a hazard that was told: was it right to tell?

Rules
1. It is judged once, by the first of these that is seen:
   it came true (after it was told the reader read what was not new, or both wrote at once);
   it was acted on (the order was declared, linked or accepted, the cadence or the pause ended);
   a person said that it was right or wrong to tell, where it was told;
   it was rejected (a person said that there is no such dependency);
   it was refuted (at so many runs since, that it was to be expected `EXPECTED` times, and never
   came: by chance that is so once in twenty times).
2. What closed otherwise (habits moved, a dependency faded) says nothing.
"""

from bisect import bisect_right
from collections.abc import Sequence, Set

from swarm.model.findings import Finding, FindingKind, Outcome
from swarm.model.lineage import DependencyKey, Verdict
from swarm.sequencing.world import World

EXPECTED = 3.0
_STATES = frozenset(
    {FindingKind.PAUSED_WRITER, FindingKind.GONE_WRITER, FindingKind.CADENCE_MISMATCH}
)


def outcome_of(
    told: Finding, holds: Sequence[Finding], accepted: Set[DependencyKey], world: World
) -> Outcome | None:
    """What became of `told`, which is not judged yet, where `holds` is so now between the same
    pipelines; `accepted` are the dependencies that persons have accepted just now."""
    rejected = {
        key
        for key in told.evidence
        if (known := world.graph.dependencies.get(key)) and known.verdict is Verdict.REJECTED
    }
    now = next((one for one in holds if one.id == told.id), None)
    if now is None and rejected:
        return Outcome.REJECTED
    if not accepted.isdisjoint(told.evidence):
        return Outcome.ACTED_ON
    if any(_came_true(told, one) for one in holds):
        return Outcome.CAME_TRUE
    if now is None:
        return Outcome.ACTED_ON if _is_mended(told, world) else None
    return Outcome.REFUTED if _is_refuted(told, world) else None


def _came_true(told: Finding, now: Finding) -> bool:
    """Has it happened since it was told? What was a race is a stale read then."""
    is_same = now.id == told.id or (
        (told.kind, now.kind) == (FindingKind.RACE, FindingKind.STALE_READ)
    )
    last_s = now.hazard.last_s if now.hazard else None
    return is_same and last_s is not None and last_s > told.first_seen_s


def _is_mended(told: Finding, world: World) -> bool:
    """Did it close because what was to be done about it is done?"""
    writer, reader = told.pipelines[:2]
    if told.kind is FindingKind.GONE_WRITER:
        return True
    edges = world.graph.dependencies
    kept = [edges[key] for key in told.evidence if key in edges]
    if any(one.declared for one in kept):
        return True
    listed = world.graph.pipelines
    return told.kind in _STATES and bool(kept) and writer in listed and reader in listed


def _is_refuted(told: Finding, world: World) -> bool:
    chance = told.hazard.chance if told.hazard else 0.0
    starts = world.history.starts(told.pipelines[1])
    since = len(starts) - bisect_right(starts, told.first_seen_s)
    return since * chance >= EXPECTED

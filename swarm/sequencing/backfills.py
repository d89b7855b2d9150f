"""Which pipelines are being backfilled, and until when about.

A backfill goes on at the pace it had. What is left of it is told by the time it is of, each planned
start of which has a run in the end, counted by the schedule of its pipeline or its habit; or by how
many of its runs have not ended. Where its orchestrator tells neither, or too few of its runs have
ended, nobody can say.

Of one with more runs than are kept, those that are forgotten are told by the order it goes in: from
the first of its time on, or from the last.
"""

from collections.abc import Collection, Sequence
from statistics import median

from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Backfill
from swarm.model.runs import Ran
from swarm.sequencing.history import RUNS_KEPT
from swarm.sequencing.planned import plan_of
from swarm.sequencing.world import World

# As Airflow and Dagster call it. One that is paused may be so because it yields: it stays.
_RUNNING, _PAUSED = frozenset({"running", "requested"}), "paused"
_RUNS = 3  # so many show its pace
_PLANNED_MOST = 2_000


class Backfills:
    """Those under way."""

    def __init__(self) -> None:
        self._open: dict[PipelineKey, dict[str, Backfill]] = {}

    def apply(self, backfill: Backfill) -> bool:
        """Whether a pipeline is backfilled now that was not, or the other way round."""
        was_open = backfill.pipeline in self._open
        of = self._open.setdefault(backfill.pipeline, {})
        if backfill.state in _RUNNING:
            of[backfill.backfill_id] = backfill
        elif backfill.state != _PAUSED:
            of.pop(backfill.backfill_id, None)
        if not of:
            del self._open[backfill.pipeline]
        return was_open != bool(of)

    @property
    def pipelines(self) -> Collection[PipelineKey]:
        return self._open.keys()

    def done_s(self, world: World, key: PipelineKey, now_s: float) -> float | None:
        """When all of a pipeline are done as they go on now; None where nothing tells."""
        ends = [_done_s(world, backfill, now_s) for backfill in self._open.get(key, {}).values()]
        known = [end_s for end_s in ends if end_s is not None]
        return max(known) if known and len(known) == len(ends) else None


def _done_s(world: World, backfill: Backfill, now_s: float) -> float | None:
    course = _by_runs(world, backfill) or _by_time(world, backfill)
    if course is None:
        return None
    made, left = course
    if len(made) < _RUNS:
        return None
    began_s = min(ran.started_at_s for ran in made)
    ended_s = max(ran.ended_at_s for ran in made)
    return now_s + left * (ended_s - began_s) / len(made)


# What it has made, and how many runs are left.
_Course = tuple[Collection[Ran], int]


def _by_runs(world: World, backfill: Backfill) -> _Course | None:
    """A failed run is over like any other, and those of its schedule, few among them, go in."""
    since_s, left = backfill.since_s, backfill.left
    if since_s is None or left is None:
        return None
    known = world.history.known(backfill.pipeline)
    return [ran for ran in known if ran.started_at_s >= since_s], left


def _by_time(world: World, backfill: Backfill) -> _Course | None:
    """A failed run leaves its start as it was."""
    key, from_s, to_s = backfill.pipeline, backfill.from_s, backfill.to_s
    if from_s is None or to_s is None:
        return None
    on_time, known = set(world.history.ended(key)), world.history.known(key)
    made = {
        ran.scheduled_for_s: ran
        for ran in known
        if ran not in on_time and ran.scheduled_for_s is not None and not ran.failed
        if from_s <= ran.scheduled_for_s <= to_s
    }
    planned = _planned(world, key, from_s, to_s)
    if planned is None:
        return None
    done = len(made)
    if len(known) >= RUNS_KEPT and known[0] in made.values():
        done += _forgotten(world, key, from_s, to_s, [*made])
    return made.values(), max(0, planned - done)


def _forgotten(
    world: World, key: PipelineKey, from_s: float, to_s: float, kept: Sequence[float]
) -> int:
    """How many runs it made before those that are kept, whose planned times come in the order in
    which they began: none where they are of all of its time, in no order."""
    half = len(kept) // 2
    is_forward = median(kept[:half]) < median(kept[half:])
    before = (from_s, min(kept)) if is_forward else (max(kept), to_s)
    return (_planned(world, key, *before) or 1) - 1


def _planned(world: World, key: PipelineKey, from_s: float, to_s: float) -> int | None:
    """How many starts a pipeline has from one time to another, both counted."""
    plan = plan_of(world, key, from_s)
    if plan is None:
        return None
    if not plan.told:
        return round((to_s - from_s) / plan.every_s) + 1
    count, at_s = 0, plan.after(from_s - 1.0)
    while at_s is not None and at_s <= to_s:
        if count == _PLANNED_MOST:  # the others as densely
            return round(count * (to_s - from_s) / (at_s - from_s)) + 1
        count, at_s = count + 1, plan.after(at_s)
    return count

"""What stands before a task that waits: its place, the teams, each worker's reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from swarm.dispatch.choice import Fleet
from swarm.dispatch.floor import Floor
from swarm.dispatch.guidance import Held
from swarm.dispatch.states import Task, TaskState
from swarm.dispatch.waiting import Waiting, WaitReason, missing, why_waiting
from swarm.dispatch.workers import Worker
from swarm.errors import UnknownKey
from swarm.model.sides import Sided
from swarm.model.work import Resources, TaskId, WorkerId

_KEPT = "it is of a backfill, and the slots that are free are kept for what presses more"


@dataclass(frozen=True, slots=True)
class TeamTurn:
    """A team that waits. `share` is the part of the fleet it holds over its weight (its dominant
    share, see `choice.py`): the team with the smallest goes first."""

    team: str
    share: float
    waiting: int


@dataclass(frozen=True, slots=True)
class AtWorker:
    """What keeps the task from starting at one worker, in a line; empty: nothing but its turn."""

    worker: WorkerId
    lacks: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`before` counts the more urgent tasks of its own team; `latest_start_s` (seconds since the
    epoch) is when it has to start not to be late. Both are None unless the task waits. `sided` is
    what placement proposes for it."""

    task: TaskId
    state: TaskState
    waiting: Waiting | None
    before: int | None = None
    latest_start_s: float | None = None
    teams: tuple[TeamTurn, ...] = ()
    workers: tuple[AtWorker, ...] = ()
    sided: Sided | None = None


def explain(
    floor: Floor,
    id_: TaskId,
    weights: Mapping[str, float],
    held: Held | None = None,
    sided: Sided | None = None,
    *,
    kept: bool = False,
) -> Explanation:
    """Why the live task `id_` does not run yet; `held` is the hold it is under, `sided` what
    placement proposes for it; `kept`: what is free is kept for others. Raises `UnknownKey` for one
    that has ended."""
    task = floor.tasks.get(id_)
    if task is None:
        raise UnknownKey(f"no task {id_} waits or runs; `swarm tasks get {id_}` tells its story")
    waiting = why_waiting(floor, id_, held, sided)
    if task.state is not TaskState.QUEUED:
        return Explanation(id_, task.state, waiting)
    if kept and waiting is not None and waiting.reason is WaitReason.NEXT:
        waiting = Waiting(WaitReason.PLACED, _KEPT)
    team, _, place = floor.queue.find(id_)
    before = sum(
        1
        for shape in floor.queue.shapes(team)
        for _ in takewhile(lambda other: other < place, floor.queue.walk(team, shape))
    )
    fleet = Fleet(floor.total, floor.held_by, weights)
    turns = (
        TeamTurn(name, fleet.share(name, Resources()), floor.queue.waiting(name))
        for name in floor.queue.teams()
    )
    return Explanation(
        id_,
        task.state,
        waiting,
        before,
        place.latest_start_s,
        tuple(sorted(turns, key=lambda turn: (turn.share, turn.team))),
        tuple(
            AtWorker(worker, _lacks(task, known, sided)) for worker, known in floor.workers.items()
        ),
        sided,
    )


def _lacks(task: Task, worker: Worker, sided: Sided | None) -> str:
    needs = task.submission.needs
    unmatched = missing(needs, worker.offer)
    if unmatched is not None:
        return f"{unmatched}: it will never run here"
    if sided is not None and not sided.side.allows(worker.offer):
        return f"{worker.offer.capacity}, and {sided.why}"
    if worker.draining:
        return "it is being drained"
    if worker.alone:
        return "it runs a task that tolerates no other beside it"
    if not worker.free_slots:
        return f"its {worker.offer.slots} slots are taken"
    free = worker.offer.resources - worker.used
    if not needs.resources.fits(free):
        return f"{free.cpu:g} CPU and {free.memory_bytes / 2**30:.1f} GiB are free"
    if task.suspect and worker.held:
        return "it is not empty, and the task has to run alone"
    return ""

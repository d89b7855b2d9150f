"""Tasks that wait, by team and by what they need.

Within a team the task with the earliest latest start goes first: its deadline less its expected
duration, and never later than its class's patience after it was handed in. As that moment does
not change by itself while a task waits, a heap holds the order; as it comes nearer while new work
arrives behind it, no task waits for ever behind its own team's.

What sequencing wants (`guidance.py`) gives a task another place, or none for a while: it is set
aside, still waits, and is nobody's turn. What placement proposes (`proposals.py`) gives it a side.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from swarm.dispatch.states import Task
from swarm.model.keys import PipelineKey
from swarm.model.sides import Side
from swarm.model.work import CapacityClass, Needs, SlaClass, Submission, TaskId

# How long a task of a class may wait before it counts as late, where no deadline says less.
PATIENCE_S: Mapping[SlaClass, float] = {
    SlaClass.CRITICAL: 5 * 60.0,
    SlaClass.STANDARD: 30 * 60.0,
    SlaClass.BACKFILL: 6 * 3600.0,
}


def latest_start_s(submission: Submission) -> float:
    """When a task has to start at the latest, in seconds since the epoch."""
    patient = submission.submitted_at_s + PATIENCE_S[submission.sla]
    if submission.deadline_s is None:
        return patient
    return min(patient, submission.deadline_s - submission.expected_duration_s)


UNSEEN = Side(CapacityClass.DEDICATED, ())  # of what placement has to speak of first


class Shape(NamedTuple):
    """Tasks of one shape are equal to a worker, but for their urgency. Those that `give_way` get
    what others leave. `side` is what placement proposes; `wary` are those that without it wait for
    dedicated capacity while placement is careful. From those `behind` slots may be kept free."""

    needs: Needs
    alone: bool
    give_way: bool = False
    side: Side | None = None
    wary: bool = False
    behind: bool = False

    def heeded(self, *, careful: bool) -> Side | None:
        """The side that counts now."""
        return UNSEEN if self.side is None and self.wary and careful else self.side


class Place(NamedTuple):
    """Where a task stands within its team and shape; the smallest is next."""

    latest_start_s: float
    number: int
    task: TaskId


Heap = list[Place]
_GARBAGE = 1_000


class Queue:
    """Waiting tasks. What is removed or set aside leaves its place behind, which is passed over."""

    def __init__(self) -> None:
        self._teams: dict[str, dict[Shape, Heap]] = {}
        self._places: dict[TaskId, tuple[str, Shape, Place]] = {}
        self._waiting: dict[str, int] = {}
        self._aside: set[TaskId] = set()
        self._of: dict[PipelineKey, dict[TaskId, None]] = {}
        self._pipelines: dict[TaskId, PipelineKey] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, task: TaskId) -> bool:
        return task in self._places

    def tasks(self) -> Iterator[TaskId]:
        """All that wait."""
        return iter(self._places)

    def waiting(self, team: str) -> int:
        """How many tasks of `team` wait."""
        return self._waiting.get(team, 0)

    def teams(self) -> Iterator[str]:
        """The teams that wait for something."""
        return iter(self._waiting)

    def shapes(self, team: str) -> Iterator[Shape]:
        return iter(self._teams.get(team, ()))

    def find(self, task: TaskId) -> tuple[str, Shape, Place]:
        """The team, shape and place of a task that waits; of one set aside those it had."""
        return self._places[task]

    def has_turn(self, task: TaskId) -> bool:
        """Does the task wait, and was not set aside?"""
        return task in self._places and task not in self._aside

    def of(self, pipeline: PipelineKey) -> list[TaskId]:
        """The tasks of a pipeline that wait, in the order in which they came."""
        return list(self._of.get(pipeline, ()))

    def add(self, task: Task) -> None:
        submission = task.submission
        critical = submission.sla is SlaClass.CRITICAL and submission.needs.is_free
        # What runs in agents takes no slot of those that plans count.
        behind = submission.sla is SlaClass.BACKFILL and not submission.needs.capability
        shape = Shape(submission.needs, task.suspect, wary=critical, behind=behind)
        self._waiting[submission.team] = self.waiting(submission.team) + 1
        if submission.pipeline is not None:
            self._of.setdefault(submission.pipeline, {})[submission.task] = None
            self._pipelines[submission.task] = submission.pipeline
        self._put(submission.task, submission.team, shape, latest_start_s(submission))

    def move(self, task: TaskId, latest_start_s: float, *, give_way: bool) -> None:
        """Give a task that waits this place, also one that was set aside."""
        team, shape, place = self._places[task]
        wanted = shape._replace(give_way=give_way)
        if task in self._aside or wanted != shape or latest_start_s != place.latest_start_s:
            self._aside.discard(task)
            self._put(task, team, wanted, latest_start_s)
            self._tidy(team, shape)

    def side(self, task: TaskId, side: Side | None, *, wary: bool) -> None:
        """Give a task that waits this side, also one that was set aside, which it stays."""
        team, shape, place = self._places[task]
        if shape.side != side or shape.wary is not wary:
            wanted = shape._replace(side=side, wary=wary)
            self._put(task, team, wanted, place.latest_start_s)
            self._tidy(team, shape)
            self._tidy(team, wanted)

    def set_aside(self, task: TaskId) -> None:
        """A task that waits is nobody's turn until it is moved."""
        self._aside.add(task)
        team, shape, _ = self._places[task]
        self._tidy(team, shape)

    def remove(self, task: TaskId) -> None:
        """Take a task out; nothing happens if it does not wait."""
        entry = self._places.pop(task, None)
        if entry is None:
            return
        team, shape, _ = entry
        self._aside.discard(task)
        if (pipeline := self._pipelines.pop(task, None)) is not None:
            del self._of[pipeline][task]
            if not self._of[pipeline]:
                del self._of[pipeline]
        self._waiting[team] -= 1
        if self._waiting[team]:
            self._tidy(team, shape)
        else:
            del self._waiting[team]
            self._teams.pop(team, None)

    def _put(self, task: TaskId, team: str, shape: Shape, latest_start_s: float) -> None:
        self._number += 1
        place = Place(latest_start_s, self._number, task)
        self._places[task] = team, shape, place
        heap = self._teams.setdefault(team, {}).setdefault(shape, [])
        heapq.heappush(heap, place)
        if len(heap) > _GARBAGE + 2 * self._waiting[team]:  # places that were left behind
            heap[:] = filter(self._stands, heap)
            heapq.heapify(heap)

    def _tidy(self, team: str, shape: Shape) -> None:
        """The first of each heap stands, and there is no empty one."""
        heap = self._teams.get(team, {}).get(shape, [])
        while heap and not self._stands(heap[0]):
            heapq.heappop(heap)
        if not heap and shape in self._teams.get(team, ()):
            del self._teams[team][shape]

    def walk(self, team: str, shape: Shape) -> Iterator[Place]:
        """The tasks of one team and shape, most urgent first; reads the heap and leaves it."""
        heap = self._teams[team][shape]
        frontier = [(heap[0], 0)]
        while frontier:
            place, index = heapq.heappop(frontier)
            for child in (2 * index + 1, 2 * index + 2):
                if child < len(heap):
                    heapq.heappush(frontier, (heap[child], child))
            if self._stands(place):
                yield place

    def _stands(self, place: Place) -> bool:
        entry = self._places.get(place.task)
        return entry is not None and entry[2] == place and place.task not in self._aside

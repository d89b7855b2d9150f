"""Tasks that wait, by team and by what they need.

Within a team the task with the earliest latest start goes first: its deadline less its expected
duration, and never later than its class's patience after it was handed in. As that moment does
not change while a task waits, a heap holds the order; as it comes nearer while new work arrives
behind it, no task waits for ever behind its own team's.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from swarm.dispatch.states import Task
from swarm.model.work import Needs, SlaClass, Submission, TaskId

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


class Shape(NamedTuple):
    """Tasks of one shape are equal to a worker, but for their urgency."""

    needs: Needs
    alone: bool


class Place(NamedTuple):
    """Where a task stands within its team and shape; the smallest is next."""

    latest_start_s: float
    number: int
    task: TaskId


Heap = list[Place]


class Queue:
    """Waiting tasks. A removed task leaves its place behind, which is passed over."""

    def __init__(self) -> None:
        self._teams: dict[str, dict[Shape, Heap]] = {}
        self._places: dict[TaskId, tuple[str, Shape, Place]] = {}
        self._waiting: dict[str, int] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, task: TaskId) -> bool:
        return task in self._places

    def waiting(self, team: str) -> int:
        """How many tasks of `team` wait."""
        return self._waiting.get(team, 0)

    def teams(self) -> Iterator[str]:
        """The teams that wait for something."""
        return iter(self._waiting)

    def shapes(self, team: str) -> Iterator[Shape]:
        return iter(self._teams.get(team, ()))

    def find(self, task: TaskId) -> tuple[str, Shape, Place]:
        """The team, shape and place of a task that waits."""
        return self._places[task]

    def add(self, task: Task) -> None:
        submission = task.submission
        shape = Shape(submission.needs, task.suspect)
        self._number += 1
        place = Place(latest_start_s(submission), self._number, submission.task)
        heapq.heappush(self._teams.setdefault(submission.team, {}).setdefault(shape, []), place)
        self._places[submission.task] = submission.team, shape, place
        self._waiting[submission.team] = self.waiting(submission.team) + 1

    def remove(self, task: TaskId) -> None:
        """Take a task out; nothing happens if it does not wait."""
        entry = self._places.pop(task, None)
        if entry is None:
            return
        team, shape, _ = entry
        self._waiting[team] -= 1
        if not self._waiting[team]:
            del self._waiting[team], self._teams[team]
            return
        heap = self._teams[team][shape]
        while heap and not self._stands(heap[0]):
            heapq.heappop(heap)
        if not heap:
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
        return entry is not None and entry[2] == place

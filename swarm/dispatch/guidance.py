"""What sequencing wants of the queue: which pipelines are held, how urgent they are, which yield.

Nothing of it is replayed. The sequencer says all of it again and again, each part with its time to
live on this process's own steady clock; what is not renewed is over (fail open), and after a
restart of the dispatcher nothing is held until it is said anew.

Rules
1. A hold stops runs that have not begun: none of their tasks was ever granted. A run that is under
   way goes on, for half a run keeps what it holds, and its orchestrator counts its time. A task
   whose run is not told may be of one that is under way: it goes on too. So does what was handed
   in before the starts that the hold is still for.
2. No hold outlives `HOLD_MAX_S` without being said again.
3. A task is not held for longer than `HELD_SHARE` of what its orchestrator lets it wait
   (`queue_wait_max_s`) since its owner last spoke of it; what is left is for finding a worker.
   After that it is not held again.
4. A task that is held still waits: it can be cancelled, counts for its team, and says why.
5. What is left out ends without having run. That alone is replayed. A backfill never is, it is for
   another time than the start that has passed.
"""

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from swarm.dispatch.events import Guide, Hold, LeftOut, Now
from swarm.dispatch.floor import Floor
from swarm.dispatch.queue import latest_start_s
from swarm.dispatch.states import Task
from swarm.model.dispatch import Ended
from swarm.model.keys import PipelineKey
from swarm.model.work import Outcome, Resources, TaskId

HOLD_MAX_S = 60.0
HELD_SHARE = 0.75
_SAME_S = 1.0  # of a start: what moves by less keeps its place


@dataclass(frozen=True, slots=True)
class Held:
    """A task is held, until `until_s` (seconds since the epoch) unless that is put off."""

    hold: Hold
    until_s: float


class Guidance:
    """Gives the tasks that wait in `floor` the places that sequencing wants them to have."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._holds: dict[PipelineKey, tuple[Hold, float]] = {}  # and until when
        self._starts_s: dict[PipelineKey, float] = {}  # latest, in seconds since the epoch
        self._yielding: frozenset[PipelineKey] = frozenset()
        self._until_s = 0.0
        self._new: dict[TaskId, None] = {}  # tasks that came or may have changed
        self._free_s: dict[TaskId, float] = {}  # when a task's owner would lose patience
        self._due: list[tuple[float, TaskId]] = []

    def giving_way(self) -> Resources:
        """What the backfills of yielding pipelines hold."""
        held = self._floor.filling
        return sum((held[key] for key in self._yielding if key in held), Resources())

    def take(self, guide: Guide, now: Now) -> None:
        """From now on this is what sequencing wants."""
        before = {key: self._wish(key) for key in self._guided()}
        self._holds = {
            hold.pipeline: (hold, now.steady_s + min(hold.for_s, HOLD_MAX_S))
            for hold in guide.holds
            if hold.for_s > 0
        }
        told = {key: now.wall_s + slack_s for key, slack_s in guide.slack_s.items()}
        for key, start_s in self._starts_s.items():
            if key in told and abs(told[key] - start_s) < _SAME_S:
                told[key] = start_s
        self._starts_s, self._yielding = told, guide.yielding
        self._until_s = now.steady_s + guide.for_s
        guided = self._guided().union(before)
        self._settle_all((key for key in guided if before.get(key) != self._wish(key)), now)

    def left_out(self, said: Iterable[LeftOut]) -> Iterator[Ended]:
        """The ends of what is left out."""
        for one in said:
            for id_ in self._floor.queue.of(one.pipeline):
                task = self._floor.tasks[id_]
                if self._waits_for_its_run(task) and _is_late(task, one):
                    yield Ended(task.token, Outcome.SKIPPED, one.reason)

    def came(self, task: Task) -> None:
        """A task came to the queue."""
        key = task.submission.pipeline
        if key in self._holds or key in self._starts_s or key in self._yielding:
            self._new[task.submission.task] = None

    def left(self, task: Task) -> None:
        """A task left the queue; if it was granted, its run has begun."""
        self._free_s.pop(task.submission.task, None)
        pipeline = task.submission.pipeline
        if pipeline in self._holds and task.submission.part_of in self._floor.begun:
            self._new.update(dict.fromkeys(self._floor.queue.of(pipeline)))

    def heard(self, task: TaskId, now: Now) -> None:
        """The owner of a task that waits spoke of it: its orchestrator's patience begins again."""
        bears = self._floor.tasks[task].submission.queue_wait_max_s > 0
        if bears and now.steady_s < self._free_s.get(task, math.inf):
            self._be_patient(task, self._patience_s(task), now)

    def look(self, now: Now) -> None:
        """Let time and what changed have their effect. To be asked before anybody is granted
        anything."""
        over = {key for key, (_, until_s) in self._holds.items() if until_s <= now.steady_s}
        for key in over:
            del self._holds[key]
        if now.steady_s >= self._until_s and (self._starts_s or self._yielding):
            over |= self._guided()
            self._starts_s, self._yielding = {}, frozenset()
        self._settle_all(over, now)
        new, self._new = self._new, {}
        for id_ in (*new, *self._out_of_patience(now)):
            self._settle(id_, now)

    def held(self, id_: TaskId, now: Now) -> Held | None:
        """The hold that keeps a task from being anybody's turn."""
        queue = self._floor.queue
        if id_ not in queue or queue.has_turn(id_):
            return None
        pipeline = self._floor.tasks[id_].submission.pipeline
        standing = self._holds.get(pipeline) if pipeline else None
        if standing is None:
            return None
        hold, until_s = standing
        until_s = min(until_s, self._free_s.get(id_, until_s))
        return Held(hold, now.wall_s + until_s - now.steady_s)

    def _guided(self) -> set[PipelineKey]:
        return {*self._holds, *self._starts_s, *self._yielding}

    def _wish(self, key: PipelineKey) -> tuple[float | None, float | None, bool]:
        held_from_s = self._holds[key][0].from_s if key in self._holds else None
        return held_from_s, self._starts_s.get(key), key in self._yielding

    def _settle_all(self, pipelines: Iterable[PipelineKey], now: Now) -> None:
        for pipeline in pipelines:
            for id_ in self._floor.queue.of(pipeline):
                self._settle(id_, now)

    def _settle(self, id_: TaskId, now: Now) -> None:
        """Give a task its place, or none."""
        if id_ not in self._floor.queue:
            return
        task = self._floor.tasks[id_]
        if self._is_held(task, now):
            self._floor.queue.set_aside(id_)
            return
        yields = task.submission.fills in self._yielding
        self._floor.queue.move(id_, self._start_s(task), give_way=yields)

    def _is_held(self, task: Task, now: Now) -> bool:
        submission = task.submission
        if submission.pipeline not in self._holds or not self._waits_for_its_run(task):
            return False
        if submission.submitted_at_s < self._holds[submission.pipeline][0].from_s:
            return False
        if not submission.queue_wait_max_s:
            return True
        if submission.task not in self._free_s:
            waited_s = max(0.0, now.wall_s - submission.submitted_at_s)
            self._be_patient(submission.task, self._patience_s(submission.task) - waited_s, now)
        return now.steady_s < self._free_s[submission.task]

    def _waits_for_its_run(self, task: Task) -> bool:
        """Is it of a run that has not begun?"""
        run = task.submission.part_of
        return run is not None and run not in self._floor.begun

    def _patience_s(self, id_: TaskId) -> float:
        return self._floor.tasks[id_].submission.queue_wait_max_s * HELD_SHARE

    def _be_patient(self, id_: TaskId, for_s: float, now: Now) -> None:
        until_s = now.steady_s + for_s
        self._free_s[id_] = until_s
        heapq.heappush(self._due, (until_s, id_))

    def _out_of_patience(self, now: Now) -> Iterator[TaskId]:
        while self._due and self._due[0][0] <= now.steady_s:
            until_s, id_ = heapq.heappop(self._due)
            if self._free_s.get(id_) == until_s:
                yield id_

    def _start_s(self, task: Task) -> float:
        submission = task.submission
        own_s = latest_start_s(submission)
        if submission.deadline_s is not None or submission.pipeline is None:
            return own_s
        if submission.fills is not None:  # what presses are the runs of today
            return own_s
        return min(own_s, self._starts_s.get(submission.pipeline, own_s))


def _is_late(task: Task, said: LeftOut) -> bool:
    came_s = task.submission.submitted_at_s
    return task.submission.fills is None and said.from_s <= came_s <= said.until_s

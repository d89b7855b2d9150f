"""How far the channels are relied on now, and which tasks were weighed when it was otherwise.

The figures follow from the facts (`agreement`) and from verdicts (`calibration`). When they move,
each task that they bear on is to be weighed again: those that an event touches at once, the others
by and by, `SLICE` with each decision, so that no event waits for all of them. Which are left is not
recorded: after a restart what the channels say is gathered anew, `GATHERED` tasks with each
decision, and until then the figures stay; then all tasks that they bear on are weighed once more,
and where nothing is new nothing is told.
"""

from collections.abc import Iterable
from itertools import islice

from swarm.lineage.agreement import Agreement, Case
from swarm.lineage.channels import AS_KNOWN, RELIABILITY, Learned, Reliability
from swarm.lineage.facts import Change, Facts
from swarm.lineage.weighing import Weighing
from swarm.model.graph import CalibrationChanged
from swarm.model.keys import TaskKey

# A decision weighs so many tasks again besides those that it is about, and after a restart gathers
# what the channels say of so many: some 30 ms of work each.
SLICE = 25
GATHERED = 100


class Reliance:
    """The figures of the channels. What a decision told is to be applied before the next one."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._agreement = Agreement()
        self._now = AS_KNOWN
        # The tasks that are to be weighed again, and those that the last decision did weigh.
        self._left: dict[TaskKey, None] = {}
        self._taken: set[TaskKey] = set()
        # What applied records have touched since the last decision; what that decision expected
        # them to touch, and what the channels said there.
        self.change = Change()
        self._expected = Change()
        self._cases: dict[TaskKey, tuple[Case, ...]] = {}
        self._ungathered: dict[TaskKey, None] = {}

    @property
    def now(self) -> Learned:
        """The figures that hold."""
        return self._now

    @property
    def settled(self) -> bool:
        """Do the figures follow from all facts, and has every task been weighed with them?"""
        gathered = not self._ungathered and self.change in (self._expected, Change())
        return gathered and not self.left

    @property
    def left(self) -> set[TaskKey]:
        """The tasks that have not."""
        return self._left.keys() - self._taken

    def apply(self, record: CalibrationChanged) -> None:
        moved = {channel: Reliability(*has) for channel, *has in record.reliability}
        new = Learned({**RELIABILITY, **moved}, dict(record.offsets))
        # What the decision of this record weighed, it weighed by the new figures.
        moved_tasks = (task for task in self._moved_by(new) if task not in self._taken)
        self._left |= dict.fromkeys(moved_tasks)
        self._now = new

    def gather(self) -> None:
        """Take in what the channels say since the last decision."""
        for task in self._taken:
            self._left.pop(task, None)
        self._taken = set()
        if self.change == self._expected:
            self._agreement.put(self._cases)
        else:  # a replay: nothing that was told before is known
            self._ungathered = dict.fromkeys((*self._facts.evidence, *self.change.tasks))
        self.change, self._expected, self._cases = Change(), Change(), {}
        weighing = Weighing(self._facts, self._now)
        some = list(islice(self._ungathered, GATHERED))
        self._agreement.put({task: weighing.cases(task) for task in some})
        for task in some:
            del self._ungathered[task]

    def heard(self, weighing: Weighing, tasks: Iterable[TaskKey], change: Change) -> Learned:
        """The figures, if `change` were so and the tasks that it touches as `weighing` has them."""
        self._expected, self._cases = change, {task: weighing.cases(task) for task in tasks}
        if self._ungathered:
            return self._now
        return Learned(self._agreement.learned(self._cases), self._now.offsets)

    def due(self, learned: Learned, tasks: set[TaskKey]) -> set[TaskKey]:
        """`tasks`, and some others that are to be weighed by `learned` now."""
        others = [*self._left, *(self._moved_by(learned) if learned != self._now else ())]
        found = (task for task in others if task not in tasks)
        self._taken = tasks | set(islice(dict.fromkeys(found), SLICE))
        return self._taken

    def fresh(self) -> Learned:
        """The figures, worked out anew from all facts."""
        weighing, anew = Weighing(self._facts, self._now), Agreement()
        anew.put({task: weighing.cases(task) for task in self._facts.evidence})
        return Learned(anew.learned({}), self._now.offsets)

    def _moved_by(self, new: Learned) -> Iterable[TaskKey]:
        """The tasks that weigh differently by `new` than now."""
        now = self._now
        reports = {c for c in RELIABILITY if now.for_it(c) != new.for_it(c)}
        silences = {c for c in RELIABILITY if now.reliability[c] != new.reliability[c]}
        moved = reports | silences
        for task, marks in self._facts.evidence.items():
            covers = self._facts.coverage_of(task)
            if not silences.isdisjoint(covers) or any(mark[2] in moved for mark in marks):
                yield task


def touched(facts: Facts, change: Change) -> set[TaskKey]:
    """The tasks whose accesses `change` may have moved."""
    names = facts.names
    moved = names.meaning_moved(change.names)
    tasks = set(change.tasks)
    for name in moved:
        tasks |= facts.all_touching(name)
    for dataset in names.views_moved(moved, change.views):
        for name in names.aliases(dataset):
            tasks |= facts.all_touching(name)
    return tasks


def calibration(learned: Learned, verdicts: int) -> CalibrationChanged:
    """The record of `learned`, of which the offsets follow from so many verdicts."""
    moved = (
        (channel, has.sees, has.errs, has.partly)
        for channel, has in learned.reliability.items()
        if has != RELIABILITY[channel]
    )
    offsets = tuple(sorted(learned.offsets.items()))
    return CalibrationChanged(offsets, verdicts, tuple(sorted(moved)))

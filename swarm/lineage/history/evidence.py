"""From the statements a warehouse remembers to evidence of tasks.

Rules
1. A statement belongs to the task its tag names (`query_tags`), else to the one its parent
   statement belongs to. That is certain.
2. Else, if at its start and at its end one and the same task run was under way and no other, it
   is taken to be that run's, at low confidence. Two runs under way: nothing is guessed.
3. Else nobody knows whose it is (people run queries too): it is counted, and handed back to be
   asked about again when more runs are known.
4. What the server itself says of the tables is taken; the text is read where it says nothing.
5. The log of one server is never complete for a task, which may use others: no coverage.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from swarm.lineage.fusion import WINDOW_CONFIDENCE
from swarm.lineage.history.run_windows import Windows
from swarm.lineage.history.scripts import Scripts
from swarm.lineage.history.statement import Statement
from swarm.lineage.history.tags import Ambiguous, Known, task_of
from swarm.lineage.recurrence import with_sightings
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Evidence,
    Extraction,
    Touch,
    Unresolved,
    UnresolvedReason,
    View,
)
from swarm.model.runs import TaskRun

MAX_LEFT = 50_000
"""So many statements that nobody can attribute are handed back."""

_MAX_EXCERPT = 160
_MAX_ANCESTORS = 10
_MAX_WAITING = 100_000  # statements that wait for their parent at once


@dataclass(frozen=True, slots=True)
class Found:
    """What a part of a history says.

    `unattributed`: how many statements nobody can attribute; `left`: the last of them with their
    places, in order.
    """

    evidence: tuple[Evidence, ...]
    views: tuple[View, ...]
    unresolved: tuple[Unresolved, ...]
    unattributed: int
    left: tuple[tuple[Statement, str], ...] = ()


class History:
    """Takes statements in the order of the history, then tells what they say."""

    def __init__(
        self,
        known: Known,
        context_of: Callable[[str], SqlContext],
        runs: Iterable[TaskRun] = (),
    ) -> None:
        """`context_of` gives what is configured for a dialect; `runs` are all that are known."""
        self._known = known
        self._context_of = context_of
        self._windows = Windows(runs)
        self._scripts = Scripts(context_of, self._reported)
        self._owners: dict[str, TaskKey] = {}
        self._parents: dict[str, str] = {}
        self._waiting: list[tuple[Statement, str]] = []
        self._temporary: set[tuple[str, DatasetKey]] = set()
        self._evidence: dict[tuple[TaskKey, Access, DatasetKey, Channel], Evidence] = {}
        self._views: dict[DatasetKey, View] = {}
        self._ambiguous: dict[str, Unresolved] = {}
        self._unresolved: dict[tuple[str, UnresolvedReason, str], Unresolved] = {}
        self._unattributed = 0
        self._left: deque[tuple[Statement, str]] = deque(maxlen=MAX_LEFT)

    def add(self, statement: Statement, place: str) -> None:
        """`place` names the row of the history, `file:line`."""
        task = task_of(statement.tags, statement.text, self._known)
        if isinstance(task, Ambiguous):
            self._add_ambiguous(task, place)
            task = None
        if task is not None and statement.id:
            self._owners[statement.id] = task
        if statement.id and statement.parent:
            self._parents[statement.id] = statement.parent
        task = task or self._owners.get(statement.parent)
        if statement.is_script or (task is None and statement.parent):
            self._waiting.append((statement, place))  # its relatives may stand further down
            if len(self._waiting) > _MAX_WAITING:
                self._take_waiting()
        elif not statement.does_nothing:
            self._take(statement, place, task)

    def finish(self) -> Found:
        """Everything the statements say, once each."""
        self._take_waiting()
        self._scripts.finish()
        return Found(
            tuple(self._evidence.values()),
            tuple(self._views.values()),
            (*self._unresolved.values(), *self._ambiguous.values()),
            self._unattributed,
            tuple(self._left),
        )

    def _take_waiting(self) -> None:
        parents = set(self._parents.values())
        for statement, place in self._waiting:
            if not (statement.is_script and statement.id in parents):
                self._take(statement, place, self._owner(statement))
        self._waiting.clear()

    def _owner(self, statement: Statement) -> TaskKey | None:
        at = statement.id if statement.id in self._owners else statement.parent
        for _ in range(_MAX_ANCESTORS):
            if at in self._owners:
                return self._owners[at]
            at = self._parents.get(at, "")
        return None

    def _add_ambiguous(self, found: Ambiguous, place: str) -> None:
        """One a task is enough: a history repeats itself."""
        names = ", ".join(f"`{name}`" for name in found.sources)
        claim = f"{found.claim.pipeline}/{found.claim.task}"
        detail = f"A tag names {claim} of {found.claim.owner}, which may be of {names}; "
        detail += f"name the source in it, e.g. `{found.sources[0]}/{claim}`."
        item = Unresolved(f"{found.claim.owner}/{claim}", UnresolvedReason.AMBIGUOUS, place, detail)
        self._ambiguous.setdefault(item.subject, item)

    def _take(self, statement: Statement, place: str, task: TaskKey | None) -> None:
        confidence = 1.0
        if task is None:
            task = self._windows.task_at(statement.started_at_s, statement.ended_at_s)
            confidence = WINDOW_CONFIDENCE
        if task is None:
            self._unattributed += 1
            self._left.append((statement, place))
            return
        if statement.untold and confidence == 1.0:
            reason = UnresolvedReason.MISSING_SOURCE
            said = Unresolved(str(task), reason, place, statement.untold)
            self._unresolved.setdefault((said.subject, said.reason, said.detail), said)
        told = statement.reads is not None or statement.writes is not None
        if told:
            self._told(statement, place, task, confidence)
        if not told or statement.partial:
            self._scripts.add(task, statement, place, confidence)

    def _told(self, statement: Statement, place: str, task: TaskKey, confidence: float) -> None:
        space = self._context_of(statement.dialect).namespace
        excerpt = statement.text.strip().partition("\n")[0][:_MAX_EXCERPT]
        if statement.temporary:
            self._temporary |= {(statement.session, key) for key in statement.writes or ()}
        named = [(Access.READ, key) for key in statement.reads or ()]
        named += [(Access.WRITE, key) for key in statement.writes or ()]
        for access, key in named:
            if (statement.session, key) not in self._temporary:
                dataset = key if key.namespace else replace(key, namespace=space)
                touch = Touch(access, dataset, place, excerpt, confidence)
                self._see(task, statement, touch)

    def _reported(
        self, task: TaskKey, statement: Statement, found: Extraction, confidence: float
    ) -> None:
        for touch in found.touches:
            sure = touch.confidence * confidence
            self._see(task, statement, replace(touch, confidence=sure))
        for view in found.views:
            self._views.setdefault(view.dataset, view)
        if confidence == 1.0:  # else nobody knows that it is this task's
            for item in found.unresolved:
                said = replace(item, subject=str(task))
                self._unresolved.setdefault((said.subject, said.reason, said.detail), said)

    def _see(self, task: TaskKey, statement: Statement, touch: Touch) -> None:
        mark = (task, touch.access, touch.dataset, statement.channel)
        old = self._evidence.get(mark)
        new = Evidence(
            task=task,
            access=touch.access,
            dataset=touch.dataset,
            channel=statement.channel,
            observed_at_s=statement.ended_at_s,
            place=touch.place,
            excerpt=touch.excerpt,
            confidence=touch.confidence,
        )
        if old is None:
            self._evidence[mark] = new
        elif old.confidence >= new.confidence:
            self._evidence[mark] = with_sightings(old, new)
        else:
            self._evidence[mark] = with_sightings(new, old)

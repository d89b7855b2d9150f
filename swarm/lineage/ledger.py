"""The engine of the graph: takes in what sources saw, concludes who depends on whom.

`decide` answers a batch or a verdict with the records that follow from it and changes nothing;
`apply` takes a record in. Replaying the records in their order gives the same state, and the order
in which batches came does not change the dependencies (times are exact to an hour). What of a
batch is news is told in `intake`, what names mean in `expansion`, how sure an edge is in `fusion`,
what timing adds in `confirming`.

Rules
1. For each dataset every writer is upstream of every other task that reads it. A pipeline as a
   whole and its own tasks are not apart.
2. A dependency below `SMALLEST` confidence does not exist. A person's verdict overrides confidence
   (1 or 0) and is kept for good: it waits while the pipeline is away. What a person accepted
   exists as long as both its pipelines do.
3. A batch costs in proportion to what it touches: only tasks whose evidence, names or views moved
   are weighed again, and what a change of declared edges may order anew.
4. What the channels are worth follows from all facts. Where it moves, the tasks that a decision is
   about are weighed by it at once, the others some at a time (`settled`).
5. All dependency records of one decision carry the same version, one above the last.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from swarm.errors import UnknownKey
from swarm.lineage.calibration import fit, material
from swarm.lineage.channels import AS_KNOWN, Learned
from swarm.lineage.confirming import Confirming
from swarm.lineage.explanation import Explanation, explain
from swarm.lineage.facts import Change, Facts
from swarm.lineage.intake import other_news, pipeline_news
from swarm.lineage.naming import Naming
from swarm.lineage.reliance import Reliance, calibration, touched
from swarm.lineage.weighing import Weighing
from swarm.model.connectors import Batch
from swarm.model.graph import (
    CalibrationChanged,
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    UnresolvedGone,
    UnresolvedSeen,
    VerdictGiven,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Channel,
    Dependency,
    DependencyKey,
    Recurrence,
    Unresolved,
    UnresolvedReason,
    Verdict,
    VerdictRequest,
)
from swarm.model.pipelines import Pipeline

K = TypeVar("K")

# Newer sightings alone change a dependency's record this often.
REFRESH_S = 86_400.0

# How many candidates an ambiguous name is reported with.
CANDIDATES_NAMED = 5

# Says nothing: to be decided until the ledger is settled.
SETTLE = Batch("", "", ())

# Stands in a snapshot for the version of a ledger that has no dependency left.
NOTHING = DependencyKey(TaskKey("", "", ""), TaskKey("", "", ""), DatasetKey("", ""))


class Ledger:
    """All evidence, and the dependencies concluded from it.

    For one thread: while `decide` runs, `pipelines` and `unresolved` show the batch as if applied.
    """

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._facts = Facts()
        self._dependencies: dict[DependencyKey, Dependency] = {}
        self._of: dict[TaskKey | PipelineKey, set[DependencyKey]] = {}
        self._verdicts: dict[DependencyKey, VerdictGiven] = {}
        self._judged: dict[PipelineKey, set[DependencyKey]] = {}
        self._reliance = Reliance(self._facts)
        self._version = 0

    @property
    def version(self) -> int:
        """Rises by one with each decision that changes a dependency."""
        return self._version

    @property
    def pipelines(self) -> Mapping[PipelineKey, Pipeline]:
        return self._facts.pipelines

    @property
    def dependencies(self) -> Mapping[DependencyKey, Dependency]:
        return self._dependencies

    @property
    def settled(self) -> bool:
        """Does every dependency follow from what the channels are worth now? Else each decision
        weighs some of them again, `SETTLE` too."""
        return self._reliance.settled

    @property
    def unresolved(self) -> list[Unresolved]:
        """Everything that is not understood now, by subject."""
        items = (item for group in self._facts.unresolved.values() for item in group)
        return sorted(items, key=lambda i: (i.subject, i.reason, i.place, i.detail))

    def explain(
        self, upstream: TaskKey | PipelineKey, downstream: TaskKey | PipelineKey
    ) -> Explanation:
        """Why there is what there is between two tasks or pipelines, and why no more."""
        weighing = Weighing(self._facts, self._reliance.now)
        verdicts = {key: given.verdict for key, given in self._verdicts.items()}
        timing = Confirming(self._facts, self._dependencies, self._of, {})
        return explain(upstream, downstream, self._facts, weighing, verdicts, timing.with_timing)

    def decide(self, event: Batch | VerdictRequest, now_s: float) -> list[GraphRecord]:
        """The records that follow from `event`; none when it says nothing new.

        Raises `UnknownKey` for a verdict on a dependency that never was.
        """
        self._reliance.gather()
        if isinstance(event, VerdictRequest):
            return self._decide_verdict(event)
        facts, change = self._facts, Change()
        with facts.tables.trial():
            records = pipeline_news(event, facts)
            for record in records:
                facts.apply(record, change)
            others = other_news(event, facts, self._naming)
            for record in others:
                facts.apply(record, change)
            return [*records, *others, *self._ambiguous(change), *self._conclude(change)]

    def apply(self, record: GraphRecord) -> None:
        """Take in a record that `decide` or `records` gave."""
        match record:
            case DependencyChanged(version, dependency):
                self._version = version
                self._dependencies[dependency.key] = dependency
                for side in _sides(dependency.key):
                    self._of.setdefault(side, set()).add(dependency.key)
            case DependencyGone(version, key):
                self._version = version
                if self._dependencies.pop(key, None) is not None:
                    for side in _sides(key):
                        _discard(self._of, side, key)
            case VerdictGiven():
                self._apply_verdict(record)
            case CalibrationChanged():
                self._reliance.apply(record)
            case _:
                self._facts.apply(record, self._reliance.change)

    def _apply_verdict(self, given: VerdictGiven) -> None:
        key = given.key
        pipelines = {key.upstream.pipeline_key, key.downstream.pipeline_key}
        if given.verdict is not None:
            self._verdicts[key] = given
            for pipeline in pipelines:
                self._judged.setdefault(pipeline, set()).add(key)
        elif self._verdicts.pop(key, None) is not None:
            for pipeline in pipelines:
                _discard(self._judged, pipeline, key)

    def records(self) -> Iterator[GraphRecord]:
        """A snapshot: applied to a new ledger these give this ledger's state."""
        yield from self._facts.records()
        yield from self._verdicts.values()
        if self._reliance.now != AS_KNOWN:
            yield calibration(self._reliance.now, len(self._verdicts))
        for dependency in self._dependencies.values():
            yield DependencyChanged(self._version, dependency)
        if self._version and not self._dependencies:
            yield DependencyGone(self._version, NOTHING)

    def check(self) -> None:
        """Raise AssertionError where the state contradicts itself. Costs as much as a new start."""
        weighing = Weighing(self._facts, self._reliance.now)
        timing = Confirming(self._facts, self._dependencies, self._of, {})
        left = self._reliance.left
        for key, dependency in self._dependencies.items():
            assert key == dependency.key, f"{key} is filed under another key"
            assert key.upstream != key.downstream, f"{key} depends on itself"
            assert 0 <= dependency.confidence <= 1, f"{key} has confidence out of range"
            if not left.isdisjoint((key.upstream, key.downstream)):
                continue
            fresh = weighing.dependency(key, self._verdict(key))
            assert fresh is not None, f"{key} has nothing that supports it"
            fresh = timing.with_timing(fresh)
            assert _without_times(fresh) == _without_times(dependency), f"{key} is out of date"
        for key in {k for task in self._facts.evidence for k in weighing.keys_of(task)}:
            if weighing.dependency(key, self._verdict(key)) is not None:
                settled = left.isdisjoint((key.upstream, key.downstream))
                assert key in self._dependencies or not settled, f"{key} is missing"
        assert self._reliance.fresh() == self._reliance.now, "a channel is out of date"
        filed = {key for keys in self._of.values() for key in keys}
        assert filed == self._dependencies.keys(), "the index by task is out of date"

    def _decide_verdict(self, event: VerdictRequest) -> list[GraphRecord]:
        key = event.key
        given = self._verdicts.get(key)
        if given is None and key not in self._dependencies:
            raise UnknownKey(
                f"no dependency of {key.downstream} on {key.upstream} through {key.dataset}; "
                "list the known ones with `swarm deps`"
            )
        if (given.verdict if given else None) == event.verdict:
            return []
        verdicts = {k: given.verdict for k, given in self._verdicts.items()} | {key: event.verdict}
        weighing = Weighing(self._facts, self._reliance.now)
        judged = (weighing.judged(k, v) for k, v in sorted(verdicts.items()) if v is not None)
        offsets = fit([one for one in judged if one is not None])
        records: list[GraphRecord] = [VerdictGiven(key, event.verdict, event.by)]
        learned = now = self._reliance.now
        if material(now.offsets, offsets):
            learned = Learned(now.reliability, offsets)
            said = sum(verdict is not None for verdict in verdicts.values())
            records.append(calibration(learned, said))
            weighing = Weighing(self._facts, learned)
        keys = {key}.union(*map(weighing.keys_of, self._reliance.due(learned, set())))
        return records + self._difference(keys, weighing, {key: event.verdict})

    def _conclude(self, change: Change) -> list[GraphRecord]:
        """The dependencies that `change` makes, alters or ends."""
        tasks = touched(self._facts, change)
        weighing = Weighing(self._facts, self._reliance.now)
        learned = self._reliance.heard(weighing, tasks, change)
        records: list[GraphRecord] = []
        if learned != self._reliance.now:
            records.append(calibration(learned, len(self._verdicts)))
            weighing = Weighing(self._facts, learned)
        due = self._reliance.due(learned, tasks)
        keys: set[DependencyKey] = set()
        for side in tasks | change.reordered:
            keys |= self._of.get(side, set())
        for task in due:
            keys |= weighing.keys_of(task)
        for pipeline in change.pipelines | {task.pipeline_key for task in due}:
            keys |= self._judged.get(pipeline, set())
        return records + self._difference(keys, weighing, {}, change)

    def _difference(
        self,
        keys: Iterable[DependencyKey],
        weighing: Weighing,
        verdicts: Mapping[DependencyKey, Verdict | None],
        change: Change | None = None,
    ) -> list[GraphRecord]:
        def weigh(key: DependencyKey) -> Dependency | None:
            return weighing.dependency(key, verdicts.get(key, self._verdict(key)))

        weighed = {key: weigh(key) for key in keys}
        timing = Confirming(self._facts, self._dependencies, self._of, weighed)
        again = {key: weigh(key) for key in timing.moved(change or Change())}
        version = self._version + 1
        records: list[GraphRecord] = []
        for key, now in sorted((weighed | again).items()):
            old = self._dependencies.get(key)
            if now is None:
                if old is not None:
                    records.append(DependencyGone(version, key))
                continue
            now = timing.with_timing(now)
            if old is None or _differ(old, now):
                records.append(DependencyChanged(version, now))
        return records

    def _verdict(self, key: DependencyKey) -> Verdict | None:
        given = self._verdicts.get(key)
        return given.verdict if given else None

    def _ambiguous(self, change: Change) -> list[GraphRecord]:
        """Short names that now fit several datasets, or no longer do."""
        names = self._facts.names
        records: list[GraphRecord] = []
        for name in sorted(names.meaning_moved(change.names) | change.names):
            fits = names.candidates(name) if names.known(name) else []
            now = _ambiguity(name, fits, self._facts) if len(fits) > 1 else None
            before = {
                item
                for item in self._facts.unresolved.get(str(name), ())
                if item.reason is UnresolvedReason.AMBIGUOUS
            }
            if now is not None and any(item.detail == now.detail for item in before):
                continue
            records += [UnresolvedGone(item) for item in sorted(before, key=lambda i: i.detail)]
            if now is not None:
                records.append(UnresolvedSeen(now))
        return records


def _ambiguity(name: DatasetKey, fits: list[DatasetKey], facts: Facts) -> Unresolved:
    user = min(facts.all_touching(name), default=None)
    more = len(fits) - CANDIDATES_NAMED
    listed = ", ".join(fit.name for fit in fits[:CANDIDATES_NAMED])
    return Unresolved(
        subject=str(name),
        reason=UnresolvedReason.AMBIGUOUS,
        place=str(user) if user else "",
        detail=f"fits {listed}" + (f" and {more} more" if more > 0 else ""),
    )


def _sides(key: DependencyKey) -> tuple[TaskKey | PipelineKey, ...]:
    up, down = key.upstream, key.downstream
    return up, down, up.pipeline_key, down.pipeline_key


def _discard(index: dict[K, set[DependencyKey]], side: K, key: DependencyKey) -> None:
    members = index.get(side, set())
    members.discard(key)
    if not members:
        index.pop(side, None)


def _without_times(dependency: Dependency) -> Dependency:
    proofs = tuple(
        # The counts in timing's words move with every run; they are told when it was late again.
        replace(p, last_seen_s=0.0, excerpt="" if p.channel is Channel.TIMING else p.excerpt)
        for p in dependency.proofs
    )
    often = dependency.recurrence
    again = Recurrence(int(often.recurring) + 1, 0, 0.0, 0.0) if often else None
    return replace(dependency, proofs=proofs, recurrence=again)


def _differ(old: Dependency, now: Dependency) -> bool:
    """Is it news, not only a proof seen once more?"""
    if _without_times(old) != _without_times(now):
        return True
    pairs = zip(old.proofs, now.proofs, strict=True)
    return any(b.last_seen_s >= a.last_seen_s + REFRESH_S for a, b in pairs)

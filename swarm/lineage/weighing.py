"""Both ends of every dependency, weighed from the facts as they stand."""

from collections import Counter
from collections.abc import Iterable

from swarm.lineage.agreement import Case, Knows, Said, case_of
from swarm.lineage.calibration import Judged
from swarm.lineage.channels import NEVER_COVERING, Learned
from swarm.lineage.expansion import Reach
from swarm.lineage.facts import Facts
from swarm.lineage.fusion import (
    Belief,
    Looked,
    Sighting,
    believe,
    edge_confidence,
    known_by_time,
    silences,
    still_of,
    surest,
)
from swarm.lineage.recurrence import SIGHTING_S, Looks, days_of
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import (
    STATIC,
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Evidence,
    Proof,
    Recurrence,
    Verdict,
)

# A dependency that is less likely than this need not exist.
SMALLEST = 0.05

End = tuple[Access, DatasetKey]

# A text that showed an access, and later does not, has most likely lost it; one time in ten it was
# moved to where it cannot be read, or the reading was wrong.
DROPPED_STILL = 0.1
# A text that lost another access was edited: what the runs of before showed may be gone with it.
EDITED_STILL = 0.8

# Who teaches how reliable the channels are: reports that their extractor is sure of, and run-time
# channels that looked on so many days, so that what is rare hardly escaped them.
SURE = 0.9
ENOUGH_LOOKS = 3

# What is read as a whole each time, if not always understood as a whole.
TEXTS = frozenset({Channel.SQL_SOURCE, Channel.CODE})


class Weighing:
    """Answers for one decision; remembers what it worked out, so the facts must not change."""

    def __init__(self, facts: Facts, learned: Learned) -> None:
        """`learned` is what this installation has shown of its channels."""
        self._facts = facts
        self._learned = learned
        self._unjudged = Learned(learned.reliability)
        self._sightings: dict[TaskKey, dict[End, list[Sighting]]] = {}
        self._beliefs: dict[tuple[TaskKey, End, bool], Belief | None] = {}
        self._looked: dict[tuple[TaskKey, End], Looked] = {}
        self._looks: dict[TaskKey, Looks] = {}
        self._reaches: dict[DatasetKey, list[Reach]] = {}
        self._users: dict[End, set[TaskKey]] = {}

    def keys_of(self, task: TaskKey) -> set[DependencyKey]:
        """Every dependency that evidence gives `task`, as writer and as reader."""
        keys = set()
        for access, dataset in self.ends(task):
            if access is Access.WRITE:
                for reader in self._using(Access.READ, dataset):
                    if _apart(task, reader):
                        keys.add(DependencyKey(task, reader, dataset))
            else:
                for writer in self._using(Access.WRITE, dataset):
                    if _apart(writer, task):
                        keys.add(DependencyKey(writer, task, dataset))
        return keys

    def dependency(self, key: DependencyKey, verdict: Verdict | None) -> Dependency | None:
        """The dependency as the facts and a person's verdict make it; `None`: there is none."""
        found = self.weighed(key, verdict)
        weak = found is not None and verdict is None and found.confidence < SMALLEST
        return None if weak else found

    def weighed(self, key: DependencyKey, verdict: Verdict | None) -> Dependency | None:
        """The same, however small its confidence.

        What is judged keeps the evidence it was judged on: no verdict moves its own weights.
        """
        write, read = self._both(key, verdict is None)
        proofs: tuple[Proof, ...] = (
            *(write.proofs if write else ()),
            *(read.proofs if read else ()),
        )
        if verdict is Verdict.ACCEPTED:
            if not (self._facts.exists(key.upstream) and self._facts.exists(key.downstream)):
                return None
            confidence = 1.0
        elif write is None or read is None:
            return None
        elif verdict is Verdict.REJECTED:
            confidence = 0.0
        else:
            confidence = edge_confidence(write, read)
        declared = self._facts.order.reaches(key.upstream, key.downstream)
        recurrence = self._recurrence(key.downstream, (Access.READ, key.dataset))
        return Dependency(key, declared, confidence, proofs, verdict, recurrence)

    def judged(self, key: DependencyKey, verdict: Verdict) -> Judged | None:
        """A verdict beside what the facts alone say; `None` where an end has no evidence."""
        write, read = self._both(key, False)
        return Judged(write, read, verdict is Verdict.ACCEPTED) if write and read else None

    def _both(self, key: DependencyKey, corrected: bool) -> tuple[Belief | None, Belief | None]:
        return (
            self._belief(key.upstream, (Access.WRITE, key.dataset), corrected),
            self._belief(key.downstream, (Access.READ, key.dataset), corrected),
        )

    def _belief(self, task: TaskKey, end: End, corrected: bool) -> Belief | None:
        at = (task, end, corrected)
        if at not in self._beliefs:
            sightings = self.ends(task).get(end)
            self._beliefs[at] = (
                believe(
                    task,
                    end[0],
                    sightings,
                    self._facts.coverage_of(task),
                    self._looked_at(task, end, sightings),
                    self._learned if corrected else self._unjudged,
                )
                if sightings
                else None
            )
        return self._beliefs[at]

    def cases(self, task: TaskKey) -> tuple[Case, ...]:
        """What the channels agree and disagree on of `task`."""
        found = (self._case(task, end, seen) for end, seen in self.ends(task).items())
        return tuple(case for case in found if case is not None)

    def _case(self, task: TaskKey, end: End, sightings: list[Sighting]) -> Case | None:
        looked = self._looked_at(task, end, sightings)
        covering = self._facts.coverage_of(task)
        own = Counter(sighting.evidence.channel for sighting in sightings)
        shown, lacks = list[tuple[Channel, Knows]](), list[tuple[Channel, Knows]]()

        def knows(channel: Channel) -> Knows:
            """Apart from this access, and only of who looked often enough to have seen it."""
            covers = channel in covering and channel not in NEVER_COVERING
            cover = covering[channel] if covers else looked.knowing.get(channel)
            if cover is None or (channel not in STATIC and days_of(cover).count < ENOUGH_LOOKS):
                return Knows.NOT
            if covers:
                return Knows.WHOLE
            others = self._looks_at(task).shown(channel, end[0], end[1].namespace) - own[channel]
            return Knows.PARTLY if others > 0 else Knows.NOT

        best = surest(sightings)
        for channel, sighting in best.items():
            if still_of(channel, looked) < 1:
                return None
            if sighting.evidence.confidence >= SURE:
                shown.append((channel, knows(channel)))
        for cover, _ in silences(best, covering, looked):
            lacks.append((cover.channel, knows(cover.channel)))
        known: Said = tuple(sorted(one for one in lacks if one[1] is not Knows.NOT))
        return case_of(tuple(sorted(shown)), known)

    def _looked_at(self, task: TaskKey, end: End, sightings: list[Sighting]) -> Looked:
        at = (task, end)
        if at not in self._looked:
            self._looked[at] = Looked(
                self._still(task, end, sightings),
                self._reread(task, sightings),
                self._looks_at(task).knowing(task, end[0], end[1].namespace),
            )
        return self._looked[at]

    def _recurrence(self, task: TaskKey, end: End) -> Recurrence | None:
        runs = _of_runs(self.ends(task).get(end, []))
        return self._looks_at(task).recurrence(runs) if runs else None

    def _still(self, task: TaskKey, end: End, sightings: list[Sighting]) -> float:
        """How likely what was seen of `end` in runs still happens."""
        runs = _of_runs(sightings)
        if not runs:
            return 1.0
        still = self._looks_at(task).alive(runs)
        last_s = max(seen.observed_at_s for seen in runs) - SIGHTING_S
        dropped = [
            mark for mark, shown_s in self._facts.dropped.get(task, {}).items() if shown_s >= last_s
        ]
        resolve = self._facts.names.resolve
        if any((access, resolve(name)) == end for access, name, _ in dropped):
            return still * DROPPED_STILL
        return still * EDITED_STILL if dropped else still

    def _reread(self, task: TaskKey, sightings: list[Sighting]) -> frozenset[Channel]:
        """The texts of the task that were read again since they last showed what `sightings` say.

        A reading that is not complete replaces nothing, so that what it lacks is still there.
        """
        shown: dict[Channel, float] = {}
        for seen in (sighting.evidence for sighting in sightings):
            if seen.channel in TEXTS:
                last_s = shown.get(seen.channel, seen.observed_at_s)
                shown[seen.channel] = max(last_s, seen.observed_at_s)
        read = self._facts.evidence.get(task, {}).values() if shown else ()
        return frozenset(
            other.channel
            for other in read
            if other.observed_at_s - SIGHTING_S > shown.get(other.channel, other.observed_at_s)
        )

    def _looks_at(self, task: TaskKey) -> Looks:
        if task not in self._looks:
            seen = (e for e in self._facts.evidence.get(task, {}).values() if not known_by_time(e))
            self._looks[task] = Looks(seen, self._facts.coverage_of(task).values())
        return self._looks[task]

    def ends(self, task: TaskKey) -> dict[End, list[Sighting]]:
        """What bears on each access of `task`, views followed."""
        if task not in self._sightings:
            ends: dict[End, list[Sighting]] = {}
            for seen in self._facts.evidence.get(task, {}).values():
                for dataset, sighting in self._spread(seen):
                    ends.setdefault((seen.access, dataset), []).append(sighting)
            self._sightings[task] = ends
        return self._sightings[task]

    def _spread(self, seen: Evidence) -> list[tuple[DatasetKey, Sighting]]:
        """The datasets that one observation speaks of: the one it names, and what that views."""
        meant = self._facts.names.resolve(seen.dataset)
        named = "" if meant == seen.dataset else seen.dataset.name
        found = [(meant, Sighting(seen, (), named))]
        if seen.access is Access.READ:
            if meant not in self._reaches:
                self._reaches[meant] = self._facts.names.expand(meant)
            for reach in self._reaches[meant]:
                short = named or ("" if reach.exact else reach.dataset.name)
                found.append((reach.dataset, Sighting(seen, reach.via, short)))
        return found

    def _using(self, access: Access, dataset: DatasetKey) -> set[TaskKey]:
        """The tasks that write `dataset`, or read it directly or through views."""
        end = (access, dataset)
        if end not in self._users:
            names = self._facts.names
            through = {dataset} if access is Access.WRITE else names.above({dataset})
            self._users[end] = {
                task
                for target in through
                for name in names.aliases(target)
                for task in self._facts.touching(access, name)
            }
        return self._users[end]


def _of_runs(sightings: Iterable[Sighting]) -> list[Evidence]:
    """What was seen in runs; what is of the task by time alone, only where nothing is surer."""
    seen = {s.evidence: None for s in sightings if s.evidence.channel not in STATIC}
    sure = [evidence for evidence in seen if not known_by_time(evidence)]
    return sure or list(seen)


def _apart(writer: TaskKey, reader: TaskKey) -> bool:
    """A task does not depend on itself, nor a pipeline as a whole on a part of itself."""
    if writer.pipeline_key != reader.pipeline_key:
        return True
    return writer != reader and bool(writer.task) and bool(reader.task)

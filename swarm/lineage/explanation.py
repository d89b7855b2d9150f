"""Why there is a dependency between two tasks or pipelines, and why there is none.

Where nothing reaches the confidence that is shown, the answer is in what is known of both sides:
what the one writes and the other reads, which of these names are nearly the same, and what could
not be understood of either.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from swarm.lineage.facts import Facts
from swarm.lineage.sums import EdgeSum, sum_of
from swarm.lineage.weighing import Weighing
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Unresolved,
    Verdict,
    View,
)

Side = TaskKey | PipelineKey


@dataclass(frozen=True, slots=True)
class Use:
    """One access that is known: at `place` by `channel`; `via` are views between."""

    task: TaskKey
    dataset: DatasetKey
    channel: Channel
    place: str
    via: tuple[DatasetKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one side: its accesses of one kind, what of it is not understood, and what
    its texts showed once and no longer do."""

    uses: tuple[Use, ...]
    unresolved: tuple[Unresolved, ...]
    dropped: tuple[DatasetKey, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that bears on dependencies of `downstream` on `upstream`.

    `sums` are all that evidence gives, however weak, the surest first; `views` those that they
    lead through. `writer` and `reader` are what is known of the two sides. `near` pairs a dataset
    written with one read that has the same last name: the same table in another schema, or one
    table under two names. `ordered`: the orchestrators run the two in this order. `reverse` is
    how sure it is that `upstream` depends on `downstream`.
    """

    upstream: Side
    downstream: Side
    sums: tuple[EdgeSum, ...]
    views: Mapping[DatasetKey, View]
    writer: Known
    reader: Known
    near: tuple[tuple[DatasetKey, DatasetKey], ...]
    ordered: bool
    reverse: float


def explain(
    upstream: Side,
    downstream: Side,
    facts: Facts,
    weighing: Weighing,
    verdicts: Mapping[DependencyKey, Verdict | None],
    timed: Callable[[Dependency], Dependency],
) -> Explanation:
    """What the facts say of the two sides as they stand; `timed` adds what timing says."""
    above, below = _tasks(upstream, facts), _tasks(downstream, facts)
    found = _weighed(above, set(below), weighing, verdicts)
    back = _weighed(below, set(above), weighing, verdicts)
    sums = [sum_of(timed(one)) for one in found]
    passed = {
        view
        for s in sums
        for end in (s.write, s.read)
        if end
        for line in end.lines
        for view in line.proof.via
    }
    writer = _known(upstream, above, Access.WRITE, facts, weighing)
    reader = _known(downstream, below, Access.READ, facts, weighing)
    return Explanation(
        upstream=upstream,
        downstream=downstream,
        sums=tuple(sorted(sums, key=lambda s: (-s.confidence, s.key))),
        views=dict(_views(passed, facts)),
        writer=writer,
        reader=reader,
        near=tuple(_near(writer.uses, reader.uses)),
        ordered=any(facts.order.reaches(a, b) for a in above for b in below),
        reverse=max((timed(one).confidence for one in back), default=0.0),
    )


def explain_known(
    upstream: Side,
    downstream: Side,
    dependencies: Iterable[Dependency],
    unresolved: Iterable[Unresolved],
) -> Explanation:
    """The same from dependencies alone, where the evidence behind them is not at hand: of each
    side what it shares with others, and what could not be understood."""
    kept = tuple(dependencies)
    sums = [
        sum_of(one)
        for one in kept
        if _within(one.key.upstream, upstream) and _within(one.key.downstream, downstream)
    ]
    problems = tuple(unresolved)
    writer = _shared(kept, upstream, Access.WRITE, problems)
    reader = _shared(kept, downstream, Access.READ, problems)
    back = (
        one.confidence
        for one in kept
        if _within(one.key.upstream, downstream) and _within(one.key.downstream, upstream)
    )
    return Explanation(
        upstream=upstream,
        downstream=downstream,
        sums=tuple(sorted(sums, key=lambda s: (-s.confidence, s.key))),
        views={},
        writer=writer,
        reader=reader,
        near=tuple(_near(writer.uses, reader.uses)),
        ordered=any(s.declared for s in sums),
        reverse=max(back, default=0.0),
    )


def _within(task: TaskKey, side: Side) -> bool:
    return task == side or task.pipeline_key == side


def _shared(
    dependencies: Iterable[Dependency], side: Side, access: Access, problems: Iterable[Unresolved]
) -> Known:
    uses: dict[Use, None] = {}
    for one in dependencies:
        for proof in one.proofs:
            said = not proof.silent and proof.channel is not Channel.TIMING
            if said and proof.access is access and _within(proof.task, side):
                dataset = one.key.dataset
                use = Use(proof.task, dataset, proof.channel, proof.place, proof.via)
                uses[use] = None
    whole = str(side if isinstance(side, PipelineKey) else side.pipeline_key)
    of_side = (
        item
        for item in problems
        if item.subject in (whole, str(side))
        or (isinstance(side, PipelineKey) and item.subject.startswith(f"{whole}/"))
    )
    return _sorted(uses, of_side, ())


def _tasks(side: Side, facts: Facts) -> list[TaskKey]:
    if isinstance(side, TaskKey):
        return [side]
    pipeline = facts.pipelines.get(side)
    listed = {task.key for task in pipeline.tasks} if pipeline else set()
    whole = TaskKey(side.orchestrator, side.name, "")
    return sorted(listed | {*facts.tasks_of(side), whole})


def _weighed(
    above: Iterable[TaskKey],
    below: set[TaskKey],
    weighing: Weighing,
    verdicts: Mapping[DependencyKey, Verdict | None],
) -> Iterator[Dependency]:
    judged = {key for key in verdicts if key.downstream in below}
    for task in above:
        keys = weighing.keys_of(task) | {key for key in judged if key.upstream == task}
        for key in sorted(keys):
            if key.upstream == task and key.downstream in below:
                found = weighing.weighed(key, verdicts.get(key))
                if found is not None:
                    yield found


def _known(
    side: Side, tasks: list[TaskKey], access: Access, facts: Facts, weighing: Weighing
) -> Known:
    uses: dict[Use, None] = {}
    dropped: set[DatasetKey] = set()
    for task in tasks:
        for (kind, dataset), sightings in weighing.ends(task).items():
            for seen in sightings if kind is access else ():
                evidence = seen.evidence
                uses[Use(task, dataset, evidence.channel, evidence.place, seen.via)] = None
        marks = facts.dropped.get(task, {})
        dropped |= {dataset for kind, dataset, _ in marks if kind is access}
    subjects = {str(task) for task in tasks}
    subjects.add(str(side if isinstance(side, PipelineKey) else side.pipeline_key))
    unresolved = (item for subject in subjects for item in facts.unresolved.get(subject, ()))
    return _sorted(uses, unresolved, dropped)


def _sorted(
    uses: Iterable[Use], unresolved: Iterable[Unresolved], dropped: Iterable[DatasetKey]
) -> Known:
    return Known(
        tuple(sorted(uses, key=lambda u: (u.dataset, u.task, u.channel, u.place, u.via))),
        tuple(sorted(unresolved, key=lambda u: (u.subject, u.place, u.reason, u.detail))),
        tuple(sorted(dropped)),
    )


def _views(names: Iterable[DatasetKey], facts: Facts) -> Iterator[tuple[DatasetKey, View]]:
    for name in names:
        known = (facts.names.views.get(alias) for alias in facts.names.aliases(name))
        view = next((view for view in known if view is not None), None)
        if view is not None:
            yield name, view


def _near(written: Iterable[Use], read: Iterable[Use]) -> Iterator[tuple[DatasetKey, DatasetKey]]:
    """Pairs of different datasets whose last name is the same, whatever its case."""
    by_name: dict[str, set[DatasetKey]] = {}
    for use in read:
        by_name.setdefault(_last(use.dataset), set()).add(use.dataset)
    for dataset in sorted({use.dataset for use in written}):
        for other in sorted(by_name.get(_last(dataset), ())):
            if other != dataset:
                yield dataset, other


def _last(dataset: DatasetKey) -> str:
    """The table or file: what is after the last dot or slash; a file's ending is no name."""
    name = dataset.name.casefold().rstrip("/")
    if "/" in name:
        return name.rpartition("/")[2]
    return name.rpartition(".")[2]

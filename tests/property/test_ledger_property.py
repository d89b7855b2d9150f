"""Whatever comes, in whatever order: the ledger's answers depend on what was seen, not on when."""

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.lineage.channels import RELIABILITY
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.model.columns import Column, ColumnInput, ColumnLineage
from swarm.model.connectors import Batch, Item
from swarm.model.facets import Facet, FacetOf
from swarm.model.graph import ColumnsSeen, FacetSeen, RunSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    Dependency,
    DependencyKey,
    Evidence,
    Recurrence,
    Verdict,
    VerdictRequest,
    View,
    ViewInventory,
)
from swarm.model.pipelines import DeclaredEdge, Inventory, JobOrder, Pipeline, Task
from swarm.model.runs import Run, RunState

# How long an example takes depends on the machine's other work.
SLOW_IS_FINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Few names, so that they collide; times hours or days apart, so that each sighting is recorded.
PIPELINES = [PipelineKey(o, p) for o in ("air", "dag") for p in ("p", "q")]
TASKS = [TaskKey(k.orchestrator, k.name, t) for k in PIPELINES for t in ("", "a", "b")]
DATASETS = [DatasetKey("pg://w", n) for n in ("t", "s.t", "c.s.t", "z.t", "u", "s.u")]
TIMES = st.sampled_from([0.0, 7200.0, 21600.0, 86_400.0, 180_000.0, 900_000.0, 9_000_000.0])

READ_BY = [Channel.DECLARED, Channel.CODE, Channel.SQL_RUN]

tasks = st.sampled_from(TASKS)
datasets = st.sampled_from(DATASETS)
evidence = st.builds(
    Evidence,
    tasks,
    st.sampled_from(Access),
    datasets,
    st.sampled_from(list(RELIABILITY)),
    TIMES,
    st.sampled_from(["f:1", "f:2"]),
    confidence=st.sampled_from([1.0, 0.8]),
)
facets = st.builds(
    Facet,
    tasks | datasets,
    st.sampled_from(FacetOf),
    st.sampled_from(["version", "x", "y"]),
    st.sampled_from(["", "1", "2"]),
    st.integers(0, 8).map(lambda number: number * 1800.0),
)
columns = st.builds(
    ColumnLineage,
    datasets,
    st.none() | tasks,
    st.lists(st.builds(ColumnInput, datasets, st.sampled_from("xy")), max_size=2).map(
        lambda inputs: (Column("a", tuple(inputs)),)
    ),
    st.integers(0, 4).map(lambda number: number * 86_400.0),
)
edges = st.builds(DeclaredEdge, tasks, tasks, st.just("order"))


# Times are days apart, as the same order stated again is dated exact to a day.
orders = st.builds(
    JobOrder,
    tasks,
    st.lists(edges, max_size=2).map(tuple),
    st.integers(0, 4).map(lambda number: number * 86_400.0),
)


@st.composite
def views(draw: st.DrawFn) -> list[View]:
    """At most one definition a name: of two the later one would win."""
    named = draw(st.lists(datasets, max_size=3, unique=True))
    reads = st.lists(datasets, min_size=1, max_size=2)
    return [View(name, tuple(draw(reads)), "catalog") for name in named]


@st.composite
def view_words(draw: st.DrawFn) -> tuple[Item, ...]:
    """What a source may say of views in one batch, with or without the list of all of them."""
    listed = draw(st.none() | st.lists(datasets, max_size=3))
    return (*draw(views()), *(() if listed is None else (ViewInventory(tuple(listed)),)))


@st.composite
def pipelines(draw: st.DrawFn) -> list[Pipeline]:
    """One definition a pipeline, for the same reason."""
    shown = draw(st.lists(st.sampled_from(PIPELINES), max_size=4, unique=True))
    listed = {k: tuple(Task(t) for t in TASKS if t.pipeline_key == k and t.task) for k in shown}
    declared = draw(st.lists(edges, max_size=6))
    return [
        Pipeline(k, listed[k], tuple(e for e in declared if e.downstream.pipeline_key == k))
        for k in shown
    ]


@st.composite
def readings(draw: st.DrawFn) -> list[tuple[Item, ...]]:
    """Batches that are each one channel's word on one task, complete or not.

    Of one channel of one task each reading has its own time.
    """
    found = []
    for task, channel, at_s in draw(
        st.lists(
            st.tuples(st.sampled_from(TASKS[1:6]), st.sampled_from(READ_BY), TIMES),
            max_size=12,
            unique=True,
        )
    ):
        seen = [
            replace(item, task=task, channel=channel, observed_at_s=at_s)
            for item in draw(st.lists(evidence, max_size=3))
        ]
        complete = [Coverage(task, channel, at_s)] if draw(st.booleans()) else []
        found.append((*seen, *complete))
    return found


@st.composite
def late_runs(draw: st.DrawFn) -> list[Run]:
    """A month of daily runs of three pipelines, the first of which feeds the others in turn.

    The second is late on some days; the third mostly on the same ones, the first on few or all.
    """
    late = draw(st.sets(st.integers(0, 29), min_size=2, max_size=6))
    few = draw(st.sets(st.integers(0, 29), max_size=3))
    runs = []
    for number, own in enumerate((draw(st.sampled_from([set(), few, late])), late, late ^ few)):
        for day in range(30):
            due_s = (day * 24 + number) * 3600.0
            start_s = due_s + (7200.0 if day in own and number == 2 else 0.0)
            end_s = start_s + (5400.0 if day in own and number < 2 else 600.0)
            state = RunState.FAILED if draw(st.integers(0, 40)) == 0 else RunState.SUCCEEDED
            runs.append(Run(PIPELINES[number], str(day), state, due_s, start_s, end_s))
    return runs


@st.composite
def worlds(draw: st.DrawFn) -> list[Batch]:
    groups: list[tuple[Item, ...]] = [
        *draw(readings()),
        *((view,) for view in draw(views())),
        *((pipeline,) for pipeline in draw(pipelines())),
        *((facet,) for facet in draw(st.lists(facets, max_size=4))),
        *((lineage,) for lineage in draw(st.lists(columns, max_size=4))),
        *((order,) for order in draw(st.lists(orders, max_size=3))),
    ]
    return [Batch("s", str(number), items) for number, items in enumerate(groups)]


def fed(batches: list[Batch]) -> Ledger:
    ledger = Ledger(Naming())
    for batch in batches:
        for record in ledger.decide(batch, 0.0):
            ledger.apply(record)
    return ledger


def concluded(ledger: Ledger) -> dict[DependencyKey, Dependency]:
    """The dependencies without the times and counts, which are exact to a day only."""
    return {key: _timeless(d) for key, d in ledger.dependencies.items()}


def _timeless(found: Dependency) -> Dependency:
    proofs = tuple(
        replace(p, last_seen_s=0.0, excerpt="" if p.channel is Channel.TIMING else p.excerpt)
        for p in found.proofs
    )
    often = found.recurrence
    again = Recurrence(1 + often.recurring, 0, 0.0, 0.0) if often else None
    return replace(found, proofs=proofs, recurrence=again)


@settings(SLOW_IS_FINE, max_examples=120)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_batches_does_not_matter(batches: list[Batch], dice: random.Random) -> None:
    shuffled = list(batches)
    dice.shuffle(shuffled)
    there, here = fed(batches), fed(shuffled)
    there.check()
    here.check()
    assert concluded(there) == concluded(here)


@settings(SLOW_IS_FINE, max_examples=100)
@given(
    worlds(),
    st.lists(st.tuples(st.sampled_from("tuv"), view_words()), max_size=6),
    st.randoms(use_true_random=False),
)
def test_sources_of_views_may_come_in_any_order_among_each_other(
    batches: list[Batch], said: list[tuple[str, tuple[Item, ...]]], dice: random.Random
) -> None:
    """Each source speaks in its own order; how they mix does not matter."""
    words = [Batch(source, str(number), items) for number, (source, items) in enumerate(said)]
    here = fed([*batches, *words])
    mixed = list(batches)
    for source in "tuv":
        own = [batch for batch in words if batch.source == source]
        places = sorted(dice.choices(range(len(mixed) + 1), k=len(own)))
        for later, (place, batch) in enumerate(zip(places, own, strict=True)):
            mixed.insert(place + later, batch)
    there = fed(mixed)
    here.check()
    there.check()
    assert concluded(there) == concluded(here)


@settings(SLOW_IS_FINE, max_examples=60)
@given(late_runs(), st.booleans(), st.randoms(use_true_random=False))
def test_runs_in_any_order_and_again_confirm_the_same(
    runs: list[Run], fed_by_first: bool, dice: random.Random
) -> None:
    first, second, third = (TaskKey(k.orchestrator, k.name, "a") for k in PIPELINES[:3])
    ends = [(second, Access.WRITE, "u"), (third, Access.READ, "u")]
    ends += [(first, Access.WRITE, "s.u"), (second, Access.READ, "s.u")]
    ends += [(third, Access.READ, "s.u")] if fed_by_first else []
    items: list[Item] = [
        Evidence(task, access, DatasetKey("pg://w", f"c.{name}"), Channel.SQL_SOURCE, 0.0, "f:1")
        for task, access, name in ends
    ]
    items += runs
    again = [*items, *dice.choices(items, k=20)]
    dice.shuffle(again)
    cuts = sorted(dice.choices(range(len(again)), k=6))
    parts = [again[a:b] for a, b in zip([0, *cuts], [*cuts, len(again)], strict=True)]
    here = fed([Batch("s", "", tuple(items))])
    there = fed([Batch("s", str(n), tuple(part)) for n, part in enumerate(parts)])
    here.check()
    there.check()
    assert concluded(here) == concluded(there)


@settings(SLOW_IS_FINE, max_examples=150)
@given(st.lists(facets, max_size=8), st.randoms(use_true_random=False))
def test_facets_in_any_order_and_again_are_the_same_in_the_end(
    seen: list[Facet], dice: random.Random
) -> None:
    # Of what lasts, the same content is dated exact to a day: then those times are days apart.
    spaced = [
        replace(f, observed_at_s=f.observed_at_s * 48)
        if f.of in (FacetOf.JOB, FacetOf.DATASET)
        else f
        for f in seen
    ]
    again = [*spaced, *dice.choices(spaced, k=3)] if spaced else []
    dice.shuffle(again)

    def kept(order: list[Facet]) -> set[Facet]:
        ledger = fed([Batch("s", str(number), (facet,)) for number, facet in enumerate(order)])
        return {record.facet for record in ledger.records() if isinstance(record, FacetSeen)}

    assert kept(again) == kept(spaced)
    whole = fed([Batch("s", "", tuple(again))])
    assert {r.facet for r in whole.records() if isinstance(r, FacetSeen)} == kept(spaced)


@settings(SLOW_IS_FINE, max_examples=100)
@given(st.lists(columns, max_size=8), st.randoms(use_true_random=False))
def test_columns_in_any_order_and_again_are_the_same_in_the_end(
    seen: list[ColumnLineage], dice: random.Random
) -> None:
    again = [*seen, *dice.choices(seen, k=3)] if seen else []
    dice.shuffle(again)

    def kept(*batches: list[ColumnLineage]) -> set[ColumnLineage]:
        ledger = fed([Batch("s", str(n), tuple(items)) for n, items in enumerate(batches)])
        return {r.lineage for r in ledger.records() if isinstance(r, ColumnsSeen)}

    assert kept(*([one] for one in again)) == kept(*([one] for one in seen)) == kept(again)


@settings(SLOW_IS_FINE, max_examples=50)
@given(worlds())
def test_one_batch_of_all_says_the_same_as_many(batches: list[Batch]) -> None:
    newest_last = sorted(batches, key=lambda b: max(_times(b), default=0.0))
    kept: dict[tuple[TaskKey, Channel], Batch] = {}
    rest = []
    for batch in newest_last:  # a batch holds one reading of a channel of a task
        for at in {(i.task, i.channel) for i in batch.items if isinstance(i, Evidence | Coverage)}:
            kept[at] = batch
        if not _times(batch):
            rest.append(batch)
    chosen = [*rest, *kept.values()]
    whole = Batch("s", "", tuple(item for batch in chosen for item in batch.items))
    assert concluded(fed([whole])) == concluded(fed(chosen))


def _times(batch: Batch) -> list[float]:
    return [i.observed_at_s for i in batch.items if isinstance(i, Evidence | Coverage)]


happenings = st.one_of(
    worlds(),
    st.lists(
        st.builds(
            lambda o, names: Batch("s", "", (Inventory(o, tuple(names)),)),
            st.sampled_from(["air", "dag"]),
            st.lists(st.sampled_from(["p", "q"]), max_size=2),
        ),
        max_size=2,
    ),
    st.lists(
        st.builds(
            lambda source, items: Batch(source, "", items), st.sampled_from("st"), view_words()
        ),
        max_size=3,
    ),
    st.lists(st.sampled_from(list(Verdict)), max_size=2),
)


@settings(SLOW_IS_FINE, max_examples=80)
@given(st.lists(happenings, max_size=6), st.randoms(use_true_random=False))
def test_replay_snapshot_and_live_are_one(
    story: list[list[Batch] | list[Verdict]], dice: random.Random
) -> None:
    live, replica = Ledger(Naming()), Ledger(Naming())
    for happening in (event for chapter in story for event in chapter):
        event: Batch | VerdictRequest
        if isinstance(happening, Verdict):
            if not live.dependencies:
                continue
            event = VerdictRequest(dice.choice(sorted(live.dependencies)), happening, "ann")
        else:
            event = happening
        before = set(live.records())
        records = live.decide(event, 0.0)
        assert set(live.records()) == before
        for record in records:
            live.apply(record)
            replica.apply(record)
        assert all(isinstance(r, RunSeen) for r in live.decide(event, 0.0))
        live.check()
    restored = Ledger(Naming())
    for record in live.records():
        restored.apply(record)
    for other in (replica, restored):
        other.check()
        assert set(other.records()) == set(live.records())
        assert other.version == live.version

"""What the ledger concludes from batches, one rule at a time."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from swarm.errors import UnknownKey
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch, Item
from swarm.model.graph import (
    CapacitySeen,
    CoverageSeen,
    DependencyChanged,
    DependencyGone,
    EvidenceGone,
    EvidenceSeen,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    VerdictGiven,
    ViewGone,
    ViewSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    DependencyKey,
    Evidence,
    Level,
    Recurrence,
    Unresolved,
    UnresolvedReason,
    Verdict,
    VerdictRequest,
    View,
    ViewInventory,
)
from swarm.model.pipelines import Backfill, DeclaredEdge, Inventory, Pipeline, Pool, Task
from swarm.model.runs import Run, RunState

HOUR = 3600.0
SERVER = "postgres://warehouse:5432"


def task(name: str) -> TaskKey:
    """`orchestrator/pipeline/task`."""
    return TaskKey(*name.split("/"))


def table(name: str) -> DatasetKey:
    return DatasetKey(SERVER, name)


def saw(
    access: Access, who: str, name: str, channel: Channel = Channel.SQL_RUN, at_s: float = 0.0
) -> Evidence:
    return Evidence(task(who), access, table(name), channel, at_s, place=f"{who}:1")


def writes(who: str, name: str, channel: Channel = Channel.SQL_RUN, at_s: float = 0.0) -> Evidence:
    return saw(Access.WRITE, who, name, channel, at_s)


def reads(who: str, name: str, channel: Channel = Channel.SQL_RUN, at_s: float = 0.0) -> Evidence:
    return saw(Access.READ, who, name, channel, at_s)


def covers(who: str, channel: Channel = Channel.SQL_RUN, at_s: float = 0.0) -> Coverage:
    return Coverage(task(who), channel, at_s)


def pipeline(name: str, *tasks: str, declared: Iterable[tuple[str, str]] = ()) -> Pipeline:
    orchestrator, title = name.split("/")
    return Pipeline(
        PipelineKey(orchestrator, title),
        tuple(Task(task(f"{name}/{t}")) for t in tasks),
        tuple(DeclaredEdge(task(up), task(down), "order") for up, down in declared),
    )


def state(ledger: Ledger) -> set[GraphRecord]:
    return set(ledger.records())


class Story:
    """A ledger and everything it recorded; every step is also replayed into a second ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger(Naming())
        self.replica = Ledger(Naming())

    def batch(self, *items: Item, source: str = "test") -> list[GraphRecord]:
        return self.give(Batch(source, "", items))

    def give(self, event: Batch | VerdictRequest) -> list[GraphRecord]:
        before = state(self.ledger)
        records = self.ledger.decide(event, 0.0)
        assert state(self.ledger) == before, "decide changed the state"
        for record in records:
            self.ledger.apply(record)
            self.replica.apply(record)
        self.ledger.check()
        assert state(self.replica) == state(self.ledger)
        return records

    def edges(self) -> set[tuple[str, str, str]]:
        return {
            (str(k.upstream), str(k.downstream), k.dataset.name) for k in self.ledger.dependencies
        }

    def confidence(self, up: str, down: str, name: str) -> float:
        return self.ledger.dependencies[DependencyKey(task(up), task(down), table(name))].confidence

    def declared(self, up: str, down: str, name: str) -> bool:
        return self.ledger.dependencies[DependencyKey(task(up), task(down), table(name))].declared


@pytest.fixture
def story() -> Story:
    return Story()


def of_kind(records: list[GraphRecord], *kinds: type) -> list[GraphRecord]:
    return [record for record in records if isinstance(record, kinds)]


# --- who depends on whom -------------------------------------------------------------------------


def test_every_writer_is_upstream_of_every_other_reader(story: Story) -> None:
    story.batch(
        writes("a/p/w", "s.t"), writes("b/q/w", "s.t"), reads("b/q/w", "s.t"), reads("c/r/x", "s.t")
    )
    assert story.edges() == {
        ("a/p/w", "b/q/w", "s.t"),
        ("a/p/w", "c/r/x", "s.t"),
        ("b/q/w", "c/r/x", "s.t"),
    }


def test_same_table_name_in_another_schema_or_server_is_another_table(story: Story) -> None:
    other = Evidence(
        task("c/r/x"),
        Access.READ,
        DatasetKey("postgres://elsewhere:5432", "s.t"),
        Channel.SQL_RUN,
        0.0,
        "x",
    )
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "s2.t"), other)
    assert story.edges() == set()


def test_a_pipeline_as_a_whole_does_not_depend_on_its_own_task(story: Story) -> None:
    story.batch(writes("a/p/", "s.t"), reads("a/p/r", "s.t"), reads("a/q/", "s.t"))
    assert story.edges() == {("a/p", "a/q", "s.t")}


def test_what_arrives_later_joins_what_was_there(story: Story) -> None:
    assert story.batch(reads("b/q/r", "s.t")) == [EvidenceSeen(reads("b/q/r", "s.t"))]
    records = story.batch(writes("a/p/w", "s.t"))
    (changed,) = of_kind(records, DependencyChanged)
    assert isinstance(changed, DependencyChanged)
    assert changed.version == story.ledger.version == 1
    proofs = {(p.task, p.access, p.place) for p in changed.dependency.proofs}
    assert proofs == {
        (task("a/p/w"), Access.WRITE, "a/p/w:1"),
        (task("b/q/r"), Access.READ, "b/q/r:1"),
    }


def test_a_batch_given_twice_says_nothing_new(story: Story) -> None:
    items = (
        pipeline("a/p", "w"),
        writes("a/p/w", "s.t"),
        covers("a/p/w"),
        reads("b/q/r", "t", Channel.CODE),
        covers("b/q/r", Channel.CODE),
        View(table("v"), (table("s.t"),), "v"),
        Unresolved("b/q/r", UnresolvedReason.DYNAMIC, "x", "y"),
        Inventory("a", ("p",)),
    )
    assert story.batch(*items)
    assert story.batch(*items) == []


def test_runs_and_capacity_pass_through(story: Story) -> None:
    run = Run(PipelineKey("a", "p"), "r1", RunState.RUNNING)
    pool, backfill = Pool("a", "default", 4), Backfill(PipelineKey("a", "p"), "b1", "done")
    assert story.batch(run, pool, backfill) == [
        RunSeen(run),
        CapacitySeen(pool),
        CapacitySeen(backfill),
    ]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("full_first", [True, False])
def test_a_short_name_is_the_one_table_it_fits(story: Story, full_first: bool) -> None:
    full, short = writes("a/p/w", "lake.sales.orders"), reads("b/q/r", "orders")
    for item in (full, short) if full_first else (short, full):
        story.batch(item)
    assert story.edges() == {("a/p/w", "b/q/r", "lake.sales.orders")}
    (dependency,) = story.ledger.dependencies.values()
    assert [p.named for p in dependency.proofs if p.access is Access.READ] == ["orders"]
    story.batch(reads("b/q/x", "lake.sales.orders"))
    sure = story.confidence("a/p/w", "b/q/x", "lake.sales.orders")
    assert dependency.confidence == pytest.approx(0.9 * sure, abs=1e-5)


def test_names_of_three_lengths_are_one_table(story: Story) -> None:
    story.batch(writes("a/p/w", "orders"), reads("b/q/r", "sales.orders"))
    assert story.edges() == {("a/p/w", "b/q/r", "sales.orders")}
    story.batch(reads("c/z/r", "lake.sales.orders"))
    assert story.edges() == {
        ("a/p/w", "b/q/r", "lake.sales.orders"),
        ("a/p/w", "c/z/r", "lake.sales.orders"),
    }


def test_a_name_that_fits_several_stays_itself_and_is_reported(story: Story) -> None:
    story.batch(writes("a/p/w", "x.orders"), reads("b/q/r", "orders"))
    assert story.edges() == {("a/p/w", "b/q/r", "x.orders")}
    story.batch(writes("c/p/w", "y.orders"))
    assert story.edges() == set()
    (item,) = story.ledger.unresolved
    assert item == Unresolved(
        f"{SERVER}/orders", UnresolvedReason.AMBIGUOUS, "b/q/r", "fits x.orders, y.orders"
    )


def test_an_ambiguity_ends_with_its_second_meaning(story: Story) -> None:
    story.batch(writes("a/p/w", "x.orders"), reads("b/q/r", "orders"))
    story.batch(pipeline("c/p", "w"), writes("c/p/w", "y.orders"))
    story.batch(Inventory("c", ()))
    assert story.edges() == {("a/p/w", "b/q/r", "x.orders")}
    assert story.ledger.unresolved == []


@pytest.mark.parametrize("namespace", ["file", "s3://lake", "gs://lake", "kafka://broker:9092"])
def test_paths_and_topics_never_match_by_their_end(story: Story, namespace: str) -> None:
    def touch(access: Access, who: str, name: str) -> Evidence:
        dataset = DatasetKey(namespace, name)
        return Evidence(task(who), access, dataset, Channel.CODE, 0.0, "x")

    story.batch(
        touch(Access.WRITE, "a/p/w", "/data/a.csv"),
        touch(Access.READ, "b/q/r", "csv"),
        touch(Access.WRITE, "a/p/w", "eu.orders"),
        touch(Access.READ, "b/q/r", "orders"),
    )
    assert story.edges() == set()


# --- views ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("view_first", [True, False])
def test_reading_a_view_is_reading_what_it_reads(story: Story, view_first: bool) -> None:
    inner = View(table("s.inner"), (table("s.base"),), "catalog:1")
    outer = View(table("s.outer"), (table("s.inner"),), "catalog:2")
    evidence = (writes("a/p/w", "s.base"), reads("b/q/r", "s.outer"))
    for items in ((inner, outer), evidence) if view_first else (evidence, (outer,), (inner,)):
        story.batch(*items)
    assert story.edges() == {("a/p/w", "b/q/r", "s.base")}
    (dependency,) = story.ledger.dependencies.values()
    vias = {p.access: p.via for p in dependency.proofs}
    assert vias == {Access.WRITE: (), Access.READ: (table("s.outer"), table("s.inner"))}


def test_a_view_that_changes_moves_its_readers(story: Story) -> None:
    story.batch(
        writes("a/p/w", "s.one"),
        writes("a/p/x", "s.two"),
        reads("b/q/r", "s.v"),
        View(table("s.v"), (table("s.one"),), "c"),
    )
    assert story.edges() == {("a/p/w", "b/q/r", "s.one")}
    story.batch(View(table("s.v"), (table("s.two"),), "c"))
    assert story.edges() == {("a/p/x", "b/q/r", "s.two")}


def test_views_in_a_ring_end(story: Story) -> None:
    story.batch(
        View(table("s.v"), (table("s.u"), table("s.base")), "c"),
        View(table("s.u"), (table("s.v"),), "c"),
        writes("a/p/w", "s.base"),
        reads("b/q/r", "s.u"),
    )
    assert story.edges() == {("a/p/w", "b/q/r", "s.base")}


def test_names_inside_views_are_completed_too(story: Story) -> None:
    story.batch(View(table("lake.s.v"), (table("base"),), "c"), reads("b/q/r", "v"))
    story.batch(writes("a/p/w", "lake.s.base"))
    assert story.edges() == {("a/p/w", "b/q/r", "lake.s.base")}
    story.batch(writes("a/p/w", "other.base"))
    assert story.edges() == set()


def test_the_same_view_stated_at_another_place_is_no_news(story: Story) -> None:
    story.batch(View(table("s.v"), (table("s.a"), table("s.b")), "one"))
    assert story.batch(View(table("s.v"), (table("s.b"), table("s.a")), "two")) == []


def over_a_view(story: Story, *sources: str) -> View:
    """A task that reads a view over what another writes; each of `sources` states the view."""
    story.batch(writes("a/p/w", "s.base"), reads("b/q/r", "s.v"))
    view = View(table("s.v"), (table("s.base"),), "c")
    for source in sources:
        story.batch(view, source=source)
    return view


THROUGH = {("a/p/w", "b/q/r", "s.base")}


def test_a_view_that_a_complete_listing_no_longer_shows_ceases_to_count(story: Story) -> None:
    over_a_view(story, "cat")
    assert story.edges() == THROUGH
    assert story.batch(ViewInventory((table("S.V"), table("other"))), source="cat") == []
    records = story.batch(ViewInventory((table("other"),)), source="cat")
    assert ViewGone(table("s.v"), "cat") in records
    assert story.edges() == set()
    assert story.batch(ViewInventory(()), source="cat") == []


def test_a_view_stays_while_another_source_states_it(story: Story) -> None:
    view = over_a_view(story, "cat", "dbt")
    assert story.batch(view, source="dbt") == []
    assert story.batch(ViewInventory(()), source="cat") == [ViewGone(table("s.v"), "cat")]
    assert story.edges() == THROUGH
    story.batch(ViewInventory(()), source="dbt")
    assert story.edges() == set()


def test_a_listing_says_nothing_of_what_other_sources_state(story: Story) -> None:
    over_a_view(story, "cat")
    assert story.batch(ViewInventory(()), source="dbt") == []
    assert story.edges() == THROUGH


def test_a_view_of_the_same_batch_is_not_gone(story: Story) -> None:
    view = over_a_view(story, "cat")
    assert story.batch(view, ViewInventory(()), source="cat") == []
    assert story.edges() == THROUGH


def test_what_two_sources_say_of_a_view_counts_together(story: Story) -> None:
    over_a_view(story, "cat")
    story.batch(
        writes("a/p/x", "s.more"), View(table("s.v"), (table("s.more"),), "d"), source="dbt"
    )
    assert story.edges() == THROUGH | {("a/p/x", "b/q/r", "s.more")}
    story.batch(ViewInventory(()), source="cat")
    assert story.edges() == {("a/p/x", "b/q/r", "s.more")}


def test_a_view_between_views_that_goes_cuts_what_lies_below(story: Story) -> None:
    story.batch(
        writes("a/p/w", "lake.s.base"),
        reads("b/q/r", "outer"),
        View(table("lake.s.outer"), (table("inner"),), "c"),
        View(table("lake.s.inner"), (table("s.base"),), "c"),
    )
    assert story.edges() == {("a/p/w", "b/q/r", "lake.s.base")}
    story.batch(ViewInventory((table("lake.s.outer"),)))
    assert story.edges() == set()


def test_a_view_of_an_old_journal_belongs_to_the_next_source_that_states_it(story: Story) -> None:
    view = over_a_view(story)
    for record in story.ledger.decide(Batch("", "", (view,)), 0.0):
        story.ledger.apply(record)
        story.replica.apply(record)
    assert ViewSeen(view) in story.ledger.records()
    story.batch(view, source="x")
    assert ViewSeen(view, "x") in story.ledger.records()
    assert ViewSeen(view) not in story.ledger.records()
    story.batch(ViewInventory(()), source="x")
    assert story.edges() == set()


# --- static channels are replaced, run-time channels accumulate ----------------------------------


def test_a_complete_reading_replaces_the_earlier_one(story: Story) -> None:
    static = Channel.SQL_SOURCE
    story.batch(writes("a/p/w", "s.t"), writes("a/p/w", "s.u"))
    story.batch(
        reads("b/q/r", "s.t", static), reads("b/q/r", "s.u", static), covers("b/q/r", static)
    )
    records = story.batch(reads("b/q/r", "s.t", static, 9.0), covers("b/q/r", static, 9.0))
    assert of_kind(records, EvidenceGone) == [
        EvidenceGone(task("b/q/r"), Access.READ, table("s.u"), static)
    ]
    assert story.edges() == {("a/p/w", "b/q/r", "s.t")}


def test_evidence_without_coverage_replaces_nothing(story: Story) -> None:
    story.batch(reads("b/q/r", "s.t", Channel.CODE), reads("b/q/r", "s.u", Channel.CODE))
    story.batch(reads("b/q/r", "s.t", Channel.CODE, 9.0))
    story.batch(writes("a/p/w", "s.u"))
    assert story.edges() == {("a/p/w", "b/q/r", "s.u")}


def test_evidence_newer_than_a_late_reading_stays(story: Story) -> None:
    code = Channel.CODE
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "s.t", code, 100.0))
    story.batch(covers("b/q/r", code, 50.0))
    assert story.edges() == {("a/p/w", "b/q/r", "s.t")}


def test_an_access_that_one_of_two_channels_still_shows_stays(story: Story) -> None:
    static = Channel.SQL_SOURCE
    story.batch(reads("b/q/r", "s.t", static), covers("b/q/r", static), reads("b/q/r", "s.t"))
    story.batch(covers("b/q/r", static, 9.0))
    story.batch(writes("a/p/w", "s.t"))
    assert story.edges() == {("a/p/w", "b/q/r", "s.t")}


def test_an_old_reading_that_arrives_late_only_tells_what_the_text_once_showed(
    story: Story,
) -> None:
    code = Channel.CODE

    def gone(at_s: float) -> EvidenceGone:
        return EvidenceGone(task("b/q/r"), Access.READ, table("s.old"), code, at_s)

    story.batch(reads("b/q/r", "s.new", code, 100.0), covers("b/q/r", code, 100.0))
    older = (reads("b/q/r", "s.old", code, 50.0), covers("b/q/r", code, 50.0))
    assert story.batch(*older) == [gone(50.0)]
    assert story.batch(*older) == []
    assert story.batch(reads("b/q/r", "s.new", code, 60.0)) == []
    assert story.batch(reads("b/q/r", "s.old", code, 60.0)) == [gone(60.0)]


def test_a_small_correction_soon_after_is_dated(story: Story) -> None:
    code = Channel.CODE
    story.batch(reads("b/q/r", "s.a", code, 0.0), covers("b/q/r", code, 0.0))
    records = story.batch(reads("b/q/r", "s.b", code, 60.0), covers("b/q/r", code, 60.0))
    assert of_kind(records, CoverageSeen) == [CoverageSeen(covers("b/q/r", code, 60.0))]
    late = story.batch(reads("b/q/r", "s.a", code, 30.0), covers("b/q/r", code, 30.0))
    assert late == [EvidenceGone(task("b/q/r"), Access.READ, table("s.a"), code, 30.0)]


def test_runs_add_up(story: Story) -> None:
    story.batch(writes("a/p/w", "s.t"), writes("a/p/w", "s.u"))
    story.batch(reads("b/q/r", "s.t"), covers("b/q/r"))
    story.batch(reads("b/q/r", "s.u", at_s=9.0), covers("b/q/r", at_s=9.0))
    assert story.edges() == {("a/p/w", "b/q/r", "s.t"), ("a/p/w", "b/q/r", "s.u")}


def test_sightings_are_recorded_once_an_hour(story: Story) -> None:
    story.batch(reads("b/q/r", "s.t", at_s=0.0), covers("b/q/r", at_s=0.0))
    later = (reads("b/q/r", "s.t", at_s=HOUR - 1), covers("b/q/r", at_s=HOUR - 1))
    assert story.batch(*later) == []
    due = (reads("b/q/r", "s.t", at_s=HOUR), covers("b/q/r", at_s=HOUR))
    seen = replace(due[0], first_seen_s=0.0)
    assert story.batch(*due) == [EvidenceSeen(seen), CoverageSeen(due[1])]


def test_sightings_alone_refresh_a_dependency_once_a_day(story: Story) -> None:
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "s.t"))
    changed = [
        of_kind(story.batch(reads("b/q/r", "s.t", at_s=hour * HOUR)), DependencyChanged)
        for hour in range(1, 25)
    ]
    assert [bool(records) for records in changed] == [False] * 23 + [True]


def test_a_place_that_names_the_run_is_no_news_with_every_run(story: Story) -> None:
    def run(number: int) -> Evidence:
        place, at_s = f"run {number}: rendered sql", float(number)
        return Evidence(task("b/q/r"), Access.READ, table("s.t"), Channel.SQL_RUN, at_s, place)

    story.batch(run(1))
    assert story.batch(run(2)) == []


# --- what once happened, and may no longer -------------------------------------------------------


def day(number: int) -> float:
    return number * 24 * HOUR + 6 * HOUR


def seen_daily(story: Story, days: int, channel: Channel = Channel.SQL_RUN) -> None:
    """`b/q/r` reads `s.t` and `s.u`, which `a/p/w` writes, on each of the first `days`."""
    story.batch(
        writes("a/p/w", "s.t", Channel.CODE), covers("a/p/w", Channel.CODE), pipeline("b/q", "r")
    )
    for number in range(days):
        both = (reads("b/q/r", name, channel, day(number)) for name in ("s.t", "s.u"))
        story.batch(*both)


def sure(story: Story, name: str) -> float:
    found = story.ledger.dependencies.get(DependencyKey(task("a/p/w"), task("b/q/r"), table(name)))
    return found.confidence if found else 0.0


def test_an_access_that_runs_no_longer_show_fades_and_comes_back(story: Story) -> None:
    seen_daily(story, 10)
    fresh = sure(story, "s.t")
    fading = []
    for number in range(10, 16):
        story.batch(reads("b/q/r", "s.u", at_s=day(number)))
        fading.append(sure(story, "s.t"))
    assert fresh > fading[0] > fading[1] > 0.2
    assert fading[2] < 0.2
    story.batch(reads("b/q/r", "s.t", at_s=day(16)))
    assert sure(story, "s.t") == fresh


def test_time_without_a_look_ages_nothing(story: Story) -> None:
    seen_daily(story, 3)
    fresh = sure(story, "s.t")
    story.batch(covers("b/q/r", Channel.OPENLINEAGE, day(2)), writes("c/r/w", "s.t"))
    story.batch(reads("d/s/r", "s.t", at_s=day(50)), covers("b/q/r", Channel.CODE, day(50)))
    elsewhere = replace(reads("b/q/r", "x", at_s=day(50)), dataset=DatasetKey("s3://b", "x"))
    story.batch(elsewhere)
    weights = [
        p.still
        for p in story.ledger.dependencies[
            DependencyKey(task("a/p/w"), task("b/q/r"), table("s.t"))
        ].proofs
    ]
    assert fresh > 0.8
    assert set(weights) == {1.0}


def test_what_happens_weekly_survives_a_week(story: Story) -> None:
    story.batch(writes("a/p/w", "s.t", Channel.CODE))
    for number in range(35):
        names = ("s.t", "s.u") if number % 7 == 0 else ("s.u",)
        story.batch(*(reads("b/q/r", name, at_s=day(number)) for name in names))
    assert sure(story, "s.t") > 0.8
    often = story.ledger.dependencies[
        DependencyKey(task("a/p/w"), task("b/q/r"), table("s.t"))
    ].recurrence
    assert often == Recurrence(seen=5, looks=35, first_seen_s=day(0), last_seen_s=day(28))


def test_what_was_seen_once_among_many_looks_is_no_gate_until_it_recurs(story: Story) -> None:
    story.batch(writes("a/p/w", "s.t"), writes("a/p/w", "s.t", Channel.CODE))
    for number in range(5):
        story.batch(reads("b/q/r", "s.u", at_s=day(number)))
    for number, recurring in ((5, False), (6, True)):
        story.batch(*(reads("b/q/r", name, at_s=day(number)) for name in ("s.t", "s.u")))
        found = story.ledger.dependencies[DependencyKey(task("a/p/w"), task("b/q/r"), table("s.t"))]
        assert found.recurrence is not None
        assert found.recurrence.recurring is recurring
        assert (found.level is Level.GATE) is recurring


def test_what_the_text_dropped_after_the_last_run_falls_at_once(story: Story) -> None:
    code = Channel.SQL_SOURCE
    seen_daily(story, 5)
    story.batch(
        *(reads("b/q/r", name, code, day(4)) for name in ("s.t", "s.u", "s.x")),
        covers("b/q/r", code, day(4)),
    )
    story.batch(*(writes("a/p/w", name, Channel.CODE, 1.0) for name in ("s.u", "s.x")))
    before = sure(story, "s.t")
    story.batch(
        *(reads("b/q/r", name, code, day(5)) for name in ("s.u", "s.x")),
        covers("b/q/r", code, day(5)),
    )
    assert before > 0.8 > 0.2 > sure(story, "s.t")
    assert sure(story, "s.u") > 0.8
    story.batch(reads("b/q/r", "s.t", at_s=day(5)))
    assert sure(story, "s.t") > 0.8


def test_a_run_that_is_covered_and_shows_nothing_is_a_look(story: Story) -> None:
    seen_daily(story, 10, Channel.OPENLINEAGE)
    fresh = sure(story, "s.t")
    for number in range(10, 16):
        story.batch(covers("b/q/r", Channel.OPENLINEAGE, day(number)))
    assert fresh > 0.8 > 0.2 > sure(story, "s.t")


def test_a_text_that_lost_something_else_makes_what_runs_showed_a_little_doubtful(
    story: Story,
) -> None:
    source = Channel.SQL_SOURCE
    seen_daily(story, 5)
    story.batch(writes("a/p/w", "s.u", Channel.CODE, 1.0))
    story.batch(reads("b/q/r", "s.x", source, day(4)), covers("b/q/r", source, day(4)))
    before = sure(story, "s.u")
    story.batch(reads("b/q/r", "s.y", source, day(5)), covers("b/q/r", source, day(5)))
    assert 0.2 < sure(story, "s.u") < before - 0.05
    story.batch(reads("b/q/r", "s.u", at_s=day(6)))
    assert sure(story, "s.u") == before


def by_time(name: str, number: int) -> Evidence:
    """A statement that is of `b/q/r` only because it ran at that time."""
    return replace(reads("b/q/r", name, Channel.QUERY_LOG, day(number)), confidence=0.3)


def test_what_is_known_by_time_alone_is_no_look_at_the_task(story: Story) -> None:
    seen_daily(story, 5, Channel.QUERY_LOG)
    fresh = sure(story, "s.t")
    for number in range(5, 12):
        story.batch(by_time("s.x", number))
    assert fresh == sure(story, "s.t") > 0.8


def test_what_is_known_by_time_alone_keeps_nothing_alive(story: Story) -> None:
    seen_daily(story, 5)
    for number in range(5, 12):
        story.batch(reads("b/q/r", "s.u", at_s=day(number)), by_time("s.t", number))
    assert sure(story, "s.t") < 0.3


def test_a_daily_access_makes_no_more_records_than_its_days(story: Story) -> None:
    seen_daily(story, 30)
    records = [
        of_kind(story.batch(reads("b/q/r", "s.t", at_s=day(30) + n * HOUR / 4)), DependencyChanged)
        for n in range(40)
    ]
    assert sum(map(len, records)) <= 1


# --- who knows the task, and is silent ----------------------------------------------------------


def doubt(story: Story, channel: Channel, *known: Evidence) -> float:
    """How much surer `b/q/r` was to read `s.t` before the channel had said what it knows."""
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "s.t", Channel.OPENLINEAGE))
    before = sure(story, "s.t")
    story.batch(*(replace(seen, channel=channel) for seen in known))
    return before - sure(story, "s.t")


@pytest.mark.parametrize("channel", [Channel.DECLARED, Channel.CODE, Channel.SQL_RUN])
def test_a_channel_that_knows_other_reads_there_speaks_against_one(
    story: Story, channel: Channel
) -> None:
    assert 0 < doubt(story, channel, reads("b/q/r", "s.u")) < 0.05


@pytest.mark.parametrize("channel", [Channel.DECLARED, Channel.CODE, Channel.SQL_RUN])
def test_what_a_channel_knows_of_writes_says_nothing_of_reads(
    story: Story, channel: Channel
) -> None:
    assert doubt(story, channel, writes("b/q/r", "s.u")) == 0


@pytest.mark.parametrize(
    ("channel", "speaks"),
    [
        (Channel.DECLARED, True),
        (Channel.CODE, True),
        (Channel.OPENLINEAGE, True),
        (Channel.SQL_SOURCE, False),
        (Channel.SQL_RUN, False),
        (Channel.QUERY_LOG, False),
    ],
)
def test_sql_on_one_server_tells_nothing_of_others_a_program_tells_of_all(
    story: Story, channel: Channel, speaks: bool
) -> None:
    elsewhere = replace(reads("b/q/r", "x"), dataset=DatasetKey("s3://b", "x"))
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "s.t", Channel.ACCESS_LOG))
    before = sure(story, "s.t")
    story.batch(replace(elsewhere, channel=channel))
    assert (sure(story, "s.t") < before) is speaks


@pytest.mark.parametrize("channel", [Channel.CODE, Channel.SQL_SOURCE])
def test_a_text_read_again_in_part_without_an_access_has_most_likely_lost_it(
    story: Story, channel: Channel
) -> None:
    """No coverage: something in the text was not understood, so nothing is taken back."""
    story.batch(*(writes("a/p/w", name) for name in ("s.t", "s.u")))
    story.batch(*(reads("b/q/r", name, channel, day(0)) for name in ("s.t", "s.u")))
    story.batch(reads("b/q/r", "s.u", channel, day(0) + HOUR / 2))
    both = sure(story, "s.t")
    assert both == sure(story, "s.u") > 0.8, "times are exact to an hour only"
    story.batch(reads("b/q/r", "s.u", channel, day(1)))
    assert sure(story, "s.t") < 0.3
    assert sure(story, "s.u") == both
    story.batch(reads("b/q/r", "s.t", channel, day(1)))
    assert sure(story, "s.t") == both


def test_a_list_that_grows_entry_by_entry_was_not_read_again(story: Story) -> None:
    story.batch(*(writes("a/p/w", name) for name in ("s.t", "s.u")))
    story.batch(reads("b/q/r", "s.t", Channel.MANIFEST, day(0)))
    story.batch(reads("b/q/r", "s.u", Channel.MANIFEST, day(9)))
    assert sure(story, "s.t") == sure(story, "s.u") > 0.8


@pytest.mark.parametrize(("looks", "speaks"), [(2, False), (3, True)])
def test_a_log_speaks_once_it_knows_the_task_on_the_server(
    story: Story, looks: int, speaks: bool
) -> None:
    known = [writes("b/q/r", "s.u", at_s=day(number)) for number in range(looks)]
    assert (doubt(story, Channel.QUERY_LOG, *known) > 0) is speaks


# --- pipelines come and go -----------------------------------------------------------------------


def test_a_pipeline_is_recorded_only_when_it_changed(story: Story) -> None:
    assert story.batch(pipeline("a/p", "w")) == [PipelineSeen(pipeline("a/p", "w"))]
    assert story.batch(pipeline("a/p", "w")) == []
    assert story.batch(pipeline("a/p", "w", "x")) == [PipelineSeen(pipeline("a/p", "w", "x"))]


def test_what_the_inventory_no_longer_lists_is_gone_with_all_it_supported(story: Story) -> None:
    stuck = Unresolved("a/p/w", UnresolvedReason.SYNTAX, "f:1", "?")
    story.batch(pipeline("a/p", "w"), pipeline("a/q", "r"), pipeline("b/p", "w"), stuck)
    story.batch(writes("a/p/w", "s.t"), writes("b/p/w", "s.t"), reads("a/q/r", "s.t"))
    records = story.batch(Inventory("a", ("q",)))
    assert of_kind(records, PipelineGone) == [PipelineGone(PipelineKey("a", "p"))]
    gone = of_kind(records, DependencyGone)
    assert [str(r.key.upstream) for r in gone if isinstance(r, DependencyGone)] == ["a/p/w"]
    assert story.edges() == {("b/p/w", "a/q/r", "s.t")}
    assert set(story.ledger.pipelines) == {PipelineKey("a", "q"), PipelineKey("b", "p")}
    assert story.ledger.unresolved == []


def test_an_empty_inventory_takes_all_of_its_orchestrator_only(story: Story) -> None:
    story.batch(pipeline("a/p", "w"), pipeline("b/p", "w"))
    story.batch(Inventory("a", ()))
    assert set(story.ledger.pipelines) == {PipelineKey("b", "p")}


def test_a_pipeline_that_the_same_batch_shows_is_not_gone(story: Story) -> None:
    story.batch(pipeline("a/p", "w"))
    assert story.batch(pipeline("a/p", "w"), Inventory("a", ())) == []


def test_evidence_of_a_task_that_left_its_pipeline_goes(story: Story) -> None:
    story.batch(pipeline("a/p", "w", "x"), writes("a/p/w", "s.t"), writes("a/p/x", "s.t"))
    story.batch(reads("b/q/r", "s.t"))
    story.batch(pipeline("a/p", "x"))
    assert story.edges() == {("a/p/x", "b/q/r", "s.t")}


# --- declared order ------------------------------------------------------------------------------


def declared_world(story: Story) -> None:
    story.batch(
        pipeline("a/p", "one", "two", declared=[("a/p/one", "a/p/two")]),
        pipeline("a/q", "one", "two"),
        writes("a/p/one", "s.one"),
        writes("a/p/two", "s.two"),
        writes("a/q/one", "s.q"),
        reads("a/p/two", "s.one"),
        reads("a/q/two", "s.one"),
        reads("a/q/two", "s.two"),
        reads("a/q/two", "s.q"),
    )


def test_within_a_pipeline_only_task_edges_order(story: Story) -> None:
    declared_world(story)
    assert story.declared("a/p/one", "a/p/two", "s.one")
    assert not story.declared("a/q/one", "a/q/two", "s.q")
    assert not story.declared("a/p/one", "a/q/two", "s.one")


def test_a_whole_pipeline_edge_orders_each_task_before_each(story: Story) -> None:
    declared_world(story)
    records = story.batch(pipeline("a/q", "one", "two", declared=[("a/p/", "a/q/")]))
    assert len(of_kind(records, DependencyChanged)) == 2
    assert story.declared("a/p/one", "a/q/two", "s.one")
    assert story.declared("a/p/two", "a/q/two", "s.two")
    assert not story.declared("a/q/one", "a/q/two", "s.q")
    story.batch(pipeline("a/q", "one", "two"))
    assert not story.declared("a/p/one", "a/q/two", "s.one")


def test_order_is_transitive_through_pipelines_without_tasks_of_their_own(story: Story) -> None:
    declared_world(story)
    story.batch(pipeline("c/mid", declared=[("a/p/", "c/mid/")]))
    assert not story.declared("a/p/one", "a/q/two", "s.one")
    story.batch(pipeline("a/q", "one", "two", declared=[("c/mid/", "a/q/")]))
    assert story.declared("a/p/one", "a/q/two", "s.one")
    story.batch(Inventory("c", ()))
    assert not story.declared("a/p/one", "a/q/two", "s.one")


def test_a_sensor_on_a_task_orders_only_what_follows_it(story: Story) -> None:
    declared_world(story)
    edges = [("a/p/one", "a/q/one"), ("a/q/one", "a/q/two")]
    story.batch(pipeline("a/q", "one", "two", declared=edges))
    assert story.declared("a/p/one", "a/q/two", "s.one")
    assert not story.declared("a/p/two", "a/q/two", "s.two")


# --- verdicts ------------------------------------------------------------------------------------


def judged(verdict: Verdict | None) -> VerdictRequest:
    return VerdictRequest(
        DependencyKey(task("a/p/w"), task("b/q/r"), table("s.t")), verdict, "ann@example.org"
    )


def test_a_verdict_overrides_and_can_be_taken_back(story: Story) -> None:
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "s.t"))
    before = story.confidence("a/p/w", "b/q/r", "s.t")
    given, changed = story.give(judged(Verdict.REJECTED))
    assert isinstance(given, VerdictGiven)
    assert given.by == "ann@example.org"
    assert isinstance(changed, DependencyChanged)
    assert (changed.dependency.confidence, changed.dependency.verdict) == (0.0, Verdict.REJECTED)
    assert story.give(judged(Verdict.REJECTED)) == []
    story.give(judged(Verdict.ACCEPTED))
    assert story.confidence("a/p/w", "b/q/r", "s.t") == 1.0
    story.give(judged(None))
    assert story.confidence("a/p/w", "b/q/r", "s.t") == before


def test_a_verdict_survives_rescans_and_the_pipelines_absence(story: Story) -> None:
    scan = (
        pipeline("a/p", "w"),
        writes("a/p/w", "s.t", Channel.CODE),
        covers("a/p/w", Channel.CODE),
    )
    story.batch(*scan, reads("b/q/r", "s.t"))
    story.give(judged(Verdict.REJECTED))
    story.batch(*scan)
    assert story.confidence("a/p/w", "b/q/r", "s.t") == 0.0
    story.batch(Inventory("a", ()))
    assert story.edges() == set()
    story.batch(*scan)
    assert story.confidence("a/p/w", "b/q/r", "s.t") == 0.0


def test_an_accepted_dependency_needs_its_pipelines_but_no_evidence(story: Story) -> None:
    code = Channel.CODE
    story.batch(pipeline("a/p", "w"), pipeline("b/q", "r"), reads("b/q/r", "s.t"))
    story.batch(writes("a/p/w", "s.t", code), covers("a/p/w", code))
    story.give(judged(Verdict.ACCEPTED))
    story.batch(covers("a/p/w", code, 9.0))
    assert story.confidence("a/p/w", "b/q/r", "s.t") == 1.0
    story.batch(Inventory("b", ()))
    assert story.edges() == set()
    story.batch(pipeline("b/q", "r"))
    assert story.confidence("a/p/w", "b/q/r", "s.t") == 1.0
    story.give(judged(None))
    assert story.edges() == set()


def test_a_verdict_on_nothing_known_is_refused(story: Story) -> None:
    with pytest.raises(UnknownKey, match=r"b/q/r on a/p/w through .*s\.t"):
        story.ledger.decide(judged(Verdict.ACCEPTED), 0.0)


# --- unresolved ----------------------------------------------------------------------------------


def stuck(subject: str, place: str, detail: str = "?") -> Unresolved:
    return Unresolved(subject, UnresolvedReason.SYNTAX, place, detail)


def test_a_complete_word_on_the_subject_replaces_what_was_unresolved(story: Story) -> None:
    story.batch(stuck("a/p", "f:1"), stuck("a/p/w", "g:2"), stuck("a/p/w", "f:3"))
    story.batch(covers("a/p/w"), stuck("a/p/w", "f:3"))
    assert story.ledger.unresolved == [stuck("a/p", "f:1"), stuck("a/p/w", "f:3")]
    story.batch(pipeline("a/p", "w"))
    assert story.ledger.unresolved == [stuck("a/p/w", "f:3")]


def test_a_new_word_on_the_same_text_replaces_the_old_ones(story: Story) -> None:
    story.batch(stuck("a/p/w", "f:2", "old"), stuck("a/p/w", "f:3"), stuck("a/p/w", "g:3"))
    story.batch(stuck("a/p/x", "f:2"))
    story.batch(stuck("a/p/w", "f:4", "new"))
    assert story.ledger.unresolved == [
        stuck("a/p/w", "f:4", "new"),
        stuck("a/p/w", "g:3"),
        stuck("a/p/x", "f:2"),
    ]


def test_an_inventory_is_the_complete_word_on_its_source(story: Story) -> None:
    story.batch(stuck("a", "url"), stuck("jobs.jsonl", "jobs.jsonl:7"), stuck("b", "url"))
    story.batch(Inventory("a", ()), source="jobs.jsonl")
    assert story.ledger.unresolved == [stuck("b", "url")]


# --- snapshots -----------------------------------------------------------------------------------


def test_a_snapshot_rebuilds_state_version_and_verdicts(story: Story) -> None:
    declared_world(story)
    story.batch(writes("a/p/w", "s.t"), reads("b/q/r", "t"), View(table("v"), (table("s.t"),), "c"))
    story.batch(stuck("a/p", "f:1"), writes("a/p/w", "z.t"), covers("a/p/w"))
    key = min(story.ledger.dependencies)
    story.give(VerdictRequest(key, Verdict.REJECTED, "ann"))
    again = Ledger(Naming())
    for record in story.ledger.records():
        again.apply(record)
    again.check()
    assert state(again) == state(story.ledger)
    assert again.version == story.ledger.version
    assert again.dependencies == story.ledger.dependencies
    assert again.unresolved == story.ledger.unresolved


def test_the_version_survives_when_no_dependency_is_left(story: Story) -> None:
    story.batch(pipeline("a/p", "w"), writes("a/p/w", "s.t"), reads("b/q/r", "s.t"))
    story.batch(Inventory("a", ()))
    again = Ledger(Naming())
    for record in story.ledger.records():
        again.apply(record)
    assert again.version == story.ledger.version == 2
    assert again.dependencies == {}

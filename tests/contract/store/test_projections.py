"""What the projections promise, on every database."""

import random
import threading
from collections import Counter
from dataclasses import replace

import pytest

from swarm.errors import StoreError, Trimmed
from swarm.model.columns import Column, ColumnLineage
from swarm.model.connectors import ConnectorChanged, ConnectorState, CursorMoved, IntentEnded
from swarm.model.facets import Facet, FacetOf
from swarm.model.findings import Finding, FindingKind
from swarm.model.graph import (
    CapacitySeen,
    ColumnsGone,
    ColumnsSeen,
    FacetGone,
    FacetSeen,
    FindingChanged,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    UnresolvedGone,
    UnresolvedSeen,
)
from swarm.model.intents import Act, Carried, Intent
from swarm.model.journal import Entry
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Level, Unresolved, UnresolvedReason
from swarm.model.pipelines import Backfill, Pipeline, Pool
from swarm.model.plans import (
    Because,
    Candidate,
    Kept,
    Placement,
    Refused,
    ScaleDown,
    ScaleUp,
    Unplaced,
)
from swarm.model.runs import Run, RunState, TaskRun
from swarm.model.scaling import PlanMade, Scaled, Step
from swarm.model.sequencing import IntentMade, SlaChanged
from swarm.model.sla import Sla, SlaState, Standing
from swarm.store.census import Census
from swarm.store.follow import Follower
from swarm.store.projections import ConnectorRow
from swarm.store.retention import Retention


def entries(stream, records, first=1, at_s=None):
    """`records` as entries of `stream`; each a second after the one before."""
    return [
        Entry(stream, seq, float(seq) if at_s is None else at_s, f"cause-{seq}", record)
        for seq, record in enumerate(records, first)
    ]


def everything(projections, since_version=0):
    """All that a reader can see, but the global numbers of log entries."""
    keys = [row.pipeline.key for row in projections.pipelines(1_000)]
    runs = [run for key in keys for run in projections.runs.of(key, 1_000)]
    return {
        "pipelines": projections.pipelines(1_000),
        "dependencies": projections.dependencies(1_000),
        "unresolved": projections.unresolved(1_000),
        "connectors": projections.connectors(),
        "runs": runs,
        "task_runs": [t for run in runs for t in projections.runs.tries(run.pipeline, run.run_id)],
        "capacity": projections.capacity(),
        "facets": projections.facets(1_000),
        "columns": projections.columns(1_000),
        "cursors": projections.log.cursors(),
        "version": projections.history.version(),
        "versions": projections.history.versions(1_000),
        "changes": projections.history.changes(since_version, 1_000),
    }


def a_history(build, seed, length=120):
    """Entries of a graph and two connector streams, interleaved."""
    random_ = random.Random(seed)
    streams = {"graph": 0, "connector:a": 0, "connector:b": 0}
    version = 0
    found = []
    for _ in range(length):
        stream = random_.choice(["graph", "graph", "graph", "connector:a", "connector:b"])
        number = random_.randrange(4)
        streams[stream] += 1
        seq = streams[stream]
        if stream == "graph":
            version += 1
            unresolved = Unresolved(f"p{number}", UnresolvedReason.SYNTAX, "line 1", "no table")
            key = PipelineKey("airflow", f"pipeline-{number}")
            task = TaskKey("airflow", f"pipeline-{number}", "load")
            table = DatasetKey("pg://w", "t")
            record = random_.choice(
                [
                    build.evidence(number),
                    build.pipeline(number, owner=str(seq)),
                    PipelineGone(key),
                    build.changed(version, number, random_.random()),
                    build.gone(version, number),
                    UnresolvedSeen(unresolved),
                    UnresolvedGone(unresolved),
                    build.run(number, f"run-{number}", float(seq)),
                    FacetSeen(Facet(task, FacetOf.JOB, "f", str(seq), float(seq))),
                    FacetGone(task, FacetOf.JOB, "", "f"),
                    ColumnsSeen(ColumnLineage(table, task, (Column(str(seq), ()),), 1.0)),
                    ColumnsGone(table, task, ""),
                    RunSeen(TaskRun(task, f"run-{number}", 1, RunState.FAILED)),
                    CapacitySeen(Pool("airflow", f"pool-{number}", seq)),
                    CapacitySeen(Backfill(key, str(number), f"state {seq}")),
                ]
            )
        elif number:
            record = CursorMoved(stream, str(seq))
        else:
            state = random_.choice(list(ConnectorState))
            record = ConnectorChanged(stream, "airflow", state, f"message {seq}")
        found.append(Entry(stream, seq, float(len(found)), f"cause-{seq}", record))
    return found


def a_made_plan(number):
    candidate = Candidate(2, 0.0, 60.0, 0.1, 1.1)
    up = ScaleUp("spot+1", "spot", 0, 60, Because.PROMISES, None)
    moves = (up, ScaleDown("n", 900), Kept("m", 1, 2), Refused(Because.MOST_WORKERS, 2, 1.0))
    short = Unplaced("t", Because.NO_OFFERING, (9, 0, 0), (2, 0, 0))
    placed = Placement("u", "spot+1", 60, 120, None, Because.SLACK)
    made = PlanMade(number, 5.0, 3, moves, (candidate,), candidate, (short,), 1, 60, 50)
    return replace(made, placements=(placed,), placements_all=1)


def test_global_numbers_count_from_one_over_all_streams(store, build):
    projector = store.projector()
    history = a_history(build, seed=1)
    lasts = [projector.apply(history[start : start + 7]) for start in range(0, 120, 7)]
    assert lasts == [*range(7, 120, 7), 120]
    log = store.projections().log.read(0, 1_000)
    assert [number for number, _ in log] == [*range(1, 121)]
    assert [entry for _, entry in log] == history
    assert store.projections().log.last() == 120


def test_the_log_is_read_on_from_any_number(store, build):
    store.projector().apply(a_history(build, seed=2))
    whole = store.projections().log.read(0, 1_000)
    assert store.projections().log.read(50, 10) == whole[50:60]
    assert store.projections().log.read(120, 10) == []


@pytest.mark.parametrize("seed", range(4))
def test_delivering_twice_and_restarting_anywhere_changes_nothing(new_store, build, seed):
    history = a_history(build, seed)
    once, often = new_store(), new_store()
    once.projector().apply(history)
    random_ = random.Random(seed)
    done = 0
    while done < len(history):
        begin = random_.randint(0, done)
        end = random_.randint(done, min(len(history), done + 40))
        often.projector().apply(history[begin:end])
        done = max(done, end)
    assert everything(often.projections()) == everything(once.projections())
    assert often.projections().log.read(0, 1_000) == once.projections().log.read(0, 1_000)


def test_batches_of_any_size_give_the_same(new_store, build):
    history = a_history(build, seed=9)
    whole, single = new_store(), new_store()
    whole.projector().apply(history)
    projector = single.projector()
    for entry in history:
        projector.apply([entry])
    assert everything(single.projections()) == everything(whole.projections())


def test_two_projectors_at_once_apply_each_entry_once(store, build):
    history = a_history(build, seed=3)
    projectors = [store.projector(), store.projector()]

    def work(projector):
        for start in range(0, len(history), 5):
            projector.apply(history[start : start + 5])

    threads = [threading.Thread(target=work, args=(projector,)) for projector in projectors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry for _, entry in store.projections().log.read(0, 1_000)] == history


def test_a_missing_entry_is_refused_and_nothing_is_applied(store, build):
    projector = store.projector()
    projector.apply(entries("graph", [build.pipeline(1)]))
    later = entries("graph", [build.pipeline(2), build.pipeline(3)], first=2)
    with pytest.raises(StoreError, match="graph"):
        projector.apply([*entries("connector:a", [CursorMoved("a", "1")]), later[1]])
    assert projector.cursors() == {"graph": 1}
    assert store.projections().log.last() == 1
    assert len(store.projections().pipelines(10)) == 1


def test_pipelines_come_in_pages_and_go(store, build):
    projector = store.projector()
    projector.apply(entries("graph", [build.pipeline(n) for n in range(5)]))
    projections = store.projections()
    first = projections.pipelines(3)
    rest = projections.pipelines(3, after=first[-1].key)
    assert [row.pipeline.key.name for row in first + rest] == [f"pipeline-{n}" for n in range(5)]
    gone = PipelineGone(PipelineKey("airflow", "pipeline-2"))
    projector.apply(entries("graph", [gone, build.pipeline(3, owner="ann")], first=6))
    rows = projections.pipelines(10)
    assert [(row.pipeline.key.name, row.pipeline.owner) for row in rows] == [
        ("pipeline-0", ""),
        ("pipeline-1", ""),
        ("pipeline-3", "ann"),
        ("pipeline-4", ""),
    ]


def test_names_of_any_length_and_any_letter_fit(store):
    names = ["n" * 5_000 + "1", "n" * 5_000 + "2", "nul \x00", "snow ☃", "'; DROP TABLE x; --"]
    seen = [PipelineSeen(Pipeline(PipelineKey("o", name))) for name in names]
    store.projector().apply(entries("graph", seen))
    found = {row.pipeline.key.name for row in store.projections().pipelines(10)}
    assert found == set(names)


def test_what_a_broken_server_says_does_not_stop_the_projector(store):
    said = ConnectorChanged("a", "airflow", ConnectorState.MALFORMED, "got \x00\x01 ☃")
    records = [said, CursorMoved("a", "\x00")]
    store.projector().apply(entries("connector:a", records))
    [row] = store.projections().connectors()
    assert (row.message, row.cursor) == ("got \ufffd\x01 ☃", "\ufffd")


def test_dependencies_are_filtered_and_paged(store, build):
    records = [build.changed(n + 1, n, n / 10) for n in range(10)]
    records[7] = type(records[7])(8, build.dependency(7, 0.7, declared=True))
    store.projector().apply(entries("graph", [*records, build.gone(11, 9)]))
    projections = store.projections()

    def numbers(**filters):
        rows = projections.dependencies(100, **filters)
        return [round(row.dependency.confidence * 10) for row in rows]

    assert numbers() == [*range(9)]
    assert numbers(min_confidence=0.6) == [6, 7, 8]
    assert numbers(declared=True) == [7]
    assert numbers(declared=False, min_confidence=0.6) == [6, 8]
    assert numbers(pipeline=PipelineKey("airflow", "pipeline-4")) == [4]
    assert numbers(pipeline=PipelineKey("dagster", "job-5")) == [5]
    assert numbers(pipeline=PipelineKey("dagster", "pipeline-5")) == []
    page = projections.dependencies(4)
    assert numbers(after=page[-1].key) == [4, 5, 6, 7, 8]
    assert page[3].dependency == build.dependency(3, 0.3)
    assert (page[3].version, page[3].changed_at_s) == (4, 4.0)


def test_dependencies_as_they_were(store, build):
    projector = store.projector()
    projector.apply(
        entries(
            "graph",
            [
                build.changed(1, 1, 0.5),  # at 1
                build.changed(2, 2, 0.6),  # at 2
                build.changed(3, 1, 0.9),  # at 3
                build.gone(4, 2),  # at 4
                build.changed(5, 2, 0.7),  # at 5
            ],
        )
    )
    one, better = build.dependency(1, 0.5), build.dependency(1, 0.9)
    two, back = build.dependency(2, 0.6), build.dependency(2, 0.7)
    expected = [[], [one], [one, two], [better, two], [better], [better, back]]
    history = store.projections().history
    for moment, dependencies in enumerate(expected):
        assert history.as_of(float(moment)) == dependencies
        assert history.as_of(moment + 0.5) == dependencies
        assert history.as_of_version(moment) == dependencies
    assert history.version() == 5
    assert [(v.version, v.at_s, v.changes) for v in history.versions(2)] == [
        (5, 5.0, 1),
        (4, 4.0, 1),
    ]
    changes = [(change.at_s, change.record) for change in history.changes(2, 10)]
    assert changes == [
        (3.0, build.changed(3, 1, 0.9)),
        (4.0, build.gone(4, 2)),
        (5.0, build.changed(5, 2, 0.7)),
    ]


def test_a_clock_that_steps_back_leaves_one_state_at_any_time(store, build):
    projector = store.projector()
    records = [build.changed(n, 1, n / 10) for n in range(1, 5)]
    for seq, (record, at_s) in enumerate(zip(records, [10.0, 5.0, 6.0, 11.0], strict=True), 1):
        projector.apply([Entry("graph", seq, at_s, "", record)])
    history = store.projections().history
    assert [d.confidence for d in history.as_of(10.0)] == [0.3]
    assert [d.confidence for d in history.as_of(11.0)] == [0.4]
    assert history.as_of(7.0) == []


def test_what_is_not_understood_is_listed_until_it_is(store):
    first = Unresolved("airflow/p", UnresolvedReason.SYNTAX, "a.sql:1", "no table")
    second = Unresolved("airflow/p", UnresolvedReason.SYNTAX, "b.sql:1", "no table")
    projector = store.projector()
    projector.apply(entries("graph", map(UnresolvedSeen, (first, second, first))))
    rows = store.projections().unresolved(10)
    assert [(row.unresolved, row.since_s) for row in rows] == [(first, 1.0), (second, 2.0)]
    assert store.projections().unresolved(10, after=rows[0].key) == rows[1:]
    projector.apply(entries("graph", [UnresolvedGone(first)], first=4))
    assert [row.unresolved for row in store.projections().unresolved(10)] == [second]


def test_facets_are_listed_by_subject_until_they_go_or_are_deleted(store):
    task, table = TaskKey("o", "p", "t"), DatasetKey("pg://w", "t" * 5_000)
    owner = Facet(task, FacetOf.JOB, "owner", '{"x":"\\u0000"}', 1.0)
    tries = Facet(task, FacetOf.RUN, "owner", "2", 1.0)
    below = Facet(task, FacetOf.JOB, "owner", "3", 1.0, job="app.insert")
    schema = Facet(table, FacetOf.DATASET, "schema", "", 1.0, left_out=70_000)
    projector = store.projector()
    projector.apply(entries("graph", map(FacetSeen, (owner, tries, below, schema))))
    projections = store.projections()
    assert {row.facet for row in projections.facets(10)} == {owner, tries, below, schema}
    assert {row.facet for row in projections.facets(10, subject="o/p/t")} == {owner, tries, below}
    assert [row.facet for row in projections.facets(10, subject=str(table))] == [schema]
    assert projections.facets(10, subject="o/p") == []
    first, *rest = projections.facets(10, subject="o/p/t")
    assert projections.facets(2, after=first.key, subject="o/p/t") == rest
    deleted = Facet(task, FacetOf.RUN, "owner", "", 2.0)
    gone = FacetGone(task, FacetOf.JOB, "app.insert", "owner")
    projector.apply(entries("graph", [FacetSeen(deleted), gone], first=5))
    assert [row.facet for row in projections.facets(10, subject="o/p/t")] == [owner]


def test_columns_are_listed_by_dataset_until_they_go_or_are_taken_back(store):
    task = TaskKey("o", "p", "t")
    table, other = DatasetKey("pg://w", "t" * 5_000), DatasetKey("pg://w", "other")
    made = (Column("id", ()),)
    lineages = [
        ColumnLineage(table, task, made, 1.0),
        ColumnLineage(table, task, made, 1.0, job="app.insert"),
        ColumnLineage(table, None, made, 1.0),
        ColumnLineage(other, task, made, 1.0),
    ]
    projector = store.projector()
    projector.apply(entries("graph", map(ColumnsSeen, lineages)))
    projections = store.projections()
    found = projections.columns(10, dataset=str(table))
    assert {row.lineage for row in found} == set(lineages[:3])
    assert projections.columns(10, after=found[0].key, dataset=str(table)) == found[1:]
    assert len(projections.columns(10)) == 4
    taken_back = ColumnLineage(table, None, (), 2.0)
    gone = ColumnsGone(table, task, "app.insert")
    projector.apply(entries("graph", [ColumnsSeen(taken_back), gone], first=5))
    assert [row.lineage for row in projections.columns(10, dataset=str(table))] == lineages[:1]


def test_connectors_tell_since_when_they_are_in_their_state(store):
    ok, down = ConnectorState.OK, ConnectorState.UNAVAILABLE
    records = [
        CursorMoved("airflow", "c1"),
        ConnectorChanged("airflow", "airflow", ok, ""),
        ConnectorChanged("airflow", "airflow", down, "503"),
        ConnectorChanged("airflow", "airflow", down, "timeout"),
        CursorMoved("airflow", "c2", 7),
    ]
    expected = [
        ConnectorRow("airflow", "", None, "", None, "c1", 1.0),
        ConnectorRow("airflow", "airflow", ok, "", 2.0, "c1", 1.0),
        ConnectorRow("airflow", "airflow", down, "503", 3.0, "c1", 1.0),
        ConnectorRow("airflow", "airflow", down, "timeout", 3.0, "c1", 1.0),
        ConnectorRow("airflow", "airflow", down, "timeout", 3.0, "c2", 5.0, 7),
    ]
    projector = store.projector()
    for entry, row in zip(entries("connector:airflow", records), expected, strict=True):
        projector.apply([entry])
        assert store.projections().connectors() == [row]


def test_task_runs_are_found_by_when_they_were_under_way(store):
    task = TaskKey("airflow", "p", "load")

    def a_try(number, started_at_s, ended_at_s):
        state = RunState.RUNNING if ended_at_s is None else RunState.SUCCEEDED
        return TaskRun(task, "r", number, state, started_at_s, ended_at_s)

    tries = [a_try(1, 10.0, 20.0), a_try(2, 15.0, 40.0), a_try(3, 30.0, None), a_try(4, 99.0, None)]
    store.projector().apply(entries("graph", map(RunSeen, tries)))
    between = store.projections().runs.tries_between
    assert {run.attempt for run in between(21.0, 35.0)} == {2, 3}
    assert {run.attempt for run in between(18.0, 18.0)} == {1, 2}
    assert {run.attempt for run in between(50.0, 60.0)} == {3}
    assert between(0.0, 5.0) == []


def test_a_try_that_ends_without_saying_when_it_began_keeps_its_beginning(store):
    task, other = TaskKey("spark", "flow", "load"), TaskKey("spark", "flow", "other")
    began = TaskRun(task, "r", 1, RunState.RUNNING, started_at_s=10.0)
    ended = TaskRun(task, "r", 1, RunState.SUCCEEDED, ended_at_s=20.0)
    waits = TaskRun(other, "r", 1, RunState.QUEUED)
    projector = store.projector()
    together = entries("graph", map(RunSeen, [began, ended, waits]), at_s=30.0)
    projector.apply(together[:1])
    projector.apply(together[1:])
    (found,) = store.projections().runs.tries_between(15.0, 15.0)
    assert (found.state, found.started_at_s, found.ended_at_s) == (RunState.SUCCEEDED, 10.0, 20.0)
    assert store.projections().runs.tries_between(25.0, 25.0) == []


def test_runs_are_the_newest_state_of_each_newest_first(store, build):
    key, task = PipelineKey("airflow", "pipeline-1"), TaskKey("airflow", "pipeline-1", "load")
    waiting = Run(key, "b", RunState.QUEUED, scheduled_for_s=20.0)
    tries = [TaskRun(task, "b", n, RunState.FAILED, started_at_s=20.0 + n) for n in (1, 2)]
    store.projector().apply(
        entries(
            "graph",
            [
                RunSeen(Run(key, "b", RunState.RUNNING)),
                build.run(1, "a", 10.0),
                build.run(1, "c", 30.0),
                RunSeen(waiting),
                build.run(2, "a", 40.0),
                *map(RunSeen, reversed(tries)),
            ],
        )
    )
    projections = store.projections()
    assert [run.run_id for run in projections.runs.of(key, 10)] == ["c", "b", "a"]
    assert projections.runs.of(key, 2)[1] == waiting
    assert projections.runs.tries(key, "b") == tries
    assert projections.runs.tries(key, "a") == []


@pytest.mark.parametrize("newest", [False, True])
def test_pages_of_all_runs_are_in_order_and_whole(store, build, newest):
    stream = store.journal().open("graph")
    # Three pipelines; of each moment two runs, so a page may end between what began at once.
    seen = [build.run(at % 3, f"r{at}", float(at // 2)) for at in range(20)]
    stream.append(seen, 1.0, "c")
    Follower(store.journal(), store.projector()).catch_up()
    projections, found, before = store.projections(), [], None
    while page := projections.runs.page(3, 2.0, before, newest=newest):
        found += page
        before = page[-1].key
    assert [row.key for row in found] == sorted({row.key for row in found}, reverse=True)
    ran = {row.run.run_id for row in found}
    assert ran == ({"r17", "r18", "r19"} if newest else {f"r{at}" for at in range(4, 20)})


def test_capacity_is_the_newest_state_of_each(store):
    key = PipelineKey("airflow", "p")
    seen = [Pool("airflow", "p", 1), Backfill(key, "p", "running"), Pool("airflow", "p", 2)]
    store.projector().apply(entries("graph", map(CapacitySeen, seen)))
    assert store.projections().capacity() == [seen[1], seen[2]]


def test_retention_keeps_the_newest_and_tells_where_it_begins(store, build):
    records = [build.pipeline(1), build.pipeline(2)]
    records += [build.changed(n, 1, n / 100) for n in range(1, 21)]
    records += [build.run(n % 2 + 1, f"run-{n}", float(n)) for n in range(20)]
    key = PipelineKey("airflow", "p")
    records += [CapacitySeen(Backfill(key, str(n), "done")) for n in range(9)]
    records += [CapacitySeen(Pool("airflow", str(n), 1)) for n in range(9)]
    projector, projections = store.projector(), store.projections()
    last = projector.apply(entries("graph", records))
    projector.trim(Retention(log_entries=10, past_dependencies=5, runs_per_pipeline=3, backfills=2))

    assert [number for number, _ in projections.log.read(last - 10, 100)] == [
        *range(last - 9, last + 1)
    ]
    with pytest.raises(Trimmed):
        projections.log.read(last - 11, 100)
    for number in (1, 2):
        runs = projections.runs.of(PipelineKey("airflow", f"pipeline-{number}"), 100)
        newest = 19.0 if number == 2 else 18.0
        assert [run.started_at_s for run in runs] == [newest, newest - 2, newest - 4]
    kept = projections.capacity()
    assert [b.backfill_id for b in kept if isinstance(b, Backfill)] == ["7", "8"]
    assert len(kept) == 2 + 9
    history = projections.history
    assert [change.record.version for change in history.changes(15, 100)] == [*range(16, 21)]
    assert history.as_of_version(15) == [build.dependency(1, 0.15)]
    assert [d.confidence for d in history.as_of(17.0)] == [0.15]
    with pytest.raises(Trimmed):
        history.changes(14, 100)
    with pytest.raises(Trimmed):
        history.as_of_version(14)
    with pytest.raises(Trimmed):
        history.as_of(16.5)
    assert [row.dependency.confidence for row in projections.dependencies(10)] == [0.20]


def a_finding(name, changed_at_s, closed_at_s=None):
    finding = Finding(
        id=name,
        kind=FindingKind.CYCLE,
        pipelines=(PipelineKey("airflow", "a"), PipelineKey("dagster", "b")),
        evidence=(),
        level=Level.WARN,
        first_seen_s=1.0,
        changed_at_s=changed_at_s,
        closed_at_s=closed_at_s,
    )
    return FindingChanged(finding)


def test_findings_are_read_page_by_page_as_they_moved(store):
    records = [a_finding(name, 1.0) for name in ("c", "b", "a")] + [a_finding("b", 4.0, 4.0)]
    projector, projections = store.projector(), store.projections()
    projector.apply(entries("graph", records))
    assert [row.finding.id for row in projections.findings.page(10)] == ["c", "a"]
    assert projections.findings.open_count() == 2
    everything = projections.findings.page(10, since_s=0.0)
    assert [row.finding for row in everything] == [r.finding for r in (records[0], *records[2:])]
    (first,) = projections.findings.page(1, since_s=0.0)
    assert projections.findings.page(10, first.key, since_s=0.0) == everything[1:]
    assert [row.finding.id for row in projections.findings.page(10, since_s=4.0)] == ["b"]


def test_an_sla_is_read_as_it_stands_until_nobody_promises_it(store):
    close = SlaState(Sla(PipelineKey("dagster", "b"), 27_000.0), 99.0, Standing.ON_TRACK)
    late = replace(close, standing=Standing.AT_RISK, chance=0.7, late=PipelineKey("airflow", "a"))
    projector, projections = store.projector(), store.projections()
    projector.apply(entries("sequencing", [SlaChanged(close), SlaChanged(late)]))
    assert projections.slas() == [late]
    dropped = SlaChanged(replace(late, standing=Standing.DROPPED))
    projector.apply(entries("sequencing", [dropped], first=3))
    assert projections.slas() == []


def test_the_last_decision_about_a_pipeline_is_read_with_what_came_of_it(store):
    hold = Intent(PipelineKey("dagster", "b"), 1, Act.HOLD, "waits for airflow/a", 99.0)
    other = Intent(PipelineKey("dagster", "c"), 1, Act.HOLD, "held by kim", 99.0, by="kim")
    done = IntentEnded(hold, Carried.DONE)
    projector, projections = store.projector(), store.projections()
    projector.apply(entries("sequencing", [IntentMade(hold), IntentMade(other)]))
    projector.apply(entries("connector:dagster", [done]))
    assert projections.decisions() == [(hold, done), (other, None)]
    release = replace(hold, number=2, act=Act.RELEASE)
    projector.apply(entries("sequencing", [IntentMade(release)], first=3))
    assert projections.decisions() == [(release, None), (other, None)]


def test_holds_and_releases_are_read_since_a_time_the_newest_of_them(store):
    hold = Intent(PipelineKey("dagster", "b"), 9, Act.HOLD, "waits for airflow/a", 99.0)
    release = replace(hold, number=10, act=Act.RELEASE)
    promote = replace(hold, number=11, act=Act.PROMOTE)
    projector, projections = store.projector(), store.projections()
    for at, intent in enumerate((hold, release, promote), 1):
        projector.apply(entries("sequencing", [IntentMade(intent)], first=at, at_s=float(at)))
    assert projections.holds(0.0) == [(1.0, hold), (2.0, release)]
    assert projections.holds(1.5) == [(2.0, release)]
    assert projections.decisions() == [(promote, None)]
    projector.trim(Retention(holds=1))
    assert projections.holds(0.0) == [(2.0, release)]
    assert projections.decisions() == [(promote, None)]


def test_the_newest_plan_is_read_and_all_steps_newest_first(store):
    projector, projections = store.projector(), store.projections()
    assert (projections.fleet.plan(), projections.fleet.steps(9)) == (None, [])
    first, second = a_made_plan(1), a_made_plan(2)
    steps = [Scaled(Step.ORDERED, 5.0, 1, "spot"), Scaled(Step.ORDERED, 5.0, 1, "spot")]
    joined = Scaled(Step.JOINED, 9.0, offering="spot", node="n")
    projector.apply(entries("placement", [first, *steps, second]))
    projector.apply(entries("placement", [joined], first=5))
    assert projections.fleet.plan() == second
    page = projections.fleet.steps(2)
    assert [row.step for row in page] == [joined, steps[1]]
    assert [row.step for row in projections.fleet.steps(2, page[-1].key)] == [steps[0]]
    projector.trim(Retention(steps=1))
    assert projections.fleet.plan() == second
    assert len(projections.fleet.steps(9)) == 1


def test_the_dependencies_of_findings_are_those_that_still_exist(store, build):
    keys = tuple(build.dependency(number, 0.9).key for number in range(1_200))
    finding = replace(a_finding("ring", 1.0).finding, evidence=keys)
    records = [build.changed(1, number, 0.9) for number in range(1_200)]
    records += [build.changed(2, 7, 0.8), build.gone(3, 8)]
    projector, projections = store.projector(), store.projections()
    projector.apply(entries("graph", records))
    found = projections.findings.dependencies_of([finding, finding])
    assert found.keys() == set(keys) - {keys[8]}
    assert found[keys[7]].confidence == 0.8
    assert projections.findings.dependencies_of([]) == {}


def test_a_census_counts_what_there_is_now(store, build):
    projector, projections = store.projector(), store.projections()
    assert projections.census() == Census(Counter(), 0, 0, 0, 0)
    edges = [build.changed(1, number, 0.9) for number in range(4)]
    found = [a_finding("a", 1.0), a_finding("b", 1.0), a_finding("b", 2.0, 2.0)]
    projector.apply(entries("graph", [*edges, build.changed(2, 1, 0.8), build.gone(3, 2), *found]))
    census = projections.census()
    assert census.findings == Counter({(found[0].finding.kind, Level.WARN): 1})
    assert census.declared + census.implicit == 3


def test_closed_findings_are_kept_up_to_a_limit_and_open_ones_all(store):
    records = [a_finding(str(n), float(n), float(n) if n % 2 else None) for n in range(8)]
    projector, projections = store.projector(), store.projections()
    projector.apply(entries("graph", records))
    projector.trim(Retention(closed_findings=2))
    kept = {row.finding.id for row in projections.findings.page(10, since_s=0.0)}
    assert kept == {"0", "2", "4", "6", "5", "7"}


def test_runs_of_a_gone_pipeline_are_dropped_after_a_while(store, build):
    gone = PipelineGone(PipelineKey("airflow", "pipeline-1"))
    records = [build.pipeline(1), build.pipeline(2), build.run(1, "old", 100.0)]
    records += [build.run(1, "new", 900.0), build.run(2, "old", 100.0), build.run(2, "new", 1e3)]
    projector, projections = store.projector(), store.projections()
    projector.apply(entries("graph", records))
    projector.trim(Retention(gone_pipeline_s=500.0))
    first, second = (PipelineKey("airflow", f"pipeline-{n}") for n in (1, 2))
    assert len(projections.runs.of(first, 10)) == 2
    projector.apply(entries("graph", [gone], first=7))
    projector.trim(Retention(gone_pipeline_s=500.0))
    assert [run.run_id for run in projections.runs.of(first, 10)] == ["new"]
    assert len(projections.runs.of(second, 10)) == 2


def test_snapshot_and_log_follow_on_from_each_other(store, build):
    history = a_history(build, seed=5)
    projector, projections = store.projector(), store.projections()
    projector.apply(history[:70])
    number, state = projections.log.snapshot()
    projector.apply(history[70:])
    restored = [
        Entry("graph", seq, 0.0, "", record)
        for seq, (_, record) in enumerate(state, 1)
        if not isinstance(record, (CursorMoved, ConnectorChanged))
    ]
    assert number == 70
    assert projections.log.read(number, 100)[0][1] == history[70]
    assert {record for _, record in state if isinstance(record, ConnectorChanged)} <= {
        entry.record for entry in history[:70]
    }
    assert len(restored) == len(set(map(repr, restored)))


def test_projections_are_made_again_from_snapshots_and_streams(new_store, build):
    store = new_store()
    journal = store.journal()
    graph, connector = journal.open("graph"), journal.open("connector:a")
    connector.append([CursorMoved("a", "1"), CursorMoved("a", "2")], 3.0, "c")
    pipelines = [build.pipeline(n) for n in range(5)]
    dependencies = [build.changed(n + 1, n, 0.5) for n in range(5)]
    graph.append([*pipelines, *dependencies], 5.0, "g")
    graph.append([build.changed(6, 1, 0.8), build.gone(7, 2)], 6.0, "g")
    follower = Follower(journal, store.projector())
    follower.catch_up()
    before = everything(store.projections())
    assert before["cursors"] == {"connector:a": 2, "graph": 12}

    now = [row.dependency for row in store.projections().dependencies(10)]
    state = [type(dependencies[0])(7, dependency) for dependency in now]
    graph.save_snapshot(12, [*pipelines, *state])
    graph.trim(13)
    graph.append([build.changed(8, 3, 0.9)], 8.0, "g")
    follower.catch_up()
    before = everything(store.projections())
    last = store.projections().log.last()

    store.projector().reset()
    assert store.projections().pipelines(10) == []
    Follower(journal, store.projector()).catch_up()
    after = everything(store.projections(), since_version=7)
    for name in ("connectors", "cursors", "version"):
        assert after[name] == before[name], name
    assert [row.pipeline for row in after["pipelines"]] == [p.pipeline for p in pipelines]
    assert [row.dependency for row in after["dependencies"]] == [
        row.dependency for row in before["dependencies"]
    ]
    projections = store.projections()
    assert projections.log.last() > last  # numbers are never given twice
    with pytest.raises(Trimmed):
        projections.log.read(last, 10)
    number, _ = projections.log.snapshot()
    assert projections.log.read(number, 10) == []
    with pytest.raises(Trimmed):
        projections.history.as_of(4.0)
    assert len(projections.history.as_of(7.0)) == 4


def test_a_projector_behind_the_trimmed_part_begins_anew(store, build):
    journal = store.journal()
    graph = journal.open("graph")
    graph.append([build.pipeline(1), build.pipeline(2)], 1.0, "")
    follower = Follower(journal, store.projector())
    follower.catch_up()
    gone = PipelineGone(PipelineKey("airflow", "pipeline-1"))
    graph.append([gone, build.pipeline(3)], 2.0, "")
    graph.save_snapshot(4, [build.pipeline(2), build.pipeline(3)])
    graph.trim(5)
    follower.catch_up()
    names = [row.pipeline.key.name for row in store.projections().pipelines(10)]
    assert names == ["pipeline-2", "pipeline-3"]
    assert store.projections().log.cursors() == {"graph": 4}


def test_a_reader_of_the_log_is_told_of_a_stream_that_began_with_its_snapshot(store, build):
    journal = store.journal()
    connector, graph = journal.open("connector:a"), journal.open("graph")
    connector.append([CursorMoved("a", "1")], 1.0, "")
    follower = Follower(journal, store.projector())
    follower.catch_up()
    seen = store.projections().log.last()
    graph.append([build.pipeline(1)], 1.0, "")
    graph.save_snapshot(1, [build.pipeline(1)])
    graph.trim(2)
    follower.catch_up()
    with pytest.raises(Trimmed):
        store.projections().log.read(seen, 10)
    number, state = store.projections().log.snapshot()
    assert [record for _, record in state] == [build.pipeline(1), CursorMoved("a", "1")]
    assert store.projections().log.read(number, 10) == []


def test_a_stream_that_is_projected_is_not_restored_over(store, build):
    journal = store.journal()
    graph = journal.open("graph")
    graph.append([build.pipeline(1)], 1.0, "")
    graph.save_snapshot(1, [build.pipeline(1)])
    projector = store.projector()
    Follower(journal, projector).catch_up()
    with pytest.raises(StoreError, match="graph"):
        projector.restore("graph", journal.snapshot("graph"))


def test_tries_are_found_by_their_runs_and_by_their_tasks(store):
    mine, other = TaskKey("airflow", "p", "load"), TaskKey("airflow", "q", "load")

    def a_try(task, run, at_s):
        return TaskRun(task, run, 1, RunState.SUCCEEDED, at_s, at_s + 1.0)

    tries = [a_try(mine, "r", 10.0), a_try(mine, "s[0]", 20.0), a_try(mine, "old[0]", 5.0)]
    tries.append(a_try(other, "r", 30.0))
    store.projector().apply(entries("graph", map(RunSeen, tries)))
    runs = store.projections().runs
    assert runs.tries_of(mine.pipeline_key, ["r"], [mine], 8.0) == [tries[1], tries[0]]
    assert runs.tries_of(mine.pipeline_key, ["r"], [], 8.0) == [tries[0]]

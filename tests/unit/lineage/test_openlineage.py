"""What one OpenLineage event says."""

from dataclasses import replace
from typing import Any

import pytest

from swarm.errors import InputError
from swarm.lineage.fusion import Sighting, believe
from swarm.lineage.openlineage.events import read_event
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.facets import Facet
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.runs import Run, RunState, TaskRun

NOW = 1_800_000_000.0
AT = 1_763_805_600.0  # 2025-11-22T10:00:00Z
TASK = TaskKey("af", "sales", "load")
RUN = "0190a0b0-0000-7000-8000-000000000001"
ORDERS = {"namespace": "postgres://lake:5432", "name": "lake.public.orders"}
DAILY = {"namespace": "postgres://lake:5432", "name": "lake.public.daily"}


def read(event: object, received_at_s: float = NOW) -> tuple[Item, ...]:
    """What an event says, but its facets."""
    context = SqlContext("", "sqlite:///lake.db")
    items = read_event(event, {"lab-airflow": "af"}, received_at_s, lambda task: context)
    return tuple(item for item in items if not isinstance(item, Facet))


def an_event(kind: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    event = {
        "eventType": kind,
        "eventTime": "2025-11-22T10:00:00Z",
        "producer": "https://github.com/apache/airflow",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/definitions/RunEvent",
        "run": {
            "runId": RUN,
            "facets": {
                "airflow": {
                    "dag": {"dag_id": "sales"},
                    "dagRun": {"run_id": "scheduled__1"},
                    "task": {"task_id": "load"},
                    "taskInstance": {"try_number": 2},
                },
                "someVendor": {"x": 1},
            },
        },
        "job": {"namespace": "lab-airflow", "name": "sales.load", "facets": {}},
        "inputs": [],
        "outputs": [],
    }
    return event | more


LONG = "x" * 2_001


def below(job: str) -> dict[str, Any]:
    """An event of a job that another one has called."""
    parent = {"run": {"runId": RUN}, "job": {"namespace": "home", "name": job}}
    run = {"runId": RUN, "facets": {"parent": parent}}
    return an_event(run=run, job={"namespace": "home", "name": "part"})


def a_query(
    kind: str = "COMPLETE", sql: str = "INSERT INTO t SELECT * FROM s", number: int = 1
) -> dict[str, Any]:
    """As Airflow's provider sends it for SQLite: only the text, under the task as parent."""
    return an_event(
        kind,
        run={
            "runId": "q1",
            "facets": {
                "parent": {
                    "run": {"runId": RUN},
                    "job": {"namespace": "lab-airflow", "name": "sales.load"},
                    "root": {"job": {"name": "sales"}, "run": {"runId": "r"}},
                }
            },
        },
        job={
            "namespace": "lab-airflow",
            "name": f"sales.load.query.{number}",
            "facets": {"sql": {"query": sql}, "jobType": {"jobType": "QUERY"}},
        },
    )


def evidence(access: Access, dataset: DatasetKey) -> Evidence:
    return Evidence(TASK, access, dataset, Channel.OPENLINEAGE, AT, f"OpenLineage run {RUN}")


def seen(items: tuple[Item, ...]) -> set[str]:
    return {f"{i.task} {i.access} {i.dataset}" for i in items if isinstance(i, Evidence)}


def test_completed_task_of_airflow():
    assert read(an_event(inputs=[ORDERS], outputs=[DAILY])) == (
        TaskRun(TASK, "scheduled__1", 2, RunState.SUCCEEDED, None, AT),
        evidence(Access.READ, DatasetKey("postgres://lake:5432", "lake.public.orders")),
        evidence(Access.WRITE, DatasetKey("postgres://lake:5432", "lake.public.daily")),
        Coverage(TASK, Channel.OPENLINEAGE, AT),
    )


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("START", RunState.RUNNING),
        ("RUNNING", RunState.RUNNING),
        ("FAIL", RunState.FAILED),
        ("ABORT", RunState.CANCELLED),
    ],
)
def test_accesses_count_in_every_state_and_coverage_only_at_completion(kind: str, state: RunState):
    items = read(an_event(kind, inputs=[ORDERS]))
    running = state is RunState.RUNNING
    assert items == (
        TaskRun(TASK, "scheduled__1", 2, state, AT if running else None, None if running else AT),
        evidence(Access.READ, DatasetKey("postgres://lake:5432", "lake.public.orders")),
    )


def test_other_event_has_accesses_and_no_state():
    assert seen(read(an_event("OTHER", outputs=[DAILY]))) == {
        "af/sales/load write postgres://lake:5432/lake.public.daily"
    }
    assert not any(isinstance(i, TaskRun) for i in read(an_event("OTHER")))


def test_task_that_says_nothing_gives_no_coverage():
    assert read(an_event()) == (TaskRun(TASK, "scheduled__1", 2, RunState.SUCCEEDED, None, AT),)


def test_query_of_a_task_is_read_from_its_text_and_belongs_to_the_task():
    items = read(a_query())
    assert seen(items) == {
        "af/sales/load write sqlite:///lake.db/t",
        "af/sales/load read sqlite:///lake.db/s",
    }
    # its end is not the task's end, its silence not the task's silence
    assert not any(isinstance(i, TaskRun | Run | Coverage) for i in items)


@pytest.mark.parametrize(
    ("number", "sql", "unsure"),
    [
        (1, "INSERT INTO t SELECT * FROM work_rows", set()),
        (2, "INSERT INTO t SELECT * FROM work_rows", {"t", "work_rows"}),
        (12, "INSERT INTO dwh.t SELECT * FROM work_rows", {"work_rows"}),
        (2, 'INSERT INTO "dwh"."t" SELECT * FROM "dwh"."s"', set()),
        (2, 'SELECT * FROM "work_rows" JOIN "dwh"."t"', {"work_rows"}),
        (2, "SELECT work_rows.id FROM dwh.s AS work_rows", set()),
    ],
)
def test_a_later_query_may_name_a_temporary_table_of_an_earlier_one(
    number: int, sql: str, unsure: set[str]
):
    event = a_query(sql=sql, number=number)
    found = [i for i in read(event) if isinstance(i, Evidence)]
    assert found
    assert {i.confidence for i in found} <= {1.0, 0.6}
    assert {i.dataset.name for i in found if i.confidence < 1} == unsure


def test_datasets_that_the_sender_parsed_from_a_later_query_are_as_unsure():
    event = a_query(sql="INSERT INTO public.daily SELECT * FROM orders", number=2)
    found = read(event | {"inputs": [ORDERS], "outputs": [DAILY]})
    assert [i.confidence for i in found if isinstance(i, Evidence)] == [0.6, 1.0]


def test_a_query_that_a_task_reports_by_hand_is_not_the_task():
    event = an_event(job={"namespace": "lab-airflow", "name": "sales.load.manual_query.1"})
    assert read(event | {"inputs": [ORDERS]}) == (
        evidence(Access.READ, DatasetKey("postgres://lake:5432", "lake.public.orders")),
    )


def test_the_sql_of_the_whole_task_decides_about_a_maybe_temporary_table():
    (seen,) = [i for i in read(a_query(sql="SELECT * FROM work", number=2)) if i.task == TASK]
    assert isinstance(seen, Evidence)

    def sure(*covered: Channel) -> float:
        coverage = {channel: Coverage(TASK, channel, AT) for channel in covered}
        return believe(TASK, Access.READ, [Sighting(seen)], coverage).probability

    assert sure() > 0.85
    assert sure(Channel.SQL_RUN) < 0.4
    ran = Sighting(replace(seen, channel=Channel.SQL_RUN, confidence=1.0))
    both = believe(TASK, Access.READ, [Sighting(seen), ran], {})
    assert both.probability > 0.98


def test_query_whose_parent_has_no_root():
    event = a_query()
    del event["run"]["facets"]["parent"]["root"]
    assert {i.task for i in read(event) if isinstance(i, Evidence)} == {TASK}


def test_job_that_a_task_started_belongs_to_the_task():
    event = a_query()
    event["job"] = {"namespace": "spark", "name": "app.execute_insert"}
    event["inputs"] = [ORDERS]
    assert seen(read(event)) == {"af/sales/load read postgres://lake:5432/lake.public.orders"}


@pytest.mark.parametrize(
    ("parent", "root", "name", "task", "confidence"),
    [
        # a query of a Spark application: the application's task is not told
        (("spark", "app"), ("lab-airflow", "sales"), "app.insert", TaskKey("af", "sales", ""), 0.8),
        # a DAG that another DAG triggered: its task, and a job below its task
        (("lab-airflow", "sales"), ("lab-airflow", "top"), "sales.load", TASK, 1.0),
        (("lab-airflow", "sales.load"), ("lab-airflow", "top"), "app", TASK, 1.0),
        (("lab-airflow", "sales.load"), ("lab-airflow", "top"), "sales.load.query.1", TASK, 1.0),
        # the root is the parent; and a root without a namespace
        (("lab-airflow", "sales"), ("lab-airflow", "sales"), "sales.load", TASK, 1.0),
        (("spark", "app"), ("", "nightly"), "app.x", TaskKey("spark", "nightly", ""), 0.8),
    ],
)
def test_a_root_above_the_parent(
    parent: tuple[str, str],
    root: tuple[str, str],
    name: str,
    task: TaskKey,
    confidence: float,
):
    facet = {
        "run": {"runId": "p"},
        "job": {"namespace": parent[0], "name": parent[1]},
        "root": {"run": {"runId": "t"}, "job": {"namespace": root[0], "name": root[1]}},
    }
    event = an_event(
        run={"runId": "r", "facets": {"parent": facet}},
        job={"namespace": parent[0], "name": name},
        inputs=[ORDERS],
    )
    [one] = [i for i in read(event) if isinstance(i, Evidence)]
    assert (one.task, one.confidence) == (task, confidence)


def test_own_sql_of_a_task_gives_coverage_when_all_of_it_was_understood():
    def of(sql: str) -> tuple[Item, ...]:
        job = {"namespace": "lab-airflow", "name": "x", "facets": {"sql": {"query": sql}}}
        return read(an_event(job=job))

    assert Coverage(TASK, Channel.OPENLINEAGE, AT) in of("INSERT INTO t SELECT * FROM s")
    broken = of("INSERT INTO INTO (((")
    assert not any(isinstance(i, Coverage) for i in broken)
    assert [i.subject for i in broken if isinstance(i, Unresolved)] == [str(TASK)]


def test_datasets_win_over_the_sql_text():
    event = a_query() | {"inputs": [ORDERS]}
    assert seen(read(event)) == {"af/sales/load read postgres://lake:5432/lake.public.orders"}


def test_dialect_of_the_event_is_used():
    event = a_query(sql="SELECT * FROM `p.d.t`")
    event["job"]["facets"]["sql"]["dialect"] = "bigquery"
    assert seen(read(event)) == {"af/sales/load read sqlite:///lake.db/p.d.t"}


def test_pipeline_that_is_told_as_a_whole_has_what_its_event_names():
    job = {"namespace": "n", "name": "flow", "facets": {"jobType": {"jobType": "DAG"}}}
    found = read(an_event("COMPLETE", run={"runId": "r"}, job=job, inputs=[ORDERS]))
    (evidence,) = (item for item in found if isinstance(item, Evidence))
    assert (evidence.task, evidence.access) == (TaskKey("n", "flow", ""), Access.READ)
    assert not any(isinstance(item, Coverage) for item in found)


def test_dag_event_is_a_run_of_the_pipeline_and_no_evidence():
    event = an_event(
        "START",
        run={
            "runId": "d1",
            "facets": {
                "airflowDagRun": {
                    "dag": {"dag_id": "sales"},
                    "dagRun": {"run_id": "scheduled__1"},
                }
            },
        },
        job={
            "namespace": "lab-airflow",
            "name": "sales",
            "facets": {"jobType": {"jobType": "DAG"}, "airflow": {"tasks": {"load": {}}}},
        },
        inputs=[ORDERS],
    )
    key = PipelineKey("af", "sales")
    assert read(event) == (Run(key, "scheduled__1", RunState.RUNNING, None, AT, None),)


def test_parent_names_the_pipeline_where_there_is_no_airflow_facet():
    event = an_event(
        run={
            "runId": "r2",
            "facets": {
                "parent": {
                    "run": {"runId": "r1"},
                    "job": {"namespace": "dbt", "name": "nightly"},
                }
            },
        },
        job={"namespace": "dbt", "name": "model.orders"},
        outputs=[DAILY],
    )
    task = TaskKey("dbt", "nightly", "model.orders")
    items = read(event)
    assert TaskRun(task, "r1", 1, RunState.SUCCEEDED, None, AT) in items
    assert seen(items) == {"dbt/nightly/model.orders write postgres://lake:5432/lake.public.daily"}


def test_job_alone_is_pipeline_and_task():
    event = an_event(
        run={"runId": "r2"}, job={"namespace": "home", "name": "copy"}, outputs=[DAILY]
    )
    items = read(event)
    assert Run(PipelineKey("home", "copy"), "r2", RunState.SUCCEEDED, None, None, AT) in items
    assert Coverage(TaskKey("home", "copy", "copy"), Channel.OPENLINEAGE, AT) in items


def test_job_event_and_dataset_event():
    event = an_event(job={"namespace": "home", "name": "copy"}, inputs=[ORDERS])
    del event["run"], event["eventType"]
    (one,) = read(event)
    assert isinstance(one, Evidence)
    assert one.place == "OpenLineage job copy"
    assert read({"eventTime": "2025-11-22T10:00:00Z", "dataset": ORDERS}) == ()


def test_a_job_event_says_what_a_job_does_whether_it_ran_or_not():
    event = an_event(
        job={"namespace": "home", "name": "copy", "facets": {"sql": {"query": "SELECT 1 FROM x"}}},
        outputs=[DAILY],
    )
    del event["run"], event["eventType"]
    assert seen(read(event)) == {"home/copy/copy write postgres://lake:5432/lake.public.daily"}
    assert not any(isinstance(i, Run | TaskRun | Coverage) for i in read(event))


def test_an_event_type_may_be_missing():
    event = an_event(inputs=[ORDERS])
    del event["eventType"]
    assert [type(i) for i in read(event)] == [Evidence]


def changed(state: str, **more: Any) -> dict[str, Any]:
    facet = {"lifecycleStateChange": state, **more}
    return DAILY | {"facets": {"lifecycleStateChange": facet}}


@pytest.mark.parametrize("state", ["CREATE", "OVERWRITE", "TRUNCATE", "ALTER", "unheard"])
def test_an_output_that_is_changed_is_written(state: str):
    assert seen(read(an_event(outputs=[changed(state)]))) == {
        "af/sales/load write postgres://lake:5432/lake.public.daily"
    }


def test_an_output_that_is_dropped_is_not_written():
    assert seen(read(an_event(inputs=[ORDERS], outputs=[changed("DROP")]))) == {
        "af/sales/load read postgres://lake:5432/lake.public.orders"
    }


def test_an_output_that_is_renamed_reads_its_old_name():
    before = {"namespace": DAILY["namespace"], "name": "lake.public.daily_new"}
    assert seen(read(an_event(outputs=[changed("RENAME", previousIdentifier=before)]))) == {
        "af/sales/load write postgres://lake:5432/lake.public.daily",
        "af/sales/load read postgres://lake:5432/lake.public.daily_new",
    }


def test_what_the_sender_could_not_read_is_told_and_leaves_no_coverage():
    errors = [
        {"errorMessage": "no\n such  thing", "taskNumber": 2},
        {"errorMessage": "odd"},
        5,
    ]
    event = an_event(inputs=[ORDERS])
    event["run"]["facets"]["extractionError"] = {
        "totalTasks": 9,
        "failedTasks": 4,
        "errors": errors,
    }
    items = read(event)
    assert not any(isinstance(i, Coverage) for i in items)
    assert len(seen(items)) == 1
    said = "the sender could not read"
    assert [
        (i.subject, i.reason, i.place, i.detail) for i in items if isinstance(i, Unresolved)
    ] == [
        (
            str(TASK),
            UnresolvedReason.SYNTAX,
            "OpenLineage job sales.load:3",
            f"{said} it: no such thing",
        ),
        (str(TASK), UnresolvedReason.SYNTAX, "OpenLineage job sales.load:2", f"{said} it: odd"),
        (
            str(TASK),
            UnresolvedReason.SYNTAX,
            "OpenLineage job sales.load:3",
            f"{said} it: it does not say why",
        ),
        (
            str(TASK),
            UnresolvedReason.SYNTAX,
            "OpenLineage job sales.load",
            f"{said} 1 more of its queries",
        ),
    ]


def test_table_behind_a_path_is_told_too():
    path = {
        "namespace": "s3://lake",
        "name": "orders",
        "facets": {
            "symlinks": {
                "identifiers": [
                    {"namespace": "hive://m:9083", "name": "sales.orders", "type": "TABLE"},
                    {"namespace": "x", "name": "y", "type": "LOCATION"},
                ]
            }
        },
    }
    assert seen(read(an_event("START", inputs=[path]))) == {
        "af/sales/load read s3://lake/orders",
        "af/sales/load read hive://m:9083/sales.orders",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-22T10:00:00.000Z", AT),
        ("2025-11-22T11:00:00+01:00", AT),
        ("2025-11-22T10:00:00", AT),
        ("2999-01-01T00:00:00Z", NOW),
    ],
)
def test_time_of_an_observation_is_never_in_the_future(text: str, expected: float):
    items = read(an_event(eventTime=text, inputs=[ORDERS]))
    assert {i.observed_at_s for i in items if isinstance(i, Evidence | Coverage)} == {expected}
    assert not any(isinstance(i, Unresolved) for i in items)


@pytest.mark.parametrize("text", ["yesterday", "", None, 17, "0001-01-01T00:00:00+99:99"])
def test_broken_time_is_told_and_the_arrival_is_used(text: object):
    items = read(an_event(eventTime=text, inputs=[ORDERS]))
    assert {i.observed_at_s for i in items if isinstance(i, Evidence)} == {NOW}
    assert [i.place for i in items if isinstance(i, Unresolved)] == ["$.eventTime"]


def test_broken_datasets_are_told_by_their_place_and_the_rest_is_used():
    items = read(an_event(inputs=[ORDERS, {"name": "x"}, 5], outputs="daily"))
    assert seen(items) == {"af/sales/load read postgres://lake:5432/lake.public.orders"}
    broken = [i for i in items if isinstance(i, Unresolved)]
    assert [i.place for i in broken] == ["$.inputs[1]", "$.inputs[2]", "$.outputs"]
    assert {i.reason for i in broken} == {UnresolvedReason.MALFORMED}
    assert not any(isinstance(i, Coverage) for i in items)


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (None, "$ is null"),
        ([], "$ is of type list"),
        ({}, "$.job is missing"),
        ({"job": "x"}, "$.job is of type str"),
        ({"job": {"namespace": "n"}}, "$.job.name"),
        ({"job": {"name": "n", "namespace": 3}}, "$.job.namespace"),
        ({"dataset": {"namespace": "n"}}, "$.dataset.name"),
        ({"job": {"namespace": "n", "name": "m"}, "run": 1}, "$.run is of type int"),
        ({"job": {"namespace": "n", "name": "m"}, "eventType": "GO"}, "$.eventType is 'GO'"),
        ({"job": {"namespace": "n", "name": LONG}}, "$.job.name has 2,001 characters"),
        ({"job": {"namespace": LONG, "name": "m"}}, "$.job.namespace has 2,001 characters"),
        ({"dataset": {"namespace": "n", "name": LONG}}, "$.dataset.name has 2,001 characters"),
        (an_event(run={"runId": LONG}), "the name of its run has 2,001 characters"),
        (below(LONG), "the name of its job has 2,006 characters"),
        (an_event(eventType=LONG), "$.eventType is 'xxx"),
    ],
)
def test_something_else_is_refused_with_its_path(event: object, path: str):
    with pytest.raises(InputError, match=r".+") as error:
        read(event)
    assert path in str(error.value)
    assert len(str(error.value)) < 300


def test_a_dataset_whose_name_nobody_could_write_is_told_and_the_rest_is_used():
    items = read(an_event(inputs=[ORDERS, ORDERS | {"name": LONG}], outputs=[DAILY]))
    assert len(seen(items)) == 2
    [broken] = [item for item in items if isinstance(item, Unresolved)]
    assert (broken.place, "2,000 characters at most" in broken.detail) == ("$.inputs[1]", True)


def test_facets_of_any_shape_are_tolerated():
    for odd in (None, 1, "x", [], {"airflow": 1, "parent": [], "sql": None}):
        event = an_event(inputs=[ORDERS])
        event["run"] = {"runId": "r", "facets": odd}
        event["job"] = {"namespace": "home", "name": "copy", "facets": odd}
        assert len(seen(read(event))) == 1


def test_same_event_twice_says_the_same():
    event = an_event(inputs=[ORDERS, ORDERS])
    first = read(event)
    assert read(event) == first
    assert len(seen(first)) == 1

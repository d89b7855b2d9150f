"""What a manifest means, case by case, on manifests of a few nodes."""

import json
from itertools import pairwise

import pytest

from swarm.config import Settings, SqlConnection
from swarm.connectors.dbt.connector import read_project
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, View
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, RunState, TaskRun


def model(name, code="", *, above=(), materialized="table", package="shop", **more):
    config = {"materialized": materialized} | more.pop("config", {})
    return {
        "unique_id": f"model.{package}.{name}",
        "name": name,
        "resource_type": "model",
        "package_name": package,
        "path": f"{name}.sql",
        "original_file_path": f"models/{name}.sql",
        "database": "lake",
        "schema": "main",
        "alias": name,
        "language": "sql",
        "relation_name": None if materialized == "ephemeral" else f'"lake"."main"."{name}"',
        "raw_code": code,
        "depends_on": {"nodes": list(above)},
        "config": config,
    } | more


def source(name, **more):
    return {
        "unique_id": f"source.shop.raw.{name}",
        "name": name,
        "source_name": "raw",
        "relation_name": f'"lake"."raw"."{name}"',
    } | more


def manifest(*nodes, sources=(), adapter="duckdb", **more):
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "shop",
            "adapter_type": adapter,
            "invocation_id": "now",
        },
        "nodes": {node["unique_id"]: node for node in nodes},
        "sources": {one["unique_id"]: one for one in sources},
    } | more


@pytest.fixture
def items(tmp_path):
    def read(tree, results=None, connection=None):
        (tmp_path / "manifest.json").write_text(json.dumps(tree))
        if results is not None:
            (tmp_path / "run_results.json").write_text(json.dumps(results))
        settings = Settings(connections={"dbt": connection} if connection else {})
        return [i for chunk in read_project(tmp_path, "dbt", settings, 5.0) for i in chunk]

    return read


def names(found, access, channel, task):
    return {
        str(item.dataset)
        for item in found
        if isinstance(item, Evidence)
        and (item.access, item.channel, item.task.task) == (access, channel, task)
    }


def reads(found, task, channel=Channel.SQL_SOURCE):
    return names(found, Access.READ, channel, task)


def writes(found, task, channel=Channel.SQL_SOURCE):
    return names(found, Access.WRITE, channel, task)


def only(found, kind):
    return [item for item in found if isinstance(item, kind)]


def edges(found):
    return {
        (edge.upstream.task, edge.downstream.task)
        for pipeline in only(found, Pipeline)
        for edge in pipeline.declared
    }


def is_covered(found, task, channel=Channel.SQL_SOURCE):
    return any((c.task.task, c.channel) == (task, channel) for c in only(found, Coverage))


def test_ephemeral_models_are_part_of_those_that_refer_to_them(items):
    found = items(
        manifest(
            model("a", "select * from {{ source('raw', 'x') }}", above=["source.shop.raw.x"]),
            model("e1", "select * from {{ ref('a') }} join hard.coded using (id)",
                  above=["model.shop.a"], materialized="ephemeral"),
            model("e2", "select * from {{ ref('e1') }}", above=["model.shop.e1"],
                  materialized="ephemeral"),
            model("b", "select * from {{ ref('e2') }} as e", above=["model.shop.e2"]),
            sources=[source("x")],
        )
    )  # fmt: skip
    assert edges(found) == {("a", "b")}
    assert reads(found, "b", Channel.DECLARED) == {"lake.main.a"}
    assert reads(found, "b") == {"lake.main.a", "lake.hard.coded"}
    assert {task.key.task for task in only(found, Pipeline)[0].tasks} == {"a", "b"}
    assert is_covered(found, "b")


def test_what_another_project_builds_is_read_and_not_a_task(items):
    public = model("orders", package="mesh", path="", original_file_path="", raw_code="")
    mine = model("mine", "select * from {{ ref('mesh', 'orders') }}", above=["model.mesh.orders"])
    found = items(manifest(public, mine))
    assert {task.key.task for task in only(found, Pipeline)[0].tasks} == {"mine"}
    assert edges(found) == set()
    assert reads(found, "mine", Channel.DECLARED) == reads(found, "mine") == {"lake.main.orders"}
    assert writes(found, "mine") == {"lake.main.mine"}


def test_an_unknown_node_is_reported_until_compiled_sql_names_its_relation(items):
    raw = model("mine", "select * from {{ ref('orders') }}", above=["model.mesh.orders"])
    found = items(manifest(raw))
    assert reads(found, "mine") == set()
    assert not is_covered(found, "mine")
    problems = only(found, Unresolved)
    assert {problem.subject for problem in problems} == {"dbt/shop/mine"}
    assert {problem.reason for problem in problems} == {"missing_source", "template"}
    assert any("model.mesh.orders" in problem.detail for problem in problems)

    found = items(manifest(raw | {"compiled_code": "select * from mesh.gold.orders"}))
    assert reads(found, "mine") == {"mesh.gold.orders"}
    assert only(found, Unresolved) == []


def test_an_unknown_source_is_not_guessed(items):
    code = "select * from {{ source('raw', 'x') }}"
    found = items(manifest(model("t", code, above=["source.shop.raw.x"])))
    assert reads(found, "t") == set()
    assert {problem.reason for problem in only(found, Unresolved)} == {"missing_source", "template"}


def test_programs_are_not_sql(items):
    code = "def model(dbt, session):\n    return dbt.ref('a')"
    program = model("t", code, above=["model.shop.a"], language="python", compiled_code=code)
    row = {"unique_id": "model.shop.t", "status": "success", "compiled_code": code}
    found = items(manifest(model("a"), program), results(row))
    assert reads(found, "t", Channel.DECLARED) == {"lake.main.a"}
    assert only(found, Unresolved) == []
    assert not is_covered(found, "t")
    assert not is_covered(found, "t", Channel.SQL_RUN)


def test_a_program_is_read_for_what_it_takes_by_itself(items):
    code = (
        "import pandas as pd\ndef model(dbt, session):\n    a = dbt.ref('a')\n"
        "    b = session.table('raw.b')\n    c = session.sql('select * from raw.c')\n"
        "    d = pd.read_csv('s3://lake/d.csv')\n    return a.join(b)\n"
    )
    program = model("t", code, above=["model.shop.a"], language="python")
    found = items(manifest(model("a"), program))
    assert reads(found, "t", Channel.CODE) == {"lake.raw.b", "lake.raw.c", "s3://lake/d.csv"}
    assert only(found, Unresolved) == []


def test_versions_and_packages_choose_the_model(items):
    found = items(
        manifest(
            model("p", unique_id="model.shop.p.v1", version=1, relation_name="lake.main.p_v1"),
            model("p", unique_id="model.shop.p.v2", version=2, relation_name="lake.main.p_v2"),
            model("p", package="other", relation_name="lake.other.p"),
            model(
                "q",
                "select * from {{ ref('p', v=2) }}, {{ ref('other', 'p') }}",
                above=["model.shop.p.v1", "model.shop.p.v2", "model.other.p"],
            ),
        )
    )
    assert reads(found, "q") == {"lake.main.p_v2", "lake.other.p"}
    assert {task.key.task for task in only(found, Pipeline)[0].tasks} == {"p", "p.v1", "p.v2", "q"}


def test_an_incremental_model_does_not_read_itself(items):
    code = (
        "select * from {{ source('raw', 'x') }}"
        "{% if is_incremental() %} where d > (select max(d) from {{ this }}) {% endif %}"
    )
    found = items(
        manifest(
            model("inc", code, above=["source.shop.raw.x"], materialized="incremental"),
            sources=[source("x")],
        )
    )
    assert reads(found, "inc") == {"lake.raw.x"}
    assert writes(found, "inc") == {"lake.main.inc"}


def test_hooks_count_to_their_node(items):
    config = {
        "pre-hook": "delete from queue.done where id in (select id from {{ ref('a') }})",
        "post-hook": [{"sql": "insert into {{ this.schema }}.log select 1 from {{ this }}"}],
    }
    found = items(
        manifest(model("a"), model("b", "select 1", above=["model.shop.a"], config=config))
    )
    assert writes(found, "b") == {"lake.main.b", "lake.queue.done", "lake.main.log"}
    assert reads(found, "b") == {"lake.main.a"}


def operation(name, tag, index, above=()):
    more = {"unique_id": f"operation.shop.{name}", "resource_type": "operation", "tags": [tag]}
    return model(name, above=above, index=index, relation_name=None) | more


def test_operations_run_around_all_others_whatever_they_refer_to(items):
    found = items(
        manifest(
            operation("end2", "on-run-end", 2, ["model.shop.b"]),
            operation("end1", "on-run-end", 1),
            operation("start2", "on-run-start", 2),
            operation("start1", "on-run-start", 1, ["model.shop.b"]),
            model("a"),
            model("b", above=["model.shop.a"]),
        )
    )
    chain = ["start1", "start2", "a", "b", "end1", "end2"]
    assert edges(found) == set(pairwise(chain))
    assert reads(found, "end2", Channel.DECLARED) == {"lake.main.b"}
    assert only(found, Unresolved) == []


def test_a_macro_nobody_can_see_through_is_reported_once(items):
    config = {"post-hook": [{"sql": "{{ log_it(this) }}"}]}
    row = {"unique_id": "model.shop.b", "status": "success", "compiled_code": "select * from s.t"}
    found = items(manifest(model("b", "select * from s.t", config=config)), results(row))
    (problem,) = only(found, Unresolved)
    assert (problem.subject, problem.place) == ("dbt/shop/b", "models/b.sql (post-hook):1")
    assert reads(found, "b") == reads(found, "b", Channel.SQL_RUN) == {"lake.s.t"}
    assert not is_covered(found, "b")
    assert not is_covered(found, "b", Channel.SQL_RUN)


@pytest.mark.parametrize(
    ("adapter", "relation", "code", "expected"),
    [
        ("snowflake", "LAKE.MAIN.T", 'select * from "Raw"."X", y', {"lake.raw.x", "lake.main.y"}),
        ("bigquery", "`p`.`d`.`t`", "select * from `p-1.e.x`, f.y", {"p-1.e.x", "p.f.y"}),
        ("spark", "main.t", "select * from raw.x lateral view explode(a) e", {"raw.x"}),
        ("sqlserver", '"db"."dbo"."t"', "select * from [raw].[x] with (nolock)", {"db.raw.x"}),
        ("no_such_adapter", '"db"."dbo"."t"', "select * from raw.x", {"db.raw.x"}),
    ],
)
def test_the_adapter_is_the_dialect(items, adapter, relation, code, expected):
    found = items(manifest(model("t", compiled_code=code, relation_name=relation), adapter=adapter))
    assert reads(found, "t") == expected
    assert only(found, Unresolved) == []


def test_the_manifest_knows_the_dialect_better_than_settings(items):
    tree = manifest(model("t", compiled_code="select * from `p`.`d`.`x`"), adapter="bigquery")
    found = items(tree, connection=SqlConnection(dialect="postgres"))
    assert (reads(found, "t"), only(found, Unresolved)) == ({"p.d.x"}, [])
    tree = manifest(model("t", compiled_code="select * from [d].[x]"), adapter="of_our_own")
    assert reads(items(tree, connection=SqlConnection(dialect="tsql")), "t") == {"lake.d.x"}


def test_the_project_is_the_one_of_the_digest(items):
    nodes = [model("a", package="other"), model("b", package="other"), model("c")]
    tree = manifest(*nodes)
    assert only(items(tree), Pipeline)[0].key.name == "shop"
    tree["metadata"] |= {"project_name": "named"}
    assert only(items(tree), Pipeline)[0].key.name == "named"
    tree["metadata"] = {"project_id": "fb54f3c5992b96d001bb16e8e92d968d"}
    assert only(items(tree), Pipeline)[0].key.name == "shop"
    tree["metadata"] = {}
    assert only(items(tree), Pipeline)[0].key.name == "other"


def test_a_manifest_without_a_version_is_used_and_reported(items):
    tree = manifest(model("t"))
    del tree["metadata"]["dbt_schema_version"]
    found = items(tree)
    assert [problem.place for problem in only(found, Unresolved)] == ["manifest.json"]
    assert writes(found, "t", Channel.DECLARED) == {"lake.main.t"}


def test_nodes_that_share_all_their_names_are_called_by_their_id(items):
    twin = model("t", unique_id="snapshot.shop.t", resource_type="snapshot")
    tasks = only(items(manifest(model("t"), twin)), Pipeline)[0].tasks
    assert [task.key.task for task in tasks] == ["model.shop.t", "snapshot.shop.t"]


def test_an_entry_is_known_by_the_id_of_its_section(items):
    tree = manifest(model("t"))
    tree["nodes"]["model.shop.t"]["unique_id"] = "another"
    assert writes(items(tree), "t", Channel.DECLARED) == {"lake.main.t"}


def test_settings_complete_names_before_the_manifest_does(items):
    connection = SqlConnection(namespace="pg://h", default_catalog="cat", default_schema="sch")
    found = items(manifest(model("t", compiled_code="select * from x")), connection=connection)
    assert reads(found, "t") == {"pg://h/cat.sch.x"}


def test_bare_names_lie_where_nodes_without_a_schema_of_their_own_do(items):
    gold = {"schema": "gold"}
    found = items(
        manifest(
            model("a", config=gold, relation_name='"lake"."main_gold"."a"'),
            model("b", config=gold, relation_name='"lake"."main_gold"."b"'),
            model("c", compiled_code="select * from x"),
        )
    )
    assert reads(found, "c") == {"lake.main.x"}


def test_a_relation_is_built_of_its_parts_where_it_is_not_said(items):
    found = items(manifest(model("t", relation_name=None, alias="t2")))
    assert writes(found, "t", Channel.DECLARED) == {"lake.main.t2"}


def test_a_node_without_a_relation_is_reported_by_its_id(items):
    lost = model("t", relation_name=None, alias=None, compiled_code="select * from a.b")
    found = items(manifest(lost, model("u")))
    (problem,) = only(found, Unresolved)
    assert problem.subject == "dbt/shop/t"
    assert "model.shop.t has no relation" in problem.detail
    assert reads(found, "t") == {"lake.a.b"}
    assert writes(found, "u", Channel.DECLARED) == {"lake.main.u"}


def test_disabled_nodes_and_those_that_change_no_data_are_no_tasks(items):
    found = items(
        manifest(
            model("off", config={"enabled": False}),
            model("look", resource_type="analysis"),
            model("check", resource_type="test"),
            model("on"),
            disabled={"model.shop.gone": [model("gone")]},
        )
    )
    assert [task.key.task for task in only(found, Pipeline)[0].tasks] == ["on"]


@pytest.mark.parametrize(
    ("location", "below"),
    [
        ("s3://landing/x/", DatasetKey("s3://landing", "x")),
        ("'/data/x.csv'", DatasetKey("file", "/data/x.csv")),
        ("@lake.raw.stage/x", DatasetKey("", "@lake.raw.stage/x")),
        ("{{ var('bucket') }}/x", None),
        ("hive", None),
    ],
)
def test_an_external_table_lies_over_its_location(items, location, below):
    sources = [source("x", external={"location": location})]
    found = items(manifest(model("t"), sources=sources, adapter="snowflake"))
    expected = [] if below is None else [(DatasetKey("", "lake.raw.x"), (below,))]
    assert [(view.dataset, view.reads) for view in only(found, View)] == expected
    assert len(only(found, Unresolved)) == (below is None)


def test_a_view_is_made_of_its_body_and_not_of_its_hooks(items):
    hooks = {"post-hook": ["insert into log select 1 from elsewhere.t"]}
    view = model("v", "select * from a.b", materialized="view", config=hooks)
    (found,) = only(items(manifest(view)), View)
    assert (found.dataset.name, [r.name for r in found.reads]) == ("lake.main.v", ["lake.a.b"])


def results(*rows, **more):
    return {
        "metadata": {"generated_at": "2026-01-01T00:00:10Z", "invocation_id": "now"},
        "elapsed_time": 4,
        "args": {"which": "run"},
        "results": list(rows),
    } | more


@pytest.mark.parametrize(
    ("status", "state", "whole"),
    [
        ("success", RunState.SUCCEEDED, RunState.SUCCEEDED),
        ("error", RunState.FAILED, RunState.FAILED),
        ("partial success", RunState.FAILED, RunState.FAILED),
        ("skipped", RunState.SKIPPED, RunState.SUCCEEDED),
        ("new word", RunState.UNKNOWN, RunState.SUCCEEDED),
    ],
)
def test_states_of_runs(items, status, state, whole):
    found = items(manifest(model("t")), results({"unique_id": "model.shop.t", "status": status}))
    assert [run.state for run in only(found, TaskRun)] == [state]
    (run,) = only(found, Run)
    assert (run.state, run.started_at_s, run.ended_at_s) == (whole, 1767225606.0, 1767225610.0)


def test_a_failed_test_fails_the_run_and_is_no_task(items):
    row = {"unique_id": "test.shop.check", "status": "fail"}
    found = items(manifest(model("t")), results(row))
    assert only(found, TaskRun) == []
    assert only(found, Run)[0].state is RunState.FAILED


@pytest.mark.parametrize(
    ("row", "invocation", "expected"),
    [
        ({"status": "success"}, "now", {"lake.made.t"}),
        ({"status": "success"}, "before", set()),
        ({"status": "success", "compiled_code": "select * from ran.t"}, "before", {"lake.ran.t"}),
        ({"status": "error", "compiled_code": "select * from ran.t"}, "now", set()),
    ],
)
def test_only_sql_that_certainly_ran_is_sql_that_ran(items, row, invocation, expected):
    tree = manifest(model("t", compiled_code="select * from made.t"))
    ran = results({"unique_id": "model.shop.t"} | row)
    ran["metadata"]["invocation_id"] = invocation
    found = items(tree, ran)
    assert reads(found, "t", Channel.SQL_RUN) == expected
    assert is_covered(found, "t", Channel.SQL_RUN) is bool(expected)
    assert reads(found, "t") == {"lake.made.t"}


@pytest.mark.parametrize("which", ["compile", "test", "docs", "generate", "list"])
def test_commands_that_build_nothing_are_no_runs(items, which):
    row = {"unique_id": "model.shop.t", "status": "success", "compiled_code": "select * from a.b"}
    found = items(manifest(model("t")), results(row, args={"which": which}))
    assert only(found, Run) == only(found, TaskRun) == []
    assert reads(found, "t", Channel.SQL_RUN) == set()


def test_owners_are_those_of_the_node_or_of_its_group(items):
    found = items(
        manifest(
            model("a", meta={"owner": "anna"}),
            model("b", config={"group": "fin"}),
            model("c", group="ops"),
            groups={"group.shop.fin": {"name": "fin", "owner": {"email": "fin@example.org"}}},
        )
    )
    assert only(found, Pipeline)[0].owner == "anna, fin@example.org, ops"

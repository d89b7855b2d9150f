"""What each route answers, and what it refuses."""

import itertools

import pytest

from swarm.actors.connector import Position
from swarm.actors.journaled import Journaled
from swarm.api.read_model import ReadModel
from swarm.errors import Unreachable
from swarm.model.connectors import ConnectorChanged, ConnectorState, CursorMoved
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence, View, ViewInventory
from swarm.model.pipelines import Inventory, Pipeline, Task
from swarm.model.runs import Run, RunState


def pipeline(name, orchestrator="airflow"):
    key = PipelineKey(orchestrator, name)
    return Pipeline(key, (Task(TaskKey(orchestrator, name, "t")),))


def seen(name, access, dataset, orchestrator="airflow"):
    task = TaskKey(orchestrator, name, "t")
    key = DatasetKey("", dataset)
    return Evidence(task, Access(access), key, Channel.SQL_RUN, 1_000.0, "query:1", "SELECT")


def named(name, orchestrator="airflow"):
    return {"orchestrator": orchestrator, "pipeline": name, "task": "t"}


async def chain(api, *names):
    """Each pipeline reads what the one before it writes."""
    for name in names:
        await api.offer(pipeline(name), seen(name, "write", f"dwh.{name}"))
    for up, down in itertools.pairwise(names):
        await api.offer(seen(down, "read", f"dwh.{up}"))


async def test_dependencies_with_their_evidence(api):
    await chain(api, "a", "b")
    [edge] = (await api.get("dependencies"))["items"]
    assert edge["upstream"] == named("a")
    assert edge["downstream"] == named("b")
    assert edge["dataset"] == "warehouse/dwh.a"
    assert edge["declared"] is False
    assert edge["confidence"] > 0.8
    assert [(line["access"], line["channel"], line["place"]) for line in edge["evidence"]] == [
        ("write", "sql_run", "query:1"),
        ("read", "sql_run", "query:1"),
    ]


async def test_a_dependency_is_explained_to_its_sum(api):
    await chain(api, "a", "b")
    told = await api.get("dependencies/explain", upstream="a", downstream="airflow/b/t")
    [edge] = told["edges"]
    assert (edge["upstream"], edge["downstream"]) == ("airflow/a/t", "airflow/b/t")
    for end in (edge["write"], edge["read"]):
        weights = sum(line["weight"] for line in end["lines"])
        assert end["prior"] + weights == pytest.approx(end["log_odds"], abs=1e-6)
    chance = edge["write"]["probability"] * edge["read"]["probability"] * edge["naming"]
    assert chance == pytest.approx(edge["confidence"], abs=2e-6)
    assert told["complete"] is False


async def test_what_is_no_dependency_is_explained_too(api):
    await chain(api, "a", "b", "c")
    told = await api.get("dependencies/explain", upstream="b", downstream="a")
    assert (told["edges"], told["weaker"]) == ([], [])
    assert [use["dataset"] for use in told["writes"]["uses"]] == ["warehouse/dwh.b"]
    assert told["reverse"] > 0.8
    [edge] = (await api.get("dependencies", min_confidence=0.5))["items"][:1]
    names = {key: edge[key] for key in ("upstream", "downstream", "dataset")}
    await api.post("dependencies/verdict", names | {"verdict": "rejected", "by": "ann"})
    up, down = edge["upstream"]["pipeline"], edge["downstream"]["pipeline"]
    told = await api.get("dependencies/explain", upstream=up, downstream=down)
    assert told["edges"] == []
    assert [weak["verdict"] for weak in told["weaker"]] == ["rejected"]
    assert (
        "Did you mean"
        in (await api.get("dependencies/explain", 404, upstream="airflow/aa", downstream="b"))[
            "detail"
        ]
    )


async def test_dependencies_are_filtered_and_paged(api):
    await chain(api, "a", "b", "c", "d")
    first = await api.get("dependencies", limit=2)
    second = await api.get("dependencies", limit=2, cursor=first["next_cursor"])
    pairs = [e["upstream"]["pipeline"] for e in first["items"] + second["items"]]
    assert sorted(pairs) == ["a", "b", "c"]
    assert second["next_cursor"] is None
    assert (await api.get("dependencies", declared=True))["items"] == []
    assert (await api.get("dependencies", min_confidence=1))["items"] == []


async def test_datasets_name_both_ends(api):
    await chain(api, "a", "b")
    await api.offer(pipeline("c"), seen("c", "read", "dwh.a"))
    [row] = (await api.get("datasets"))["items"]
    assert row == {
        "dataset": "warehouse/dwh.a",
        "written_by": [named("a")],
        "read_by": [named("b"), named("c")],
    }


async def test_the_past_and_what_changed_since(api):
    await chain(api, "a", "b")
    api.clock.at_s = 2_000.0
    await api.offer(pipeline("c"), seen("c", "read", "dwh.b"))
    then = await api.get("dependencies", as_of_s=1_500)
    assert [edge["downstream"]["pipeline"] for edge in then["items"]] == ["b"]
    changes = await api.get("dependencies/diff", since_s=1_500)
    assert [edge["downstream"]["pipeline"] for edge in changes["new"]] == ["c"]
    assert (changes["changed"], changes["gone"]) == ([], [])


async def test_a_view_that_left_its_catalog_takes_its_dependencies_along(api):
    await api.offer(pipeline("a"), seen("a", "write", "dwh.base"))
    view = View(DatasetKey("", "dwh.v"), (DatasetKey("", "dwh.base"),), "catalog:1")
    await api.offer(pipeline("b"), seen("b", "read", "dwh.v"), view)
    assert len((await api.get("dependencies"))["items"]) == 1
    api.clock.at_s = 2_000.0
    await api.offer(ViewInventory(()))
    assert (await api.get("dependencies"))["items"] == []
    assert len((await api.get("dependencies/diff", since_s=1_500))["gone"]) == 1


async def test_a_verdict_overrides_and_can_be_taken_back(api):
    await chain(api, "a", "b")
    body = {"upstream": named("a"), "downstream": named("b"), "dataset": "warehouse/dwh.a"}
    await api.post("dependencies/verdict", body | {"verdict": "rejected", "by": "ann"})
    assert (await api.get("dependencies"))["items"] == []
    [hidden] = (await api.get("dependencies", min_confidence=0))["items"]
    assert (hidden["verdict"], hidden["confidence"]) == ("rejected", 0)
    await api.post("dependencies/verdict", body | {"verdict": None, "by": "ann"})
    assert len((await api.get("dependencies"))["items"]) == 1


async def test_a_verdict_on_nothing_is_refused(api):
    body = {"upstream": named("x"), "downstream": named("y"), "dataset": "warehouse/z"}
    answer = await api.post(
        "dependencies/verdict", body | {"verdict": "accepted", "by": "ann"}, status=404
    )
    assert answer["code"] == "unknown-key"


async def test_impact_and_upstream_by_pipeline_and_by_task(api):
    await chain(api, "a", "b", "c")
    hits = (await api.get("impact", name="a"))["hits"]
    assert [(h["task"]["pipeline"], h["distance"], h["datasets"]) for h in hits] == [
        ("b", 1, ["warehouse/dwh.a"]),
        ("c", 2, ["warehouse/dwh.b"]),
    ]
    up = await api.get("upstream", name="airflow/c/t")
    assert [h["task"] for h in up["hits"]] == [named("b"), named("a")]


async def test_a_bare_name_has_to_be_one_pipeline(api):
    await api.offer(pipeline("daily"), pipeline("daily", "dagster"))
    answer = await api.get("impact", 409, name="daily")
    assert "airflow/daily, dagster/daily" in answer["detail"]
    await api.get("impact", name="dagster/daily")
    answer = await api.get("impact", 404, name="dayly")
    assert "Did you mean" in answer["detail"]


async def test_a_pipeline_that_only_data_tells_of_is_listed_and_can_be_asked_of(api):
    await api.offer(pipeline("a"), seen("a", "write", "dwh.a"))
    await api.offer(seen("b", "read", "dwh.a", "spark"), seen("b", "write", "dwh.b", "spark"))
    await api.offer(pipeline("c"), seen("c", "read", "dwh.b"))

    async def listed():
        rows = (await api.get("pipelines"))["items"]
        return {f"{row['orchestrator']}/{row['pipeline']}": row["listed"] for row in rows}

    assert await listed() == {"airflow/a": True, "airflow/c": True, "spark/b": False}
    for name in ("b", "spark/b", "spark/b/t"):
        [hit] = (await api.get("impact", name=name))["hits"]
        assert hit["task"]["pipeline"] == "c"
    [edge] = await api.get("dependencies/between", upstream="a", downstream="b")
    assert edge["dataset"] == "warehouse/dwh.a"
    await api.offer(pipeline("b", "spark"))
    assert (await listed())["spark/b"] is True
    await api.offer(Inventory("spark", ()))
    assert "spark/b" not in await listed(), "with a pipeline go its dependencies"


async def test_what_nothing_tells_of_any_more_has_no_name(api):
    await api.offer(pipeline("a"), seen("a", "write", "dwh.base"))
    view = View(DatasetKey("", "dwh.v"), (DatasetKey("", "dwh.base"),), "catalog:1")
    await api.offer(seen("b", "read", "dwh.v", "spark"), view)
    assert (await api.get("upstream", name="spark/b"))["total"] == 1
    model, follower = api.deps.model, ReadModel()
    for number, entry in api.deps.projections.log.read(
        0, 1_000
    ):  # one by one, as a replica follows
        follower.follow(number, entry)
    assert follower._names == model._names
    api.clock.at_s = 2_000.0
    await api.offer(ViewInventory(()))
    for number, entry in api.deps.projections.log.read(model.seq, 1_000):
        follower.follow(number, entry)
    assert follower._names == api.deps.model._names
    await api.get("upstream", 404, name="spark/b")
    assert [row["pipeline"] for row in (await api.get("pipelines"))["items"]] == ["a"]


async def test_a_ring_of_pipelines_is_a_finding(api):
    await chain(api, "a", "b")
    await api.offer(seen("a", "read", "dwh.b"))
    found = (await api.get("findings"))["items"]
    [ring] = [finding for finding in found if finding["kind"] == "cycle"]
    assert [p["pipeline"] for p in ring["pipelines"]] == ["a", "b"]
    assert ring["subject"] == "airflow/a, airflow/b"
    assert {edge["dataset"] for edge in ring["evidence"]} == {"warehouse/dwh.a", "warehouse/dwh.b"}
    assert (await api.get("status"))["findings"] == 3


async def test_an_undeclared_dependency_is_a_finding_until_somebody_rejects_it(api):
    await chain(api, "a", "b")
    [finding] = (await api.get("findings"))["items"]
    assert finding["kind"] == "undeclared_dependency"
    assert finding["subject"] == "airflow/a/t -> airflow/b/t through warehouse/dwh.a"
    assert finding["first_seen_s"] == 1_000.0
    assert finding["closed_at_s"] is None
    [edge] = finding["evidence"]
    assert edge == (await api.get("dependencies"))["items"][0]

    api.clock.at_s = 2_000.0
    body = {key: edge[key] for key in ("upstream", "downstream", "dataset")}
    await api.post("dependencies/verdict", body | {"verdict": "rejected", "by": "ada"})
    assert (await api.get("findings"))["items"] == []
    assert (await api.get("findings", since_s=2_000.5))["items"] == []
    [closed] = (await api.get("findings", since_s=2_000.0))["items"]
    assert (closed["id"], closed["first_seen_s"]) == (finding["id"], 1_000.0)
    assert closed["closed_at_s"] == 2_000.0

    api.clock.at_s = 3_000.0
    await api.post("dependencies/verdict", body | {"verdict": None, "by": "ada"})
    [again] = (await api.get("findings"))["items"]
    assert (again["id"], again["first_seen_s"]) == (finding["id"], 3_000.0)


async def test_a_finding_brings_its_evidence_before_the_graph_in_memory_has_it(api):
    before = api.deps.model
    await chain(api, "a", "b")
    api.deps.model = before
    assert (await api.get("dependencies"))["items"] == []
    [finding] = (await api.get("findings"))["items"]
    assert [edge["dataset"] for edge in finding["evidence"]] == ["warehouse/dwh.a"]


async def test_findings_are_paged_in_the_order_they_moved(api):
    for number, name in enumerate("abcd"):
        api.clock.at_s = 1_000.0 + number
        await chain(api, name, f"{name}-reader")
    first = await api.get("findings", limit=3)
    second = await api.get("findings", limit=3, cursor=first["next_cursor"])
    writers = [f["pipelines"][0]["pipeline"] for f in first["items"] + second["items"]]
    assert writers == ["a", "b", "c", "d"]
    assert second["next_cursor"] is None
    assert (await api.get("findings", 400, cursor="here"))["code"] == "bad-input"


async def test_a_lineage_event_belongs_to_the_orchestrator_of_its_namespace(api):
    await chain(api, "a")
    await api.post(
        "lineage",
        {
            "eventType": "COMPLETE",
            "eventTime": "1970-01-01T00:10:00Z",
            "run": {"runId": "0190aaaa-0000-7000-8000-000000000001"},
            "job": {"namespace": "prod", "name": "b"},
            "inputs": [{"namespace": "warehouse", "name": "dwh.a"}],
            "producer": "https://example.org",
        },
    )
    [edge] = (await api.get("dependencies"))["items"]
    assert edge["downstream"] == {"orchestrator": "airflow", "pipeline": "b", "task": "b"}


def an_event(**job_facets):
    return {
        "eventType": "COMPLETE",
        "eventTime": "1970-01-01T00:10:00Z",
        "run": {"runId": "0190aaaa-0000-7000-8000-000000000001"},
        "job": {"namespace": "prod", "name": "b", "facets": job_facets},
        "producer": "https://example.org",
    }


async def test_unknown_facets_are_kept_and_read_back(api):
    mine = {"_producer": "https://example.org", "words": ["é", {"n": 1.5}], "none": None}
    await api.post("lineage", an_event(mine=mine, other={}, big="x" * 30_000))
    await api.post("lineage", an_event(mine=mine))
    answer = await api.get("facets", subject="airflow/b/b")
    assert answer["next_cursor"] is None
    assert {f["name"]: (f["content"], f["left_out"]) for f in answer["items"]} == {
        "mine": (mine, 0),
        "other": ({}, 0),
        "big": (None, 30_002),
    }
    assert {(f["subject"], f["of"], f["job"]) for f in answer["items"]} == {
        ("airflow/b/b", "job", "")
    }
    assert (await api.get("facets", subject="airflow/b"))["items"] == []


async def test_facets_come_in_pages(api):
    await api.post("lineage", an_event(**{f"f{number}": {"n": number} for number in range(5)}))
    first = await api.get("facets", limit=3)
    rest = await api.get("facets", limit=3, cursor=first["next_cursor"])
    names = [f["name"] for f in first["items"] + rest["items"]]
    assert names == ["f0", "f1", "f2", "f3", "f4"]
    assert rest["next_cursor"] is None


async def test_column_lineage_is_understood_and_read_back(api):
    used = {"namespace": "pg://W", "name": "Raw.Orders", "field": "amount"}
    how = {"type": "DIRECT", "subtype": "AGGREGATION"}
    fields = {"total": {"inputFields": [used | {"transformations": [how]}]}}
    facet = {"columnLineage": {"fields": fields, "dataset": [used]}}
    output = {"namespace": "pg://w", "name": "fin.daily", "facets": facet}
    await api.post("lineage", an_event() | {"outputs": [output]})
    answer = await api.get("columns", dataset="pg://w/fin.daily")
    amount = {"dataset": "pg://w/raw.orders", "field": "amount"}
    how = {"type": "DIRECT", "subtype": "AGGREGATION", "description": "", "masking": False}
    assert answer == {
        "items": [
            {
                "dataset": "pg://w/fin.daily",
                "task": {"orchestrator": "airflow", "pipeline": "b", "task": "b"},
                "job": "",
                "columns": [{"field": "total", "inputs": [amount | {"transformations": [how]}]}],
                "whole": [amount | {"transformations": []}],
                "observed_at_s": 600.0,
                "left_out": 0,
            }
        ],
        "next_cursor": None,
    }
    assert (await api.get("columns", dataset="pg://w/raw.orders"))["items"] == []
    assert (await api.get("facets"))["items"] == []


async def test_a_deleted_facet_is_no_longer_told(api):
    await api.post("lineage", an_event(mine={"x": 1}))
    await api.post(
        "lineage", an_event(mine={"_deleted": True}) | {"eventTime": "1970-01-01T00:11:00Z"}
    )
    assert (await api.get("facets"))["items"] == []


async def test_pushed_runs_and_evidence(api):
    await api.post(
        "push",
        {
            "orchestrator": "batch",
            "runs": [
                {
                    "pipeline": "p",
                    "run_id": "1",
                    "state": "succeeded",
                    "ended_at_s": 5.0,
                    "exit_code": 0,
                    "scheduled_for_s": 1.0,
                }
            ],
            "evidence": [
                {"pipeline": "p", "access": "write", "dataset": "s3://lake/x.csv"},
                {"pipeline": "q", "access": "read", "dataset": "s3://lake/x.csv"},
            ],
        },
    )
    [edge] = (await api.get("dependencies"))["items"]
    assert edge["dataset"] == "s3://lake/x.csv"
    [run] = api.deps.projections.runs.of(PipelineKey("batch", "p"), 10)
    assert (run.run_id, run.ended_at_s, run.scheduled_for_s, run.exit_code) == ("1", 5.0, 1.0, 0)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"orchestrator": "b", "runs": [{"pipeline": "p", "run_id": "1", "state": "dead"}]}, "run"),
        ({"orchestrator": "b", "evidenc": []}, "evidenc"),
        ({"orchestrator": ""}, "orchestrator"),
    ],
)
async def test_a_wrong_push_is_told_where(api, body, says):
    answer = await api.post("push", body, status=422)
    assert says in answer["detail"]


async def test_an_unknown_route_is_a_problem_too(api):
    assert (await api.get("nothing", 404))["status"] == 404


async def test_status_tells_how_many_statements_are_nobodys(api):
    settings = api.settings
    journaled = Journaled(settings, "connector:log", Position(), snapshot_every=9)
    changed = ConnectorChanged("log", "query_history", ConnectorState.OK, "")
    await journaled.append([changed, CursorMoved("log", "c", 12)], 1.0, "cause")
    api.see()
    [row] = (await api.get("status"))["connectors"]
    assert (row["source"], row["unattributed"]) == ("log", 12)


async def test_owners_are_asked_and_the_answer_is_a_verdict(api):
    await chain(api, "a", "b")
    [asked] = await api.get("questions")
    assert (asked["upstream"], asked["downstream"]) == (named("a"), named("b"))
    assert (asked["team"], asked["pipelines_behind"], asked["asked_at_s"]) == ("", 1, 1_000.0)
    assert await api.get("questions") == [asked]
    names = {name: asked[name] for name in ("upstream", "downstream", "dataset")}
    await api.post("dependencies/verdict", names | {"verdict": "accepted", "by": "ann"})
    assert await api.get("questions") == []


async def test_status_tells_how_well_silence_is_detected(api):
    told = (await api.get("status"))["detection"]
    assert (told["redistribute_s"], told["false_alarms"], told["silent"]) == (0.6, 0, [])
    api.deps.dispatch = Silent()
    api.clock.at_s += 1.0
    assert (await api.get("status"))["detection"] is None


class Silent:
    """A dispatcher that is not there."""

    async def detection(self):
        raise Unreachable("the dispatcher actor did not answer")


async def test_the_whole_graph_is_one_answer_in_columns(api):
    await chain(api, "a", "b", "c")
    told = await api.get("graph")
    names, edges = told["pipelines"]["name"], told["edges"]
    assert {len(column) for column in told["pipelines"].values()} == {3}
    ends = zip(edges["upstream"], edges["downstream"], strict=True)
    assert sorted((names[up], names[down]) for up, down in ends) == [("a", "b"), ("b", "c")]
    assert edges["declared"] == [False, False]
    assert edges["datasets"] == [1, 1]
    assert min(edges["confidence"]) > 0.8
    assert (await api.get("graph", min_confidence=1))["edges"]["upstream"] == []


async def test_all_between_two_pipelines_is_told_also_what_was_rejected(api):
    await chain(api, "a", "b", "c")
    [edge] = await api.get("dependencies/between", upstream="a", downstream="airflow/b/t")
    assert edge["confidence"] > 0.8
    names = {key: edge[key] for key in ("upstream", "downstream", "dataset")}
    await api.post("dependencies/verdict", names | {"verdict": "rejected", "by": "ann"})
    [edge] = await api.get("dependencies/between", upstream="a", downstream="b")
    assert (edge["verdict"], edge["confidence"]) == ("rejected", 0)
    assert await api.get("dependencies/between", upstream="a", downstream="c") == []


async def test_runs_come_newest_first_in_pages_and_only_the_last_where_asked(api):
    def run(name, at_s, state):
        return Run(PipelineKey("airflow", name), f"r{at_s}", state, at_s, at_s, at_s + 5.0)

    good, bad = RunState.SUCCEEDED, RunState.FAILED
    await api.offer(pipeline("a"), pipeline("b"), run("a", 10.0, good), run("b", 20.0, bad))
    await api.offer(run("a", 30.0, bad), run("a", 40.0, good))

    def told(page):
        return [(one["pipeline"]["pipeline"], one["started_at_s"]) for one in page["items"]]

    first = await api.get("runs", limit=3)
    assert told(first) == [("a", 40.0), ("a", 30.0), ("b", 20.0)]
    rest = await api.get("runs", limit=3, cursor=first["next_cursor"])
    assert (told(rest), rest["next_cursor"]) == ([("a", 10.0)], None)
    assert told(await api.get("runs", since_s=25)) == [("a", 40.0), ("a", 30.0)]
    newest = (await api.get("runs", newest=True))["items"]
    assert [(one["run_id"], one["state"]) for one in newest] == [
        ("r40.0", "succeeded"),
        ("r20.0", "failed"),
    ]


async def test_the_schema_names_every_route(api):
    paths = (await api.get("openapi.json"))["paths"]
    assert {"/api/v1/events", "/api/v1/graph", "/api/v1/tasks"} <= paths.keys()

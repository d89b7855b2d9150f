"""Every change over HTTP is kept with who asked for it."""

import re
from pathlib import Path
from typing import Any

import pytest

from swarm.api.routes import tasks as any_route
from swarm.errors import StoreError
from swarm.model.graph import FindingChanged, PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from tests.unit.api.conftest import Api

A, B = PipelineKey("airflow", "a"), PipelineKey("airflow", "b")
CHANGES: list[tuple[str, Any, str]] = [
    ("tasks", {"tasks": [{"id": "t1", "argv": ["true"], "wait_for_capacity": True}]}, "Submitted"),
    ("tasks/t0/cancel", {}, "Ended"),
    ("agents", {"path": "pkg:Agent"}, "AgentsWanted"),
    ("decisions/hold", {"pipeline": "airflow/a", "by": "kim"}, "IntentMade"),
    ("links", {"upstreams": ["airflow/a"], "downstream": "airflow/b", "by": "k"}, "LinkMade"),
    ("slas", {"pipeline": "airflow/a", "by": "kim", "at": "07:00"}, "SlaAccepted"),
    ("slas/decline", {"pipeline": "airflow/a", "by": "kim"}, "SlaDeclined"),
    ("dependencies/verdict", {"verdict": "accepted", "by": "kim"}, "VerdictGiven"),
    ("keys", {"name": "ann", "roles": ["viewer"]}, "KeyMade"),
]


@pytest.mark.parametrize(("path", "body", "kind"), CHANGES, ids=[path for path, *_ in CHANGES])
async def test_a_change_is_kept_with_who_asked(api: Api, path: str, body: Any, kind: str) -> None:
    for key in (A, B):
        await api.offer(Pipeline(key))
        api.deps.sequencer.state.apply(PipelineSeen(Pipeline(key)))
    await api.post("tasks", {"tasks": [{"id": "t0", "argv": ["true"], "wait_for_capacity": True}]})
    key = await api.post("keys", {"name": "who", "roles": ["admin"]})
    if path == "dependencies/verdict":
        evidence = [
            {"pipeline": name, "access": access, "dataset": "db.t"}
            for name, access in (("a", "write"), ("b", "read"))
        ]
        await api.post("push", {"orchestrator": "airflow", "evidence": evidence})
        (edge,) = (await api.get("dependencies", min_confidence=0))["items"]
        body |= {name: edge[name] for name in ("upstream", "downstream", "dataset")}
    before = len((await api.get("audit"))["items"])
    api.clock.at_s += 1
    header = {"Authorization": f"Bearer {key['key']}"}
    answer = await api.http.post(path, json=body, headers=header)
    assert answer.is_success, answer.text
    found = (await api.get("audit"))["items"]
    assert len(found) > before
    row = found[-1 - before]
    assert (row["by"], row["asked"]) == (f"key:{key['id']}", f"POST /{path}")
    assert kind in row["types"]
    assert all(verdict["wrong"] == "" for verdict in await api.get("audit/verify"))


async def test_what_swarm_finds_after_a_change_was_not_asked_for(api: Api) -> None:
    for key in (A, B):
        await api.offer(Pipeline(key))
    evidence = [
        {"pipeline": name, "access": access, "dataset": "db.t"}
        for name, access in (("a", "write"), ("b", "read"))
    ]
    await api.post("push", {"orchestrator": "airflow", "evidence": evidence})
    (edge,) = (await api.get("dependencies", min_confidence=0))["items"]
    verdict = {name: edge[name] for name in ("upstream", "downstream", "dataset")}
    await api.post("dependencies/verdict", verdict | {"verdict": "accepted", "by": "kim"})
    entries = [entry for _, entry in api.deps.projections.log.read(0, 100)]
    found = [e.cause_id for e in entries if isinstance(e.record, FindingChanged)]
    assert found
    assert {cause.split(":")[0] for cause in found} == {"of"}
    assert ["VerdictGiven" in row["types"] for row in (await api.get("audit"))["items"]] == [True]


async def test_what_is_told_is_in_the_journal_with_who_told_it_alone(api: Api) -> None:
    runs = [{"pipeline": "p", "run_id": "1", "state": "succeeded"}]
    await api.post("push", {"orchestrator": "cron", "runs": runs})
    assert (await api.get("audit"))["items"] == []
    entries = [entry for _, entry in api.deps.projections.log.read(0, 100)]
    assert entries
    assert {entry.cause_id.rpartition(":")[0] for entry in entries} == {"of:token:POST /push"}


async def test_meddling_is_told(api: Api) -> None:
    await api.post("keys", {"name": "ann", "roles": ["viewer"]})
    assert api.deps.audit is not None
    database = api.deps.audit._place.database("keys")
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE swarm_audit SET asked_by = 'bob'")
    found = {row["stream"]: row["wrong"] for row in await api.get("audit/verify")}
    assert found.pop("keys") == "row 1 is not what was written, or the row before it is not"
    assert set(found.values()) == {""}


async def test_a_path_that_is_no_text_is_kept_and_shown(api: Api) -> None:
    strange = "%00%ff:by:x"
    await api.http.post(f"tasks/{strange}/cancel")
    key = await api.post("keys", {"name": "\u202eann\U0001f600", "roles": ["viewer"]})
    await api.post(f"keys/{key['id']}/revoke", {}, 200)
    assert [row["types"] for row in (await api.get("audit"))["items"]] == ["KeyRevoked", "KeyMade"]


async def test_a_cursor_of_nobody_is_refused(api: Api) -> None:
    for cursor in ("x", "1.0", "1.0 x graph", f"1.0 {'9' * 40} graph"):
        assert "next_cursor" in (await api.get("audit", 400, cursor=cursor))["detail"]


async def test_a_store_that_is_away_is_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise StoreError("the database is away")

    monkeypatch.setattr(api.deps.audit, "_streams", away)
    await api.get("audit", 503)


def test_no_route_makes_up_its_cause() -> None:
    """A change under a bare number would not be audited."""
    routes = Path(any_route.__file__).parent
    made_up = [
        f"{path.name}: {line.strip()}"
        for path in routes.glob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"uuid4\(\)", line) and "TaskId(" not in line
    ]
    assert made_up == [], "take `cause: Cause` (swarm/api/deps.py) as the route's argument"

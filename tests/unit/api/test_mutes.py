"""A person says of a finding that it is known: it stays listed, and says who muted it."""

from typing import Any

import pytest

from swarm.model.findings import Finding, FindingKind
from swarm.model.foreign import ForeignWorker, Presence, Role, SeenBy
from swarm.model.graph import FindingChanged
from tests.unit.alerts.builders import READER, a_finding, closed
from tests.unit.api.conftest import Api

WORKER = ForeignWorker(
    "pf",
    "pool/one",
    Role.WORKER,
    SeenBy.SERVER,
    Presence.SILENT,
    heard_s=100.0,
    started_s=10.0,
    every_s=30.0,
    group="pool pool",
)
OF_SEQUENCING = [
    a_finding(),
    a_finding(kind=FindingKind.HELD, hazard=None),
    a_finding(kind=FindingKind.SLA_AT_RISK, pipelines=(READER,)),
    a_finding(kind=FindingKind.MISSTATED_SLA, pipelines=(READER,)),
]
OF_THE_GRAPH = [
    a_finding(kind=FindingKind.UNDECLARED_DEPENDENCY, hazard=None),
    a_finding(kind=FindingKind.CYCLE, hazard=None),
    a_finding(kind=FindingKind.MISSING_WORKER, hazard=None, worker=WORKER),
]
EACH = pytest.mark.parametrize(
    "finding", OF_SEQUENCING + OF_THE_GRAPH, ids=lambda finding: str(finding.kind)
)


async def write(api: Api, finding: Finding) -> None:
    owner: Any = api.deps.graph if finding in OF_THE_GRAPH else api.deps.sequencer
    await owner.write([FindingChanged(finding)])
    api.see()


async def says(api: Api, finding: Finding, word: str, body: Any, status: int = 204) -> Any:
    answer = await api.http.post(f"findings/{finding.id}/{word}", json={"by": "ann"} | body)
    assert answer.status_code == status, answer.text
    api.see()
    return answer.json() if answer.content else None


async def shown(api: Api) -> Any:
    (row,) = (await api.get("findings"))["items"]
    return row["mute"]


@EACH
async def test_any_finding_can_be_muted_and_told_again(api: Api, finding: Finding) -> None:
    await write(api, finding)
    assert await shown(api) is None
    await says(api, finding, "mute", {"for_s": 60.0, "note": "the move"})
    assert await shown(api) == {"by": "ann", "until_s": 1_060.0, "note": "the move"}
    api.clock.at_s = 1_060.0
    assert await shown(api) is None, "it ends by itself"
    await says(api, finding, "mute", {})
    assert await shown(api) == {"by": "ann", "until_s": None, "note": ""}
    await says(api, finding, "unmute", {})
    assert await shown(api) is None


async def test_it_is_heard_by_who_follows_and_kept_with_who_asked(api: Api) -> None:
    await write(api, OF_THE_GRAPH[0])
    await says(api, OF_THE_GRAPH[0], "mute", {"for_s": 60.0})
    (row,) = (await api.get("audit"))["items"]
    assert row["asked"] == f"POST /findings/{OF_THE_GRAPH[0].id}/mute"
    assert row["types"] == "FindingChanged"


@pytest.mark.parametrize("word", ["mute", "unmute"])
async def test_what_is_not_open_cannot_be_muted(api: Api, word: str) -> None:
    finding = OF_SEQUENCING[0]
    assert "no such finding is open" in (await says(api, finding, word, {}, 404))["detail"]
    await write(api, finding)
    await write(api, closed(finding, 200.0))
    await says(api, finding, word, {}, 404)


@pytest.mark.parametrize("body", [{"for_s": 0}, {"for_s": 1e12}, {"note": "x" * 1_001}])
async def test_how_long_and_why_are_bounded(api: Api, body: Any) -> None:
    await write(api, OF_SEQUENCING[0])
    await says(api, OF_SEQUENCING[0], "mute", body, 422)

"""Names that are a megabyte long are refused, or kept, and nothing breaks."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api

LONG = "a" * 1_000_000


def event(name: str, dataset: str = "dwh.orders") -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-22T10:00:00Z",
        "producer": "test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0188dd2c-9d29-7dd2-b1a3-3c0f0f0f0f0f"},
        "job": {"namespace": "prod", "name": name},
        "outputs": [{"namespace": "warehouse", "name": dataset}],
    }


async def test_a_megabyte_of_a_name_is_refused_or_kept_and_nothing_breaks(api: Api) -> None:
    for told in (event(LONG), event("load", LONG), event(LONG, LONG)):
        answer = await api.http.post("lineage", json=told)
        assert answer.status_code in (201, 400, 413, 422), answer.text[:500]
        assert len(answer.content) < 10_000, "what is refused is not sent back whole"
    pushed = {"orchestrator": "o", "runs": [{"pipeline": LONG, "run_id": "1", "state": "running"}]}
    answer = await api.http.post("push", json=pushed)
    assert answer.status_code == 422
    assert len(answer.content) < 10_000
    api.see()
    for path in ("pipelines", "datasets", "dependencies", "graph", "findings", "healthz"):
        assert (await api.http.get(path)).status_code == 200, path


@pytest.mark.parametrize(
    ("path", "name"), [("impact", "name"), ("upstream", "name"), ("facets", "subject")]
)
async def test_who_asks_for_a_page_of_a_name_is_told_no_in_a_line(
    api: Api, path: str, name: str
) -> None:
    answer = await api.http.get(path, params={name: LONG[:60_000]})  # more no client sends
    assert answer.status_code in (200, 400, 404, 413, 422), answer.text[:500]
    assert len(answer.content) < 10_000

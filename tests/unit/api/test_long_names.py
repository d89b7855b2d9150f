"""Names as the world writes them go in and come back; those of a megabyte are refused in a line."""

from typing import Any

import pytest

from tests.unit.api.conftest import Api

LONG = "a" * 1_000_000
# Right to left, with marks that turn the direction of what stands after them; letters of two and
# four code points; a letter beyond the basic plane; what a page or a shell could take for its own.
NAMES = {
    "hebrew": "\u05d9\u05d9\u05e6\u05d5\u05d0_\u05d4\u05d6\u05de\u05e0\u05d5\u05ea",
    "arabic, turned": "\u202e\u062a\u0642\u0631\u064a\u0631\u202c 2026",
    "emoji": "\U0001f41d\U0001f680",
    "family": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "flag": "\U0001f1ea\U0001f1fa close",
    "accents apart": "re\u0301union",
    "gothic": "\U00010330\U00010331",
    "spaces": "month\u00a0end   close",
    "markup": "<img src=x onerror=alert(1)>",
    "shell": "$(reboot); `x` | [bold]y[/bold]",
    "as long as may be": "n" * 1_990,
}


def event(name: str, *outputs: str, inputs: tuple[str, ...] = ()) -> dict[str, Any]:
    def told(names: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"namespace": "warehouse", "name": one} for one in names]

    return {
        "eventType": "COMPLETE",
        "eventTime": "1970-01-01T00:10:00Z",
        "producer": "test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0188dd2c-9d29-7dd2-b1a3-3c0f0f0f0f0f"},
        "job": {"namespace": "prod", "name": name},
        "outputs": told(outputs),
        "inputs": told(inputs),
    }


@pytest.mark.parametrize("what", NAMES)
async def test_a_name_comes_back_as_it_was_given(api: Api, what: str) -> None:
    name = NAMES[what]
    await api.post("lineage", event(name, name))
    await api.post("lineage", event("reads", inputs=(name,)))
    await api.post("lineage", event("other", inputs=(name,)))
    task = {"orchestrator": "airflow", "pipeline": name, "task": name}
    [dataset] = (await api.get("datasets"))["items"]
    assert dataset["written_by"] == [task]
    assert dataset["dataset"].startswith("warehouse/")
    listed = (await api.get("pipelines"))["items"]
    assert {row["pipeline"] for row in listed} == {name, "reads", "other"}
    drawn = await api.get("graph")
    assert name in drawn["pipelines"]["name"]
    assert (await api.get("impact", name=f"airflow/{name}"))["total"] == 2
    first = await api.get("dependencies", limit=1)
    rest = await api.get("dependencies", limit=1, cursor=first["next_cursor"])
    edges = first["items"] + rest["items"]
    assert [edge["upstream"] for edge in edges] == [task, task]
    body = {key: edges[0][key] for key in ("upstream", "downstream", "dataset")}
    await api.post("dependencies/verdict", body | {"verdict": "rejected", "by": name[:200]})
    assert len((await api.get("dependencies"))["items"]) == 1
    assert (await api.get("findings"))["items"]


async def test_a_megabyte_of_a_name_is_refused_in_a_line(api: Api) -> None:
    for told in (event(LONG, "t"), event(LONG, LONG)):
        answer = await api.http.post("lineage", json=told)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-input")
        assert len(answer.content) < 1_000, "what is refused is not sent back whole"
    await api.post("lineage", event("load", LONG, "t"))
    pushed = {"orchestrator": "o", "runs": [{"pipeline": LONG, "run_id": "1", "state": "running"}]}
    answer = await api.http.post("push", json=pushed)
    assert answer.status_code == 422
    assert len(answer.content) < 1_000
    api.see()
    for path in ("pipelines", "datasets", "dependencies", "graph", "findings", "healthz"):
        answer = await api.http.get(path)
        assert (answer.status_code, len(answer.content) < 10_000) == (200, True), path
    [told] = await api.get("unresolved")
    assert "2,000 characters at most" in told["detail"]


@pytest.mark.parametrize(
    ("path", "name"), [("impact", "name"), ("upstream", "name"), ("facets", "subject")]
)
async def test_who_asks_for_a_page_of_a_name_is_told_no_in_a_line(
    api: Api, path: str, name: str
) -> None:
    answer = await api.http.get(path, params={name: LONG[:60_000]})  # more no client sends
    assert answer.status_code in (200, 400, 404, 413, 422), answer.text[:500]
    assert len(answer.content) < 10_000

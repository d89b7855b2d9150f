"""What is told and may be done where a record of the journal stops its stream."""

from typing import Any

import pytest

from swarm.errors import SafeMode
from swarm.store.trail import Standing
from tests.unit.api.conftest import Api

ASKED = {"stream": "dispatch", "seq": 7, "by": "ann", "reason": "a bug"}


@pytest.fixture
def set_aside(api: Api) -> list[tuple[Any, ...]]:
    done: list[tuple[Any, ...]] = []
    api.deps.standing = lambda: [Standing("dispatch", 7, "Ended cannot be applied")]
    api.deps.quarantine = lambda *asked: done.append(asked)
    return done


async def test_the_status_names_the_record_and_the_way_out(api: Api, set_aside: list[Any]) -> None:
    (row,) = (await api.get("status"))["standing"]
    assert (row["stream"], row["seq"], row["why"]) == ("dispatch", 7, "Ended cannot be applied")
    assert row["fix"] == "swarm quarantine dispatch 7 --by NAME --reason WHY"


async def test_only_what_stops_a_stream_is_set_aside(api: Api, set_aside: list[Any]) -> None:
    for wrong in ({"seq": 8}, {"stream": "graph"}):
        answer = await api.post("quarantine", ASKED | wrong, 409)
        assert "What stands still: dispatch before record 7" in answer["detail"]
    assert "by" in (await api.post("quarantine", ASKED | {"by": ""}, 422))["detail"]
    assert set_aside == []
    await api.post("quarantine", ASKED, 200)
    ((*told, cause),) = set_aside
    assert told == ["dispatch", 7, "ann", "a bug"]
    assert cause.startswith("by:token:POST /quarantine:")


async def test_what_is_refused_meanwhile_says_why(api: Api) -> None:
    async def refuse(*_: object) -> None:
        raise SafeMode("stream dispatch stands still before record 7")

    api.deps.dispatch.submit = refuse  # type: ignore[method-assign]
    answer = await api.post("tasks", {"tasks": [{"argv": ["true"]}]}, 503)
    assert (answer["code"], answer["status"]) == ("safe-mode", 503)
    assert "record 7" in answer["detail"]

"""A file with a token is replaced, and its server takes only the new one from then on: whoever asks
there goes on without a restart."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.config import Source
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.prefect.client import PrefectClient
from swarm.errors import Unauthorized, Unavailable
from swarm.hands.line import HandLine, line_of
from swarm.hands.wire import ANSWERED, Answered
from tests.integration.connectors.proxy import Fault, Proxy


class Guarded(Proxy):
    """Answers whoever has the token of now."""

    token = "old"
    answer = b"{}"

    def take_fault(self, path: str) -> Fault | None:
        told = {name.lower(): value for name, value in self.requests[-1].headers.items()}
        if "csrf" in path:
            return Fault("", 404)
        if told.get("authorization") != f"Bearer {self.token}":
            return Fault("", 401)
        return Fault("", 200, self.answer, {"content-type": "application/json"})

    def admitted(self) -> list[str]:
        return [seen.headers["Authorization"] for seen in self.requests if "csrf" not in seen.path]


@pytest.fixture
def server() -> Iterator[Guarded]:
    with Guarded() as running:
        yield running


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("old")
    return file


def replace(file: Path) -> None:
    file.write_text("new")


def take_away(file: Path) -> None:
    file.unlink()


async def test_dagster_is_asked_with_the_new_one(server: Guarded, token: Path) -> None:
    server.answer = json.dumps({"data": {"version": "1"}}).encode()
    client = DagsterClient(Source(kind="dagster", url=server.url, token_file=str(token)))
    assert await client.ask("{ version }") == {"version": "1"}
    server.token = "new"
    with pytest.raises(Unauthorized):
        await client.ask("{ version }")
    replace(token)
    assert await client.ask("{ version }") == {"version": "1"}
    assert server.admitted() == ["Bearer old", "Bearer old", "Bearer old", "Bearer new"]
    assert server.requests[-1].headers["Dagster-Cloud-Api-Token"] == "new"


async def test_prefect_is_asked_with_the_new_one(
    server: Guarded, token: Path, tmp_path: Path
) -> None:
    source = Source(kind="prefect", url=server.url, token_file=str(token))
    client = PrefectClient(source, tmp_path / "prefect")
    try:
        assert await client.get("/version") == {}
        server.token = "new"
        with pytest.raises(Unauthorized):
            await client.get("/version")
        replace(token)
        assert await client.get("/version") == {}
    finally:
        await client.close()
    assert server.admitted()[-2:] == ["Bearer old", "Bearer new"]


async def test_the_hand_is_told_with_the_new_one(server: Guarded, token: Path) -> None:
    server.answer = ANSWERED.encode(Answered(())).encode()
    line = line_of(
        Source(kind="airflow", name="af", hand_url=server.url, hand_token_file=str(token))
    )
    assert line is not None
    try:
        assert await line.tell([], 0.0) == []
        server.token = "new"
        with pytest.raises(Unauthorized):
            await line.tell([], 0.0)
        replace(token)
        assert await line.tell([], 0.0) == []
        take_away(token)
        with pytest.raises(Unavailable, match="cannot be read"):
            await line.tell([], 0.0)
    finally:
        await line.close()


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://2130706433:80"])
async def test_no_hand_is_where_credentials_are(url: str) -> None:
    line = HandLine(url, lambda: "token")
    try:
        with pytest.raises(Unavailable, match=r"`hand_url`: .* leads to"):
            await line.tell([], 0.0)
    finally:
        await line.close()

"""What was told is told again, until it may be otherwise, and to nobody who may not ask."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import Message, Receive, Scope, Send

from swarm.api import unmoved
from swarm.api.app import create_app
from swarm.api.deps import _who
from swarm.api.read_model import ReadModel
from swarm.api.roles import ROOT
from swarm.api.tags import Tagged
from swarm.api.unmoved import OF_DATA, OF_WORK, Unmoved
from swarm.model.access import Caller, Role
from swarm.model.dispatch import AgentsWanted
from swarm.model.graph import PipelineGone
from swarm.model.journal import Entry, Record
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from tests.unit.api.conftest import Api, client_of

GONE = PipelineGone(PipelineKey("airflow", "a"))
WANTED = AgentsWanted("agents:Reader", 1)
DATA, WORK = f"{ROOT}/pipelines", f"{ROOT}/workers"


def get(path: str, query: str = "", token: str = "token") -> Scope:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    asked = {"path": path, "raw_path": path.encode(), "query_string": query.encode()}
    return {"type": "http", "method": "GET", "headers": headers, "root_path": "", **asked}


@dataclass
class World:
    """An app that counts how often it is asked, behind `Tagged`, over a model and a clock."""

    model: ReadModel = field(default_factory=ReadModel)
    at_s: float = 100.0
    asked: int = 0
    status: int = 200
    size: int = 0
    meanwhile: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.tagged = Tagged(self._answer, Unmoved(lambda: self.model, lambda: self.at_s))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        self.meanwhile()
        body = json.dumps(self.asked).encode() + b" " * self.size
        kind = (b"content-type", b"application/json")
        head = {"type": "http.response.start", "status": self.status, "headers": [kind]}
        await send(head)
        await send({"type": "http.response.body", "body": body})

    def moves(self, record: Record) -> None:
        self.model.follow(self.model.seq + 1, Entry("some", 1, 1.0, "cause", record))

    def gets(self, path: str = DATA, query: str = "") -> int:
        """The number of the asking that the answer is from."""
        told: int = json.loads(at_once(self.tagged, get(path, query))[1]["body"])
        return told


def at_once(app: Any, scope: Scope) -> list[Message]:
    """What the app sends; it must not wait for anything."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing more is to come")

    with pytest.raises(StopIteration):
        app(scope, receive, send).send(None)
    return sent


def test_an_answer_is_sought_once_until_the_log_moves() -> None:
    world = World()
    assert [world.gets(), world.gets()] == [1, 1]
    world.moves(GONE)
    assert [world.gets(), world.gets()] == [2, 2]


def test_what_dispatch_does_moves_only_what_is_told_of_it() -> None:
    world = World()
    assert [world.gets(DATA), world.gets(WORK)] == [1, 2]
    world.moves(WANTED)
    assert [world.gets(DATA), world.gets(WORK)] == [1, 3]
    world.moves(GONE)
    assert [world.gets(DATA), world.gets(WORK)] == [4, 5]


def test_what_moves_while_an_answer_is_sought_makes_it_old() -> None:
    world = World()
    world.meanwhile = lambda: world.moves(GONE)
    assert world.gets() == 1
    world.meanwhile = lambda: None
    assert [world.gets(), world.gets()] == [2, 2]


def test_a_model_that_is_read_anew_moves_the_log() -> None:
    world = World()
    world.gets()
    world.model = ReadModel(seq=7, data_seq=7)
    assert world.gets() == 2


def test_after_a_second_it_is_sought_again() -> None:
    world = World()
    world.gets()
    world.at_s += 0.99
    assert world.gets() == 1
    world.at_s += 0.01
    assert world.gets() == 2


def test_another_question_has_another_answer() -> None:
    world = World()
    asked = [(DATA, ""), (DATA, "limit=1"), (f"{ROOT}/runs", ""), (f"{ROOT}/runs", "limit=1")]
    assert [world.gets(*one) for one in asked] == [1, 2, 3, 4]
    assert [world.gets(*one) for one in asked] == [1, 2, 3, 4]


@pytest.mark.parametrize("path", [f"{ROOT}/tasks/t", f"{ROOT}/keys", f"{ROOT}/readyz"])
def test_all_other_routes_are_asked_each_time(path: str) -> None:
    world = World()
    assert [world.gets(path), world.gets(path)] == [1, 2]


def test_what_is_refused_is_not_kept() -> None:
    world = World(status=404)
    assert [world.gets(), world.gets()] == [1, 2]


def test_the_oldest_are_given_up_where_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmoved, "_KEPT_MAX", 2)
    world = World()
    for query in ("a", "b", "c"):
        world.gets(DATA, query)
    assert [world.gets(DATA, query) for query in ("c", "b", "a")] == [3, 2, 4]


def test_the_oldest_are_given_up_where_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmoved, "_KEPT_MAX_BYTES", 250)
    world = World(size=100)
    for query in ("a", "b", "c"):
        world.gets(DATA, query)
    assert [world.gets(DATA, query) for query in ("c", "b", "a")] == [3, 2, 4]


def test_what_takes_the_place_of_another_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmoved, "_KEPT_MAX_BYTES", 250)
    world = World(size=100)
    world.gets(DATA, "a")
    for _ in range(3):
        world.moves(GONE)
        world.gets(DATA, "b")
    world.moves(WANTED)
    assert world.gets(DATA, "b") == 4


def test_one_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmoved, "_KEPT_MAX_BYTES", 50)
    world = World(size=100)
    assert [world.gets(), world.gets()] == [1, 2]


@pytest.fixture
def paths() -> list[str]:
    queries = dict.fromkeys(("impact", "upstream", "profile"), "name=a")
    return [f"{path}?{queries.get(path.rpartition('/')[2], '')}" for path in OF_DATA | OF_WORK]


async def test_the_second_who_asks_is_answered_without_a_wait(api: Api, paths: list[str]) -> None:
    await api.offer(Pipeline(PipelineKey("airflow", "a")))
    app = create_app(api.deps)
    async with client_of(api.deps, app) as http:
        for path in paths:
            first = await http.get(f"http://swarm{path}")
            assert first.status_code == 200, first.text
            head, body = at_once(app, get(*path.split("?")))
            assert body["body"] == first.content
            assert dict(head["headers"])[b"etag"].decode() == first.headers["etag"]


async def test_a_model_that_is_loaded_anew_knows_where_the_log_stands(api: Api) -> None:
    for name in ("a", "b"):
        await api.offer(Pipeline(PipelineKey("airflow", name)))
        assert (await api.get("pipelines"))["items"][-1]["pipeline"] == name


async def test_who_may_not_ask_is_not_told_what_others_were(api: Api, paths: list[str]) -> None:
    api.deps.tokens = {"agent": Caller("agent", frozenset({Role.AGENT}))}
    await api.offer(Pipeline(PipelineKey("airflow", "a")))
    app = create_app(api.deps)
    async with client_of(api.deps, app) as http:
        for path in paths:
            assert (await http.get(f"http://swarm{path}")).status_code == 200
            for token, status in (("agent", 403), ("nobody", 401)):
                assert at_once(app, get(*path.split("?"), token))[0]["status"] == status


async def test_what_is_kept_does_not_depend_on_who_asks(api: Api) -> None:
    kept = [
        context.original_route
        for context in iter_route_contexts(create_app(api.deps).routes)
        if context.path in OF_DATA | OF_WORK and "GET" in (context.methods or ())
    ]
    assert len(kept) == len(OF_DATA | OF_WORK)
    for route in kept:
        assert isinstance(route, APIRoute)
        assert _who not in set(calls(route.dependant)), route.path
        assert not route.dependant.header_params, route.path
        assert not route.dependant.cookie_params, route.path
        assert route.dependant.request_param_name is None, route.path


def calls(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from calls(one)

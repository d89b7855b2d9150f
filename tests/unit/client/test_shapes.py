"""The types of the client, and which routes it has, held against the API's own description."""

import inspect
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from swarm.api.app import create_app
from swarm.api.news import block
from swarm.api.roles import ROUTES, route_of
from swarm.client import AsyncClient, Client, NewTask, calls
from swarm.client.call import Call, Pages, Request
from swarm.client.hearing import Event
from swarm.config import Settings
from swarm.model.graph import PipelineGone
from swarm.model.journal import Entry
from swarm.model.keys import PipelineKey
from tests.unit.api.conftest import TestClock, local_deps

# What machines say to each other; `swarm.plugins` and `swarm/actors` have lines of their own.
OF_MACHINES = {
    "GET /healthz",
    "GET /tasks/changes",
    "POST /agents/acquire",
    "POST /agents/outputs",
    "POST /agents/tell",
    "POST /beats",
    "POST /tasks/{task}/rearm",
}
BY_STEPS = {"GET /events", "GET /readyz", "POST /tasks"}  # told elsewhere than in `calls`
STEPS = {"events", "ready", "submit", "wait", "wait_all", "follow", "output"}
NOT_CALLS = {"close", "local", "patience", "url"}

MAKERS = [
    function
    for noun in calls.__all__
    for function in vars(getattr(calls, noun)).values()
    if inspect.isfunction(function)
    and function.__module__ == f"swarm.client.calls.{noun}"
    and get_origin(get_type_hints(function).get("return")) in (Call, Pages)
]
ids = [function.__name__ for function in MAKERS]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("api")
    return create_app(local_deps(Settings(state_dir=folder), TestClock())).openapi()


def made(function: Any) -> Call[Any] | Pages[Any]:
    """A call with the first arguments that will do."""
    hints = get_type_hints(function)
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind is not one.VAR_KEYWORD
    ]
    by_name = {one.name: sample(hints[one.name]) for one in needed if one.kind is one.KEYWORD_ONLY}
    return function(
        *(sample(hints[one.name]) for one in needed if one.name not in by_name), **by_name
    )


def sample(kind: Any) -> Any:
    if kind in (int, float, bool):
        return kind(1)
    origin = get_origin(kind)
    if origin is Mapping:
        return {"upstream": {}, "downstream": {}, "dataset": "x"}
    return ["x"] if origin is Sequence else "x"


def request_of(call: Call[Any] | Pages[Any]) -> Request:
    return call.page(None, None).request if isinstance(call, Pages) else call.request


def row_of(function: Any) -> str:
    request = request_of(made(function))
    row = route_of(request.method, f"/api/v1/{request.path}")
    assert row is not None, f"{function.__name__} asks for no route: {request.path}"
    return row


def answer_of(described: Mapping[str, Any], row: str) -> Any:
    """The schema of a good answer; None where it has none."""
    method, _, path = row.partition(" ")
    told = described["paths"]["/api/v1" + path.replace(":path}", "}")][method.lower()]["responses"]
    good = next(told[status] for status in ("200", "201", "204") if status in told)
    return good.get("content", {}).get("application/json", {}).get("schema")


@pytest.mark.parametrize("function", MAKERS, ids=ids)
def test_an_answer_has_the_shape_that_the_api_describes(function, described) -> None:
    row = row_of(function)
    if row == "GET /openapi.json":
        return
    schema = answer_of(described, row)
    returned = get_type_hints(function)["return"]
    (kind,) = get_args(returned)
    if get_origin(returned) is Pages:
        schema = resolved(schema, described)["properties"]["items"]["items"]
    if kind is int:  # where the journal stood
        schema = resolved(schema, described)["properties"]["seq"]
    if kind is type(None):
        assert "properties" not in resolved(schema or {}, described), "an answer is thrown away"
    elif get_origin(kind) is not tuple:
        assert list(unlike(kind, schema, described)) == []


def test_every_route_for_people_and_programs_has_a_method() -> None:
    assert {row_of(function) for function in MAKERS} | BY_STEPS | OF_MACHINES == set(ROUTES)


def test_every_route_in_pages_is_walked(described) -> None:
    paged = {
        row
        for row in {row_of(function) for function in MAKERS} - {"GET /openapi.json"}
        if "next_cursor"
        in resolved(answer_of(described, row) or {}, described).get("properties", {})
    }
    walked = {row_of(f) for f in MAKERS if get_origin(get_type_hints(f)["return"]) is Pages}
    assert walked == paged
    assert len(paged) >= 10


def test_a_task_to_hand_in_has_the_fields_that_the_api_takes(described) -> None:
    schema = described["components"]["schemas"]["TaskBody"]
    assert list(unlike(NewTask, schema, described)) == []


def test_an_event_has_the_fields_that_are_sent() -> None:
    sent = block(3, Entry("graph", 1, 1.0, "cause", PipelineGone(PipelineKey("airflow", "a"))))
    (data,) = (line for line in sent.decode().splitlines() if line.startswith("data: "))
    assert set(json.loads(data.removeprefix("data: "))) == set(Event.__annotations__)


def test_both_clients_do_the_same_by_the_same_names() -> None:
    one, other = ({n for n in dir(kind) if not n.startswith("_")} for kind in (Client, AsyncClient))
    assert one == other == {f.__name__ for f in MAKERS} | STEPS | (NOT_CALLS & one)
    for name in one - {"local", "close"}:
        assert inspect.signature(getattr(Client, name)) == inspect.signature(
            getattr(AsyncClient, name)
        ), name
        assert getattr(Client, name).__doc__, name


def test_a_method_shows_the_parameters_of_its_call() -> None:
    assert list(inspect.signature(Client.hold).parameters) == ["self", "pipeline", "by", "for_s"]
    assert list(inspect.signature(Client.wait).parameters) == ["self", "task", "timeout_s"]
    assert list(inspect.signature(Client.ready).parameters) == ["self"]


class Named(TypedDict):
    name: str


def test_the_check_of_shapes_bites() -> None:
    right = {"name": {"type": "string"}}
    null = {"name": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    for told in ({}, {"name": {"type": "number"}}, null, right | {"more": {"type": "string"}}):
        assert list(unlike(Named, {"properties": told}, {})), told
    assert list(unlike(Named, {"properties": right}, {})) == []
    assert list(unlike(Named, {"anyOf": [{"properties": right}, {"type": "null"}]}, {}))


def resolved(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


PLAIN = {str: "string", float: "number", int: "integer", bool: "boolean"}


def unlike(
    kind: Any, schema: Mapping[str, Any], described: Mapping[str, Any], at: str = ""
) -> Iterator[str]:
    """Where a type and a schema differ."""
    if kind is Any:
        return
    schema = resolved(schema, described)
    options = schema.get("anyOf", [schema])
    is_nullable, takes_none = {"type": "null"} in options, get_origin(kind) is types.UnionType
    if is_nullable != takes_none:
        yield f"{at} may be null" if is_nullable else f"{at} is never null"
    if takes_none:
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    (only,) = (resolved(one, described) for one in options if one != {"type": "null"})
    yield from unlike_one(kind, only, described, at)


def unlike_one(
    kind: Any, schema: Mapping[str, Any], described: Mapping[str, Any], at: str
) -> Iterator[str]:
    if is_typeddict(kind):
        yield from unlike_fields(kind, schema, described, at)
    elif get_origin(kind) is list:
        for one in schema.get("prefixItems") or [schema.get("items", {"type": "no list"})]:
            yield from unlike(get_args(kind)[0], one, described, f"{at}[]")
    elif get_origin(kind) is dict:
        (values,) = schema.get("patternProperties", {}).values() or [
            schema.get("additionalProperties", {"type": "no dictionary"})
        ]
        yield from unlike(get_args(kind)[1], values, described, f"{at}{{}}")
    elif schema.get("type") != PLAIN.get(kind):
        yield f"{at} is {schema.get('type')}, not {kind}"


def unlike_fields(
    kind: Any, schema: Mapping[str, Any], described: Mapping[str, Any], at: str
) -> Iterator[str]:
    hints, told = get_type_hints(kind), schema.get("properties", {})
    for name in sorted(hints.keys() ^ told.keys()):
        yield f"{at}.{name} is only in {'the type' if name in hints else 'the API'}"
    for name in hints.keys() & told.keys():
        yield from unlike(hints[name], told[name], described, f"{at}.{name}")


def test_the_folder_of_calls_holds_no_other_module() -> None:
    (folder,) = calls.__path__
    found = {path.stem for path in Path(folder).glob("*.py")} - {"__init__"}
    assert found == set(calls.__all__)

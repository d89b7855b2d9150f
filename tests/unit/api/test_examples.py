"""The description of the API has an example for whatever is to be sent, and each is right."""

from typing import Any

import jsonschema
import pytest

from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.api.examples import BODIES, PLACES
from swarm.api.roles import ROOT
from swarm.clock import SystemClock
from tests.unit.api.conftest import Api

APP = create_app(Deps("t", None, None, None, None, None, SystemClock()))  # type: ignore[arg-type]
DESCRIBED = APP.openapi()
OPERATIONS = {
    f"{method.upper()} {path.removeprefix(ROOT)}": operation
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
}
TAKE_JSON = {
    name: operation["requestBody"]["content"]["application/json"]
    for name, operation in OPERATIONS.items()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
}


def valid(value: Any, schema: dict[str, Any]) -> None:
    jsonschema.validate(value, {**schema, "components": DESCRIBED["components"]})


def test_it_is_of_a_version_that_tools_read() -> None:
    assert DESCRIBED["openapi"].startswith("3.1.")


def test_no_example_is_of_a_route_that_is_gone() -> None:
    assert BODIES.keys() <= TAKE_JSON.keys()


@pytest.mark.parametrize("name", sorted(TAKE_JSON))
def test_each_body_has_an_example_that_its_schema_takes(name: str) -> None:
    valid(TAKE_JSON[name]["example"], TAKE_JSON[name]["schema"])


def test_each_place_in_a_path_has_one() -> None:
    asked = [
        parameter
        for operation in OPERATIONS.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path"
    ]
    assert {parameter["name"] for parameter in asked} == PLACES.keys()
    for parameter in asked:
        valid(parameter["example"], parameter["schema"])


def test_the_description_is_made_once() -> None:
    assert APP.openapi() is DESCRIBED


async def test_the_description_is_given_as_it_is(api: Api) -> None:
    assert await api.get("openapi.json") == DESCRIBED


async def test_they_are_understood(api: Api) -> None:
    """What a schema cannot say is right, too: none is refused as `invalid-request`."""
    for name, body in BODIES.items():
        method, path = name.split()
        for place, value in PLACES.items():
            path = path.replace(f"{{{place}}}", value)
        answer = await api.http.request(method, path.removeprefix("/"), json=body)
        assert answer.status_code not in (405, 500), (name, answer.text)
        told = answer.json() if answer.content and answer.status_code >= 400 else {}
        assert told.get("code") != "invalid-request", (name, answer.text)

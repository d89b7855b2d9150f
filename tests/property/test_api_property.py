"""Whatever is sent to a route, the answer is no server error, and a good one is as the schema says.

Cases come from the schema by a seed, half of them right and half wrong. `FUZZ_CASES=500` looks
further than the few of each route that every run tries.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, reject, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.api.roles import ROOT
from swarm.clock import SystemClock
from swarm.config import Settings
from tests.unit.api.conftest import TestClock, client_of, local_deps

CASES = int(os.environ.get("FUZZ_CASES", "10"))
KNOWN = {"task": "t", "pipeline": "airflow/a"}
HOSTILE = ["\x00", "\u202e\U0001f600", "\ud7ff", "a" * 3_000, "%2e", "'; DROP TABLE x; --"]


def operations() -> dict[str, Any]:
    """All routes by name; one never ends, and is tested elsewhere."""
    deps = Deps("t", None, None, None, None, None, SystemClock())  # type: ignore[arg-type]
    schema = schemathesis.openapi.from_dict(create_app(deps).openapi())
    found = [result.ok() for result in schema.get_all_operations()]
    named = {f"{one.method.upper()} {one.path.removeprefix(ROOT)}": one for one in found}
    del named["GET /events"]
    return named


OPERATIONS = operations()


class World:
    """An API with a little in it, asked in turn."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._http = client_of(local_deps(Settings(state_dir=folder), TestClock()))
        task = {"id": "t", "argv": ["true"], "wait_for_capacity": True}
        assert (
            self.send("POST", f"http://swarm{ROOT}/tasks", json={"tasks": [task]}).status_code
            == 201
        )

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._http.request(method, path, **more))

    def answer(self, case: Any) -> httpx.Response:
        """What the API says to a case."""
        sent = requests.Request(**case.as_transport_kwargs("http://swarm")).prepare()
        headers = [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in sent.headers.items()
            if name.lower() != "authorization"
        ]
        if "/." in sent.url.partition("?")[0]:
            reject()  # a client takes dots for another path
        try:
            return self.send(sent.method, sent.url, content=sent.body, headers=headers)
        except (httpx.InvalidURL, httpx.LocalProtocolError):
            reject()  # no client could send it

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


@st.composite
def cases(draw: st.DrawFn, operation: Any) -> Any:
    """A case of the schema; where a path has a name, also one that is known or hostile."""
    mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    case = draw(operation.as_strategy(generation_mode=mode))
    for name in case.path_parameters or {}:
        other = draw(st.sampled_from(["", KNOWN.get(name, ""), *HOSTILE]))
        if other:
            case.path_parameters[name] = other
    if "wait_s" in (case.query or {}):
        case.query["wait_s"] = 0  # a test does not wait
    return case


@pytest.mark.parametrize("route", sorted(OPERATIONS))
def test_no_request_is_a_server_error(world: World, route: str) -> None:
    # Not by the decorators: each route is a test of its own, with the same seed on every machine.
    @seed(2026)
    @settings(
        max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(cases(OPERATIONS[route]))
    def ask(case: Any) -> None:
        answer = world.answer(case)
        assert answer.status_code < 500 or route == "GET /readyz", answer.text
        if answer.is_success:
            case.validate_response(answer, checks=[response_schema_conformance])
        elif answer.status_code != 503:
            assert answer.json()["code"], "a refusal is a problem document"

    ask()

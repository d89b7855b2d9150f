"""Every route of the app with every role, held against the table that people read."""

import re
from dataclasses import replace
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.responses import Response

from swarm.api.app import create_app
from swarm.api.doors import Doors
from swarm.api.guard import Guard
from swarm.api.limits import Limits
from swarm.api.roles import ROOT
from swarm.model.access import Caller, Role
from tests.unit.api.conftest import Api

SECURITY = Path(__file__).parents[3] / "SECURITY.md"
BLOCK = re.compile(r"(?<=<!-- routes -->\n).*(?=<!-- /routes -->)", re.DOTALL)
TOKENS = {f"a-{role}": Caller(role, frozenset({role})) for role in Role}


def told() -> dict[str, set[str]]:
    """The roles of each route, as SECURITY.md has them."""
    block = BLOCK.search(SECURITY.read_text())
    assert block is not None
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in block.group().splitlines()
    ]
    return {
        row[0].strip("`"): {role for role, mark in zip(head[1:], row[1:], strict=True) if mark}
        for row in rows
    }


def routes(api: Api) -> set[str]:
    """All that the app answers below the root, pages left out."""
    schema = create_app(api.deps).openapi()["paths"]
    described = {
        f"{method.upper()} {path.removeprefix(ROOT)}"
        for path, methods in schema.items()
        for method in methods
    }
    return described | {"GET /openapi.json"}


def path_of(route: str) -> str:
    return ROOT + re.sub(r"\{\w+(:path)?\}", "some", route.partition(" ")[2])


def named(route: str) -> str:
    return route.replace(":path}", "}")


async def test_every_route_has_its_row(api: Api) -> None:
    rows = {named(route) for route in told()}
    assert rows == routes(api), "give each route its row in swarm/api/roles.py and SECURITY.md"


@pytest.mark.parametrize("role", list(Role))
async def test_a_route_opens_for_its_roles_and_for_no_others(api: Api, role: Role) -> None:
    async def opened(scope, receive, send):
        await Response(status_code=204)(scope, receive, send)

    behind = httpx.ASGITransport(create_app(replace(api.deps, tokens=TOKENS)))
    doors = Doors(TOKENS, api.deps.keyring)
    before = httpx.ASGITransport(Guard(opened, doors, Limits(1_000.0, lambda: 0.0)))
    for route, roles in told().items():
        method, path = route.partition(" ")[0], path_of(route)
        # What is let in is not run: some of it never ends.
        way, wanted = (before, 204) if role in roles else (behind, 403)
        async with httpx.AsyncClient(transport=way, base_url="http://swarm") as http:
            header = {"Authorization": f"Bearer a-{role}"}
            answer = await http.request(method, path, headers=header, json={})
        assert answer.status_code == wanted, (route, role)


async def test_a_route_without_a_row_is_refused_to_all(api: Api) -> None:
    app = create_app(replace(api.deps, tokens=TOKENS))
    app.add_api_route(f"{ROOT}/forgotten", lambda: "open", methods=["GET"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        for token in TOKENS:
            header = {"Authorization": f"Bearer {token}"}
            answer = await http.get(f"{ROOT}/forgotten", headers=header)
            assert answer.status_code == 404, token


@pytest.mark.parametrize(
    ("role", "work", "status"),
    [
        (Role.OPERATOR, {"argv": ["true"]}, 403),
        (Role.OPERATOR, {"call": {"path": "os:system"}}, 403),
        (Role.OPERATOR, {"item": 1, "capability": "pkg:Class", "wait_for_capacity": True}, 201),
        (Role.PLUGIN, {"argv": ["true"], "wait_for_capacity": True}, 201),
        (Role.ADMIN, {"call": {"path": "os:getpid"}, "wait_for_capacity": True}, 201),
    ],
)
async def test_code_comes_in_only_with_a_role_that_may(api: Api, role, work, status) -> None:
    app = create_app(replace(api.deps, tokens=TOKENS))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        header = {"Authorization": f"Bearer a-{role}"}
        mixed = [{"item": 1, "capability": "c", "wait_for_capacity": True}, work]
        answer = await http.post(f"{ROOT}/tasks", json={"tasks": mixed}, headers=header)
    assert answer.status_code == status, answer.text

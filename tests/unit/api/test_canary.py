"""A secret that came in is in no log, no file in the clear, and no answer but its own."""

import logging
from typing import Any

import pytest
import structlog

from swarm.api.roles import ROUTES
from tests.unit.api.conftest import Api

CANARY = "canary-91b7e2"
TASK = {
    "id": "t",
    "argv": ["deploy", "--password", CANARY],
    "env": {"TOKEN": CANARY},
    "files": {"key.pem": CANARY},
    "wait_for_capacity": True,
    "owner": "plug-in",
}
# What is refused quotes what is wrong with it, not what it held.
REFUSED: list[Any] = [
    {"tasks": [TASK | {"unknown": CANARY}]},
    {"tasks": [TASK | {"env": {"TOKEN": [CANARY]}}]},
    {"tasks": [TASK | {"files": {f"../{'x' * 200}": CANARY}}]},
    {"tasks": [TASK | {"team": f"a b {CANARY}"}]},
    {"tasks": [TASK | {"argv": ["another", CANARY]}]},  # the same id with another body
    {"tasks": CANARY},
    [CANARY],
]
_NEVER_ENDS = {"GET /events"}


async def test_a_secret_is_nowhere_but_where_it_was_sent(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        await api.post("tasks", {"tasks": [TASK]})
        answers = [(await api.http.post("tasks", json=body)).text for body in REFUSED]
        key = (await api.post("keys", {"name": "n", "roles": ["plug-in"]}))["key"]
        secret = key.rpartition("_")[2]
        for route in sorted(set(ROUTES) - _NEVER_ENDS):
            method, _, path = route.partition(" ")
            if method == "GET":
                filled = path.replace("{task}", "t").replace("{pipeline:path}", "a/b")
                asked = {"owner": "plug-in", "name": "nobody"}
                answers.append((await api.http.get(filled.lstrip("/"), params=asked)).text)
                header = {
                    "Authorization": f"Bearer {key}0"
                }  # a slip, which is no reason to show it
                answers.append((await api.http.get(filled.lstrip("/"), headers=header)).text)
    told = "\n".join(answers)
    for word in (CANARY, secret, "deploy"):
        assert word not in told + str(logs) + caplog.text
    for path in api.settings.state_dir.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert CANARY.encode() not in held, path
            assert secret.encode() not in held, path

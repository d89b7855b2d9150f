"""Which role may use which route. What is not in this table is refused, for everybody.

Who can hand in a program runs code on the workers, so a key that lies in an orchestrator's
environment to send its events should not be able to.
"""

import re
from collections.abc import Mapping, Set

from starlette.routing import compile_path

from swarm.model.access import Role

_ADMIN = frozenset({Role.ADMIN})
_DECIDE = _ADMIN | {Role.OPERATOR}
_LOOK = _DECIDE | {Role.VIEWER}
_TELL = _ADMIN | {Role.WORKER}
_HOST = _ADMIN | {Role.AGENT}
_OWN = _ADMIN | {Role.PLUGIN}
_ALL = frozenset(Role)

ROOT = "/api/v1"
ROUTES: Mapping[str, frozenset[Role]] = {
    "GET /openapi.json": _ALL,
    "GET /healthz": _ALL,
    "GET /readyz": _ALL,
    "GET /status": _LOOK,
    "GET /unresolved": _LOOK,
    "POST /quarantine": _ADMIN,
    "GET /audit": _ADMIN,
    "GET /audit/verify": _ADMIN,
    "GET /keys": _ADMIN,
    "POST /keys": _ADMIN,
    "POST /keys/{key}/rotate": _ADMIN,
    "POST /keys/{key}/revoke": _ADMIN,
    "GET /pipelines": _LOOK,
    "GET /datasets": _LOOK,
    "GET /dependencies": _LOOK,
    "GET /graph": _LOOK,
    "GET /dependencies/diff": _LOOK,
    "GET /dependencies/between": _LOOK,
    "GET /dependencies/explain": _LOOK,
    "POST /dependencies/verdict": _DECIDE,
    "GET /impact": _LOOK,
    "GET /upstream": _LOOK,
    "GET /questions": _LOOK,
    "GET /findings": _LOOK,
    "GET /findings/score": _LOOK,
    "POST /findings/{finding}/feedback": _DECIDE,
    "POST /findings/{finding}/mute": _DECIDE,
    "POST /findings/{finding}/unmute": _DECIDE,
    "GET /facets": _LOOK,
    "GET /columns": _LOOK,
    "POST /lineage": _TELL | _OWN,
    "POST /push": _TELL | _OWN,
    "GET /foreign-workers": _LOOK,
    "POST /beats": _TELL,
    "GET /tasks/changes": _LOOK | _OWN,
    "POST /tasks/{task}/rearm": _OWN,
    "POST /tasks": _DECIDE | _OWN,  # a program or a function only for who may inline
    "GET /tasks": _LOOK,
    "GET /tasks/{task}": _LOOK | _OWN,
    "GET /tasks/{task}/explain": _LOOK | _OWN,
    "GET /tasks/{task}/output": _LOOK | _OWN,
    "POST /tasks/{task}/cancel": _DECIDE | _OWN,
    "GET /workers": _LOOK,
    "GET /losses": _LOOK,
    "POST /workers/{worker}/drain": _DECIDE,
    "POST /agents": _ADMIN,  # names a class to import
    "POST /agents/tell": _HOST,
    "POST /agents/acquire": _HOST,
    "POST /agents/outputs": _HOST,
    "GET /slas": _LOOK,
    "GET /slas/score": _LOOK,
    "GET /slas/offered": _LOOK,
    "POST /slas": _DECIDE,
    "POST /slas/decline": _DECIDE,
    "GET /decisions": _LOOK,
    "GET /decisions/waited": _LOOK,
    "GET /holds/{pipeline:path}": _LOOK | _TELL | _OWN,
    "POST /decisions/hold": _DECIDE,
    "POST /decisions/release": _DECIDE,
    "POST /simulate": _LOOK,
    "GET /durations": _LOOK,
    "GET /links": _LOOK,
    "POST /links": _DECIDE,
    "POST /links/remove": _DECIDE,
    "GET /replay": _LOOK,
    "GET /runs": _LOOK,
    "GET /profile": _LOOK,
    "GET /ahead": _LOOK,
    "GET /plan": _LOOK,
    "GET /scale": _LOOK,
    "GET /cost": _LOOK,
    "GET /cost/minutes": _LOOK,
    "GET /events": _LOOK,
}
# What the pass of a grant opens to the program of a task; of tasks, its own alone.
OF_PASSES = frozenset(
    {
        "GET /openapi.json",
        "GET /healthz",
        "GET /readyz",
        "POST /lineage",
        "GET /holds/{pipeline:path}",
        "GET /tasks/{task}",
        "GET /tasks/{task}/explain",
        "GET /tasks/{task}/output",
    }
)
# What a machine tells of itself, time and again: it is in the journal with who told it, as long as
# the journal keeps it, and not audited besides.
_TELLING = frozenset(
    {
        "POST /lineage",
        "POST /push",
        "POST /beats",
        "POST /agents/tell",
        "POST /agents/acquire",
        "POST /agents/outputs",
    }
)


def _matcher(route: str) -> tuple[str, re.Pattern[str]]:
    method, _, path = route.partition(" ")
    return method, compile_path(ROOT + path)[0]


_PATTERNS = {route: _matcher(route) for route in ROUTES if "{" in route}


def route_of(method: str, path: str) -> str | None:
    """The row that a request falls under; None where it has none."""
    exact = f"{method} {path.removeprefix(ROOT)}"
    if path.startswith(ROOT) and exact in ROUTES and exact not in _PATTERNS:
        return exact
    for route, (wanted, pattern) in _PATTERNS.items():
        if wanted == method and pattern.fullmatch(path):
            return route
    return None


def is_own(route: str, path: str, task: str) -> bool:
    """Whether the pass of a grant of `task` opens that row for that path."""
    named = _PATTERNS[route][1].fullmatch(path) if "{task}" in route else None
    return route in OF_PASSES and (named is None or named["task"] == task)


def is_telling(method: str, path: str) -> bool:
    """Whether a request (its path without the root) asks for no change."""
    return method == "GET" or f"{method} {path}" in _TELLING


def methods_of(path: str) -> Set[str]:
    """By which methods there is a row for that path."""
    methods = {route.partition(" ")[0] for route in ROUTES}
    return {method for method in methods if route_of(method, path) is not None}

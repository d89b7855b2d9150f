"""What every request passes before a route sees it: who asks, whether their roles let them, and a
bound on its body (`bodies.py`).
The files of the dashboard are open: they hold no data.

A plain ASGI middleware, so that a body is refused while it arrives and not after it is in memory.
"""

import math
from collections.abc import Iterable, Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm.api.bodies import (
    Broken,
    Pace,
    TooLarge,
    TooSlow,
    encoding,
    is_announced,
    read,
    refusal,
)
from swarm.api.doors import Doors
from swarm.api.keyring import NotAdmitted
from swarm.api.limits import Limits
from swarm.api.pages import is_page
from swarm.api.problems import of_error, problem
from swarm.api.roles import OF_PASSES, ROUTES, is_own, methods_of, route_of
from swarm.errors import StoreError, Unavailable
from swarm.model.access import Caller, Role

CALLER = "swarm.caller"  # where in a request's scope its `Caller` is


class Guard:
    """Refuses requests without a bearer token (401), for routes that the table of roles does not
    know (404, 405) or not give them (403), more than the limits let in (429), and bodies over
    theirs (413) or that take too long to arrive (408)."""

    def __init__(
        self, app: ASGIApp, doors: Doors, limits: Limits, pace: Pace | None = None
    ) -> None:
        self._app = app
        self._doors = doors
        self._limits = limits
        self._pace = pace or Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_page(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refusal = await self._admit(scope, headers.get(b"authorization", b""))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        body = await self._body(scope["method"], headers, receive)
        if isinstance(body, JSONResponse):
            await body(scope, receive, send)
            return
        await self._app(scope, Replay(body, receive), send)

    async def _body(
        self, method: str, headers: Mapping[bytes, bytes], receive: Receive
    ) -> bytes | JSONResponse:
        """The body of a request, or what is wrong with it."""
        if encoding(headers) not in {"identity", "gzip"}:
            return problem(415, "encoding", "Content-Encoding has to be gzip or none.")
        if method == "GET" and not is_announced(headers):
            return b""  # Serve asks its proxy for each body: that takes longer than most answers
        try:
            return await read(receive, headers, self._pace)
        except TooLarge:
            return refusal()
        except TooSlow:
            detail = (
                f"No part of the body came for {self._pace.piece_s:g} s, or not all of it in "
                f"{self._pace.whole_s:g} s."
            )
            return problem(408, "too-slow", detail)
        except Broken as error:
            return problem(400, "bad-input", f"The body cannot be read: {error}.")

    async def _admit(self, scope: Scope, authorization: bytes) -> JSONResponse | None:
        """None for who may come in, and is then in the scope."""
        try:
            caller = await self._doors.caller(authorization)
        except NotAdmitted as error:
            wait_s = self._limits.strangers.take((scope.get("client") or ("",))[0])
            return _later(wait_s) if wait_s else problem(401, error.code, str(error))
        except (StoreError, Unavailable) as error:
            return of_error(error)
        wait_s = self._limits.callers.take(caller.name)
        if wait_s:
            return _later(wait_s)
        scope[CALLER] = caller
        return _refusal(scope["method"], scope["path"], caller)


def _refusal(method: str, path: str, caller: Caller) -> JSONResponse | None:
    route = route_of(method, path)
    if route is None:
        return _no_route(method, path)
    if caller.task is not None:
        if is_own(route, path, caller.task):
            return None
        may = ", ".join(f"`{one}`" for one in sorted(OF_PASSES))
        detail = f"The token of task {caller.task} opens {may}; of tasks only its own."
        return problem(403, "forbidden", detail)
    if caller.roles & ROUTES[route]:
        return None
    have, want = _listed(caller.roles), _listed(ROUTES[route])
    detail = f"This token has the role {have}; `{route}` takes one of: {want}."
    return problem(403, "forbidden", detail)


def _no_route(method: str, path: str) -> JSONResponse:
    allowed = ", ".join(sorted(methods_of(path)))
    if not allowed:
        detail = "There is no such route; /api/v1/openapi.json lists them."
        return problem(404, "unknown-route", detail)
    answer = problem(405, "method", f"This route takes {allowed}, not {method[:20]}.")
    answer.headers["Allow"] = allowed
    return answer


def _later(wait_s: float) -> JSONResponse:
    again_s = math.ceil(wait_s)
    answer = problem(429, "rate-limited", f"Too many requests: send it again in {again_s} s.")
    answer.headers["Retry-After"] = str(again_s)
    return answer


def _listed(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(roles)) or "nobody gave"


class Replay:
    """Hands the body on in one piece, then whatever comes after it (a disconnect)."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

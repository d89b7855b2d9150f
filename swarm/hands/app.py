"""The hand over HTTP: one address, for who has its token.

`PUT /api/v1/intents` takes what is wanted now and answers how far each has come; what is left out
of it is not ended, only not renewed. `GET` answers everything that the hand remembers.
"""

import secrets
from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from swarm.hands.hand import Hand
from swarm.hands.wire import ANSWERED, PATH, REMEMBERED, WANTED, Answered, Remembered

_BODY_MAX_BYTES = 4_000_000
_WAIT_S = 2.0  # for what is carried out at once


def create_app(hand: Hand, token: Callable[[], str], orchestrator: str) -> Starlette:
    """The app of a hand for the pipelines of `orchestrator`, for who has what `token` says then."""

    async def put(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_MAX_BYTES:
                return _problem(413, f"The body may have {_BODY_MAX_BYTES} bytes at most.")
        try:
            wanted = WANTED.decode(bytes(body))
        except ValidationError as error:
            return _problem(400, f"The body is not what a hand is told: {error}"[:2000])
        if others := {i.target.orchestrator for i in wanted.intents} - {orchestrator}:
            return _problem(409, f"This is the hand of {orchestrator}, not of {sorted(others)}.")
        answers = await hand.take(wanted.intents, wanted.told_s, _WAIT_S)
        return _json(ANSWERED.encode(Answered(tuple(answers))))

    async def get(request: Request) -> Response:
        return _json(REMEMBERED.encode(Remembered(tuple(hand.copies))))

    def guarded(
        route: Callable[[Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            told = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(told.encode(), token().encode()):
                return _problem(401, "Send `Authorization: Bearer TOKEN`, the hand's token.")
            return await route(request)

        return answer

    routes = [
        Route(PATH, guarded(put), methods=["PUT"]),
        Route(PATH, guarded(get), methods=["GET"]),
    ]
    return Starlette(routes=routes)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _problem(status: int, detail: str) -> Response:
    return JSONResponse(
        {"title": "refused", "status": status, "detail": detail},
        status,
        media_type="application/problem+json",
    )

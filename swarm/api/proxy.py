"""What the proxy of Ray Serve does before a replica is asked, and where none answers.

Serve hands the whole of a body to a replica as it comes, whether that reads it or not; so the bound
on bodies has to stand in the proxy, in front of the guard's own. And where a replica dies under a
request, the proxy says nothing at all, and its server makes that a 500: here it becomes what it is,
something that may be sent again.

Serve finds `middlewares` by `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH` (`bootstrap/`); a Serve
that others have started does not, and has the guard's bound alone.
"""

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm.api.bodies import BODY_MAX_BYTES, TooSlow, declared, drop, is_asked_for, refusal
from swarm.api.problems import problem


def middlewares() -> list[Middleware]:
    """What stands before Serve, outermost first."""
    return [Middleware(Porch)]


class Porch:
    """Refuses bodies that are too large without handing them on, and answers for who died."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if declared(headers) > BODY_MAX_BYTES:
            if not is_asked_for(headers):
                await _dropped(receive)
            await refusal()(scope, receive, send)
            return
        passed = _Passed(receive, send)
        await self._app(scope, passed.receive, passed.send)
        if passed.too_large and not passed.answered:
            await _dropped(receive)
            await refusal()(scope, receive, send)
        elif not passed.answered and not passed.left:
            detail = "What was to answer ended before it could; what you asked for may be done."
            await problem(503, "interrupted", detail)(scope, receive, send)


class _Passed:
    """A request on its way to a replica, and the answer on its way back."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._taken = 0
        self.too_large = self.answered = self.left = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > BODY_MAX_BYTES:
            self.too_large = True
            return {"type": "http.disconnect"}
        self.left = self.left or message["type"] == "http.disconnect"
        return message

    async def send(self, message: Message) -> None:
        if self.too_large and not self.answered:
            return  # what a replica makes of half a body
        self.answered = True
        await self._send(message)


async def _dropped(receive: Receive) -> None:
    try:
        await drop(receive)
    except TooSlow:
        return  # it is answered all the same

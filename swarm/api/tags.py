"""ETags: an answer that is as it was is not sent again (RFC 9110, 8.8.3 and 13.1.2).

The tag is a digest of the answer's text, so it is the same in all replicas and after a restart.
"""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm.api.pages import is_page

_DIGEST_BYTES = 16


class Tagged:
    """Gives every answer to a `GET` that is one piece of JSON its tag, and says 304 in its place
    where the client's `If-None-Match` names it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or is_page("GET", scope["path"]):
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        await self._app(scope, receive, _Answer(known, send))


class _Answer:
    """Holds the head of an answer back until the body is there."""

    def __init__(self, known: str, send: Send) -> None:
        self._known = known
        self._send = send
        self._head: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _may_be_tagged(message):
            self._head = message
            return
        head, self._head = self._head, None
        if head is None:
            await self._send(message)
            return
        if message.get("more_body", False):  # it is sent as it is made
            await self._send(head)
            await self._send(message)
            return
        body = message.get("body", b"")
        tag = f'"{hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()}"'
        headers = MutableHeaders(raw=head["headers"])
        headers["ETag"] = tag
        headers["Cache-Control"] = "private, no-cache"  # ask each time; the tag answers
        if tag in self._known:
            del headers["content-length"], headers["content-type"]
            head, message = {**head, "status": 304}, {**message, "body": b""}
        await self._send(head)
        await self._send(message)


def _may_be_tagged(head: Message) -> bool:
    kind = Headers(raw=head["headers"]).get("content-type", "")
    return head["status"] == 200 and kind.startswith("application/json")

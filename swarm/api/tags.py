"""ETags: an answer that is as it was is not sent again (RFC 9110, 8.8.3 and 13.1.2).

The tag is a digest of the answer's text, so it is the same in all replicas and after a restart.
"""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm.api.pages import is_page
from swarm.api.unmoved import Answer, Place, Unmoved

_DIGEST_BYTES = 16


class Tagged:
    """Gives every answer to a `GET` that is one piece of JSON its tag, and says 304 in its place
    where the client's `If-None-Match` names it. What is in `unmoved` is not sought again."""

    def __init__(self, app: ASGIApp, unmoved: Unmoved) -> None:
        self._app = app
        self._unmoved = unmoved

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or is_page("GET", scope["path"]):
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        place = self._unmoved.place(scope)
        answer = self._unmoved.find(place) if place is not None else None
        if answer is not None:
            await answer.send(known, send)
        else:
            await self._app(scope, receive, _Tagging(self._unmoved, place, known, send))


class _Tagging:
    """Holds the head of an answer back until the body is there."""

    def __init__(self, unmoved: Unmoved, place: Place | None, known: str, send: Send) -> None:
        self._unmoved = unmoved
        self._place = place
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
        answer = _tagged(head, message.get("body", b""))
        if self._place is not None:
            self._unmoved.keep(self._place, answer)
        await answer.send(self._known, self._send)


def _tagged(head: Message, body: bytes) -> Answer:
    tag = f'"{hashlib.blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()}"'
    headers = MutableHeaders(raw=head["headers"])
    headers["ETag"] = tag
    headers["Cache-Control"] = "private, no-cache"  # ask each time; the tag answers
    return Answer(tuple(head["headers"]), body, tag)


def _may_be_tagged(head: Message) -> bool:
    kind = Headers(raw=head["headers"]).get("content-type", "")
    return head["status"] == 200 and kind.startswith("application/json")

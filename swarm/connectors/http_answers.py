"""What an HTTP answer of an orchestrator means: a payload, or which of our errors.

Shared by the connectors, whatever HTTP library each of them uses.
"""

import json
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any

from swarm.errors import MalformedResponse, Unauthorized, Unavailable

MAX_RESPONSE_BYTES = 20_000_000
_EXCERPT_BYTES = 120


class Busy(Unavailable):
    """The server asks for fewer requests (429); `retry_after_s` is how long it wants to rest."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotFound(MalformedResponse):
    """The server has nothing at this address (404): the thing is gone, or the URL is wrong."""


class Contradicts(MalformedResponse):
    """What was sent contradicts what is there (409), such as a second thing of one key."""


class TooLarge(MalformedResponse):
    """The answer is over `MAX_RESPONSE_BYTES`; what was asked for may be asked in parts."""


class Forbidden(Unauthorized):
    """The server knows us and does not let us read this one thing (403)."""


def check_status(url: str, status: int, retry_after: str = "", body: bytes = b"") -> None:
    """Return when `status` is a success, raise the error that it means otherwise.

    `body` may be the beginning of what came, `retry_after` the header of that name.
    """
    if 200 <= status < 300:
        return
    said = f"{url} answered {status}: {_excerpt(body)}"
    if status == 401:
        raise Unauthorized(f"{said}. Check the token or the user and password of this source.")
    if status == 403:
        raise Forbidden(
            f"{said}. Check the token, or give the account of this source the permission to read."
        )
    if status == 404:
        raise NotFound(f"{said}. Check the URL of this source.")
    if status == 409:
        raise Contradicts(said)
    if status == 429:
        raise Busy(said, float(retry_after) if retry_after.isdigit() else 1.0)
    if status >= 500:
        raise Unavailable(said)
    if 300 <= status < 400:
        raise MalformedResponse(f"{said}. Redirects are not followed; check the URL.")
    raise MalformedResponse(said)


def date_s(header: str) -> float | None:
    """The server's clock by the `Date` of its answer, in seconds since the epoch."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return None


def read_capped(url: str, chunks: Iterable[bytes]) -> bytes:
    """Join the chunks of an answer; refuse one that is over `MAX_RESPONSE_BYTES`."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_RESPONSE_BYTES:
            raise TooLarge(
                f"{url} answered more than {MAX_RESPONSE_BYTES} bytes; the rest was not read."
            )
        parts.append(chunk)
    return b"".join(parts)


def parse_object(url: str, body: bytes) -> dict[str, Any]:
    """Read the JSON object that `url` answered."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise MalformedResponse(
            f"{url} should answer a JSON object; it answered: {_excerpt(body)}. Check the URL."
        )
    return payload


def _excerpt(body: bytes) -> str:
    text = " ".join(body[:_EXCERPT_BYTES].decode("utf-8", "replace").split())
    return (text + "..." if len(body) > _EXCERPT_BYTES else text) or "(nothing)"

"""What both clients say and understand over HTTP."""

import re
from math import inf
from typing import Any

import httpx2 as httpx

from swarm.client.call import Answer
from swarm.client.errors import Unauthorized, Unreachable
from swarm.client.steps import Broken

# A stream of events gives a sign of life each 15 s: one that is quiet for longer has broken.
_QUIET_S = 45.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TOKEN = re.compile(r"[!-~]+")


def root(url: str, token: str, timeout_s: float) -> dict[str, Any]:
    """How a client of httpx is set up for the API of the swarm at `url`. Raises `Unreachable` where
    that is no URL of one, and `Unauthorized` for a token that no header takes: whoever refused it
    would show it."""
    _check(url)
    if not _TOKEN.fullmatch(token):
        detail = "There is no token." if not token else "The token is not one line of ASCII."
        raise Unauthorized(401, "unauthorized", detail, "Give the one that `swarm up` printed.")
    return {
        "base_url": f"{url}/api/v1/",
        "headers": {"Authorization": f"Bearer {token}"},
        "timeout": timeout_s,
    }


def _check(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise Unreachable(f"`{url}` is no URL of a swarm: begin it with http:// or https://.")
    try:
        userinfo = httpx.URL(url).userinfo
    except httpx.InvalidURL as error:
        raise Unreachable(f"`{url}` is no URL of a swarm: {error}.") from None
    if userinfo:  # it would be sent in place of the token, and shown in each error
        raise Unreachable("The URL of a swarm holds no name and no password: give a token.")


def listening(timeout_s: float) -> httpx.Timeout:
    """How long a stream of events may take to begin, and be quiet."""
    return httpx.Timeout(timeout_s, read=max(timeout_s, _QUIET_S))


def within(most_s: float, usual: httpx.Timeout) -> httpx.Timeout:
    """As usual, but each part of it in `most_s` at most."""
    if most_s == inf:
        return usual
    return httpx.Timeout(
        **{of: min(most_s, inf if s is None else s) for of, s in usual.as_dict().items()}
    )


def answered(response: httpx.Response) -> Answer:
    """An answer whose content is there."""
    return Answer(response.status_code, _headers(response), response.content)


def headed(response: httpx.Response) -> Answer:
    """An answer whose content is still to come."""
    return Answer(response.status_code, _headers(response), b"")


def broken(url: str, error: httpx.RequestError) -> Broken:
    """What became of a request without an answer."""
    return Broken(f"{url} does not answer: {_words(error)}", not isinstance(error, _NEVER_SENT))


def broken_stream(url: str, error: httpx.RequestError) -> Broken:
    """What became of a stream that did not end by itself."""
    return Broken(f"{url} broke off: {_words(error)}", True)


def _words(error: httpx.RequestError) -> str:
    return str(error) or type(error).__name__


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}

"""The body of a request as it arrives: bounded in size and in time, before anything is made of it.

Rules
1. It is too large by its `Content-Length`, else at the first byte that is too much; packed bodies
   count by what comes out. What has come of it by then is dropped.
2. What still comes of one that is too large is thrown away as it comes, and answered after that:
   who closes a connection on which more arrives resets it, and the client never reads why. Who
   asked first whether to send it (`Expect`) is answered at once.
3. A client may be slow, but not for ever: between two pieces, and in all.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.responses import JSONResponse
from starlette.types import Receive

from swarm.api.problems import problem

BODY_MAX_BYTES = 10_000_000  # after decompression
_DROPPED_MAX_BYTES = 100_000_000  # of one that is too large; then it is cut off


class TooLarge(Exception):
    """It is larger than may be."""


class TooSlow(Exception):
    """It did not come in time."""


class Broken(Exception):
    """It is not packed as it says, or ended before its end; the message says which."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a client may take: from one piece to the next, and for all."""

    piece_s: float = 20.0
    whole_s: float = 120.0


async def read(receive: Receive, headers: Mapping[bytes, bytes], pace: Pace) -> bytes:
    """The whole body, unpacked where `headers` say that it is gzip. Raises `TooLarge`, `TooSlow`
    and `Broken`."""
    pieces = _pieces(receive, pace)
    try:
        async with asyncio.timeout(pace.whole_s):
            if declared(headers) > BODY_MAX_BYTES:
                if not is_asked_for(headers):
                    await _drop(pieces)
                raise TooLarge
            inflate = _inflater(headers)
            body = bytearray()
            async for piece in pieces:
                room = BODY_MAX_BYTES + 1 - len(body)
                body += inflate.decompress(piece, room) if inflate is not None else piece[:room]
                if len(body) > BODY_MAX_BYTES or (inflate is not None and inflate.unconsumed_tail):
                    body.clear()
                    await _drop(pieces)
                    raise TooLarge
    except TimeoutError:
        raise TooSlow from None
    except zlib.error as error:
        raise Broken(f"it is not gzip: {error}") from None
    if inflate is not None and not inflate.eof:
        raise Broken("it is not gzip: it ends too early")
    return bytes(body)


async def _pieces(receive: Receive, pace: Pace) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(pace.piece_s):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise Broken("it ended before its end")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _drop(pieces: AsyncIterator[bytes]) -> None:
    left = _DROPPED_MAX_BYTES
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            return


async def drop(receive: Receive, pace: Pace | None = None) -> None:
    """Throw away what comes. Raises `TooSlow`."""
    pace = pace or Pace()
    try:
        async with asyncio.timeout(pace.whole_s):
            await _drop(_pieces(receive, pace))
    except TimeoutError:
        raise TooSlow from None
    except Broken:
        return


def refusal() -> JSONResponse:
    """The answer to one that is too large."""
    detail = f"The body may have {BODY_MAX_BYTES} bytes at most; send it in parts."
    return problem(413, "too-large", detail)


def is_asked_for(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client waits to hear that it may send the body."""
    return headers.get(b"expect", b"").lower() == b"100-continue"


def is_announced(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a body may come: without either header there is none (RFC 9112, 6.3)."""
    return b"content-length" in headers or b"transfer-encoding" in headers


def declared(headers: Mapping[bytes, bytes]) -> int:
    """How long a body says it is, in bytes; 0 where it does not say."""
    said = headers.get(b"content-length", b"")
    return int(said) if said.isdigit() else 0


def _inflater(headers: Mapping[bytes, bytes]) -> "zlib._Decompress | None":
    return zlib.decompressobj(wbits=31) if encoding(headers) == "gzip" else None


def encoding(headers: Mapping[bytes, bytes]) -> str:
    """How the body is packed; `identity` where it is not."""
    return headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()

"""Answers as they were given, tag and all, for as long as they would be the same.

Pages that are left open ask for the same, all of them when the log moves; what one was told is sent
to the others as it is. An answer from here waits for nothing: Serve asks its proxy what else comes
of a request whose answer waits for anything, and that takes longer than most answers.

Rules
1. Only what everybody is told alike and what follows from the log: the routes below. The guard
   stands before them: who may not ask is not told.
2. An answer is good until the log moves; the records of dispatch, which come most often, move only
   what is told of them. What moves while an answer is sought makes it old.
3. It is good for a second at most: a hold ends without a record, and a store may be away.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import Scope, Send

from swarm.api.read_model import ReadModel
from swarm.api.roles import ROOT

_FRESH_S = 1.0
_KEPT_MAX = 1_000
_KEPT_MAX_BYTES = 20_000_000
# What the records of dispatch move, too, and what all others alone do.
OF_WORK = frozenset(f"{ROOT}/{name}" for name in ("status", "workers", "tasks", "losses"))
OF_DATA = frozenset(
    f"{ROOT}/{name}"
    for name in (
        "pipelines",
        "datasets",
        "dependencies",
        "graph",
        "impact",
        "upstream",
        "findings",
        "slas",
        "decisions",
        "decisions/waited",
        "runs",
        "profile",
        "foreign-workers",
        "scale",
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with its tag, which is among its headers."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    tag: str

    async def send(self, known: str, send: Send) -> None:
        """Send it; only that it is as it was, where the tags of `known` name it."""
        status, headers, body = 200, list(self.headers), self.body
        if self.tag in known:
            of_body = (b"content-length", b"content-type")
            status, body = 304, b""
            headers = [one for one in headers if one[0] not in of_body]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Place(NamedTuple):
    """What is asked, and where the log stood then."""

    asked: tuple[str, bytes]
    seq: int


@dataclass(frozen=True, slots=True)
class _Kept:
    seq: int
    until_s: float
    answer: Answer


class Unmoved:
    """The answers that are kept, each the newest to what was asked."""

    def __init__(self, model: Callable[[], ReadModel], monotonic_s: Callable[[], float]) -> None:
        self._model = model
        self._monotonic_s = monotonic_s
        self._kept: dict[tuple[str, bytes], _Kept] = {}
        self._bytes = 0  # of the bodies in `_kept`

    def place(self, scope: Scope) -> Place | None:
        """Where the answer to a `GET` may be found now; None where none is kept."""
        path = scope["path"]
        if path in OF_DATA:
            seq = self._model().data_seq
        elif path in OF_WORK:
            seq = self._model().seq
        else:
            return None
        return Place((path, scope["query_string"]), seq)

    def find(self, place: Place) -> Answer | None:
        """The answer that still holds there."""
        kept = self._kept.get(place.asked)
        if kept is None or kept.seq != place.seq or self._monotonic_s() >= kept.until_s:
            return None
        return kept.answer

    def keep(self, place: Place, answer: Answer) -> None:
        """Keep what was sought from `place` on; where there are too many the oldest go."""
        until_s = self._monotonic_s() + _FRESH_S
        self._give_up(place.asked)
        self._kept[place.asked] = _Kept(place.seq, until_s, answer)
        self._bytes += len(answer.body)
        while len(self._kept) > _KEPT_MAX or self._bytes > _KEPT_MAX_BYTES:
            self._give_up(next(iter(self._kept)))

    def _give_up(self, asked: tuple[str, bytes]) -> None:
        if (kept := self._kept.pop(asked, None)) is not None:
            self._bytes -= len(kept.answer.body)

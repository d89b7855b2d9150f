"""What happens, heard as it happens: server-sent events (HTML standard, 9.2), across cuts.

Rules:
1. The place is the id of the last block that came whole; what broke off in the middle is heard
   again, and nothing twice.
2. Where a stream ends or breaks off, the next begins after that place. Patience begins anew with
   each stream that told anything.
3. Where what follows is no longer kept, `Gone` is raised: nothing is left out silently.
"""

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

from swarm.client.call import Answer, Request
from swarm.client.errors import Gone
from swarm.client.steps import (
    Broken,
    Effect,
    Given,
    Listen,
    Now,
    Parts,
    Patience,
    Pause,
    Take,
    failure,
    wait_after,
)

_LINE = re.compile(rb"\r\n|\n|\r(?!\Z)")  # a \r at the end may be half of \r\n
_AGAIN = frozenset({429, 502, 503, 504})


class Event(TypedDict):
    """Something that happened: its number in the log, when, of what `kind`, to whom, in a line."""

    seq: int
    at_s: float
    kind: str
    what: str
    about: list[str]
    text: str


class Blocks:
    """The blocks of one stream; `place` is the id of the last that was whole."""

    def __init__(self, place: str | None) -> None:
        self.place = place
        self.retry_s: float | None = None
        self._rest = b""
        self._begin()

    def _begin(self) -> None:
        self._id = self.place
        self._event, self._data = "", list[str]()

    def feed(self, chunk: bytes) -> Iterator[tuple[str, str]]:
        """Name and data of the blocks that `chunk` completes; those without data are none."""
        *lines, self._rest = _LINE.split(self._rest + chunk)
        for line in lines:
            if line:
                self._field(line.decode(errors="replace"))
                continue
            event, data, self.place = self._event, "\n".join(self._data), self._id
            told = bool(self._data)
            self._begin()
            if told:
                yield event, data

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")  # of a comment, a sign of life, the name is empty
        value = value.removeprefix(" ")
        if name == "id":
            self._id = value
        elif name == "event":
            self._event = value
        elif name == "data":
            self._data.append(value)
        elif name == "retry" and value.isdecimal():
            self.retry_s = int(value) / 1_000


def events(patience: Patience, after: int | None = None) -> Parts[Event]:
    """What happens, as it happens, from now on or after the event of number `after`; it never
    ends. Raises `Gone` where what follows is no longer kept, and `Unreachable` when nothing has
    answered for `retry_for_s`."""
    place = None if after is None else str(after)
    since_s: float = yield Now()  # nothing is heard
    failures = 0
    while True:
        got: Answer | Broken = yield Listen(_request(place))
        wait_s = wait_after(got, patience.backoff_s(failures))
        if isinstance(got, Answer):
            if not got.is_success and got.status not in _AGAIN:
                raise failure(got)
            if got.is_success:
                blocks = Blocks(place)
                heard = yield from _stream(blocks, got)
                place = blocks.place
                if heard.anything:
                    since_s, failures = (yield Now()), 0
                    wait_s = patience.backoff_s(0) if blocks.retry_s is None else blocks.retry_s
                if heard.broke is None and heard.anything:  # it may end; who tells waits no one
                    if not heard.events:
                        yield Pause(wait_s)
                    continue
                got = heard.broke or Broken("the stream of events is empty", True)
        now_s: float = yield Now()
        if now_s - since_s + wait_s > patience.for_s:
            raise failure(got)
        yield Pause(wait_s)
        failures += 1


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of a stream: any bytes, any events, and how it broke off, if it did not end."""

    anything: bool
    events: bool
    broke: Broken | None


def _stream(blocks: Blocks, head: Answer) -> Generator[Effect | Given[Event], Any, _Heard]:
    anything = told = False
    while True:
        chunk: bytes | Broken = yield Take()
        if isinstance(chunk, Broken):
            return _Heard(anything, told, chunk)
        if not chunk:
            return _Heard(anything, told, None)
        anything = True
        for name, data in blocks.feed(chunk):
            if name == "resync":
                raise Gone(410, "trimmed", "events in between are not kept any more", "Read anew.")
            yield Given(_event(data, head))
            told = True


def _event(data: str, head: Answer) -> Event:
    try:
        told: Event = json.loads(data)
    except ValueError:
        raise Answer(head.status, head.headers, data.encode()).strange() from None
    return told


def _request(place: str | None) -> Request:
    headers = {"Accept": "text/event-stream"}
    if place is not None:
        headers["Last-Event-ID"] = place
    return Request("GET", "events", {}, headers)

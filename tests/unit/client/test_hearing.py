"""Events are heard once each and in order, whatever cuts the streams."""

import itertools
import json
from typing import Any

import pytest

from swarm.client import ApiError, Gone, Unauthorized, Unreachable
from swarm.client.hearing import Blocks, events
from swarm.client.steps import Patience
from tests.unit.client.scripted import CUT, PATIENT, REFUSED, Script, no, ok

END = b""


def block(seq: int) -> bytes:
    return b"id: %d\nevent: task\ndata: %s\n\n" % (seq, json.dumps({"seq": seq}).encode())


BEGIN = b"retry: 1000\nid: 7\n\n"
OPEN = ok(b"")


def heard(script: Script, count: int, after: int | None = None) -> list[int]:
    found = script.walk(events(PATIENT, after))
    return [event["seq"] for event in itertools.islice(found, count)]


def places(script: Script) -> list[str | None]:
    return [request.headers.get("Last-Event-ID") for request in script.sent]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_blocks_are_the_same_however_they_are_cut(ending: bytes) -> None:
    whole = BEGIN + block(8) + b": alive\nid: 9\n\n" + b"data: a\ndata: b\n\n:\n\n"
    text = whole.replace(b"\n", ending) + ending  # the last \r alone may be half of an ending
    wanted = [("task", '{"seq": 8}'), ("", "a\nb")]
    for size in range(1, len(text) + 1):
        blocks, found = Blocks(None), list[tuple[str, str]]()
        for at in range(0, len(text), size):
            found += blocks.feed(text[at : at + size])
        assert (found, blocks.place, blocks.retry_s) == (wanted, "9", 1.0), size


def test_from_now_on_or_after_a_place() -> None:
    assert heard(now := Script(OPEN, BEGIN, block(8)), 1) == [8]
    assert heard(then := Script(OPEN, BEGIN, block(4)), 1, after=3) == [4]
    assert (places(now), places(then)) == ([None], ["3"])


def test_an_event_that_was_cut_is_heard_again_and_none_twice() -> None:
    torn = block(9)[:-10]  # its id came, its data did not come whole
    script = Script(OPEN, BEGIN + block(8) + torn, CUT, OPEN, block(9), block(10))
    assert heard(script, 3) == [8, 9, 10]
    assert places(script) == [None, "8"]
    assert script.pauses == [1.0], "as `retry` says"


def test_a_stream_that_ends_goes_on_in_the_next_at_once() -> None:
    script = Script(OPEN, BEGIN + block(8), END, OPEN, block(9), END, OPEN, block(10))
    assert heard(script, 3) == [8, 9, 10]
    assert (places(script), script.pauses) == ([None, "8", "9"], [])


def test_streams_that_end_without_news_are_not_asked_for_in_a_rush() -> None:
    script = Script(*[OPEN, BEGIN, END] * 3, OPEN, block(8))
    assert heard(script, 1) == [8]
    assert script.pauses == [1.0] * 3


def test_the_place_is_kept_while_nothing_happens() -> None:
    script = Script(OPEN, b": alive\nid: 40\n\n", CUT, OPEN, block(41))
    assert heard(script, 1) == [41]
    assert places(script) == [None, "40"]


def test_an_api_that_starts_again_is_waited_for() -> None:
    script = Script(OPEN, BEGIN + block(8), CUT, REFUSED, no(503, retry_after=5), OPEN, block(9))
    assert heard(script, 2) == [8, 9]
    assert script.pauses[-1] == 5.0
    assert places(script)[1:] == ["8"] * 3


def test_patience_ends() -> None:
    script = Script(OPEN, BEGIN + block(8), CUT, *[REFUSED] * 30)
    found = script.walk(events(PATIENT))
    assert next(found)["seq"] == 8
    with pytest.raises(Unreachable, match="nothing listens"):
        next(found)
    assert 20.0 < sum(script.pauses) <= 30.0


def test_without_patience_a_cut_is_told_at_once_but_an_end_is_none() -> None:
    script = Script(OPEN, BEGIN + block(8), END, OPEN, block(9), CUT)
    found = script.walk(events(Patience(0.0)))
    assert [next(found)["seq"], next(found)["seq"]] == [8, 9]
    with pytest.raises(Unreachable, match="it broke off"):
        next(found)


def test_streams_that_are_empty_are_no_streams() -> None:
    with pytest.raises(Unreachable, match="is empty"):
        heard(Script(*[OPEN, END] * 50), 1)


@pytest.mark.parametrize(
    "script", [Script(no(410, "trimmed")), Script(OPEN, b"event: resync\ndata: {}\n\n")]
)
def test_what_is_no_longer_kept_is_not_left_out_silently(script: Script) -> None:
    with pytest.raises(Gone) as gone:
        heard(script, 1, after=3)
    assert (gone.value.status, gone.value.code) == (410, "trimmed")
    assert script.pauses == []


def test_a_refusal_is_final() -> None:
    with pytest.raises(Unauthorized):
        heard(Script(no(401, "unauthorized")), 1)


def test_a_stream_of_something_else_is_named() -> None:
    script: Any = Script(OPEN, b"data: <html>\n\n")
    with pytest.raises(ApiError, match="not swarm's API"):
        heard(script, 1)

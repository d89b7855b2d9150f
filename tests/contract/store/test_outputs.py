"""What tasks printed comes back from any process, in bounds."""

import pytest

from swarm.model.outputs import Kept, Output, Part
from swarm.model.work import TaskId, Token
from swarm.store.outputs import open_outputs

A, B = Output(Token(TaskId("a"), 1)), Output(Token(TaskId("b"), 1))
SMALL = Kept(head_bytes=10, tail_bytes=20, all_bytes=1 << 30)


@pytest.fixture
def opened(store):
    made = []

    def open_(kept=SMALL):
        made.append(open_outputs(store.url, store.folder, kept))
        return made[-1]

    yield open_
    for outputs in made:
        outputs.close()


def read(outputs, output=A, offset=0, most=1_000):
    printed = outputs.read(output, offset, most)
    return printed.text, printed.next_byte, printed.complete


def test_parts_come_back_in_order_to_any_reader(opened) -> None:
    outputs = opened()
    assert read(outputs) == (b"", 0, False), "nothing is known of it: it may still come"
    assert outputs.put([Part(A, 0, b"one "), Part(B, 0, b"other")], 1.0) == {A: 4, B: 5}
    assert read(opened()) == (b"one ", 4, False)
    assert outputs.put([Part(A, 4, b"two"), Part(A, 7, b"", last=True)], 2.0) == {A: 7}
    assert read(opened()) == (b"one two", 7, True)
    assert read(outputs, offset=2, most=3) == (b"e t", 5, False)
    assert read(outputs, offset=5) == (b"wo", 7, True)
    assert read(outputs, B) == (b"other", 5, False)
    newer = Output(Token(A.token.task, 2))
    outputs.put([Part(newer, 0, b"again", last=True)], 3.0)
    assert (read(outputs), read(outputs, newer)) == ((b"one two", 7, True), (b"again", 5, True))


def test_what_comes_again_is_not_there_twice(opened) -> None:
    outputs = opened()
    outputs.put([Part(A, 0, b"0123"), Part(A, 4, b"45")], 1.0)
    assert outputs.put([Part(A, 0, b"")], 1.5) == {A: 6}, "so one learns what is there"
    outputs.put([Part(A, 0, b"01234567"), Part(A, 0, b"0123456789")], 2.0)
    assert read(outputs) == (b"0123456789", 10, False)


def test_two_copies_of_a_grant_have_an_output_each(opened) -> None:
    """Of the same task and grant, at the same offsets, and one ends before the other."""
    outputs, copy = opened(), Output(A.token, copy=True)
    outputs.put([Part(A, 0, b"first "), Part(copy, 0, b"second")], 1.0)
    outputs.put([Part(copy, 6, b" ends", last=True), Part(A, 6, b"cut")], 2.0)
    assert (read(outputs), read(outputs, copy)) == (
        (b"first cut", 9, False),
        (b"second ends", 11, True),
    )
    assert outputs.put([Part(copy, 0, b""), Part(A, 0, b"")], 3.0) == {A: 9, copy: 11}


def test_of_a_long_output_the_ends_are_kept_and_the_gap_is_told(opened, store) -> None:
    outputs = opened()
    text = b"".join(b"%04d" % number for number in range(50))
    for at in range(0, len(text), 4):
        outputs.put([Part(A, at, text[at : at + 4])], 1.0)
    assert read(outputs) == (
        b"000000010002\n[swarm: 168 bytes are left out here]\n" + text[180:],
        200,
        False,
    )
    assert read(outputs, offset=100)[0].endswith(b"80 bytes are left out here]\n" + text[180:])
    outputs.put([Part(A, 1_000, b"x" * 30, last=True)], 1.0)  # its writer was faster than we
    printed, end, complete = read(outputs)
    assert (printed[-30:], end, complete) == (b"x" * 30, 1_030, True)
    assert b"988 bytes" in printed


def test_readers_go_on_across_the_gap_in_small_steps(opened) -> None:
    outputs = opened()
    outputs.put([Part(A, 0, b"head" * 3), Part(A, 500, b"tail" * 5, last=True)], 1.0)
    seen, offset, complete = b"", 0, False
    while not complete:
        text, offset, complete = read(outputs, offset=offset, most=7)
        seen += text
    assert seen == b"head" * 3 + b"\n[swarm: 488 bytes are left out here]\n" + b"tail" * 5


@pytest.mark.parametrize("kept", [Kept(all_bytes=3_100), Kept(outputs=2, all_bytes=16_000)])
def test_the_oldest_outputs_go_when_there_are_too_many(opened, kept) -> None:
    outputs = opened(kept)
    made = [Output(Token(TaskId(f"t{number}"), 1)) for number in range(5)]
    for number, one in enumerate(made):
        outputs.put([Part(one, 0, b"x" * 1_000, last=True)], float(number))
    assert [one for one in made if read(outputs, one)[0]] == made[-2:]

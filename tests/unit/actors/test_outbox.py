"""What has ended and is not acknowledged outlives its worker."""

import errno
import os
from pathlib import Path

import pytest

from swarm.actors.outbox import Outbox
from swarm.dispatch.events import Finish
from swarm.model.work import Outcome, TaskId, Token


def an_end(number: int, detail: str = "exit code 0") -> Finish:
    token = Token(TaskId(f"t/{number}"), number)
    return Finish(token, Outcome.SUCCEEDED, detail, result="[1]", silent=True)


def left(folder: Path) -> list[Finish]:
    waiting = [finish for _, finish in Outbox(folder).waiting()]
    return sorted(waiting, key=lambda finish: finish.token.grant)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_next_worker_finds_what_was_not_acknowledged(tmp_path: Path) -> None:
    ends = [an_end(number) for number in range(4)]
    first = Outbox(tmp_path)
    for end in ends:
        first.put(end)
    first.drop(ends[1].token)
    assert left(tmp_path) == [ends[0], ends[2], ends[3]]
    second = Outbox(tmp_path)
    assert second.tokens() == (), "it never held them"
    second.put(an_end(7))
    second.drop(ends[0].token)
    assert left(tmp_path) == [ends[2], ends[3], an_end(7)]
    for token, _ in second.waiting():
        second.drop(token)
    assert left(tmp_path) == []
    assert size(tmp_path) == 0


def test_a_line_that_was_cut_short_costs_no_other(tmp_path: Path) -> None:
    first = Outbox(tmp_path)
    first.put(an_end(1))
    (path,) = tmp_path.iterdir()
    with path.open("a") as file:
        file.write('{"task": "t/9", "gra')
    second = Outbox(tmp_path)
    second.put(an_end(2))
    assert left(tmp_path) == [an_end(1), an_end(2)]


def test_a_full_disk_costs_only_what_it_did_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, write = Outbox(tmp_path), os.write
    box.put(an_end(1))
    monkeypatch.setattr(os, "write", lambda file, text: write(file, text[:20]))
    box.put(an_end(2))

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "write", refuse)
    box.put(an_end(3))
    monkeypatch.undo()
    box.put(an_end(4))
    assert [finish for _, finish in box.waiting()] == [an_end(n) for n in (1, 2, 3, 4)]
    assert left(tmp_path) == [an_end(1), an_end(4)]


def test_what_is_acknowledged_does_not_fill_the_disk(tmp_path: Path) -> None:
    box, waits = Outbox(tmp_path), an_end(0)
    box.put(waits)
    for number in range(1, 3_000):
        box.put(an_end(number, "x" * 2_000))
        box.drop(Token(TaskId(f"t/{number}"), number))
    assert left(tmp_path) == [waits]
    assert size(tmp_path) < 2 << 20

"""Ends that the dispatcher has not acknowledged, kept on disk so that they survive their worker.

Each worker appends to a file of its own: a line for an end, and one more when it is acknowledged.
What others have left in the folder is told too. Nothing waits, nothing is kept.

Where the disk takes nothing, they are kept in memory: should the worker die then too, the task is
lost with it and runs again.
"""

import contextlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog

from swarm.dispatch.events import Finish
from swarm.model.work import Outcome, TaskId, Token

_ROOM_BYTES = 1 << 20  # of a file, before what is acknowledged is left out of it

log = structlog.get_logger()


class Outbox:
    """The ends that wait in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._left = sorted(folder.glob("*.jsonl"))
        self._waiting = _waiting(self._left)
        self._own: set[Token] = set()
        self._path = folder / f"{uuid.uuid4().hex}.jsonl"
        self._file: int | None = None
        self._bytes = 0

    def tokens(self) -> tuple[Token, ...]:
        """Those that the worker held. It never held what it found here: to claim that would get it
        revoked, and dropped before it is told."""
        return tuple(token for token in self._waiting if token in self._own)

    def disown(self) -> None:
        """The worker goes on under another id; what waits was held by the one before."""
        self._own.clear()

    def waiting(self) -> list[tuple[Token, Finish]]:
        return list(self._waiting.items())

    def put(self, finish: Finish) -> None:
        """Durable when it returns, as far as a crash of the worker goes and the disk has room."""
        self._waiting[finish.token] = finish
        self._own.add(finish.token)
        self._append([_line(finish)])

    def drop(self, token: Token) -> None:
        self._own.discard(token)
        if self._waiting.pop(token, None) is None:
            return
        if not self._waiting:
            self._empty()
        elif self._bytes < _ROOM_BYTES:
            self._append([{"task": token.task, "grant": token.grant}])
        else:
            self._empty()
            self._append(map(_line, self._waiting.values()))

    def close(self) -> None:
        """What waits stays on the disk for the next."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, lines: Iterable[Mapping[str, Any]]) -> None:
        text = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._file = os.open(self._path, flags, 0o600)
            if os.write(self._file, text) < len(text):
                os.ftruncate(self._file, self._bytes)  # else the next line would be lost with it
                raise OSError("the disk is full")
            self._bytes += len(text)
        except OSError as error:
            log.error("an end cannot be kept on disk", file=str(self._path), error=str(error))

    def _empty(self) -> None:
        for path in self._left:
            path.unlink(missing_ok=True)
        self._left = []
        self._bytes = 0
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)


def _line(finish: Finish) -> dict[str, Any]:
    return {
        "task": finish.token.task,
        "grant": finish.token.grant,
        "outcome": finish.outcome,
        "detail": finish.detail,
        "result": finish.result,
        "silent": finish.silent,
    }


def _waiting(paths: Iterable[Path]) -> dict[Token, Finish]:
    """What was not acknowledged; a line that cannot be read is left out."""
    found: dict[Token, Finish] = {}
    told: set[Token] = set()
    for path in paths:
        for line in _lines(path):
            try:
                what = json.loads(line)
                token = Token(TaskId(what["task"]), int(what["grant"]))
                if "outcome" in what:
                    found[token] = _finish(token, what)
                else:
                    told.add(token)
            except (ValueError, KeyError, TypeError) as error:
                log.error("an end cannot be read and is left out", file=str(path), error=str(error))
    return {token: finish for token, finish in found.items() if token not in told}


def _lines(path: Path) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        yield from path.read_text(encoding="utf-8", errors="replace").splitlines()


def _finish(token: Token, what: Mapping[str, Any]) -> Finish:
    outcome, detail = Outcome(what["outcome"]), str(what["detail"])
    return Finish(token, outcome, detail, what.get("result"), what.get("silent", False))

"""Ends that the dispatcher has not acknowledged, kept on disk so that they survive their worker.

Where the disk takes nothing, they are kept in memory: should the worker die then too, the task is
lost with it and runs again.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import structlog

from swarm.dispatch.events import Finish
from swarm.model.work import Outcome, TaskId, Token

log = structlog.get_logger()


class Outbox:
    """One file for each end, complete or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._waiting = dict(self._read())
        self._own: set[Token] = set()

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
        token = finish.token
        self._waiting[token] = finish
        self._own.add(token)
        what = {
            "task": token.task,
            "grant": token.grant,
            "outcome": finish.outcome,
            "detail": finish.detail,
            "result": finish.result,
            "silent": finish.silent,
        }
        path = self._path(token)
        part = f"{path}.part"
        try:
            with open(part, "w", encoding="utf-8") as file:
                file.write(json.dumps(what))
            os.replace(part, path)
        except OSError as error:
            log.error("an end cannot be kept on disk", file=path, error=str(error))
            _remove(part)

    def drop(self, token: Token) -> None:
        self._own.discard(token)
        if self._waiting.pop(token, None) is not None:
            _remove(self._path(token))

    def _path(self, token: Token) -> str:
        return f"{self._folder}/{quote(token.task, safe='')}.{token.grant}.json"

    def _read(self) -> Iterator[tuple[Token, Finish]]:
        for path in sorted(self._folder.glob("*.json")):
            try:
                what = json.loads(path.read_text())
                token = Token(TaskId(what["task"]), int(what["grant"]))
                outcome, detail = Outcome(what["outcome"]), str(what["detail"])
                result, silent = what.get("result"), what.get("silent", False)
                yield token, Finish(token, outcome, detail, result, silent)
            except (ValueError, KeyError, TypeError) as error:
                log.error("an end cannot be read and is left out", file=str(path), error=str(error))


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)

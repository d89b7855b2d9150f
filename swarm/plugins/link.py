"""A plug-in's line to swarm. No method waits for the network: two threads of its own do.

One sends what was said, in order and again until it is acknowledged; all of it may be sent twice.
A newer word on the same thing takes the place of one that waits, so that a long silence of swarm
does not fill the memory.
The other follows what became of the owner's tasks by long polls. Whatever swarm does, its caller
(a scheduler's loop, mostly) goes on.
"""

import collections
import json
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote, urlencode

log = logging.getLogger(__name__)

_BATCH = 500  # tasks
_BATCH_BYTES = 4_000_000  # swarm takes 10 MB in one request
_ANSWER_S = 10.0
_POLL_S = 20.0
_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_REFUSED = frozenset({400, 404, 409, 413, 422})  # sending it again would not help


@dataclass(frozen=True)
class Change:
    """A task moved. `state` is queued, leased, running, lost, succeeded, failed, cancelled,
    parked or skipped; `detail` says why it was lost or how it ended."""

    id: str
    subject: str
    state: str
    grant: int
    worker: str
    detail: str


@dataclass(frozen=True)
class Refusal:
    """swarm will not take it; `why` says what to change."""

    id: str
    why: str


@dataclass(frozen=True)
class _Letter:
    id: str
    path: str
    body: Mapping[str, Any]

    @property
    def about(self) -> tuple[str, str, Any]:
        return self.path, self.id, self.body.get("grant")


_FIELDS = tuple(field.name for field in fields(Change))


class _Refused(Exception):
    pass


class Link:
    """`url` of swarm's API, its token, and the name under which this plug-in follows its tasks."""

    def __init__(self, url: str, token: str, owner: str) -> None:
        self._api = f"{url.rstrip('/')}/api/v1"
        self._token = token
        self._owner = owner
        self._letters: dict[tuple[str, str, Any], _Letter] = {}
        self._said = threading.Condition()
        self._closed = threading.Event()
        self._changes: collections.deque[Change] = collections.deque()
        self._refusals: collections.deque[Refusal] = collections.deque()
        self._contact_s = time.monotonic()
        self._caught_up = threading.Event()
        self._threads = [
            threading.Thread(target=run, name=f"swarm-{run.__name__}", daemon=True)
            for run in (self._send, self._listen)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self, flush_s: float = 0.0) -> None:
        """Stop. What was said and not acknowledged is sent for `flush_s` seconds more at most."""
        with self._said:
            self._said.wait_for(lambda: not self._letters, flush_s)
            self._closed.set()
            self._said.notify_all()

    def submit(self, task: Mapping[str, Any]) -> None:
        """Hand in a task: one of `POST /tasks`, with an `id`. This link's owner follows it."""
        self._say(_Letter(task["id"], "/tasks", {**task, "owner": self._owner}))

    def cancel(self, task: str) -> None:
        """End a task, whether it waits or runs."""
        self._say(_Letter(task, f"/tasks/{quote(task, safe='')}/cancel", {}))

    def rearm(self, task: str, grant: int, **news: Any) -> None:
        """Let a lost task run again with these `files` or `env`, or say its `outcome` and
        `detail`; give one that waits under `grant` a newer payload."""
        path = f"/tasks/{quote(task, safe='')}/rearm"
        self._say(_Letter(task, path, {"grant": grant, **news}))

    def changes(self) -> list[Change]:
        """What moved since this was last asked, in order; at first all that is kept."""
        return _emptied(self._changes)

    def refusals(self) -> list[Refusal]:
        """What swarm refused since this was last asked."""
        return _emptied(self._refusals)

    def contact_age_s(self) -> float:
        """Seconds since swarm last answered."""
        return time.monotonic() - self._contact_s

    @property
    def caught_up(self) -> bool:
        """Whether `changes` has had all that was kept of the owner's tasks when it began."""
        return self._caught_up.is_set()

    # --- the sending thread -----------------------------------------------------------------------

    def _say(self, letter: _Letter) -> None:
        with self._said:
            self._letters[letter.about] = letter
            self._said.notify_all()

    def _send(self) -> None:
        pause_s = _PAUSE_S
        while not self._closed.is_set():
            with self._said:
                self._said.wait_for(lambda: bool(self._letters) or self._closed.is_set())
                letters = self._next()
            if not letters:
                return
            try:
                refused = self._deliver(letters)
            except (OSError, ValueError) as fault:
                log.warning("swarm is not reached: %s; again in %.1f s", fault, pause_s)
                self._closed.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            pause_s = _PAUSE_S
            self._refusals.extend(refused)
            with self._said:
                for letter in letters:
                    if self._letters[letter.about] is letter:  # no newer word meanwhile
                        del self._letters[letter.about]
                self._said.notify_all()

    def _next(self) -> list[_Letter]:
        """The tasks at the head of the line that fit into one request, or the one letter there."""
        chosen: list[_Letter] = []
        size = 0
        for letter in self._letters.values():
            size += len(json.dumps(letter.body))
            if chosen and (letter.path != "/tasks" or size > _BATCH_BYTES):
                break
            chosen.append(letter)
            if letter.path != "/tasks" or len(chosen) == _BATCH:
                break
        return chosen

    def _deliver(self, letters: list[_Letter]) -> list[Refusal]:
        """Returns when all are acknowledged, but for the refused. A batch is taken whole or not at
        all, so after a refusal each is sent alone."""
        if letters[0].path != "/tasks":
            body: Any = letters[0].body
        else:
            body = {"tasks": [letter.body for letter in letters]}
        try:
            self._ask("POST", letters[0].path, body, _ANSWER_S)
        except _Refused as refusal:
            if len(letters) == 1:
                return [Refusal(letters[0].id, str(refusal))]
            return [one for letter in letters for one in self._deliver([letter])]
        return []

    # --- the listening thread ---------------------------------------------------------------------

    def _listen(self) -> None:
        cursor, pause_s = "", _PAUSE_S
        while not self._closed.is_set():
            asked = {"owner": self._owner, "after": cursor, "skips": "true"}
            asked["wait_s"] = str(_POLL_S if cursor else 0)
            try:
                path = f"/tasks/changes?{urlencode(asked)}"
                told = self._ask("GET", path, None, _POLL_S + _ANSWER_S)
                # A newer swarm may tell more of a task than this plug-in knows of.
                moved = [Change(*(task[name] for name in _FIELDS)) for task in told["tasks"]]
                cursor, more = told["cursor"], told["more"]
            except (OSError, ValueError, KeyError, TypeError, _Refused) as fault:
                log.warning("swarm tells nothing: %s; again in %.1f s", fault, pause_s)
                self._closed.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            pause_s = _PAUSE_S
            self._changes.extend(moved)
            if not more:
                self._caught_up.set()

    def _ask(self, method: str, path: str, body: Any, within_s: float) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self._api + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=within_s) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            why = error.read(10_000).decode(errors="replace")
            if error.code in _REFUSED:
                self._contact_s = time.monotonic()
                raise _Refused(f"{error.code}: {why}") from None
            raise OSError(f"{self._api}{path}: {error.code} {why}") from None
        self._contact_s = time.monotonic()
        return json.loads(text)


def _emptied(line: "collections.deque[Any]") -> list[Any]:
    found = []
    while line:
        found.append(line.popleft())
    return found

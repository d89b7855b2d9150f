"""Notices that the machine of a worker goes away, asked of its metadata service in a thread of its
own: a service that hangs keeps nothing else waiting.

AWS (IMDSv2) tells two minutes ahead that a spot instance ends (`spot/instance-action`), and before
that, at times, that it may (`events/recommendations/rebalance`). Google Cloud tells half a minute
ahead (`instance/preempted`). A service that does not answer tells nothing, and work is as correct
without: a lost machine is found by its silence.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Literal, Protocol
from urllib.parse import urlsplit

import structlog

from swarm.clock import Clock

Kind = Literal["none", "aws", "gcp"]

AWS_URL = "http://169.254.169.254"
GCP_URL = "http://metadata.google.internal"
_AHEAD_S = {"aws": 120.0, "gcp": 30.0}  # of the end, as they promise
_EVERY_S = {"aws": 5.0, "gcp": 1.0}
_AWAY_S = 30.0  # at most, until a service that did not answer is asked again
_ANSWER_S = 1.0
_TOKEN_S = 21_600
_ANSWER_MAX_BYTES = 10_000
_FOUND, _NO_TOKEN = 200, 401

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Notice:
    """The machine ends at `ends_s` on the steady clock; None: it may end, nobody knows when."""

    ends_s: float | None = None


class Service(Protocol):
    """A metadata service."""

    def look(self) -> Notice | None:
        """What it tells now. Raises `OSError` and `HTTPException` where it does not answer."""
        ...


class Aws:
    """IMDSv2: each question carries a token, which is asked for first and again when it is over."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url, self._clock, self._token = url, clock, ""

    def look(self) -> Notice | None:
        action = self._ask("/latest/meta-data/spot/instance-action")
        if action is not None:
            return Notice(self._clock.monotonic_s() + self._left_s(action))
        if self._ask("/latest/meta-data/events/recommendations/rebalance") is not None:
            return Notice()
        return None

    def _left_s(self, action: str) -> float:
        """No more than is promised: this machine's clock may be behind."""
        try:
            at_s = datetime.fromisoformat(json.loads(action)["time"]).timestamp()
        except (ValueError, KeyError, TypeError):
            return _AHEAD_S["aws"]
        return min(max(0.0, at_s - self._clock.now_s()), _AHEAD_S["aws"])

    def _ask(self, path: str) -> str | None:
        status, text = _request("GET", self._url + path, {"X-aws-ec2-metadata-token": self._token})
        if status == _NO_TOKEN:
            ttl = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_S)}
            status, self._token = _request("PUT", f"{self._url}/latest/api/token", ttl)
            if status != _FOUND:
                raise OSError("the metadata service gives no token")
            own = {"X-aws-ec2-metadata-token": self._token}
            status, text = _request("GET", self._url + path, own)
        return text if status == _FOUND else None


class Gcp:
    """The metadata server of Compute Engine."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url, self._clock = url, clock

    def look(self) -> Notice | None:
        path = "/computeMetadata/v1/instance/preempted"
        status, text = _request("GET", self._url + path, {"Metadata-Flavor": "Google"})
        if status == _FOUND and text.strip() == "TRUE":
            return Notice(self._clock.monotonic_s() + _AHEAD_S["gcp"])
        return None


class Notices:
    """Asks from `open` on until `close`. The first notice of an end stands: it is not put off."""

    def __init__(self, kind: Kind, clock: Clock, url: str = "") -> None:
        self._every_s = _EVERY_S.get(kind, 0.0)
        self._service: Service | None = None
        if kind == "aws":
            self._service = Aws(url or AWS_URL, clock)
        elif kind == "gcp":
            self._service = Gcp(url or GCP_URL, clock)
        self.newest: Notice | None = None
        self._news, self._closed = asyncio.Event(), threading.Event()

    def open(self) -> None:
        """From the event loop that waits for news."""
        if self._service is not None:
            told = asyncio.get_running_loop().call_soon_threadsafe
            asking = (self._service, lambda notice: told(self._take, notice))
            threading.Thread(target=self._run, args=asking, name="notices", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    async def until_heard(self) -> None:
        """Return once there is a notice."""
        await self._news.wait()

    def _take(self, notice: Notice) -> None:
        if self.newest is None or self.newest.ends_s is None:
            self.newest = notice
            self._news.set()

    def _run(self, service: Service, tell: Callable[[Notice], object]) -> None:
        told: Notice | None = None
        away_s = self._every_s  # grows: one late answer may not cost the time of a whole notice
        while told is None or told.ends_s is None:
            wait_s = self._every_s
            try:
                notice = service.look()
                away_s = self._every_s
            except (OSError, HTTPException) as fault:
                notice, wait_s = None, away_s
                if away_s == self._every_s:
                    log.warning("no notices are heard", fault=repr(fault))
                away_s = min(_AWAY_S, 2 * away_s)
            if notice is not None and notice != told:
                told = notice
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody works any more
                    tell(notice)
            if self._closed.wait(wait_s):
                return


def _request(method: str, url: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """Without proxies: the service is of this machine alone."""
    parts = urlsplit(url)
    line = HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_S)
    try:
        line.request(method, parts.path, headers=dict(headers))
        answer = line.getresponse()
        return answer.status, answer.read(_ANSWER_MAX_BYTES).decode(errors="replace")
    finally:
        line.close()

"""How a host of agents outside Ray reaches swarm: its dispatcher and its outputs, over HTTP.

What all agents of the host say goes into one request. A renewal that says nothing new waits for the
next beat of the host, what is news goes at once; a request for items is one of its own, because
its answer may wait.
"""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import structlog

from swarm.actors.ports import Answer
from swarm.dispatch.events import (
    Acquire,
    Event,
    Finish,
    Grants,
    Orders,
    Receipt,
    Register,
    Renew,
    WorkerLost,
)
from swarm.errors import InputError, Rejected, StoreError, Unreachable
from swarm.model.outputs import Output, Part
from swarm.model.work import Offer, TaskId, Token, WorkerId

log = structlog.get_logger()

BEAT_S = 3.0
_ANSWER_S = 4.0  # shorter than an agent waits for it
_PARKED_S = 10.0
_PAUSE_S = 0.5  # after a fault
_AT_ONCE = 500
_AT_ONCE_BYTES = 4_000_000  # swarm takes 10 MB in one request
_DETAIL_MAX = 10_000
_TOLD_SINGLY = frozenset({400, 404, 409, 413, 422})  # sending them together again would not help
_SHUT = frozenset({401, 403, 404, 405})  # no agent gets in with this URL and token


@dataclass(slots=True)
class _Said:
    """One event on its way."""

    body: Mapping[str, Any]
    answer: "asyncio.Future[Answer]"


class Line:
    """`url` of swarm's API and a token that may `work`. For one event loop; `run` has to run."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_ANSWER_S,
        )
        self._waiting: list[_Said] = []
        self._news = asyncio.Event()
        self._renewed: dict[WorkerId, Renew] = {}

    async def close(self) -> None:
        await self._http.aclose()

    async def knock(self) -> None:
        """Raise `InputError` where swarm would let no agent in; that it is not reached is none."""
        with contextlib.suppress(httpx.TransportError):
            answer = await self._http.post("agents/tell", json={"events": []})
            if answer.status_code in _SHUT:
                raise InputError(f"{self._http.base_url} lets no agent in: {_why(answer)}")

    async def run(self) -> None:
        """Send what waits, one request after the other."""
        while True:
            left_s = BEAT_S - time.monotonic() % BEAT_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left_s)
            self._news.clear()
            while batch := self._next():
                await self._deliver(batch)

    async def tell(self, event: Event, cause_id: str) -> Answer:
        """The dispatcher's answer. Raises `Unreachable`, and `Rejected` where it refuses."""
        del cause_id  # the API makes one, as for all that comes from outside
        if isinstance(event, Acquire):
            return await self._acquire(event)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Said(said(event), answer))
        if not (isinstance(event, Renew) and self._renewed.get(event.worker) == event):
            self._news.set()
        if isinstance(event, Renew):
            self._renewed[event.worker] = event
        if isinstance(event, WorkerLost):
            self._renewed.pop(event.worker, None)
        return await answer

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        """As `tell`, for each."""
        told = (self.tell(event, cause_id) for event in events)
        answers = await asyncio.gather(*told, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Rejected):
                raise answer
        return [answer for answer in answers if isinstance(answer, Answer | Rejected)]

    async def put(self, parts: Sequence[Part]) -> dict[Output, int]:
        """Hand over what items printed; they have no second copies. Raises `StoreError`."""
        bodies = [
            {
                "task": part.output.token.task,
                "grant": part.output.token.grant,
                "at": part.at,
                "text": base64.b64encode(part.text).decode(),
                "last": part.last,
            }
            for part in parts
        ]
        try:
            told = await self._post("agents/outputs", {"parts": bodies}, _ANSWER_S)
        except Rejected as refusal:
            raise StoreError(str(refusal)) from None
        return {Output(_token(row)): int(row["printed_bytes"]) for row in told["outputs"]}

    async def _acquire(self, event: Acquire) -> Answer:
        asked = {"worker": event.worker, "number": event.number}
        told = await self._post("agents/acquire", asked, _PARKED_S)
        if not told["known"]:
            return Answer(told["epoch"], Receipt.UNKNOWN_WORKER)
        bodies = {TaskId(row["task"]): str(row["body"]) for row in told["grants"]}
        return Answer(told["epoch"], Grants(tuple(_token(row) for row in told["grants"])), bodies)

    def _next(self) -> list[_Said]:
        """Those at the head of the line that fit into one request and are still waited for."""
        chosen: list[_Said] = []
        size = 0
        while self._waiting and len(chosen) < _AT_ONCE:
            one = self._waiting[0]
            if not one.answer.done():
                size += len(json.dumps(one.body))
                if chosen and size > _AT_ONCE_BYTES:
                    break
                chosen.append(one)
            self._waiting.pop(0)
        return chosen

    async def _deliver(self, batch: list[_Said]) -> None:
        try:
            told = await self._post("agents/tell", {"events": [one.body for one in batch]})
            for one, row in zip(batch, told["answers"], strict=True):
                _settle(one, _answer(row))
        except Rejected as refusal:
            if len(batch) == 1:
                _settle(batch[0], refusal)
                return
            for one in batch:  # the fault of one is not that of the others
                await self._deliver([one])
        except Unreachable as fault:
            for one in batch:
                _settle(one, fault)
            await asyncio.sleep(_PAUSE_S)

    async def _post(self, path: str, body: Any, within_s: float = _ANSWER_S) -> Any:
        try:
            answer = await self._http.post(path, json=body, timeout=within_s)
            if answer.is_success:
                return answer.json()
        except (httpx.TransportError, ValueError) as fault:
            raise Unreachable(f"{self._http.base_url} does not answer: {fault!r}") from None
        if answer.status_code in _TOLD_SINGLY:
            raise Rejected(_why(answer))
        raise Unreachable(_why(answer))


def said(event: Event) -> dict[str, Any]:
    """An event as `POST /agents/tell` takes it."""
    match event:
        case Register(offer):
            return {"kind": "register"} | _offer(offer)
        case Renew(worker, acquired, held, started):
            return {
                "kind": "renew",
                "worker": worker,
                "acquired": acquired,
                "held": [_named(token) for token in held],
                "started": [_named(token) for token in started],
            }
        case Finish(token, outcome, detail, result):
            ended = {"outcome": outcome, "detail": detail[:_DETAIL_MAX], "result": result}
            return {"kind": "finish"} | _named(token) | ended
        case WorkerLost(worker, cause):
            return {"kind": "lost", "worker": worker, "cause": cause}
        case other:
            raise AssertionError(f"no agent says {type(other).__name__}")


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "worker": offer.worker,
        "node": offer.node,
        "slots": offer.slots,
        "cpu": offer.resources.cpu,
        "memory_bytes": offer.resources.memory_bytes,
        "capabilities": list(offer.capabilities),
        "renew_s": offer.renew_s,
        "fence_s": offer.fence_s,
    }


def _answer(row: Mapping[str, Any]) -> Answer | Rejected:
    if row["refused"] is not None:
        return Rejected(row["refused"])
    orders = row["orders"]
    if orders is None:
        return Answer(row["epoch"], Receipt(row["receipt"]))
    revoked = tuple(_token(one) for one in orders["revoked"])
    cancel = tuple(_token(one) for one in orders["cancel"])
    return Answer(row["epoch"], Orders(revoked, cancel, orders["drain"]))


def _settle(one: _Said, answer: Answer | Exception) -> None:
    if one.answer.done():
        return
    if isinstance(answer, Exception):
        one.answer.set_exception(answer)
    else:
        one.answer.set_result(answer)


def _named(token: Token) -> dict[str, Any]:
    return {"task": token.task, "grant": token.grant}


def _token(row: Mapping[str, Any]) -> Token:
    return Token(TaskId(row["task"]), int(row["grant"]))


def _why(answer: httpx.Response) -> str:
    """What a refusal says, for people."""
    try:
        return f"{answer.status_code}: {answer.json()['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}: {answer.text[:200]}"

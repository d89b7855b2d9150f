"""The knobs of a source that has none that swarm knows: a webhook or a program of the team's.

Either gets one JSON object: `act` (hold, release, promote, yield, trigger), `pipeline`, `intent`,
`reason`, `due_s`, `left_out_s`, `valid_until_s`, `stretch` (`start_s`, `end_s`, `label`: what the
run that a link starts is for; else null), and `key`: of the same key a second time nothing may come
that the first did not do. A hold comes again at each renewal; a release comes for everything but a
trigger, also when nobody renewed it, and has to see to it that each of `due_s` that is over comes
into being once; those of `left_out_s` never begin, of which a hold tells too that goes on for later
ones.

Where a hold lets its first start go, it is released for all of them.

A webhook answers 2xx for done, 404 or 410 for a pipeline that is gone, 409 for what a person
changed since, 422 for what it will not do; anything else is tried again. A program exits with 0, 4,
9, 22 for the same; the last line that it prints is the detail.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace

import httpx2 as httpx

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.credentials import headers_of
from swarm.connectors.http_answers import check_status
from swarm.connectors.knobs import Look
from swarm.errors import ConfigError, MalformedResponse, Unauthorized, Unavailable
from swarm.model.intents import Act, Carried, Intent
from swarm.outbound import check_reached

_OF_STATUS = {
    404: Carried.GONE,
    409: Carried.OVERRULED,
    410: Carried.GONE,
    422: Carried.REFUSED,
}
_OF_EXIT = {0: Carried.DONE, 4: Carried.GONE, 9: Carried.OVERRULED, 22: Carried.REFUSED}
_DETAIL_MAX = 300


def connect(source: Source, settings: Settings) -> "CustomKnobs":
    """The knobs by the settings of the hand."""
    place = settings.hand
    if place.webhook_url:
        webhook = Webhook(place.webhook_url, headers_of(source), source.timeout_s)
        return CustomKnobs(webhook, SystemClock())
    return CustomKnobs(Program(place.command, source.timeout_s), SystemClock())


class Webhook:
    """Sends what is wanted to a URL, with the source's own credentials."""

    def __init__(self, url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        self._url = url
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout_s, trust_env=False)

    async def __call__(self, wanted: Mapping[str, object]) -> tuple[Carried, str]:
        key = {"Idempotency-Key": str(wanted["key"])}
        try:
            await asyncio.to_thread(check_reached, self._url, "`hand.webhook_url`")
            answer = await self._client.post(self._url, json=dict(wanted), headers=key)
        except ConfigError as refusal:
            raise Unauthorized(str(refusal)) from None
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._url}: no answer: {error or type(error).__name__}") from error
        if outcome := _OF_STATUS.get(answer.status_code):
            return outcome, _last_line(answer.text)
        check_status(self._url, answer.status_code, body=answer.content)
        return Carried.DONE, _last_line(answer.text)


class Program:
    """Runs a program for what is wanted, which comes to it on its standard input."""

    def __init__(self, command: tuple[str, ...], timeout_s: float) -> None:
        self._command, self._timeout_s = command, timeout_s

    async def __call__(self, wanted: Mapping[str, object]) -> tuple[Carried, str]:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=sys.stderr
            )
        except OSError as error:
            raise Unavailable(f"{self._command[0]}: {error.strerror}") from None
        try:
            async with asyncio.timeout(self._timeout_s):
                printed, _ = await process.communicate(json.dumps(wanted).encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            raise Unavailable(f"{self._command[0]}: not done in {self._timeout_s:g} s") from None
        told = _last_line(printed.decode(errors="replace"))
        outcome = _OF_EXIT.get(process.returncode or 0)
        if outcome is None:
            raise MalformedResponse(f"{self._command[0]}: exit code {process.returncode}: {told}")
        return outcome, told


class CustomKnobs:
    """See the port in `swarm.connectors.knobs`. The mark is what was sent last."""

    acts = frozenset(Act) - {Act.RELEASE}

    def __init__(self, send: Webhook | Program, clock: Clock) -> None:
        self._send, self._clock = send, clock

    async def look(self, intent: Intent, mark: str, turned: bool) -> Look:
        """The other side alone knows; it is asked by the turn."""
        del turned
        now_s = self._clock.now_s()
        gone = (due_s for due_s in _sent(mark) if due_s < intent.from_s)
        if not all(intent.leaves_out(due_s, now_s) for due_s in gone):
            return Look(mark, Carried.REFUSED, "one start cannot be let go alone: all begin")
        if intent.let_go_s and not mark:  # it was over here: what was due began
            intent = replace(intent, due_s=tuple(s for s in intent.due_s if s > now_s))
        return Look(json.dumps(_wanted(intent, intent.act, _told_left_out(intent, mark))))

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        return await self._send(json.loads(mark))

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        del turned
        now_s, due_s = self._clock.now_s(), tuple(_sent(mark) or intent.due_s)
        left_out_s = _told_left_out(intent, mark)
        left_out_s += tuple(at_s for at_s in due_s if intent.leaves_out(at_s, now_s))
        over = replace(intent, due_s=due_s)
        return await self._send(_wanted(over, Act.RELEASE, tuple(sorted({*left_out_s}))))

    async def close(self) -> None:
        return


def _wanted(intent: Intent, act: Act, left_out_s: tuple[float, ...] = ()) -> dict[str, object]:
    until = "" if act in (Act.RELEASE, Act.TRIGGER) else f" until {intent.valid_until_s:.3f}"
    return {
        "act": act,
        "pipeline": intent.target.name,
        "intent": intent.id,
        "key": f"{act} {intent.id}{until}",
        "reason": intent.reason,
        "due_s": [due_s for due_s in intent.due_s if due_s not in left_out_s],
        "left_out_s": list(left_out_s),
        "valid_until_s": intent.valid_until_s,
        "stretch": asdict(intent.stretch) if intent.stretch else None,
    }


def _sent(mark: str) -> list[float]:
    """The starts that were told last."""
    return json.loads(mark)["due_s"] if mark else []


def _told_left_out(intent: Intent, mark: str) -> tuple[float, ...]:
    """Of the starts that were told those that are left out while the hold goes on."""
    told = json.loads(mark) if mark else {"due_s": [], "left_out_s": []}
    known = {*told["due_s"], *told["left_out_s"]}
    return tuple(start_s for start_s in intent.left_out_s if start_s in known)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:_DETAIL_MAX] if lines else ""

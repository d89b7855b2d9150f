"""How swarm reaches a hand."""

import asyncio
from collections.abc import Callable, Sequence

import httpx2 as httpx
from pydantic import ValidationError

from swarm.config import Source
from swarm.connectors.credentials import hand_token_of
from swarm.connectors.http_answers import check_status
from swarm.errors import ConfigError, MalformedResponse, Unavailable
from swarm.hands.wire import ANSWERED, PATH, WANTED, Answer, Wanted
from swarm.model.intents import Intent
from swarm.outbound import check_reached

_DEADLINE_S = 10.0


class HandLine:
    """A line to the hand at `url`. May be used from one event loop. `token` is asked each time, in
    a thread: its file may have been replaced."""

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        self._url, self._token = url.rstrip("/") + PATH, token
        self._client = httpx.AsyncClient(timeout=_DEADLINE_S, trust_env=False)

    async def tell(self, intents: Sequence[Intent], now_s: float) -> list[Answer]:
        """How far each has come; they are on the hand's disk then. Raises `Unavailable`,
        `Unauthorized` or `MalformedResponse`; may be sent again."""
        body = WANTED.encode(Wanted(now_s, tuple(intents)))
        try:
            headers = await asyncio.to_thread(self._admitted)
            answer = await self._client.put(self._url, content=body, headers=headers)
        except ConfigError as error:
            raise Unavailable(str(error)) from None
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._url}: no answer: {error or type(error).__name__}") from error
        check_status(self._url, answer.status_code, body=answer.content)
        try:
            return list(ANSWERED.decode(answer.content).answers)
        except ValidationError as error:
            raise MalformedResponse(f"{self._url} is no hand: {error}"[:500]) from None

    async def close(self) -> None:
        await self._client.aclose()

    def _admitted(self) -> dict[str, str]:
        check_reached(self._url, "`hand_url`")
        return {"Authorization": f"Bearer {self._token()}"}


def line_of(source: Source) -> HandLine | None:
    """The line to the hand of a source, if it has one. Raises `ConfigError`."""
    if not source.hand_url:
        return None
    hand_token_of(source)
    return HandLine(source.hand_url, lambda: hand_token_of(source))

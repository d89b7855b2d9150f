"""How swarm reaches a hand."""

from collections.abc import Sequence

import httpx2 as httpx
from pydantic import ValidationError

from swarm.config import Source
from swarm.connectors.credentials import hand_token_of
from swarm.connectors.http_answers import check_status
from swarm.errors import MalformedResponse, Unavailable
from swarm.hands.wire import ANSWERED, PATH, WANTED, Answer, Wanted
from swarm.model.intents import Intent

_DEADLINE_S = 10.0


class HandLine:
    """A line to the hand at `url`. May be used from one event loop."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=_DEADLINE_S, trust_env=False
        )

    async def tell(self, intents: Sequence[Intent], now_s: float) -> list[Answer]:
        """How far each has come; they are on the hand's disk then. Raises `Unavailable`,
        `Unauthorized` or `MalformedResponse`; may be sent again."""
        body = WANTED.encode(Wanted(now_s, tuple(intents)))
        try:
            answer = await self._client.put(self._url, content=body)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._url}: no answer: {error or type(error).__name__}") from error
        check_status(self._url, answer.status_code, body=answer.content)
        try:
            return list(ANSWERED.decode(answer.content).answers)
        except ValidationError as error:
            raise MalformedResponse(f"{self._url} is no hand: {error}"[:500]) from None

    async def close(self) -> None:
        await self._client.aclose()


def line_of(source: Source) -> HandLine | None:
    """The line to the hand of a source, if it has one. Raises `ConfigError`."""
    return HandLine(source.hand_url, hand_token_of(source)) if source.hand_url else None

"""Prefect's own client, with limits: time, size, tries, and swarm's errors.

Answers are taken as they are, not as the client's typed models: those refuse the answers of
servers of other versions (one new enum value is an error for the whole page).
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from swarm.config import Source
from swarm.connectors.credentials import headers_of, password_of
from swarm.connectors.http_answers import MAX_RESPONSE_BYTES, check_status, date_s
from swarm.connectors.retries import tries
from swarm.errors import ConfigError, MalformedResponse, Unauthorized, Unavailable

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient as Client

PAGE = 200  # the server's own limit
_NEWS = ["prefect.flow-run.", "prefect.task-run.", "prefect.asset."]
_NO_NEWS = ["prefect.flow-run.heartbeat"]
# Where the server asks to come back later, Prefect's client would sleep however long it is told.
_LATER = frozenset({408, 425, 429})


class PrefectClient:
    """Asks one Prefect server. Every read raises `Unauthorized` at 401 and 403; `Unavailable`
    when there is no answer in time, or 429 or 5xx after a few tries; `MalformedResponse` for what
    is not Prefect's API and for too long an answer.
    """

    def __init__(self, source: Source, home: Path) -> None:
        if not source.url.startswith(("http://", "https://")):
            raise ConfigError(
                f"source `{source.instance}`: `url` has to be Prefect's address, "
                f"such as http://prefect.example.com:4200, not `{source.url}`."
            )
        self._source = source
        self.api_url = source.url.rstrip("/").removesuffix("/api") + "/api"
        _prepare(home)
        # The import costs seconds, so only who connects pays.
        import prefect.client.orchestration as prefect

        self.server_s = 0.0
        """The server's clock at its last answer, as far as it tells; else ours."""
        self._answered_s = 0.0
        self._make = prefect.PrefectClient
        self._client: Client | None = None
        self._authorization = headers_of(source)

    def now_s(self) -> float:
        """The server's clock by now, as old as its last answer told it: in whole seconds, and later
        where it is busy."""
        return self.server_s + time.monotonic() - self._answered_s

    async def read(self, path: str, body: Mapping[str, object]) -> Any:
        """POST a filter; Prefect reads lists that way."""
        return await self._tried("POST", path, json=dict(body))

    async def get(self, path: str) -> Any:
        """One thing as it is now; `NotFound` when there is none."""
        return await self._tried("GET", path)

    async def flow_run(self, run_id: str) -> Any:
        """One flow run as it is now."""
        return await self.get(f"/flow_runs/{quote(run_id, safe='')}")

    async def reschedule(self, run_id: str, message: str, at_s: float | None = None) -> Any:
        """Have a flow run begin, or begin again, under its id: at `at_s`, else now. Its
        orchestration rules may refuse; the answer says so."""
        path = f"/flow_runs/{quote(run_id, safe='')}/set_state"
        return await self.write("POST", path, {"state": scheduled(message, at_s)})

    async def cancel(self, run_id: str, message: str) -> Any:
        """Have a flow run not begin; the answer says whether its rules let it."""
        path = f"/flow_runs/{quote(run_id, safe='')}/set_state"
        state = {"type": "CANCELLED", "name": "Cancelled", "message": message}
        return await self.write("POST", path, {"state": state})

    async def write(self, method: str, path: str, body: Mapping[str, object]) -> Any:
        """Change something; it is not sent again when it fails. None where nothing is answered."""
        return await self._read(method, path, {"json": dict(body)})

    async def next_events(self, page_url: str) -> Any:
        """The page of events after one that named `page_url` as the next.

        Only its token is used: behind a proxy the server may not know its own address.
        """
        token = httpx.URL(page_url).params.get("page-token", "")
        return await self._tried("GET", "/events/filter/next", params={"page-token": token})

    async def pages(self, path: str, body: Mapping[str, object]) -> AsyncIterator[list[Any]]:
        """A filtered list, page by page."""
        offset = 0
        while True:
            page = await self.page(path, body, offset)
            yield page
            offset += len(page)
            if len(page) < PAGE:
                return

    async def page(self, path: str, body: Mapping[str, object], offset: int) -> list[Any]:
        """One page of a filtered list; less than `PAGE` rows are the last."""
        page = await self.read(path, {**body, "limit": PAGE, "offset": offset})
        if not isinstance(page, list):
            raise MalformedResponse(f"{self.api_url}{path} should answer a JSON list.")
        return page

    def stream(self) -> Any:
        """The server's events of runs and assets: an async context of an async iterator."""
        from prefect.events.clients import PrefectCloudEventSubscriber, PrefectEventSubscriber
        from prefect.events.filters import EventFilter, EventNameFilter

        wanted = EventFilter(event=EventNameFilter(prefix=_NEWS, exclude_prefix=_NO_NEWS))
        secret = headers_of(self._source).get("Authorization", "").removeprefix("Bearer ")
        if secret.startswith("Basic "):
            secret = f"{self._source.username}:{password_of(self._source)}"
        if secret:  # a server of one's own takes it the same way
            return PrefectCloudEventSubscriber(self.api_url, secret, wanted, 0)
        return PrefectEventSubscriber(self.api_url, wanted, 0)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(None, None, None)

    async def _tried(self, method: str, path: str, **content: Any) -> Any:
        async for attempt in tries(self._source.timeout_s):
            with attempt:
                return await self._read(method, path, content)
        raise AssertionError("the last try returns or raises")

    async def _read(self, method: Any, path: Any, content: dict[str, Any]) -> Any:
        used = self._authorization
        try:
            return await self._exchange(method, path, content)
        except Unauthorized:
            # Its file may have been replaced.
            self._authorization = await asyncio.to_thread(headers_of, self._source)
            if self._authorization == used:
                raise
            return await self._exchange(method, path, content)

    async def _exchange(self, method: Any, path: Any, content: dict[str, Any]) -> Any:
        url = f"{self.api_url}{path}"
        try:
            async with asyncio.timeout(self._source.timeout_s):
                client = await self._connected()
                answer = await client.request(method, path, **content)
        except TimeoutError:
            message = f"{url}: no answer within {self._source.timeout_s:g} s."
            raise Unavailable(message) from None
        except httpx.HTTPStatusError as error:
            refused = error.response
            check_status(url, refused.status_code, body=refused.content)
            raise MalformedResponse(f"{url}: {error}") from error
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable(f"{url}: no answer: {error or type(error).__name__}") from error
        if answer.status_code == 204:
            return None
        try:
            return answer.json()
        except (ValueError, RecursionError):
            excerpt = answer.text[:120]
            raise MalformedResponse(f"{url} should answer JSON; it said: {excerpt}") from None

    async def _connected(self) -> "Client":
        if self._client is None:
            settings = {
                # Not compressed, so that the size that is counted is the size that is kept.
                "headers": {"Accept-Encoding": "identity"},
                "timeout": httpx.Timeout(self._source.timeout_s),
                "follow_redirects": False,
                "event_hooks": {"request": [self._admit], "response": [self._limit]},
            }
            client = self._make(self.api_url, httpx_settings=settings)
            self._client = await client.__aenter__()
        return self._client

    async def _admit(self, request: httpx.Request) -> None:
        request.headers.update(self._authorization)

    async def _limit(self, response: httpx.Response) -> None:
        url, status = str(response.request.url), response.status_code
        server_s = date_s(response.headers.get("Date", ""))
        self.server_s = time.time() if server_s is None else server_s
        self._answered_s = time.monotonic()
        if "content-encoding" in response.headers:
            raise MalformedResponse(f"{url} compressed its answer although asked not to.")
        if status in _LATER or status >= 500:
            check_status(url, status, response.headers.get("Retry-After", ""))
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise MalformedResponse(f"{url} answered nothing that can be read.")
        response.stream = _Capped(url, response.stream)


def scheduled(message: str, at_s: float | None) -> dict[str, object]:
    """The state of a run that is due at `at_s`, else now."""
    state: dict[str, object] = {"type": "SCHEDULED", "name": "Scheduled", "message": message}
    if at_s is not None:
        at = datetime.fromtimestamp(at_s, UTC).isoformat()
        state["state_details"] = {"scheduled_time": at}
    return state


class _Capped(httpx.AsyncByteStream):
    """An answer that ends with an error once it is too long."""

    def __init__(self, url: str, stream: httpx.AsyncByteStream) -> None:
        self._url = url
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise MalformedResponse(
                    f"{self._url} answered more than {MAX_RESPONSE_BYTES} bytes; "
                    "the rest was not read."
                )
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _prepare(home: Path) -> None:
    """Settings that Prefect reads when it is imported: no usage data, no files at the user's
    home, no retries of its own, no logs."""
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        PREFECT_HOME=str(home),
        PREFECT_PROFILES_PATH=str(home / "profiles.toml"),
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        PREFECT_CLIENT_MAX_RETRIES="0",
        PREFECT_LOGGING_TO_API_ENABLED="false",
        PREFECT_LOGGING_LEVEL="CRITICAL",
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="false",
    )
    logging.getLogger("prefect").setLevel(logging.CRITICAL)

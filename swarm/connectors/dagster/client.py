"""Dagster's own GraphQL client, with limits: time, size, tries, and swarm's errors."""

import asyncio
import io
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from swarm.config import Source
from swarm.connectors.credentials import headers_of
from swarm.connectors.http_answers import check_status, date_s, read_capped
from swarm.connectors.retries import tries
from swarm.errors import (
    ConfigError,
    ConnectorError,
    MalformedResponse,
    Unauthorized,
    Unavailable,
)


class DagsterClient:
    """Sends queries, a thread for each, so that the event loop stays free.

    Raises `Unauthorized` at 401 and 403; `Unavailable` when there is no answer in time, or 429 or
    5xx after a few tries; `MalformedResponse` for what is not Dagster's GraphQL, for too long an
    answer and for a query that the server does not know.
    """

    def __init__(self, source: Source) -> None:
        # Before the import, which reads it. The import costs seconds, so only who connects pays.
        os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
        from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError
        from gql.transport.requests import RequestsHTTPTransport

        if not source.url:
            raise ConfigError(f"source `{source.instance}`: a dagster needs `url`.")
        self._url = source.url.rstrip("/").removesuffix("/graphql") + "/graphql"
        self.server_s: float | None = None
        """The server's clock at its last answer, if it told."""
        self._timeout_s = source.timeout_s
        self._refused = DagsterGraphQLClientError
        self._turn = asyncio.Lock()
        self._source = source
        self._transport = RequestsHTTPTransport(
            url=self._url,
            headers=_headers(source),
            timeout=source.timeout_s,
            # A redirect would turn the query into a GET, and carry the token to another server.
            allow_redirects=False,
            stream=True,
            hooks={"response": self._receive},
        )
        self._client = DagsterGraphQLClient(self._url, transport=self._transport)

    async def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of the answer."""
        async for attempt in tries(self._timeout_s):
            with attempt:
                return await self._alone(query, variables)
        raise AssertionError("the last try returns or raises")

    async def change(self, mutation: str, **variables: object) -> dict[str, Any]:
        """The data of the answer; it is not sent again when it fails."""
        return await self._alone(mutation, variables)

    async def _alone(self, query: str, variables: dict[str, object]) -> dict[str, Any]:
        """The client refuses a second request while one is under way."""
        async with self._turn:
            return await asyncio.to_thread(self._send, query, variables)

    def _send(self, query: str, variables: dict[str, object]) -> dict[str, Any]:
        try:
            return self._exchange(query, variables)
        except Unauthorized:
            renewed = _headers(self._source)  # its file may have been replaced
            if renewed == self._transport.headers:
                raise
            self._transport.headers = renewed
            return self._exchange(query, variables)

    def _exchange(self, query: str, variables: dict[str, object]) -> dict[str, Any]:
        try:
            # The client has no public call for a query of one's own.
            answer = self._client._execute(query, variables)
        except self._refused as error:
            raise self._translate(error) from None
        return _checked(self._url, answer)

    def _receive(self, response: Any, **_: object) -> None:
        """Read the answer within the limits, and refuse it by its status."""
        chunks = response.raw.stream(65536, decode_content=True)
        try:
            body = read_capped(self._url, self._in_time(chunks))
        except ConnectorError:
            response.close()
            raise
        self.server_s = date_s(response.headers.get("Date", ""))
        retry_after = response.headers.get("Retry-After", "")
        check_status(self._url, response.status_code, retry_after, body)
        response.raw = io.BytesIO(body)

    def _in_time(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A server that sends a byte now and then must not hold us either: hence the deadline."""
        deadline_s = time.monotonic() + self._timeout_s
        for chunk in chunks:
            if time.monotonic() > deadline_s:
                raise Unavailable(f"{self._url}: the answer did not end in {self._timeout_s:g} s.")
            yield chunk

    def _translate(self, error: BaseException) -> ConnectorError:
        from gql.transport.exceptions import TransportConnectionFailed

        causes = list(_causes(error))
        for cause in causes:
            if isinstance(cause, ConnectorError):
                return cause
        if any(isinstance(cause, TransportConnectionFailed) for cause in causes):
            return Unavailable(f"{self._url}: no answer: {_innermost(causes[-1])}")
        return MalformedResponse(f"{self._url}: not an answer of Dagster: {causes[-1]}"[:500])


def _innermost(error: BaseException) -> str:
    """The end of what requests says; before it stand the names of the layers it went through."""
    text = str(error)
    return text.rpartition(": ")[2].strip("'\")")[:200] or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__


def _checked(url: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Dagster reports an error of its own inside an answer: as the value of the field."""
    for name, value in answer.items():
        if isinstance(value, dict) and value.get("__typename") == "PythonError":
            raise Unavailable(f"{url}: Dagster failed to answer {name}: {value['message']}"[:500])
    return answer


def _headers(source: Source) -> dict[str, str]:
    headers = headers_of(source)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    if source.token_file is not None:
        headers["Dagster-Cloud-Api-Token"] = token
    return headers

"""Requests to Airflow's REST API, with a deadline and a size limit; reads are tried again."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import quote, urlencode

import stamina
import urllib3
from airflow_client.client.api_client import ApiClient
from airflow_client.client.configuration import Configuration
from airflow_client.client.exceptions import ApiException

from swarm.clock import Clock
from swarm.config import Source
from swarm.connectors.credentials import headers_of, password_of
from swarm.connectors.http_answers import (
    Busy,
    NotFound,
    check_status,
    date_s,
    parse_object,
    read_capped,
)
from swarm.connectors.payloads import Payload
from swarm.errors import ConfigError, MalformedResponse, Unauthorized, Unavailable

Parameters = Mapping[str, str | int]

PAGE = 100  # Airflow's own default limit for one page
_ATTEMPTS = 3
_MAX_REST_S = 5.0
_LOGIN_S = 60.0  # between two logins
_CHUNK_BYTES = 64 * 1024
_OFFSET = "+"  # what a page's name begins with that counts rows; a server's own are base64


class TooSlow(Unavailable):
    """No complete answer within the source's time limit. Asking again would wait as long again."""


class AirflowHttp:
    """Blocking; safe to use from several threads. Every method raises `Unavailable`,
    `Unauthorized` or `MalformedResponse` with the address in it.

    The generated client carries the requests; its typed models are not used, because they refuse
    answers of other 3.x versions (a new enum value is an error) and there are none for 2.x.
    """

    def __init__(self, source: Source, clock: Clock, page_size: int = PAGE) -> None:
        if not source.url.startswith(("http://", "https://")):
            raise ConfigError(
                f"source `{source.instance}`: `url` has to be Airflow's address, "
                f"such as http://airflow.example.com:8080, not `{source.url}`."
            )
        self._source, self._clock, self._page_size = source, clock, page_size
        self._url = source.url.rstrip("/")
        # Off: the client's own retries and redirects, which know no deadline and leave the host.
        self._client = ApiClient(Configuration(host=self._url, retries=False))
        self._login_lock = threading.Lock()
        self._authorization = ""
        self._logged_in_s = -1.0
        self._api_version = 0
        self.clock_skew_s = 0.0  # the server's wall clock minus ours

    @property
    def major(self) -> int:
        """Airflow's major version, 3 (REST v2) or 2 (REST v1); asks the server the first time."""
        if not self._api_version:
            self._api_version = self._find_version()
        return self._api_version + 1

    def address(self, path: str, parameters: Parameters | None = None) -> str:
        """The full URL of `path`, which is relative to the API's root and already quoted."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return f"{self._url}/api/v{self.major - 1}{path}{query}"

    def get(self, path: str, parameters: Parameters | None = None) -> Payload:
        """Read one JSON object."""
        return self._get(self.address(path, parameters))

    def get_ui(self, path: str) -> Payload:
        """Read one JSON object of what Airflow 3 tells its own pages alone."""
        return self._get(f"{self._url}/ui{path}")

    def write(self, method: str, path: str, body: Payload) -> Payload:
        """Change something; it is not sent again when it fails."""
        url = self.address(path)
        return parse_object(url, self._authorized(method, url, body))

    def pages(self, path: str, key: str, parameters: Parameters | None = None) -> Iterator[Payload]:
        """Read a list page by page; `key` names the list in each page.

        With a parameter `cursor` (empty: from the beginning) pages follow each other by
        `next_cursor`, which rows that come or go do not disturb; servers before 3.2 do not know
        it and count rows.
        """
        at = str((parameters or {}).get("cursor", ""))
        while True:
            page, at = self.page(path, key, parameters or {}, at)
            yield page
            if not at:
                return

    def page(
        self, path: str, key: str, parameters: Parameters, at: str = ""
    ) -> tuple[Payload, str]:
        """The page of a list that `at` names (empty: the first), and the name of the next one
        (empty: there is none); else as `pages`."""
        asked = {"limit": self._page_size, **parameters}
        offset = int(at) if at.startswith(_OFFSET) else 0
        if offset:
            asked["offset"] = offset
        elif "cursor" in asked:
            asked["cursor"] = at
        page = self.get(path, asked)
        rows, total = page.get(key), page.get("total_entries")
        if not isinstance(rows, list) or not isinstance(total, int):
            raise MalformedResponse(
                f"{self.address(path, asked)} answered no list `{key}` with `total_entries`."
            )
        if "cursor" in asked and "next_cursor" in page:
            following = str(page["next_cursor"] or "")
            return page, "" if following == asked["cursor"] else following
        read = offset + len(rows)
        return page, f"{_OFFSET}{read}" if rows and read < total else ""

    def close(self) -> None:
        self._client.rest_client.pool_manager.clear()

    # --- version and login -----------------------------------------------------------------------

    def _find_version(self) -> int:
        for version in (2, 1):
            try:
                self._get(f"{self._url}/api/v{version}/version")
            except NotFound:
                continue
            return version
        raise MalformedResponse(
            f"{self._url} has neither /api/v2/version nor /api/v1/version: is it an Airflow?"
        )

    def _log_in(self, refused: str | None) -> str:
        """The Authorization header to use. `refused`: the one the server did not take."""
        with self._login_lock:
            now_s = self._clock.monotonic_s()
            # Also what we may not read is refused, and no new login helps against that.
            stale = refused == self._authorization and now_s > self._logged_in_s + _LOGIN_S
            if self._logged_in_s < 0 or stale:
                self._authorization = self._new_authorization()
                self._logged_in_s = now_s
            return self._authorization

    def _new_authorization(self) -> str:
        by_password = self._source.token_file is None and self._source.password_file is not None
        token = self._fetch_token() if by_password else ""
        if token:
            return f"Bearer {token}"
        return headers_of(self._source).get("Authorization", "")

    def _fetch_token(self) -> str:
        """Airflow 3 gives a token for a password; 2 has no such address and takes the password.

        It makes a token and changes nothing else.
        """
        url = f"{self._url}/auth/token"
        body = {"username": self._source.username, "password": password_of(self._source)}
        try:
            answer = parse_object(url, self._exchange("POST", url, "", body))
        except MalformedResponse:
            return ""
        return str(answer.get("access_token") or "")

    # --- one request -----------------------------------------------------------------------------

    def _get(self, url: str) -> Payload:
        rested = False

        def may_retry(error: Exception) -> bool | float:
            nonlocal rested
            if isinstance(error, Busy):
                again, rested = not rested, True
                return min(error.retry_after_s, _MAX_REST_S) if again else False
            return isinstance(error, Unavailable) and not isinstance(error, TooSlow)

        for attempt in stamina.retry_context(
            on=may_retry, attempts=_ATTEMPTS, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
        ):
            with attempt:
                return parse_object(url, self._authorized("GET", url))
        raise AssertionError("the loop above returns or raises")

    def _authorized(self, method: str, url: str, body: Payload | None = None) -> bytes:
        authorization = self._log_in(None)
        try:
            return self._exchange(method, url, authorization, body)
        except Unauthorized:
            # Perhaps a token that has run out (Airflow answers 403) or was replaced in its file.
            renewed = self._log_in(authorization)
            if renewed == authorization:
                raise
            return self._exchange(method, url, renewed, body)

    def _exchange(
        self, method: str, url: str, authorization: str, body: Payload | None = None
    ) -> bytes:
        headers = {"Accept": "application/json", "User-Agent": "swarm"}
        if authorization:
            headers["Authorization"] = authorization
        if body is not None:
            headers["Content-Type"] = "application/json"
        timeout_s = self._source.timeout_s
        sent_s = self._clock.monotonic_s()
        try:
            answer = self._client.call_api(
                method, url, headers, body=body, _request_timeout=timeout_s
            ).response
            with closing(answer):
                content = read_capped(url, self._chunks(url, answer, sent_s + timeout_s))
        except urllib3.exceptions.NewConnectionError as error:  # one of its timeouts
            raise Unavailable(f"{url}: no answer: {error.__cause__ or error}") from error
        except urllib3.exceptions.TimeoutError as error:
            raise TooSlow(f"{url}: no answer within {timeout_s:g} s.") from error
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise Unavailable(f"{url}: no answer: {error}") from error
        self._note_clock(answer.headers.get("Date", ""))
        check_status(url, answer.status, answer.headers.get("Retry-After", ""), content)
        return content

    def _chunks(
        self, url: str, answer: urllib3.BaseHTTPResponse, deadline_s: float
    ) -> Iterator[bytes]:
        """A server that sends a byte now and then must not hold us either: hence the deadline."""
        while chunk := answer.read1(_CHUNK_BYTES):
            yield chunk
            if self._clock.monotonic_s() > deadline_s:
                raise TooSlow(f"{url}: the answer did not end within the time limit.")

    def _note_clock(self, date: str) -> None:
        server_s = date_s(date)
        self.clock_skew_s = 0.0 if server_s is None else server_s - self._clock.now_s()


def quoted(name: str) -> str:
    """`name` as one segment of a path."""
    return quote(name, safe="~")

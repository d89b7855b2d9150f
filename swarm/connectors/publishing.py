"""How a catalogue is sent OpenLineage events: plain HTTP, as the specification has it.

The events are ten lines of JSON and their transport is one POST, so the client library
(openlineage-python, with requests and attrs) is only what the tests compare with.
"""

from collections.abc import Mapping
from typing import Any

import httpx2 as httpx

from swarm import secret
from swarm.config import Publishing
from swarm.connectors.http_answers import check_status
from swarm.errors import ConfigError, Unavailable
from swarm.outbound import check_reached

_REFUSALS = frozenset({400, 413, 422})  # of this event; anything else is a matter of all of them
_SAID_MAX = 200


class Catalogue:
    """A receiver of events; its calls are for a thread."""

    def __init__(self, settings: Publishing) -> None:
        self._settings, self._url = settings, settings.url
        self._client = httpx.Client(headers={"User-Agent": "swarm"}, timeout=settings.timeout_s)

    def tell(self, event: Mapping[str, Any]) -> str:
        """Send an event; why it is not wanted, empty where it is. Raises `ConnectorError`."""
        try:
            check_reached(self._url, "publish.url")
            headers = authorization(self._settings)
            answer = self._client.post(self._url, json=event, headers=headers)
        except ConfigError as error:
            raise Unavailable(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self._url}: {type(error).__name__}: {error}") from None
        if answer.status_code in _REFUSALS:
            return f"it answered {answer.status_code}: {answer.text[:_SAID_MAX]}"
        retry_after = answer.headers.get("Retry-After", "")
        check_status(self._url, answer.status_code, retry_after, answer.content)
        return ""

    def close(self) -> None:
        self._client.close()


def authorization(settings: Publishing) -> dict[str, str]:
    """The header that lets us in, by the token as its file holds it now. Raises `ConfigError`."""
    return secret.bearer(settings.token_file, "publish.token_file")

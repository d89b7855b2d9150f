"""Small JSON requests to the lab's own servers."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

from swarm.demo.processes import LabError

_TIMEOUT_S = 30
_TRIES = 10
_TRANSIENT = frozenset({429, 500, 502, 503, 504})


def call(method: str, url: str, body: object = None) -> Any:
    """Send one JSON request and return the answer's JSON.

    A server on SQLite now and then answers 5xx because its database is locked; such a request
    is sent again. Raises `LabError` that names the request and shows the answer.
    """
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(1, _TRIES + 1):
        request = urllib.request.Request(
            url, data=data, method=method, headers={"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            problem = f"{error.code}: {error.read().decode(errors='replace')[:800]}"
            if error.code not in _TRANSIENT:
                break
        except (OSError, ValueError) as error:
            problem = str(error)
        time.sleep(0.3 * attempt)
    raise LabError(f"{method} {url} failed: {problem}")


def answers(url: str) -> Any | None:
    """The JSON at `url`, or nothing while its server is not up."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.loads(answer.read())
    except (OSError, ValueError):
        return None


def graphql(url: str, query: str, **variables: object) -> Any:
    """Send one GraphQL request and return its `data`. Raises `LabError` with its errors."""
    answer = call("POST", url, {"query": query, "variables": variables})
    if answer.get("errors"):
        raise LabError(f"{url} refused a query: {json.dumps(answer['errors'])[:800]}")
    return answer["data"]

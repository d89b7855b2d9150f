"""Prefect's HTTP API, as far as the process around a flow run needs it. Standard library only:
importing Prefect takes more than a second, and the flow's own process does it once already."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

_TIMEOUT_S = 10.0
_TRUE = frozenset({"1", "true", "yes", "on"})


class Unavailable(Exception):
    """The server did not answer, or not now."""


class NoSuchRun(Exception):
    """The server does not know the flow run."""


class Server:
    """The server that `PREFECT_API_URL` names, with the credentials beside it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._url = environ["PREFECT_API_URL"].rstrip("/")
        self._headers = headers(environ)
        self._tls = _tls(environ) if self._url.startswith("https") else None

    def flow_run(self, run: str) -> dict[str, Any]:
        """The flow run as it is now. Raises `NoSuchRun`, `Unavailable`."""
        return dict(self._call("GET", f"/flow_runs/{run}"))

    def keep_count(self, run: Mapping[str, Any]) -> None:
        """Have the next start of a run count as the same try: otherwise it would spend one of the
        flow's retries. Prefect clears the mark when the run has started."""
        policy = {**run["empirical_policy"], "resuming": True}
        self._call("PATCH", f"/flow_runs/{run['id']}", {"empirical_policy": policy})

    def set_state(self, run: str, kind: str, message: str, *, force: bool = False) -> bool:
        """Propose a state by its type; False when the server keeps the one it has."""
        state = {"type": kind, "name": kind.capitalize(), "message": message}
        body = {"state": state, "force": force}
        answer = self._call("POST", f"/flow_runs/{run}/set_state", body)
        return bool(answer.get("status") == "ACCEPT")

    def log(self, run: str, message: str, timestamp: str) -> None:
        """Write a line into the flow run's log."""
        line = {
            "name": "swarm",
            "level": 30,
            "message": message,
            "timestamp": timestamp,
            "flow_run_id": run,
        }
        self._call("POST", "/logs/", [line])

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=self._tls) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            if refusal.code == 404:
                raise NoSuchRun(path) from None
            raise Unavailable(f"{method} {path}: HTTP {refusal.code}") from None
        except OSError as fault:
            raise Unavailable(f"{method} {path}: {fault}") from None
        return json.loads(text) if text else {}


def headers(environ: Mapping[str, str]) -> dict[str, str]:
    """What Prefect's own client would send under the same settings."""
    found = {"Content-Type": "application/json"}
    more = environ.get("PREFECT_CLIENT_CUSTOM_HEADERS")
    if more:
        found |= {str(name): str(value) for name, value in json.loads(more).items()}
    login, key = environ.get("PREFECT_API_AUTH_STRING"), environ.get("PREFECT_API_KEY")
    if login:
        found["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    elif key:
        found["Authorization"] = f"Bearer {key}"
    return found


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=environ.get("PREFECT_API_SSL_CERT_FILE") or None)
    if environ.get("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "").lower() in _TRUE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

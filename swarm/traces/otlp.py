"""How spans reach a collector: OpenTelemetry's protocol, protobuf over HTTP.

The messages are OpenTelemetry's own (`opentelemetry-proto`). Its exporter is not used: it follows
redirects, takes credentials from the environment and says in a log of its own why it failed.
"""

import gzip
import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2 as httpx

from swarm import __version__, secret
from swarm.config import Telemetry
from swarm.errors import ConfigError, Unavailable
from swarm.outbound import check_reached, check_url
from swarm.traces.spans import Span, Value

_KEY = "telemetry.traces_url"
_REFUSALS = frozenset({400, 413, 415, 422})  # of these spans; anything else is tried again
_SAID_MAX = 200
_INTERNAL, _SERVER = 1, 2  # kinds of spans
_ERROR = 2  # a status


class Collector:
    """A receiver of spans; its calls are for a thread."""

    def __init__(self, settings: Telemetry) -> None:
        """Raises `ConfigError` for a URL that is never asked, a token file that cannot be read, and
        where the package is missing."""
        self._messages = _messages()
        check_url(settings.traces_url, _KEY)
        headers = {"User-Agent": f"swarm/{__version__}", "Content-Type": "application/x-protobuf"}
        headers["Content-Encoding"] = "gzip"
        _authorization(settings)
        self._settings, self._url = settings, settings.traces_url
        self._client = httpx.Client(headers=headers, timeout=settings.timeout_s)

    def tell(self, spans: Iterable[Span]) -> str:
        """Send spans; why they are not wanted, empty where they are. Raises `Unavailable`."""
        body = gzip.compress(self._encoded(spans), compresslevel=1)
        try:
            check_reached(self._url, _KEY)
            headers = _authorization(self._settings)
            answer = self._client.post(self._url, content=body, headers=headers)
        except ConfigError as error:
            raise Unavailable(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self._url}: {type(error).__name__}: {error}") from None
        said = f"it answered {answer.status_code}: {answer.text[:_SAID_MAX]}"
        if answer.status_code in _REFUSALS:
            return said
        if not answer.is_success:
            raise Unavailable(f"{self._url}: {said}")
        return ""

    def close(self) -> None:
        self._client.close()

    def _encoded(self, spans: Iterable[Span]) -> bytes:
        """An `ExportTraceServiceRequest`."""
        told = {"service.name": "swarm", "service.version": __version__}
        tree = {
            "resource": {"attributes": _attributes(told)},
            "scope_spans": [
                {"scope": {"name": "swarm"}, "spans": [_span(one) for one in spans]},
            ],
        }
        request = self._messages.ExportTraceServiceRequest(resource_spans=[tree])
        body: bytes = request.SerializeToString()
        return body


def _authorization(settings: Telemetry) -> dict[str, str]:
    """The header that lets us in, by the token as its file holds it now. Raises `ConfigError`."""
    return secret.bearer(settings.traces_token_file, "telemetry.traces_token_file")


def _messages() -> Any:
    # Only where traces are wanted: the package is an extra, and its import takes a while.
    try:
        return importlib.import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    except ImportError:
        raise ConfigError(
            f"{_KEY}: a package is missing; `pip install opentelemetry-proto`."
        ) from None


def _span(span: Span) -> dict[str, Any]:
    told: dict[str, Any] = {
        "trace_id": bytes.fromhex(span.trace),
        "span_id": bytes.fromhex(span.id),
        "parent_span_id": bytes.fromhex(span.parent),
        "name": span.name,
        "kind": _SERVER if span.is_request else _INTERNAL,
        "start_time_unix_nano": _nanos(span.start_s),
        "end_time_unix_nano": _nanos(max(span.start_s, span.end_s)),
        "attributes": _attributes(span.told),
        "events": [{"name": name, "time_unix_nano": _nanos(at_s)} for name, at_s in span.moments],
    }
    if span.fault:
        told["status"] = {"code": _ERROR, "message": span.fault}
    return told


def _attributes(told: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in told.items()]


def _value(value: Value) -> dict[str, Value]:
    match value:
        case bool():
            return {"bool_value": value}
        case int():
            return {"int_value": value}
        case float():
            return {"double_value": value}
        case str():  # protobuf takes no lone surrogates, names from outside may have some
            return {"string_value": value.encode(errors="replace").decode()}


def _nanos(at_s: float) -> int:
    return max(0, round(at_s * 1e9))

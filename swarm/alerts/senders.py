"""How an alert reaches its target: in words through apprise, to machines as JSON.

Slack, Teams and mail go through apprise. PagerDuty and webhooks do not: apprise can neither close
an incident nor send a key by which its receiver knows a message again.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Any, Protocol

import httpx2 as httpx

from swarm import secret
from swarm.alerts.wording import body, title
from swarm.config import AlertTarget
from swarm.errors import ConfigError
from swarm.model.alerts import Alert, Line
from swarm.model.lineage import Level
from swarm.outbound import check_reached, check_url

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
_TIMEOUT_S = 20.0
_SAID_MAX = 200  # characters of what a target answered
_SEVERITY = {Level.GATE: "critical", Level.WARN: "warning"}
# Words that chats take for a mention or a link; names of pipelines come from outside.
_HARMLESS = str.maketrans("<>", "()")


class Undelivered(Exception):
    """The target did not take the message; it may be sent again."""


class Send(Protocol):
    """Sends an alert, or raises `Undelivered`. It may take `_TIMEOUT_S` and more: for a thread."""

    def __call__(self, alert: Alert) -> None: ...


def sender(target: AlertTarget) -> Send:
    """The way to `target`. Raises `ConfigError` where its address cannot be used."""
    address = _address(target)
    if target.kind == "pagerduty":
        return _PagerDuty(address, target.url or PAGERDUTY_URL)
    if target.kind == "webhook":
        if not address.startswith(("http://", "https://")):
            raise _unusable(target, "a webhook is a URL of http or https")
        try:
            check_url(address, target.name)
        except ConfigError:
            raise _unusable(target, "swarm asks nothing there") from None
        return _Webhook(address)
    return _Words(target, address)


class _Webhook:
    """Whatever takes JSON. The header `Idempotency-Key` is the same however often it is sent."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, alert: Alert) -> None:
        told = {
            "schema_version": 1,
            "id": alert.id,
            "at_s": alert.made_at_s,
            "title": title(alert),
            "text": body(alert),
            "findings": [_row(line) for line in alert.lines],
            "left_out": alert.left_out,
        }
        _post(self._url, told, {"Idempotency-Key": alert.id})


class _PagerDuty:
    """PagerDuty's Events API v2: an incident for each time that a finding is open."""

    def __init__(self, routing_key: str, url: str) -> None:
        self._routing_key = routing_key
        self._url = url

    def __call__(self, alert: Alert) -> None:
        for line in alert.lines:
            event: dict[str, Any] = {
                "routing_key": self._routing_key,
                "dedup_key": f"swarm-{line.told}",
                "event_action": "resolve" if line.is_closed else "trigger",
            }
            if not line.is_closed:
                event["payload"] = {
                    "summary": title(alert),
                    "source": "swarm",
                    "severity": _SEVERITY.get(line.level, "info"),
                    "class": str(line.kind),
                    "custom_details": _row(line),
                }
                event["links"] = [{"href": line.link, "text": "swarm"}] if line.link else []
            _post(self._url, event, {})


class _Words:
    """A target that people read, through apprise."""

    def __init__(self, target: AlertTarget, address: str) -> None:
        self._target = target
        self._address = address
        self._plugin({})  # an address that cannot be used is told at once

    def __call__(self, alert: Alert) -> None:
        mail = self._target.kind == "email"
        plugin = self._plugin({"X-Swarm-Alert": alert.id} if mail else {})
        said = title(alert), body(alert)
        subject, text = said if mail else map(_harmless, said)
        with _Overheard() as overheard:
            try:
                taken = plugin.notify(title=subject, body=text)
            except (OSError, ValueError, RuntimeError) as fault:  # what its libraries let through
                raise Undelivered(repr(fault)[:_SAID_MAX]) from None
        if not taken:
            raise Undelivered(overheard.first or f"{self._target.kind} did not take it")

    def _plugin(self, headers: Mapping[str, str]) -> Any:
        from apprise import AppriseAsset

        # Without its own name, and without pictures that its receivers would load from its site.
        asset = AppriseAsset(
            app_id="swarm", app_desc="swarm", app_url="", image_url_mask="", image_url_logo=""
        )
        kind = _plugin_class(self._target.kind)
        parsed = (
            kind.parse_native_url(self._address)
            if self._address.startswith("https:")
            else kind.parse_url(self._address)
        )
        if not parsed:
            raise _unusable(self._target, f"no address of {self._target.kind}")
        with _Overheard() as overheard:
            try:
                plugin = kind(**parsed | {"format": "text", "asset": asset})
            except TypeError:  # what apprise raises for any part that it cannot use
                raise _unusable(self._target, overheard.first) from None
        if headers:
            plugin.headers = dict(headers)
        return plugin


def _plugin_class(kind: str) -> Any:
    """Only these of apprise's 130 services are ever loaded."""
    if kind == "slack":
        from apprise.plugins.slack import NotifySlack

        return NotifySlack
    if kind == "teams":
        from apprise.plugins.workflows import NotifyWorkflows

        return NotifyWorkflows
    from apprise.plugins.email import NotifyEmail

    return NotifyEmail


class _Overheard(logging.Handler):
    """What apprise logs in this thread: it returns only whether it went well."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first = ""
        self._thread = threading.get_ident()
        self._logger = logging.getLogger("apprise")

    def emit(self, record: logging.LogRecord) -> None:
        if not self.first and record.thread == self._thread:
            self.first = record.getMessage()[:_SAID_MAX]

    def __enter__(self) -> "_Overheard":
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)


def _post(url: str, told: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    try:
        check_reached(url, "alerts.targets")
        answer = httpx.post(
            url, json=told, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False
        )
    except ConfigError:  # its text may have the address in it, which is a secret
        raise Undelivered("its address leads where swarm asks nothing") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Undelivered(f"{type(error).__name__}: {error}"[:_SAID_MAX]) from None
    if not answer.is_success:
        raise Undelivered(f"it answered {answer.status_code}: {answer.text[:_SAID_MAX]}")


def _row(line: Line) -> dict[str, Any]:
    return {
        "finding": line.told.finding,
        "key": str(line.told),
        "first_seen_s": line.told.first_seen_s,
        "kind": str(line.kind),
        "level": str(line.level),
        "closed": line.is_closed,
        "text": line.text,
        "remedy": line.remedy,
        "link": line.link,
    }


def _harmless(text: str) -> str:
    return text.replace("->", "→").translate(_HARMLESS)


def _address(target: AlertTarget) -> str:
    address = secret.read(target.address_file, f"alerts.targets: {target.name}")
    if not address:
        raise _unusable(target, "it is empty")
    return address


def _unusable(target: AlertTarget, why: str) -> ConfigError:
    """Says nothing of what is in the file: it is a secret."""
    return ConfigError(
        f"alerts.targets: {target.name}: {target.address_file} holds no address that can be used "
        f"({why}); `address_file` in configs/README.md says what it has to hold."
    )

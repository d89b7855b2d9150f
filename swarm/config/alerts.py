"""Settings of who is told of findings."""

from typing import Literal, Self

from pydantic import Field, model_validator

from swarm.config.section import WEEK, KnownZone, SecretAt, Section, TimeOfDay, Weekday

# As in `model/findings.py`, which settings do not know.
_FindingKind = Literal[
    "undeclared_dependency",
    "cycle",
    "missing_worker",
    "stale_read",
    "race",
    "cadence_mismatch",
    "paused_writer",
    "gone_writer",
    "two_writers",
    "sla_at_risk",
    "misstated_sla",
    "held",
]


class QuietHours(Section):
    """Hours in which nobody is to be disturbed."""

    start: TimeOfDay = Field(description='Time of day by the clock at which they begin, `"22:00"`.')
    end: TimeOfDay = Field(
        description="And end; on the next day where that is not later. The same: all day."
    )
    timezone: KnownZone = Field("UTC", description="Whose clock, an IANA name.")
    days: tuple[Weekday, ...] = Field(WEEK, description="On which days they begin.")


class AlertTarget(Section):
    """Somebody who is told of findings."""

    name: str = Field(
        min_length=1, max_length=100, pattern=r"^[\w.-]+$", description="Its name, once."
    )
    kind: Literal["slack", "teams", "email", "pagerduty", "webhook"] = Field(
        description="What it is; `webhook` is sent JSON."
    )
    address_file: SecretAt = Field(
        description="File that holds its address, or `secret://env/NAME`: the webhook URL that "
        "Slack or a Teams workflow gave, `mailtos://USER:PASSWORD@HOST?from=ADDRESS&to=ADDRESS` "
        "(apprise's form), PagerDuty's routing key (Events API v2), or the URL that takes JSON.",
    )
    url: str = Field(
        "", description="PagerDuty's own URL where it is not that of the US, as in the EU."
    )
    at_least: Literal["show", "warn", "gate"] = Field(
        "warn", description="How sure a finding has to be: to be shown, to be told, to hold a run."
    )
    kinds: tuple[_FindingKind, ...] = Field((), description="Which kinds of findings; empty: all.")
    match: tuple[str, ...] = Field(
        (),
        description="Findings of which pipelines, `orchestrator/name`, `*` stands for any part; "
        "empty: all.",
    )
    quiet: tuple[QuietHours, ...] = Field(
        (), description="When it is not to be disturbed: what comes then is told at their end."
    )
    urgent_passes: bool = Field(
        True, description="Whether an SLA at risk is told in quiet hours too."
    )
    tells_closed: bool = Field(True, description="Whether it is also told that a finding closed.")


class Alerts(Section):
    """Who is told of findings, besides the dashboard and `swarm findings`."""

    targets: tuple[AlertTarget, ...] = Field((), description="Whom.")
    group_s: float = Field(
        5.0, ge=0, le=3600, description="Seconds that a finding waits for others to go with it."
    )
    dashboard_url: str = Field(
        "", description="Where people reach the dashboard, for links; empty: no links."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [target.name for target in self.targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two targets are called {twice[0]}")
        return self

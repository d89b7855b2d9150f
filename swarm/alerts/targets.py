"""What the settings say of alerts, as the desk takes it."""

from collections.abc import Callable

from swarm.alerts.desk import Desk, Target
from swarm.alerts.quiet import Quiet
from swarm.config import Alerts, AlertTarget, PipelineRule, QuietHours
from swarm.model.findings import FindingKind
from swarm.model.intents import Mode
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level
from swarm.model.policy import Policies, Policy
from swarm.model.sla import clock_s, weekdays


def desk(alerts: Alerts, rules: tuple[PipelineRule, ...]) -> Desk:
    """A desk that knows nothing yet, for the targets of the settings."""
    targets = map(_target, alerts.targets)
    return Desk(targets, alerts.group_s, _is_told(rules), alerts.dashboard_url)


def _is_told(rules: tuple[PipelineRule, ...]) -> Callable[[PipelineKey], bool]:
    policies = Policies(tuple((rule.match, Policy(Mode(rule.mode))) for rule in rules))
    return lambda pipeline: policies.of(pipeline).mode is not Mode.OBSERVE


def _target(told: AlertTarget) -> Target:
    return Target(
        told.name,
        Level(told.at_least),
        frozenset(map(FindingKind, told.kinds)),
        told.match,
        tuple(map(_quiet, told.quiet)),
        told.urgent_passes,
        told.tells_closed,
        apart=told.kind == "pagerduty",
    )


def _quiet(told: QuietHours) -> Quiet:
    return Quiet(clock_s(told.start), clock_s(told.end), told.timezone, weekdays(told.days))

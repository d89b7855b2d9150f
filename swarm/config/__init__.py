"""Settings: one frozen tree, read once from YAML and `SWARM_` environment variables."""

from swarm.config.access import Api, ApiToken, Oidc, RoleName
from swarm.config.alerts import Alerts, AlertTarget, QuietHours
from swarm.config.reading import load
from swarm.config.rules import LinkRule, PipelineRule, Promise
from swarm.config.section import WEEK, KnownZone, TimeOfDay, Weekday
from swarm.config.settings import Settings
from swarm.config.sources import (
    Counted,
    HandPlace,
    Naming,
    Publishing,
    Source,
    SqlConnection,
    Telemetry,
)
from swarm.config.work import Agents, OfferingRule, Placement, PoolPrices, Team, Worker

__all__ = [
    "WEEK",
    "Agents",
    "AlertTarget",
    "Alerts",
    "Api",
    "ApiToken",
    "Counted",
    "HandPlace",
    "KnownZone",
    "LinkRule",
    "Naming",
    "OfferingRule",
    "Oidc",
    "PipelineRule",
    "Placement",
    "PoolPrices",
    "Promise",
    "Publishing",
    "QuietHours",
    "RoleName",
    "Settings",
    "Source",
    "SqlConnection",
    "Team",
    "Telemetry",
    "TimeOfDay",
    "Weekday",
    "Worker",
    "load",
]

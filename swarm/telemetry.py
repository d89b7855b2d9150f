"""The names of all metrics, with what they mean, and the form of a line of the log.

Units are those of Prometheus (seconds, and counts), and come last in the name. No label takes ids
of tasks or runs; of those that take names from outside, `sla` takes `SLAS_MAX` of them, all others
those that the settings have.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import structlog

SLAS_MAX = 200
LABEL_MAX = 200  # characters


class Kind(StrEnum):
    """How a metric moves: a gauge is as it is now, a counter only rises."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. A counter's name ends in `_total`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """What a metric is now. Of a counter it is all that was counted since the process began."""

    metric: Metric
    value: float
    labels: dict[str, str] = field(default_factory=dict)


METRICS: dict[str, Metric] = {}


def _gauge(name: str, help_: str, *labels: str) -> Metric:
    return METRICS.setdefault(name, Metric(name, Kind.GAUGE, help_, labels))


def _counter(name: str, help_: str, *labels: str) -> Metric:
    return METRICS.setdefault(name, Metric(name, Kind.COUNTER, help_, labels))


# --- of the dispatcher ---------------------------------------------------------------------------
TASKS = _gauge("swarm_tasks", "Live tasks by where they are and their SLA class.", "state", "sla")
TASKS_ENDED = _counter("swarm_tasks_ended_total", "Tasks that ended, by outcome.", "outcome")
REDISTRIBUTIONS = _counter(
    "swarm_redistributions_total", "Grants that were lost and given up for, by cause.", "cause"
)
WORKERS = _gauge("swarm_workers", "Workers that are there, live or silent.", "state")
SLOTS = _gauge("swarm_worker_slots", "Slots of all workers that are there.")
BEAT_GAP = _gauge(
    "swarm_beat_gap_seconds", "Time between two beats of a worker, lately.", "quantile"
)
DETECTION = _gauge(
    "swarm_failure_detection_seconds", "Silence after which work that tolerates two runs moves."
)
FALSE_ALARMS = _counter(
    "swarm_false_alarms_total", "Workers that were taken for gone and were only late."
)
CUT_OFFS = _counter("swarm_cut_offs_total", "Workers that were silent because beats were lost.")
WATCHED = _counter("swarm_worker_watched_seconds_total", "Time watched, over all workers.")
STALLED = _counter("swarm_dispatcher_stalled_seconds_total", "Time the dispatcher stood still.")
STALE_ENDS = _counter(
    "swarm_stale_ends_total", "Ends that workers told of grants that were no longer theirs."
)

# --- of the sequencer ----------------------------------------------------------------------------
HOLDS = _gauge("swarm_holds", "Pipelines that are held now, really (gate) or as noted.", "mode")
SLAS = _gauge("swarm_slas", "SLAs by how they stand.", "standing")
SLA_MISS = _gauge(
    "swarm_sla_miss_probability", f"P(missed), of the {SLAS_MAX} SLAs of most value.", "sla"
)
SLA_DEADLINE = _gauge(
    "swarm_sla_deadline_timestamp_seconds", "The next deadline of each of those SLAs.", "sla"
)
HAZARD_PRECISION = _gauge(
    "swarm_hazard_precision_ratio",
    "Of the judged hazards of a kind, those that were right.",
    "kind",
)

# --- of placement --------------------------------------------------------------------------------
NODES_WANTED = _gauge("swarm_nodes_wanted", "Nodes that placement wants.", "offering", "market")
NODES = _gauge("swarm_nodes", "Nodes that stand by for work or boot.", "offering", "market")
NODES_USD = _gauge("swarm_nodes_usd_per_hour", "What those nodes cost, as they are offered now.")
PLAN_GAP = _gauge(
    "swarm_plan_gap_ratio", "How long the plan takes, over what none on its workers can beat."
)
TRUSTED = _gauge(
    "swarm_forecast_trusted", "Whether work that nobody announced is planned for as foretold."
)
REFUSALS = _counter(
    "swarm_nodes_refused_total", "Nodes that are not given or not allowed, by reason.", "reason"
)

# --- of the projector ----------------------------------------------------------------------------
FINDINGS = _gauge("swarm_findings", "Findings that are open.", "kind", "level")
DEPENDENCIES = _gauge("swarm_dependencies", "Dependencies, declared or implicit.", "origin")
PIPELINES = _gauge("swarm_pipelines", "Pipelines that are read.")
UNRESOLVED = _gauge("swarm_unresolved", "Things in pipelines that are not understood.")
LAG = _gauge(
    "swarm_event_lag_seconds", "Age of the oldest event that readers were last brought to see."
)

# --- of connectors and alerts --------------------------------------------------------------------
SOURCE_UP = _gauge("swarm_source_up", "Whether the last pass over a source went well.", "source")
SOURCE_AGE = _gauge(
    "swarm_source_age_seconds", "Time since the last good pass over a source.", "source"
)
ALERTS = _counter("swarm_alerts_total", "Alerts that ended, by outcome.", "target", "outcome")
ALERTS_UNDER_WAY = _gauge("swarm_alerts_under_way", "Alerts not taken yet.", "target")


# Variables of the frames that a fault went through hold tokens, addresses and what tasks run.
_WITHOUT_LOCALS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def log_as_json() -> None:
    """From now on each line of this process's log is a JSON object: `timestamp` (ISO 8601, UTC),
    `level`, `event`, what is said of it, and the `cause_id` that it follows from, where one is."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_WITHOUT_LOCALS),
            structlog.processors.JSONRenderer(),
        ]
    )


def caused_by(cause_id: str) -> None:
    """What this task of the loop logs from now on follows from that."""
    structlog.contextvars.bind_contextvars(cause_id=cause_id)

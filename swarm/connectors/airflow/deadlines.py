"""What the deadline alerts of a DAG promise, as SLAs. Pure.

Airflow 3.3 tells an alert by its reference and an interval (`/ui/dags/{dag_id}/deadlineAlerts`).
It does not tell in which time zone a schedule is: `timezone` of a DAG's details is another one. So
the time of day is that of the next run, which the list of DAGs tells in UTC, and is read again
with it when the clocks change. Airflow 2 tells no `sla` of a task, only that it was missed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from swarm.connectors.airflow.mapping import Dag
from swarm.connectors.payloads import Payload
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.model.weekdays import DAY_S
from swarm.sequencing.crons import times_of

_LOGICAL, _QUEUED = "DagRunLogicalDateDeadline", "DagRunQueuedAtDeadline"
_MOVING = {
    "FixedDatetimeDeadline": "it is for one moment alone",
    "AverageRuntimeDeadline": "it moves with how long runs take",
}
# Clocks are so far behind UTC (Hawaii) or less far ahead of it; the few islands beyond show the
# same time of day as others a day off.
_BEHIND_S, _AHEAD_S = 10 * 3_600.0, 14 * 3_600.0


@dataclass(frozen=True, slots=True)
class Alert:
    """A run is to be done `interval_s` after its `reference`; None: Airflow does not tell."""

    name: str
    reference: str
    interval_s: float | None


def read_alerts(payload: Payload) -> tuple[Alert, ...]:
    """The answer of `/ui/dags/{dag_id}/deadlineAlerts`."""
    return tuple(
        Alert(
            str(row.get("name") or row["id"]),
            str(row["reference_type"]),
            None if row["interval"] is None else float(row["interval"]),
        )
        for row in payload["deadline_alerts"]
    )


def promised(key: PipelineKey, dag: Dag, alerts: Iterable[Alert]) -> tuple[Sla, ...]:
    """Those of the alerts that are times of day."""
    found = (_sla(key, dag, alert) for alert in alerts)
    return tuple(one for one in found if isinstance(one, Sla))


def not_promised(key: PipelineKey, dag: Dag, alerts: Iterable[Alert]) -> tuple[str, ...]:
    """Why the others are none."""
    found = [(alert, _sla(key, dag, alert)) for alert in alerts]
    return tuple(
        f"the deadline alert `{alert.name}` is no time of day: {why}; a tag `sla:HH:MM` states one"
        for alert, why in found
        if isinstance(why, str)
    )


def _sla(key: PipelineKey, dag: Dag, alert: Alert) -> Sla | str:
    """The SLA, or why there is none."""
    if alert.reference not in (_LOGICAL, _QUEUED):
        return _MOVING.get(alert.reference, f"only Airflow knows what {alert.reference} is")
    if alert.interval_s is None:
        return "Airflow does not tell its interval, a variable"
    at_s = dag.logical_s if alert.reference == _LOGICAL else dag.run_after_s
    scheduled = times_of(dag.schedule)
    if at_s is None or scheduled is None or len(scheduled[0]) != 1:
        return f"the schedule `{dag.schedule}` has none"
    [there_s], days = scheduled
    later, by_s = divmod(at_s + alert.interval_s, DAY_S)
    shift = int(later) + _days_ahead(at_s, there_s)
    return Sla(key, by_s, "UTC", tuple(sorted((day + shift) % 7 for day in days)))


def _days_ahead(utc_s: float, there_s: float) -> int:
    """How many days the date in UTC is ahead of that of the place where it is `there_s`."""
    if there_s - utc_s < -_BEHIND_S:
        return -1
    return 1 if there_s - utc_s >= _AHEAD_S else 0

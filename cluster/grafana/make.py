"""Makes `dashboard.json` and `rules.yaml` of this folder: `python cluster/grafana/make.py`.

Each panel is a title, a unit of Grafana's and expressions over the metrics of `swarm/telemetry.py`,
whose helps are the panels' descriptions. Sums are over all processes that measure the same.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from swarm.telemetry import METRICS

HERE = Path(__file__).parent
NAME = re.compile(r"\bswarm_\w+\b")

PANELS: list[tuple[str, str, dict[str, str]]] = [
    ("P(missed) by SLA", "percentunit", {"{{sla}}": "max by (sla) (swarm_sla_miss_probability)"}),
    (
        "Time to each deadline",
        "s",
        {"{{sla}}": "max by (sla) (swarm_sla_deadline_timestamp_seconds) - time()"},
    ),
    ("SLAs by how they stand", "short", {"{{standing}}": "max by (standing) (swarm_slas)"}),
    (
        "Findings that are open",
        "short",
        {"{{kind}}": "sum by (kind) (max by (kind, level) (swarm_findings))"},
    ),
    (
        "Hazards that were right",
        "percentunit",
        {"{{kind}}": "max by (kind) (swarm_hazard_precision_ratio)"},
    ),
    ("Held", "short", {"{{mode}}": "max by (mode) (swarm_holds)"}),
    ("Tasks by state", "short", {"{{state}}": "sum by (state) (swarm_tasks)"}),
    ("Waiting by class", "short", {"{{sla}}": 'sum by (sla) (swarm_tasks{state="queued"})'}),
    (
        "Tasks that end",
        "ops",
        {"{{outcome}}": "sum by (outcome) (rate(swarm_tasks_ended_total[5m]))"},
    ),
    (
        "Workers and slots",
        "short",
        {"{{state}}": "sum by (state) (swarm_workers)", "slots": "sum(swarm_worker_slots)"},
    ),
    (
        "Nodes wanted and there",
        "short",
        {
            "{{offering}} wanted": "max by (offering) (swarm_nodes_wanted)",
            "{{offering}}": "max by (offering) (swarm_nodes)",
        },
    ),
    ("Nodes by market", "short", {"{{market}}": "sum by (market) (swarm_nodes)"}),
    ("What nodes cost an hour", "currencyUSD", {"USD": "max(swarm_nodes_usd_per_hour)"}),
    (
        "Plan over the least any could take, forecast trusted",
        "short",
        {"gap": "max(swarm_plan_gap_ratio)", "trusted": "max(swarm_forecast_trusted)"},
    ),
    (
        "Nodes refused, by reason",
        "short",
        {"{{reason}}": "sum by (reason) (increase(swarm_nodes_refused_total[1h]))"},
    ),
    (
        "Work that moved, by cause",
        "short",
        {"{{cause}}": "sum by (cause) (increase(swarm_redistributions_total[5m]))"},
    ),
    (
        "Silence until work moves, and gaps between beats",
        "s",
        {
            "detection": "max(swarm_failure_detection_seconds)",
            "gap {{quantile}}": "max by (quantile) (swarm_beat_gap_seconds)",
        },
    ),
    (
        "False alarms in 1,000 hours of workers",
        "short",
        {
            "false alarms": "3.6e6 * sum(increase(swarm_false_alarms_total[1d]))"
            " / sum(increase(swarm_worker_watched_seconds_total[1d]))"
        },
    ),
    (
        "Silent and not dead, ends that came too late",
        "short",
        {
            "cut off": "sum(increase(swarm_cut_offs_total[5m]))",
            "late ends": "sum(increase(swarm_stale_ends_total[5m]))",
        },
    ),
    (
        "Dispatcher stood still",
        "percentunit",
        {"share of time": "sum(rate(swarm_dispatcher_stalled_seconds_total[5m]))"},
    ),
    ("How old events are when they are seen", "s", {"lag": "max(swarm_event_lag_seconds)"}),
    (
        "Sources that cannot be read",
        "short",
        {"{{source}}": "1 - max by (source) (swarm_source_up)"},
    ),
    ("Last good pass", "s", {"{{source}}": "min by (source) (swarm_source_age_seconds)"}),
    (
        "What is known",
        "short",
        {
            "{{origin}}": "max by (origin) (swarm_dependencies)",
            "pipelines": "max(swarm_pipelines)",
            "not understood": "max(swarm_unresolved)",
        },
    ),
    (
        "Alerts",
        "short",
        {
            "{{target}} {{outcome}}": "sum by (target, outcome) (increase(swarm_alerts_total[1h]))",
            "{{target}} waits": "max by (target) (swarm_alerts_under_way)",
        },
    ),
]

# Name, expression, how long it has to hold, severity, what to do.
RULES: list[tuple[str, str, str, str, str]] = [
    (
        "SwarmAbsent",
        "absent(swarm_event_lag_seconds)",
        "5m",
        "critical",
        "Nothing is measured: is swarm up (`swarm status`), and is its metrics page scraped?",
    ),
    (
        "SwarmSourceDown",
        "max by (source) (swarm_source_up) == 0",
        "10m",
        "warning",
        "{{ $labels.source }} cannot be read; `swarm status` says why.",
    ),
    (
        "SwarmEventsLate",
        "max(swarm_event_lag_seconds) > 60",
        "5m",
        "warning",
        "What people see is {{ $value | humanizeDuration }} old: look at the projector.",
    ),
    (
        "SwarmSlaAtRisk",
        "max by (sla) (swarm_sla_miss_probability) > 0.5"
        " and on (sla) max by (sla) (swarm_sla_deadline_timestamp_seconds) > time()",
        "2m",
        "warning",
        "{{ $labels.sla }} is missed at {{ $value | humanizePercentage }}; `swarm sla` says why.",
    ),
    (
        "SwarmNoWorkers",
        'sum(swarm_tasks{state="queued"}) > 0 and sum(swarm_workers{state="live"}) == 0',
        "5m",
        "critical",
        "Tasks wait and no worker is there; `swarm workers`.",
    ),
    (
        "SwarmTaskParked",
        'sum(increase(swarm_tasks_ended_total{outcome="parked"}[1h])) > 0',
        "0m",
        "warning",
        "A task takes its workers down with it; `swarm tasks` lists what is parked.",
    ),
    (
        "SwarmFalseAlarms",
        "3.6e6 * sum(increase(swarm_false_alarms_total[1d]))"
        " / sum(increase(swarm_worker_watched_seconds_total[1d])) > 1",
        "1h",
        "warning",
        "More than one worker in 1,000 hours was taken for gone and was only late: a slow machine?",
    ),
    (
        "SwarmDispatcherStalls",
        "sum(rate(swarm_dispatcher_stalled_seconds_total[5m])) > 0.05",
        "10m",
        "warning",
        "The dispatcher stands still for {{ $value | humanizePercentage }} of the time.",
    ),
    (
        "SwarmAlertsStuck",
        "max by (target) (swarm_alerts_under_way) > 0",
        "15m",
        "warning",
        "{{ $labels.target }} takes no alerts; `swarm alerts test {{ $labels.target }}` says why.",
    ),
    (
        "SwarmAlertsGivenUp",
        'sum by (target) (increase(swarm_alerts_total{outcome="given_up"}[1h])) > 0',
        "0m",
        "critical",
        "{{ $labels.target }} was not told of findings; `swarm findings` has them.",
    ),
]


def dashboard() -> dict[str, Any]:
    """Two panels a row, as Grafana 10 and later read it."""
    return {
        "uid": "swarm",
        "title": "swarm",
        "tags": ["swarm"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "source",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                }
            ]
        },
        "panels": [_panel(number, *panel) for number, panel in enumerate(PANELS)],
    }


def rules() -> dict[str, Any]:
    """A rule file of Prometheus."""
    return {
        "groups": [
            {
                "name": "swarm",
                "rules": [
                    {
                        "alert": name,
                        "expr": expression,
                        "for": lasting,
                        "labels": {"severity": severity},
                        "annotations": {"summary": summary},
                    }
                    for name, expression, lasting, severity, summary in RULES
                ],
            }
        ]
    }


def written() -> dict[str, str]:
    """The files by name."""
    head = "# Made by make.py from swarm/telemetry.py.\n"
    return {
        "dashboard.json": json.dumps(dashboard(), indent=1) + "\n",
        "rules.yaml": head + yaml.safe_dump(rules(), sort_keys=False, width=1_000),
    }


def _panel(number: int, title: str, unit: str, lines: dict[str, str]) -> dict[str, Any]:
    names = dict.fromkeys(name for line in lines.values() for name in NAME.findall(line))
    source = {"type": "prometheus", "uid": "${source}"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "description": " ".join(METRICS[name].help for name in names),
        "datasource": source,
        "gridPos": {"x": 12 * (number % 2), "y": 8 * (number // 2), "w": 12, "h": 8},
        "fieldConfig": {
            "defaults": {"unit": unit, "min": 0 if unit != "s" else None},
            "overrides": [],
        },
        "targets": [
            {"refId": chr(65 + at), "expr": line, "legendFormat": legend, "datasource": source}
            for at, (legend, line) in enumerate(lines.items())
        ],
    }


if __name__ == "__main__":
    for name, text in written().items():
        (HERE / name).write_text(text)

"""Examples in the API's description: a body for each route that takes one, a value for each place
in a path. A test holds every one of them against its schema."""

from typing import Any

from swarm.api.repeats import HEADER, KEY_MAX
from swarm.api.roles import ROOT

_BY = "kim"
_PIPELINE = "airflow/finance_close"
_TOKEN = {"task": "load-2026-11-22", "grant": 1}

BODIES: dict[str, Any] = {
    "POST /tasks": {
        "tasks": [
            {
                "id": "load-2026-11-22",
                "argv": ["python", "load.py", "--day", "2026-11-22"],
                "cwd": "/srv/etl",
                "team": "sales",
                "effects": "idempotent",
                "memory_bytes": 2_000_000_000,
                "timeout_s": 3_600,
            }
        ]
    },
    "POST /tasks/{task}/rearm": {"grant": 1, "env": {"DAY": "2026-11-22"}},
    "POST /dependencies/verdict": {
        "upstream": {"orchestrator": "airflow", "pipeline": "crm_export", "task": "load"},
        "downstream": {"orchestrator": "airflow", "pipeline": "finance_close", "task": "report"},
        "dataset": "postgres://db:5432/dwh.public.orders",
        "verdict": "accepted",
        "by": _BY,
    },
    "POST /findings/{finding}/feedback": {"right": True, "by": _BY},
    "POST /findings/{finding}/mute": {
        "by": _BY,
        "for_s": 604_800,
        "note": "until the warehouse has moved",
    },
    "POST /findings/{finding}/unmute": {"by": _BY},
    "POST /decisions/hold": {"pipeline": _PIPELINE, "by": _BY, "for_s": 1_800},
    "POST /decisions/release": {"pipeline": _PIPELINE, "by": _BY},
    "POST /links": {
        "upstreams": ["airflow/crm_export", "dagster/orders"],
        "downstream": "prefect/board-deck",
        "every": "day",
        "per": "day",
        "timezone": "Europe/Berlin",
        "by": _BY,
    },
    "POST /links/remove": {"downstream": "prefect/board-deck", "by": _BY},
    "POST /slas": {
        "pipeline": _PIPELINE,
        "at": "07:00",
        "timezone": "Europe/Berlin",
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "by": _BY,
    },
    "POST /slas/decline": {"pipeline": _PIPELINE, "by": _BY},
    "POST /simulate": {
        "late": [{"pipeline": "airflow/crm_export", "by_s": 1_800}],
        "losses": [{"orchestrator": "airflow", "share": 0.5, "at": "06:00", "for_s": 3_600}],
    },
    "POST /keys": {"name": "grafana", "roles": ["viewer"], "life_s": 2_592_000},
    "POST /keys/{key}/rotate": {"overlap_s": 3_600},
    "POST /quarantine": {
        "stream": "graph",
        "seq": 4711,
        "by": _BY,
        "reason": "a bug in 0.1.0; reported",
    },
    "POST /lineage": {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-22T06:05:12Z",
        "producer": "https://github.com/OpenLineage/OpenLineage/tree/1.40.1/integration/spark",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0190aaaa-0000-7000-8000-000000000001"},
        "job": {"namespace": "spark", "name": "load_orders"},
        "inputs": [{"namespace": "s3://landing", "name": "crm/orders"}],
        "outputs": [{"namespace": "postgres://db:5432", "name": "dwh.public.orders"}],
    },
    "POST /push": {
        "orchestrator": "nightly",
        "runs": [
            {
                "pipeline": "load_orders",
                "run_id": "2026-11-22",
                "state": "succeeded",
                "started_at_s": 1_795_305_600,
                "ended_at_s": 1_795_305_912,
                "exit_code": 0,
            }
        ],
        "evidence": [
            {
                "pipeline": "load_orders",
                "access": "write",
                "dataset": "dwh.public.orders",
                "place": "load_orders.sh:12",
                "excerpt": "INSERT INTO dwh.public.orders SELECT ...",
            }
        ],
    },
    "POST /beats": {
        "host": "worker-3",
        "every_s": 1.0,
        "workers": [
            {
                "orchestrator": "airflow",
                "role": "scheduler",
                "name": "scheduler@worker-3",
                "started_s": 1_795_305_600,
                "presence": "alive",
            }
        ],
    },
    "POST /agents": {"path": "clerks.reports:Clerk", "count": 2, "memory_bytes": 1_000_000_000},
    "POST /agents/tell": {
        "events": [{"kind": "renew", "worker": "outside:host:1~clerk", "acquired": 1}]
    },
    "POST /agents/acquire": {"worker": "outside:host:1~clerk", "number": 2},
    "POST /agents/outputs": {"parts": [{**_TOKEN, "at": 0, "text": "bG9hZGVkCg==", "last": True}]},
}
PLACES: dict[str, str] = {
    "task": "load-2026-11-22",
    "worker": "node-3",
    "key": "4f0a12bc9d3e",
    "finding": "3f2a",
    "pipeline": _PIPELINE,
}


def with_examples(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with them in it, and with what every change takes."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path.removeprefix(ROOT)}"
            if method == "post":
                _may_be_repeated(operation)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if name in BODIES:
                    content["example"] = BODIES[name]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["example"] = PLACES[parameter["name"]]
    return schema


def _may_be_repeated(operation: dict[str, Any]) -> None:
    """Say of a change that it takes the header, where its route does not say so itself."""
    told = operation.setdefault("parameters", [])
    if not any(one["name"].lower() == HEADER.lower() for one in told):
        what = "Sent again under the same key, it is not done again: the answer is the first one."
        schema = {"type": "string", "maxLength": KEY_MAX}
        told.append({"name": HEADER, "in": "header", "description": what, "schema": schema})

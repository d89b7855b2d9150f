"""How each actor runs on Ray: one table.

State lives in the journal, so every actor may be restarted at any time and for ever. A call that
failed is never repeated by Ray (`max_task_retries=0`): its caller decides, with the same arguments.
All but workers have no CPUs of their own, so they fit on a head node that has none for work.
"""

from typing import Any

from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

_BASE: dict[str, Any] = {
    "num_cpus": 0,
    "max_restarts": -1,
    "max_task_retries": 0,
    "max_concurrency": 1_000,
}

GRAPH: dict[str, Any] = _BASE | {"name": "graph"}
SEQUENCER: dict[str, Any] = _BASE | {"name": "sequencer"}
PLACEMENT: dict[str, Any] = _BASE | {"name": "placement"}
PROJECTOR: dict[str, Any] = _BASE | {"name": "projector"}
DISPATCHER: dict[str, Any] = _BASE | {"name": "dispatcher"}
ALERTS: dict[str, Any] = _BASE | {"name": "alerts"}
PUBLISHER: dict[str, Any] = _BASE | {"name": "publisher"}
TRACER: dict[str, Any] = _BASE | {"name": "tracer"}
OUTPUTS: dict[str, Any] = _BASE | {"name": "outputs"}


def connector(instance: str) -> dict[str, Any]:
    """The options of the connector of one orchestrator instance."""
    return _BASE | {"name": f"connector:{instance}"}


def worker(name: str) -> dict[str, Any]:
    """The options of one worker. It is never restarted: its death has to be seen at once."""
    return _BASE | {"name": name, "max_restarts": 0}


def on_node(id_: str, soft: bool = False) -> dict[str, Any]:
    """Only on this node; `soft`: elsewhere if it is gone."""
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(id_, soft=soft)}


def taking(cpu: float, gpu: float) -> dict[str, Any]:
    """Keep as much of the node from others that ask Ray for some."""
    return {"num_cpus": cpu, "num_gpus": gpu}

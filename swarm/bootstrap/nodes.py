"""What the nodes of a Ray cluster say of themselves, asked before swarm runs on it."""

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from swarm.bootstrap.cluster import ray_environment, spawn
from swarm.config import Settings

if TYPE_CHECKING:
    from swarm.actors.node_workers import Node

_NODE_S = 30.0  # that a node may take to say what it is


def tell_of_nodes() -> None:
    """Print, as JSON, what each node of the Ray cluster of the settings says of itself; they come
    as JSON on stdin. For `swarm doctor`, in a process of its own."""
    settings = Settings.model_validate_json(sys.stdin.read())
    os.environ.update(ray_environment(settings))
    import ray  # reads the environment when it is imported, as does what follows

    from swarm.actors.handles import live_nodes
    from swarm.actors.node_teller import NodeTeller

    told: dict[str, Any] = {"address": settings.ray_address, "here": NodeTeller().tell()}
    told |= {"fault": "", "theirs": "", "nodes": []}
    try:
        ray.init(settings.ray_address, log_to_driver=False)
    except (RuntimeError, ConnectionError, ValueError) as error:
        found = re.search(r"started with:\s+Ray: (\S+)", str(error))
        told |= {"fault": str(error).strip(), "theirs": found[1] if found else ""}
    else:
        told["nodes"] = [_told_of(node) for node in live_nodes()]
        ray.shutdown()
    sys.stdout.write(json.dumps(told) + "\n")


def _told_of(node: "Node") -> dict[str, Any]:
    """Asked twice: the first answer waits for its process."""
    import ray

    from swarm.actors import options
    from swarm.actors.node_teller import NodeTeller
    from swarm.clock import SystemClock

    clock = SystemClock()
    teller = spawn(NodeTeller, {"num_cpus": 0} | options.on_node(node.id))
    try:
        ray.get(teller.tell.remote(), timeout=_NODE_S)
        asked_s = clock.now_s()
        told = ray.get(teller.tell.remote(), timeout=_NODE_S)
    except ray.exceptions.RayError as error:
        return {"name": node.name, "fault": str(error).strip().splitlines()[-1]}
    ahead_s = told["at_s"] - (asked_s + clock.now_s()) / 2
    return {"name": node.name, "fault": "", **told, "ahead_s": ahead_s}

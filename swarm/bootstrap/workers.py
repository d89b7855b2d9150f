"""What runs tasks: a worker on every node, and agents on this one."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ray

from swarm import secret as secrets_at
from swarm.actors import handles, options
from swarm.actors.agent_seats import AgentSpec
from swarm.actors.fleet import Fleet
from swarm.actors.keeper import Keeper
from swarm.actors.node_workers import Node, NodeWorkers
from swarm.actors.returned import Returned
from swarm.actors.worker import AgentActor, WorkerActor
from swarm.actors.worker_loops import WorkerOptions
from swarm.bootstrap.cluster import ALONE, spawn
from swarm.config import Settings
from swarm.model.dispatch import AgentsWanted
from swarm.model.work import Offer, Resources, WorkerId
from swarm.store.journal import open_journal


def fleet(settings: Settings, beat_key: bytes, spawn_here: Callable[..., Any]) -> Fleet:
    """The workers of all nodes and this machine's agents, and how they are made."""
    here = ray.get_runtime_context().get_node_id()
    files = WorkerOptions(
        settings.state_dir / "worker",
        beat_key,
        fence_s=settings.worker.fence_s,
        hidden=secrets_at.variables(settings.secrets()) | {ALONE[0]},
        notices=settings.worker.notices,
    )
    reached = (handles.DispatchHandle(), handles.OutputsHandle())

    def spawn_worker(offer: Offer, node: Node) -> handles.Death:
        """It keeps the node's CPUs from others that ask Ray for some."""
        name = "worker" if node.id == here else f"worker@{node.name}"
        takes = options.taking(min(offer.resources.cpu, node.resources.cpu), node.resources.gpu)
        how = options.worker(offer.worker) | options.on_node(node.id) | takes
        own = replace(files, folder=settings.state_dir / name)
        return handles.Death(spawn(WorkerActor, how, offer, *reached, own))

    def spawn_agent(wanted: AgentsWanted) -> tuple[str, Any]:
        name = f"agent:{uuid.uuid4().hex[:8]}"
        offer = Offer(WorkerId(name), here, 0, Resources())
        spec = AgentSpec(wanted.path, wanted.memory_bytes, wanted.cwd)
        return name, spawn_here(AgentActor, options.worker(name), spec, offer, *reached, files)

    journal = open_journal(settings.store_url, settings.state_dir)
    declared = [AgentsWanted(**agents.model_dump()) for agents in settings.agents]
    return Fleet(
        journal,
        Keeper(declared),
        NodeWorkers(handles.live_nodes, spawn_worker, here, settings.worker.slots),
        spawn_agent,
        Returned(journal),
    )

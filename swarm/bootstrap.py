"""The composition root: the only `ray.init` and the only `ray.remote(...)` of swarm.

`python -m swarm.bootstrap SETTINGS` is the process that `swarm up` starts. It makes a Ray on this
machine, starts the actors and the API on it, and stays until SIGTERM. Whatever it started ends
with it; all state is in the journal, so it may also simply be killed.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from swarm import config
from swarm import secret as secrets_at
from swarm.config import Settings
from swarm.errors import ConfigError
from swarm.model.access import Caller, Role
from swarm.store.projector import open_projector
from swarm.telemetry import log_as_json

_TOKEN_MIN = 20
# Has Ray take 127.0.0.1 for this machine's address, and so listen there alone: nobody joins a Ray
# that swarm starts. By itself it looks for an address that others reach, and listens on all.
ALONE = ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
_NODE_S = 30.0  # that a node may take to say what it is
_TOO_SLOW = "timed out during startup"
_END_S = 30.0  # that killed processes may take to be gone

if TYPE_CHECKING:
    from swarm.actors.fleet import Fleet
    from swarm.actors.node_workers import Node
    from swarm.capacity.base import Capacity


def main() -> None:
    """Run swarm in this process until SIGTERM."""
    log_as_json()
    settings = config.load(Path(sys.argv[1]), environ={})
    _check_receivers(settings)
    token_file = secret(settings, "token")
    # Once here, so that the actors need not wait for one another to do it.
    open_projector(settings.store_url, settings.state_dir).close()
    os.environ.update(ray_environment(settings))
    if not settings.ray_address:
        os.environ.setdefault(*ALONE)
    import ray  # reads the environment when it is imported

    from swarm.actors import options

    _start_ray(settings)
    where = options.on_node(ray.get_runtime_context().get_node_id(), bool(settings.store_url))

    def spawn(actor: type, how: Mapping[str, Any], *arguments: Any) -> Any:
        """On this node, where the store is, unless that is a server."""
        return ray.remote(**how, **where)(actor).remote(*arguments)

    payload_key = fernet_key(secret(settings, "payload-key"))
    beat_key = bytes.fromhex(secret(settings, "beat-key").read_text())
    actors = _actors(settings, spawn, payload_key, beat_key)
    from swarm.api import serve  # takes seconds, in which the actors' processes start

    serve.start(settings, token_file.read_text(), _tokens(settings), payload_key)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _announce(settings, token_file)
    _fleet(settings, beat_key, spawn).keep(stopped)
    running_file(settings).unlink(missing_ok=True)
    del actors  # Ray ends an actor when the last handle to it goes
    ray.shutdown()


def _actors(
    settings: Settings, spawn: Callable[..., Any], payload_key: bytes, beat_key: bytes
) -> list[Any]:
    """All that the settings ask for, workers and agents aside."""
    from swarm.actors import handles, options
    from swarm.actors.alerts import AlertsActor
    from swarm.actors.connector import ConnectorActor
    from swarm.actors.dispatcher import DispatcherActor
    from swarm.actors.graph import GraphActor
    from swarm.actors.outputs import OutputsActor
    from swarm.actors.placement import PlacementActor
    from swarm.actors.projector import ProjectorActor
    from swarm.actors.publisher import PublisherActor
    from swarm.actors.sequencer import SequencerActor
    from swarm.actors.tracer import TracerActor

    graph, sequencer = handles.GraphHandle(), handles.SequencerHandle()
    dispatch = handles.DispatchHandle()
    plans = settings.placement.pool != "off"
    dispatching = (payload_key, handles.Watch(), beat_key, handles.own_address)
    sequencing = (dispatch, handles.PlacementHandle() if plans else None)
    actors = [
        spawn(DispatcherActor, options.DISPATCHER, settings, *dispatching),
        spawn(GraphActor, options.GRAPH, settings),
        spawn(SequencerActor, options.SEQUENCER, settings, *sequencing),
        spawn(ProjectorActor, options.PROJECTOR, settings),
        spawn(OutputsActor, options.OUTPUTS, settings),
    ]
    for source in settings.sources:
        how = options.connector(source.instance)
        actors.append(spawn(ConnectorActor, how, source, settings, graph, sequencer))
    if settings.alerts.targets:
        actors.append(spawn(AlertsActor, options.ALERTS, settings))
    if settings.publish.url:
        actors.append(spawn(PublisherActor, options.PUBLISHER, settings))
    if settings.telemetry.traces_url:
        actors.append(spawn(TracerActor, options.TRACER, settings))
    if plans:
        port = _capacity(settings)
        actors.append(spawn(PlacementActor, options.PLACEMENT, settings, dispatch, port))
    return actors


def _start_ray(settings: Settings) -> None:
    import ray

    from swarm.actors.handles import NAMESPACE

    if settings.ray_address:
        ray.init(settings.ray_address, namespace=NAMESPACE, log_to_driver=False)
        return

    def begin() -> None:
        ray.init(
            address="local",
            namespace=NAMESPACE,
            include_dashboard=False,
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(_fresh_ray_folder(settings)),
            _metrics_export_port=settings.metrics_port or None,
        )

    try:
        begin()
    except Exception as fault:  # Ray has no type of its own for it
        if _TOO_SLOW not in str(fault):
            raise
        # Ray waits 30 s for its own processes, which a machine that is busy at this moment may not
        # give them. What they have read by now the next ones find in memory.
        kill_all(psutil.Process().children(recursive=True))
        begin()


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """End those that have not ended yet, and wait until they are gone."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=_END_S)


def _capacity(settings: Settings) -> Callable[[], "Capacity"]:
    """Makes, where placement runs, the port to whoever rents nodes."""

    def static() -> "Capacity":
        from swarm.actors.handles import standing
        from swarm.actors.terms import offerings
        from swarm.capacity.static import Static

        return Static(offerings(settings), standing)

    def autoscaled() -> "Capacity":
        import ray

        from swarm.actors.terms import offerings, pool_prices
        from swarm.capacity.at_market import AtMarket
        from swarm.capacity.prices import Prices
        from swarm.capacity.ray_autoscaler import RayAutoscaler
        from swarm.capacity.ray_request import RayRequest
        from swarm.clock import SystemClock

        asked = RayRequest(ray.get_runtime_context().gcs_address)
        pool = RayAutoscaler(offerings(settings), asked, SystemClock())
        return AtMarket(pool, Prices(pool_prices(settings)).book, SystemClock())

    return autoscaled if settings.placement.pool == "ray" else static


def _fleet(settings: Settings, beat_key: bytes, spawn: Callable[..., Any]) -> "Fleet":
    """The workers of all nodes and this machine's agents, and how they are made."""
    import ray

    from swarm.actors import handles, options
    from swarm.actors.agent_seats import AgentSpec
    from swarm.actors.fleet import Fleet
    from swarm.actors.keeper import Keeper
    from swarm.actors.node_workers import Node, NodeWorkers
    from swarm.actors.returned import Returned
    from swarm.actors.worker import AgentActor, WorkerActor
    from swarm.actors.worker_loops import WorkerOptions
    from swarm.model.dispatch import AgentsWanted
    from swarm.model.work import Offer, Resources, WorkerId
    from swarm.store.journal import open_journal

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
        return handles.Death(ray.remote(**how)(WorkerActor).remote(offer, *reached, own))

    def spawn_agent(wanted: AgentsWanted) -> tuple[str, Any]:
        name = f"agent:{uuid.uuid4().hex[:8]}"
        offer = Offer(WorkerId(name), here, 0, Resources())
        spec = AgentSpec(wanted.path, wanted.memory_bytes, wanted.cwd)
        return name, spawn(AgentActor, options.worker(name), spec, offer, *reached, files)

    journal = open_journal(settings.store_url, settings.state_dir)
    declared = [AgentsWanted(**agents.model_dump()) for agents in settings.agents]
    return Fleet(
        journal,
        Keeper(declared),
        NodeWorkers(handles.live_nodes, spawn_worker, here, settings.worker.slots),
        spawn_agent,
        Returned(journal),
    )


def _tokens(settings: Settings) -> dict[str, Caller]:
    """The tokens of the settings. Raises `ConfigError` for a file that holds none."""
    tokens = {}
    for at, entry in enumerate(settings.api.tokens):
        token = secrets_at.read(entry.token_file, "api.tokens")
        if len(token) < _TOKEN_MIN:
            few = f"a token has {_TOKEN_MIN} characters at least"
            raise ConfigError(f"api.tokens: {entry.token_file}: {few}; `openssl rand -hex 32`.")
        roles = frozenset(Role(role) for role in entry.roles)
        tokens[token] = Caller(f"api.tokens[{at}]", roles)
    return tokens


def _check_receivers(settings: Settings) -> None:
    """Raises `ConfigError` for a target of alerts, a catalogue or a collector that cannot be used:
    an actor that cannot begin would only be begun again."""
    if settings.publish.url:
        from swarm.connectors.publishing import authorization

        authorization(settings.publish)
    if settings.telemetry.traces_url:
        from swarm.traces.otlp import Collector

        Collector(settings.telemetry).close()
    if settings.alerts.targets:
        from swarm.alerts.senders import sender

        for target in settings.alerts.targets:
            sender(target)


def fernet_key(file: Path) -> bytes:
    """The key that a secret file of ours stands for."""
    return base64.urlsafe_b64encode(bytes.fromhex(file.read_text())[:32])


def running_file(settings: Settings) -> Path:
    """Says which swarm runs with these settings: its pid, its URL, where its token is."""
    return settings.state_dir / "up.json"


def secret(settings: Settings, name: str) -> Path:
    """A file with a random token that only its owner can read; made at the first start."""
    path = settings.state_dir / name
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path


def _announce(settings: Settings, token_file: Path) -> None:
    import ray

    running = {
        "pid": os.getpid(),
        "ray": ray.get_runtime_context().gcs_address,
        "url": f"http://{settings.api.host}:{settings.api.port}",
        "token_file": str(token_file),
        "metrics": _metrics_url(),
    }
    part = running_file(settings).with_suffix(".part")
    part.write_text(json.dumps(running))
    part.replace(running_file(settings))


def _metrics_url() -> str:
    """Where the node that this process is on shows what its actors measure."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    node = next(node for node in ray.nodes() if node["NodeID"] == here)
    return f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"


def ray_environment(settings: Settings) -> dict[str, str]:
    """What has to be in the environment before Ray is imported. Who started Ray also decided how
    one is let in there."""
    ours = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(secret(settings, "ray-token")),
        # By itself Ray starts actors at nice 15: beside other work at 0 the dispatcher and the
        # workers get a thirtieth of a core and are taken for dead. Tasks are nice instead.
        "RAY_worker_niceness": "0",
    }
    return ({} if settings.ray_address else ours) | {
        "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "swarm.api.proxy.middlewares",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # else workers build environments of their own
    }


def tell_of_nodes() -> None:
    """Print, as JSON, what each node of the Ray cluster of the settings says of itself; they come
    as JSON on stdin. For `swarm doctor`, in a process of its own."""
    settings = Settings.model_validate_json(sys.stdin.read())
    os.environ.update(ray_environment(settings))
    import ray

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
    teller = ray.remote(num_cpus=0, **options.on_node(node.id))(NodeTeller).remote()
    try:
        ray.get(teller.tell.remote(), timeout=_NODE_S)
        asked_s = clock.now_s()
        told = ray.get(teller.tell.remote(), timeout=_NODE_S)
    except ray.exceptions.RayError as error:
        return {"name": node.name, "fault": str(error).strip().splitlines()[-1]}
    ahead_s = told["at_s"] - (asked_s + clock.now_s()) / 2
    return {"name": node.name, "fault": "", **told, "ahead_s": ahead_s}


def ray_logs(settings: Settings) -> Path:
    """Where Ray puts what actors log, on the node that each is on."""
    ray = Path(tempfile.gettempdir()) / "ray" if settings.ray_address else ray_folder(settings)
    return ray / "session_latest" / "logs"


def ray_folder(settings: Settings) -> Path:
    """Where a Ray that swarm starts keeps its files."""
    # Its sockets are here too, whose paths have to be short; hence not below the state folder.
    name = hashlib.sha256(str(settings.state_dir.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"swarm-{os.getuid()}-{name}"


def _fresh_ray_folder(settings: Settings) -> Path:
    folder = ray_folder(settings)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


if __name__ == "__main__":
    main()

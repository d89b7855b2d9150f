"""The process that `swarm up` starts: `python -m swarm.bootstrap SETTINGS`.

It makes a Ray on this machine, starts the actors and the API on it, and stays until SIGTERM.
Whatever it started ends with it; all state is in the journal, so it may also simply be killed.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swarm import config
from swarm.actors.linking import refuse_rings
from swarm.bootstrap.cluster import ALONE, ray_environment, spawn, start_ray
from swarm.bootstrap.files import fernet_key, running_file, secret, tokens
from swarm.config import Settings
from swarm.store.projector import open_projector
from swarm.telemetry import log_as_json


def main() -> None:
    """Run swarm in this process until SIGTERM."""
    log_as_json()
    settings = config.load(Path(sys.argv[1]), environ={})
    refuse_rings(settings.links)
    _check_receivers(settings)
    token_file = secret(settings, "token")
    # Once here, so that the actors need not wait for one another to do it.
    open_projector(settings.store_url, settings.state_dir).close()
    os.environ.update(ray_environment(settings))
    if not settings.ray_address:
        os.environ.setdefault(*ALONE)
    import ray  # reads the environment when it is imported, as does what follows

    from swarm.actors import options

    start_ray(settings)
    where = options.on_node(ray.get_runtime_context().get_node_id(), bool(settings.store_url))

    def spawn_here(actor: type, how: Mapping[str, Any], *arguments: Any) -> Any:
        """On this node, where the store is, unless that is a server."""
        return spawn(actor, {**how, **where}, *arguments)

    from swarm.bootstrap.actors import start_actors

    payload_key = fernet_key(secret(settings, "payload-key"))
    beat_key = bytes.fromhex(secret(settings, "beat-key").read_text())
    actors = start_actors(settings, spawn_here, payload_key, beat_key)
    from swarm.api import serve  # takes seconds, in which the actors' processes start
    from swarm.bootstrap.workers import fleet

    serve.start(settings, token_file.read_text(), tokens(settings), payload_key)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _announce(settings, token_file)
    fleet(settings, beat_key, spawn_here).keep(stopped)
    running_file(settings).unlink(missing_ok=True)
    del actors  # Ray ends an actor when the last handle to it goes
    ray.shutdown()


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


if __name__ == "__main__":
    main()

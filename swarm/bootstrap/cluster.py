"""Ray: how one is begun or joined and what it needs before, where its files are, and how an actor
gets into it.

Ray reads the environment when it is imported: nothing here imports it but where it is used.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from swarm.bootstrap.files import secret
from swarm.config import Settings

# Has Ray take 127.0.0.1 for this machine's address, and so listen there alone: nobody joins a Ray
# that swarm starts. By itself it looks for an address that others reach, and listens on all.
ALONE = ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
_TOO_SLOW = "timed out during startup"
_END_S = 30.0  # that killed processes may take to be gone


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


def start_ray(settings: Settings) -> None:
    """Join the Ray of the settings, or begin one on this machine alone."""
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


def spawn(actor: type, how: Mapping[str, Any], *arguments: Any) -> Any:
    """Start an actor with these options of Ray's; it lives as long as what this returns."""
    import ray

    return ray.remote(**how)(actor).remote(*arguments)


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """End those that have not ended yet, and wait until they are gone.

    All stand still before the first ends: else a worker that is to end next tells the dispatcher
    that the program of a task was killed, and a task that should go on elsewhere has failed.
    """
    for end in (psutil.Process.suspend, psutil.Process.kill):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                end(process)
    psutil.wait_procs(processes, timeout=_END_S)


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

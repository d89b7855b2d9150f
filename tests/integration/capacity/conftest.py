"""A Ray whose autoscaler (v2) starts real raylets on this machine, of types with labels."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from swarm.capacity.ray_request import RayRequest
from swarm.errors import CapacityError
from tests.e2e.conftest import free_port

_HEAD = "f" * 51 + "00000"  # whom Ray's provider for tests takes for the head
_HEAD_TYPE = "ray.head.default"
_START_S = 300.0
_LOOK_S = 0.2
_T = TypeVar("_T")
# Types of nodes of two CPUs: their market (none: for jobs of others), and how many there may be.
KINDS = {"night": ("spot", 1), "steady": ("on-demand", 2)}


@dataclass(frozen=True)
class Cluster:
    """`environ` is what a process needs to be let in."""

    address: str
    environ: dict[str, str]


def eventually(look: Callable[[], _T], timeout_s: float = _START_S) -> _T:
    """What `look` finds as soon as it finds something; until then Ray may not answer either."""
    deadline_s = time.monotonic() + timeout_s
    last: object = None
    while time.monotonic() < deadline_s:
        try:
            found = look()
        except CapacityError as error:
            last = error
        else:
            if found:
                return found
            last = found
        time.sleep(_LOOK_S)
    raise AssertionError(f"nothing within {timeout_s:.0f} s, at last {last!r}")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with a_head() as made:
        yield made


@contextlib.contextmanager
def a_head(
    kinds: Mapping[str, tuple[str, int]] = KINDS,
    refused: Mapping[str, str] | None = None,
    never: Collection[str] = (),
    idle_min: float = 0.03,
    **more: str,
) -> Iterator[Cluster]:
    """A head of its own; `more` is in its environment. `refused`: which types its account may not
    have, and what is said of that; `never`: of which types the machines start and never join. Ray
    ends what is idle and wanted no more after `idle_min`."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-scale-"))  # short: Ray keeps sockets in it
    port = free_port()
    address = f"127.0.0.1:{port}"
    environ = _environment() | more
    config = folder / "cluster.json"
    config.write_text(
        json.dumps(
            _config(address, kinds, refused or {}, never) | {"idle_timeout_minutes": idle_min}
        )
    )
    with (folder / "log").open("wb") as log:
        head = subprocess.Popen(
            [
                Path(sys.executable).with_name("ray"),
                "start",
                "--head",
                f"--port={port}",
                "--node-ip-address=127.0.0.1",
                "--num-cpus=0",
                "--object-store-memory=80000000",
                "--include-dashboard=false",
                f"--temp-dir={folder / 'ray'}",
                f"--autoscaling-config={config}",
            ],
            env=environ,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        eventually(RayRequest(address).alive)
        yield Cluster(address, environ)
    finally:
        head.wait(300)
        _end(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    return os.environ | {
        # A process reads its token once, and this one may have: so the head asks for none.
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": str(Path(__file__).parents[3]),  # its autoscaler finds its provider there
        "RAY_enable_autoscaler_v2": "1",
        "RAY_FAKE_CLUSTER": "1",
        "RAY_CLOUD_INSTANCE_ID": _HEAD,
        "RAY_NODE_TYPE_NAME": _HEAD_TYPE,  # as `ray up` does; a second autoscaler stops without
        "RAY_OVERRIDE_NODE_ID_FOR_TESTING": _HEAD,
        "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    }


def _config(
    address: str,
    kinds: Mapping[str, tuple[str, int]],
    refused: Mapping[str, str],
    never: Collection[str],
) -> dict[str, object]:
    module = "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider"
    if refused:
        module = "tests.integration.capacity.short_of.ShortOf"
    if never:
        module = "tests.integration.capacity.never_joins.NeverJoins"
    lists = (
        "initialization_commands setup_commands head_setup_commands worker_setup_commands "
        "head_start_ray_commands worker_start_ray_commands cluster_synced_files rsync_exclude "
        "rsync_filter"
    )
    return {
        "cluster_name": "test",
        "max_workers": sum(most for _, most in kinds.values()),
        "provider": {
            "type": "external",
            "module": module,
            "refused": dict(refused),
            "never": list(never),
            "gcs_address": address,
            "head_node_id": _HEAD,
            "launch_multiple": True,
            "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "available_node_types": {
            _HEAD_TYPE: {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            **{name: _type(name, *kind) for name, kind in kinds.items()},
        },
        "head_node_type": _HEAD_TYPE,
        "upscaling_speed": 100,
        "auth": {},
        "docker": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        **{key: [] for key in lists.split()},
    }


def _type(name: str, market: str, most: int) -> dict[str, object]:
    ours = {"ray.io/market-type": market, "swarm/offering": name}
    return {
        "resources": {"CPU": 2, "object_store_memory": 80_000_000},
        "labels": ours if market else {"swarm/keep-off": "true"},
        "node_config": {},
        "min_workers": 0,
        "max_workers": most,
    }


def _end(folder: Path) -> None:
    """The head and the nodes that its autoscaler started: none of them ends by itself."""
    ours = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(str(folder) in one for one in process.cmdline()):
                ours += [process, *process.children(recursive=True)]
    for process in ours:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(ours, timeout=120)

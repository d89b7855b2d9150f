"""How long until a pool of machines that are there is a cluster, until wanted nodes work, until a
task goes on that was killed with its host, and until they are free again?

`ray up cluster/onprem.yaml`, over SSH, onto three hosts of this machine (network and process
namespaces). It differs from the file that ships in this: what is installed is there already, nodes
have one CPU and a small object store, and idle ones go after 12 s instead of 2 min.
For root, with openssh-server, rsync and redis-server; it takes minutes.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.login_hosts import HOME, LoginHosts, login_hosts
from benchmarks.report import Figures, Options, progress, run

_ROOT = Path(__file__).parents[1]
_MOST_S = 400.0
_IDLE_MIN = 0.2
_LOOK_S, _SOON_S = 3.0, 0.1  # at what Ray does, and at what swarm does
_WORKERS = {1: "spot", 2: "dedicated"}  # which host is of which type
_WANT = """
import yaml
from swarm.capacity.node_types import known_price, offerings
from swarm.capacity.ray_autoscaler import RayAutoscaler
from swarm.capacity.ray_request import RayRequest
from swarm.clock import SystemClock
kinds = offerings(yaml.safe_load(open("ray_bootstrap_config.yaml")), known_price)
pool = RayAutoscaler(kinds, RayRequest("{address}:6379"), SystemClock())
pool.want({fleet}, 3600)
"""
_TASK = f"""
import json, pathlib
from swarm.client import Client
state = pathlib.Path("~/swarm-state").expanduser()
url = json.loads((state / "up.json").read_text())["url"]
code = "echo $SWARM_GRANT >> {HOME}/ran; until [ -e {HOME}/go ]; do sleep 0.2; done"
with Client(url, (state / "token").read_text()) as swarm:
    swarm.submit([{{"id": "tied", "argv": ["sh", "-c", code], "effects": "idempotent"}}])
"""


def measure(options: Options) -> Figures:
    del options
    with tempfile.TemporaryDirectory(prefix="swarm-up-") as name:
        folder = Path(name)
        bin_ = Path(sys.executable).parent
        shell = f"export PATH={bin_}:/usr/bin:/bin:/usr/sbin PYTHONPATH={_ROOT}\n"
        with login_hosts(2, folder, shell) as hosts:
            return _measured(hosts, folder)


def _measured(hosts: LoginHosts, folder: Path) -> Figures:
    config = folder / "cluster.yaml"
    config.write_text(yaml.safe_dump(_config(hosts, folder)))
    figures: dict[str, float] = {}

    def timed(
        name: str, act: Callable[[], object], done: Callable[[], bool], look_s: float = _LOOK_S
    ) -> None:
        progress(name)
        began_s = time.monotonic()
        act()
        _until(name, done, look_s)
        figures[name] = time.monotonic() - began_s

    timed("ray_up_s", lambda: _ray_up(hosts, folder, config), lambda: _workers(hosts) == [])
    timed(
        "wanted_to_working_s",
        lambda: _want(hosts, {"spot": 1, "dedicated": 1}),
        lambda: _workers(hosts) == ["on-demand", "spot"],
    )
    timed(
        "submitted_to_running_s", lambda: _python(hosts, _TASK), lambda: _ran(folder) != {}, _SOON_S
    )
    (lost,) = _ran(folder)
    (other,) = _WORKERS.keys() - {lost}
    _want(hosts, {_WORKERS[other]: 1})  # of the type that is lost there is no other host
    timed(
        "host_killed_to_running_elsewhere_s",
        hosts.all[lost].kill,
        lambda: _ran(folder).get(other) == "2",
        _SOON_S,
    )
    (_home(folder, other) / "go").touch()
    _until("the task ends", lambda: _succeeded(hosts), _LOOK_S)
    _want(hosts, {})
    timed(
        "released_to_free_s",
        lambda: _said(hosts, f"swarm down --config {HOME}/swarm.yaml"),
        lambda: _used(folder) == [hosts.head.address],
    )
    return figures


def _until(what: str, done: Callable[[], bool], look_s: float) -> None:
    deadline_s = time.monotonic() + _MOST_S
    while not done():
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{what}: not within {_MOST_S:.0f} s")
        time.sleep(look_s)


def _config(hosts: LoginHosts, folder: Path) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((_ROOT / "cluster" / "onprem.yaml").read_text())
    head, spot, dedicated = (host.address for host in hosts.all)
    types = tree["available_node_types"]
    for name, address in (("head", head), ("spot", spot), ("dedicated", dedicated)):
        types[name]["node_config"]["hosts"] = [address]
    for name in ("spot", "dedicated"):
        types[name] |= {"resources": {"CPU": 1}, "max_workers": 1}
    token = folder / "token"
    token.write_text("0123456789abcdef" * 4)
    small = "ray start --object-store-memory=80000000 "
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        tree[key] = [one.replace("ray start ", small) for one in tree[key]]
    return tree | {
        "auth": {"ssh_user": "root", "ssh_private_key": str(hosts.key)},
        "idle_timeout_minutes": _IDLE_MIN,
        "file_mounts": {
            f"{HOME}/.ray/auth_token": str(token),
            f"{HOME}/swarm.yaml": str(_ROOT / "cluster" / "swarm.yaml"),
        },
        "setup_commands": [],
        "head_setup_commands": [],
    }


def _ray_up(hosts: LoginHosts, folder: Path, config: Path) -> None:
    ray = Path(sys.executable).with_name("ray")
    home = folder / "laptop"
    home.mkdir()
    with hosts.head.inside(), (folder / "up.log").open("wb") as log:
        done = subprocess.run(
            [ray, "up", "--yes", "--no-config-cache", str(config)],
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(_ROOT)},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"ray up failed:\n{(folder / 'up.log').read_text()[-3_000:]}")


def _want(hosts: LoginHosts, fleet: dict[str, int]) -> None:
    _python(hosts, _WANT.format(address=hosts.head.address, fleet=fleet))


def _python(hosts: LoginHosts, script: str) -> None:
    """On the head."""
    _said(hosts, f"RAY_AUTH_MODE=token python - <<'SCRIPT'{script}SCRIPT\n")


def _home(folder: Path, host: int) -> Path:
    return folder / f"host{host}" / "home"


def _ran(folder: Path) -> dict[int, str]:
    """The hosts on which the task began, each with its grant."""
    files = {host: _home(folder, host) / "ran" for host in _WORKERS}
    return {host: file.read_text().strip() for host, file in files.items() if file.exists()}


def _succeeded(hosts: LoginHosts) -> bool:
    told = json.loads(_said(hosts, f"swarm tasks get tied --config {HOME}/swarm.yaml -o json"))
    return bool(told["state"] == "succeeded")


def _workers(hosts: LoginHosts) -> list[str]:
    """What kinds of workers swarm has."""
    told = _said(hosts, f"swarm workers ls --config {HOME}/swarm.yaml -o json")
    return sorted(row["capacity"] for row in json.loads(told)["workers"])


def _used(folder: Path) -> list[str]:
    """The hosts that the pool has in use."""
    file = folder / "host0" / "home" / ".swarm-hosts-swarm.json"
    return list(json.loads(file.read_text())["used"])


def _said(hosts: LoginHosts, command: str) -> str:
    """On the head."""
    done = hosts.run(hosts.head, f"cd {HOME} && {command}")
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return done.stdout


if __name__ == "__main__":
    run("ray_up", __doc__ or "", measure)

"""A cluster that `ray up cluster/onprem.yaml` makes over SSH on hosts of this machine, whose fleet
swarm keeps; for tests, too.

It differs from the file that ships in this: what is installed is there already, nodes have one CPU
and a small object store, and their type says how soon they work. swarm's settings are the
file that ships, with what `swarm cluster offerings` prints.
For root, with openssh-server, rsync and redis-server.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.hosts import Host
from benchmarks.live_swarm import until
from benchmarks.login_hosts import HOME, LoginHosts, login_hosts
from swarm.client import ApiError, Client
from swarm.client.calls.fleet import ScalingStep
from swarm.client.calls.tasks import NewTask

ROOT = Path(__file__).parents[1]
MOST_S = 400.0
_HOSTS = {"spot": 2, "dedicated": 1}  # a lost one of spot has another in its place
_BOOT_S = 20


@dataclass(frozen=True, slots=True)
class Machines:
    """Hosts that one logs into, the head first, and the types of the others."""

    hosts: LoginHosts
    folder: Path

    @property
    def head(self) -> str:
        return self.hosts.head.address

    @property
    def types(self) -> Mapping[str, list[str]]:
        """The addresses of each type of node."""
        others = [host.address for host in self.hosts.all[1:]]
        return {"spot": others[: _HOSTS["spot"]], "dedicated": others[_HOSTS["spot"] :]}

    def at(self, address: str) -> Host:
        return next(host for host in self.hosts.all if host.address == address)

    def home(self, address: str) -> Path:
        """What is `HOME` there."""
        number = [host.address for host in self.hosts.all].index(address)
        return self.folder / f"host{number}" / "home"

    def used(self) -> list[str]:
        """The addresses that the pool has in use, as it notes them on the head."""
        file = self.home(self.head) / ".swarm-hosts-swarm.json"
        return sorted(json.loads(file.read_text())["used"])


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines with a swarm on their head, of which `client` asks."""

    machines: Machines
    client: Client

    def hand_in(self, name: str, capacity: str | None = None) -> None:
        """A task that runs until `end`."""
        task = NewTask(id=name, argv=["sh", "-c", _code(name)], effects="idempotent")
        self.client.submit([task | {"capacity": capacity, "wait_for_capacity": True}])

    def ran(self, name: str) -> dict[str, list[int]]:
        """The addresses at which a task began, each with its grants there."""
        files = {at: self.machines.home(at) / f"ran-{name}" for at in self._others()}
        return {
            at: [int(grant) for grant in file.read_text().split()]
            for at, file in files.items()
            if file.exists()
        }

    def end(self, name: str) -> None:
        """Have a task come to its end, wherever it runs, and wait for that."""
        for at in self._others():
            (self.machines.home(at) / f"go-{name}").touch()
        self.client.wait(name, MOST_S)

    def markets(self) -> list[str]:
        """Of the workers that there are."""
        return sorted(row["capacity"] for row in self.client.workers())

    def told(self) -> list[ScalingStep]:
        """What was done about the fleet, oldest first; empty while nothing has been planned."""
        try:
            return list(self.client.scaling())[::-1]
        except ApiError:
            return []

    def reached(self, step: str) -> set[str]:
        """The types of node of which this step is told."""
        return {row["offering"] for row in self.told() if row["step"] == step}

    def _others(self) -> list[str]:
        return [host.address for host in self.machines.hosts.all[1:]]


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """Nothing runs on them. This thread is on their head meanwhile."""
    bin_ = Path(sys.executable).parent
    shell = f"export PATH={bin_}:/usr/bin:/bin:/usr/sbin PYTHONPATH={ROOT}\n"
    with tempfile.TemporaryDirectory(prefix="swarm-up-") as name:
        folder = Path(name)
        with login_hosts(sum(_HOSTS.values()), folder, shell) as hosts, hosts.head.inside():
            yield Machines(hosts, folder)


@contextlib.contextmanager
def brought_up(made: Machines) -> Iterator[Cluster]:
    """By `ray up`, until swarm answers. Raises `RuntimeError` with what Ray said."""
    file = made.folder / "cluster.yaml"
    file.write_text(yaml.safe_dump(_described(made)))
    settings = yaml.safe_load((ROOT / "cluster" / "swarm.yaml").read_text())
    settings |= yaml.safe_load(_said("swarm", "cluster", "offerings", str(file)))
    (made.folder / "swarm.yaml").write_text(yaml.safe_dump(settings))
    (made.folder / "laptop").mkdir()
    _said("ray", "up", "--yes", "--no-config-cache", str(file), HOME=str(made.folder / "laptop"))
    state = made.home(made.head) / "swarm-state"
    url = json.loads((state / "up.json").read_text())["url"]
    with Client(url, (state / "token").read_text()) as client:
        until("swarm answers", client.status, MOST_S)
        yield Cluster(made, client)


def _code(name: str) -> str:
    wait = f"until [ -e {HOME}/go-{name} ]; do sleep 0.2; done"
    return f"echo $SWARM_GRANT >> {HOME}/ran-{name}; {wait}"


def _described(made: Machines) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((ROOT / "cluster" / "onprem.yaml").read_text())
    types = tree["available_node_types"]
    types["head"]["node_config"]["hosts"] = [made.head]
    for name, addresses in made.types.items():
        types[name] |= {"resources": {"CPU": 1}, "max_workers": len(addresses)}
        types[name]["node_config"]["hosts"] = addresses
        types[name]["labels"]["swarm/boot-s"] = str(_BOOT_S)
    token = made.folder / "token"
    token.write_text("0123456789abcdef" * 4)
    small = "ray start --object-store-memory=80000000 "
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        tree[key] = [one.replace("ray start ", small) for one in tree[key]]
    return tree | {
        "max_workers": sum(_HOSTS.values()),
        "auth": {"ssh_user": "root", "ssh_private_key": str(made.hosts.key)},
        "file_mounts": {
            f"{HOME}/.ray/auth_token": str(token),
            f"{HOME}/swarm.yaml": str(made.folder / "swarm.yaml"),
        },
        "setup_commands": [],
        "head_setup_commands": [],
    }


def _said(program: str, *words: str, **environ: str) -> str:
    """As on the laptop of whoever makes the cluster."""
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        env={"HOME": os.environ["HOME"], "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        | environ,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} {words[0]}: {done.stdout[-3_000:]}{done.stderr[-3_000:]}")
    return done.stdout

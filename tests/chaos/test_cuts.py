"""Hosts of a Ray cluster whose links are cut, and one that dies as a whole.

A host is a network namespace with a Ray node of its own, on a bridge that the head has.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from benchmarks import failover_task
from benchmarks.hosts import Host, Network, network
from swarm.client import Client
from swarm.model.dispatch import Granted, Lost, Started
from swarm.model.work import TaskId, Token
from tests.actors.test_slot import alive
from tests.chaos.test_processes import Play
from tests.e2e.conftest import Swarm, cli
from tests.e2e.test_up import eventually

FENCE_S = 8
PORT = 6379


@dataclass
class Cluster:
    """A swarm on the head and a worker on each other host."""

    network: Network
    swarm: Swarm
    environ: dict[str, str]

    def pools(self) -> list[str]:
        """The names of the hosts that have a worker."""
        return sorted(row["pool"] for row in self.swarm.client.workers())

    def whole(self) -> None:
        """Wait until every host has a worker that is heard of."""

        def is_whole() -> bool:
            silent = self.swarm.client.status()["detection"]["silent"]
            return self.pools() == [host.name for host in self.network.others] and not silent

        eventually(is_whole)

    def hosts_of(self, play: Play, tasks: list[str]) -> list[Host]:
        newest = {r.token.task: r.worker for r in play.of(Granted)}
        workers = {newest[task] for task in tasks}
        pools = {r["pool"] for r in self.swarm.client.workers() if r["worker"] in workers}
        return [host for host in self.network.others if host.name in pools]

    def start_node(self, host: Host) -> None:
        joins = f"--address={self.network.head.address}:{PORT}"
        what = ("--num-cpus=4", f"--labels=swarm/pool={host.name}")
        host.start_ray(self.environ, joins, *what)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if os.geteuid() != 0:
        pytest.skip("only root can make network namespaces")
    folder = tmp_path_factory.mktemp("cluster")
    settings, state, ray_token = folder / "swarm.yaml", folder / "state", folder / "ray-token"
    ray_token.write_text("0" * 64)
    environ = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(ray_token),
        "RAY_USAGE_STATS_ENABLED": "0",
        "SWARM_CONFIG": str(settings),
    }
    with (
        tempfile.TemporaryDirectory(prefix="swarm-") as ray_folder,  # Ray wants a short path
        network(2) as hosts,
        hosts.head.inside(),
    ):
        address = hosts.head.address
        settings.write_text(
            yaml.safe_dump(
                {
                    "state_dir": str(state),
                    "ray_address": f"{address}:{PORT}",
                    "worker": {"fence_s": FENCE_S},
                }
            )
        )
        head = ("--head", "--num-cpus=0", "--include-dashboard=false")
        where = (f"--port={PORT}", f"--temp-dir={ray_folder}")
        hosts.head.start_ray(environ, *head, *where)
        started = cli("up", **environ)
        assert started.returncode == 0, started.stderr
        token = (state / "token").read_text()
        url = "http://127.0.0.1:8642"
        with Client(url, token) as client:
            swarm = Swarm(settings, state, client, url, token)
            made = Cluster(hosts, swarm, environ)
            for host in hosts.others:
                made.start_node(host)
                # One by one: nodes of one machine name their sockets after those that are there.
                eventually(lambda host=host: host.name in made.pools())
            yield made
        cli("down", **environ)


@pytest.fixture
def play(cluster: Cluster, tmp_path: Path) -> Play:
    cluster.whole()
    return Play(cluster.swarm, tmp_path)


@dataclass
class Try:
    """A grant of a task that runs, and its process."""

    task: str
    grant: int
    pid: int


def running(play: Play, task: str, after: int = 0) -> Try:
    """Under a grant above `after`; orders for a host that has just been healed may be lost, so it
    need not be the next."""

    def newest() -> int | None:
        granted = [r.token.grant for r in play.of(Granted) if r.token.task == task]
        started = [r.token.grant for r in play.of(Started) if r.token.task == task]
        return granted[-1] if granted and granted[-1] in started and granted[-1] > after else None

    grant = eventually(newest)
    return Try(task, grant, play.pid(task, grant))


def on_one_host(cluster: Cluster, play: Play, *effects: str) -> tuple[list[Try], Host]:
    """A worker takes what comes together, unless orders are lost."""
    while True:
        tries = [running(play, task) for task in play.submit(*effects)]
        hosts = cluster.hosts_of(play, [one.task for one in tries])
        if len(hosts) == 1:
            return tries, hosts[0]
        play.settle()


def causes(play: Play, tries: list[Try]) -> list[str]:
    """Why each ended."""
    lost = {r.token: r.cause for r in play.of(Lost)}
    return [lost[Token(TaskId(one.task), one.grant)].value for one in tries]


@pytest.mark.parametrize("how", ["cut", "deafened", "muted"])
def test_a_link_is_cut_both_ways_and_one_way(cluster: Cluster, play: Play, how: str) -> None:
    tries, host = on_one_host(cluster, play, "fenced", "idempotent", "unsafe")
    with getattr(cluster.network, how)(host):
        for one in tries:
            running(play, one.task, after=one.grant)
        assert not alive(tries[2].pid), "it had to end it first"
        eventually(lambda: not any(alive(one.pid) for one in tries))
    assert causes(play, tries) == ["silent", "silent", "self_fenced"]
    play.settle()


def test_what_ended_behind_a_cut_is_refused_and_counted(cluster: Cluster, play: Play) -> None:
    def refused() -> int:
        return cluster.swarm.client.status()["detection"]["refused"]

    before = refused()
    (first,), host = on_one_host(cluster, play, "fenced")
    with cluster.network.cut(host):
        running(play, first.task, after=first.grant)
        play.settle()
        eventually(lambda: not alive(first.pid))
    eventually(lambda: refused() > before)
    with contextlib.closing(failover_task.effects(play.folder)) as database:
        (commits,) = database.execute("SELECT count(*) FROM refused").fetchone()
    assert commits == 1, "the sink had heard of the newer grant"
    assert causes(play, [first]) == ["silent"]


def test_a_host_dies_and_comes_back(cluster: Cluster, play: Play) -> None:
    tries, host = on_one_host(cluster, play, "fenced", "unsafe")
    host.kill()
    for one in tries:
        running(play, one.task, after=one.grant)
    assert causes(play, tries) == ["silent", "self_fenced"]
    play.settle()
    cluster.start_node(host)
    cluster.whole()

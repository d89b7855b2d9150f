"""How long until a pool of machines that are there is a cluster, until work brings nodes of both
markets that do it, until a task goes on that was killed with its host, and until hosts that nobody
needs any more are free again?

`ray up cluster/onprem.yaml`, over SSH, onto four hosts of this machine (network and process
namespaces; `ray_up_world.py` tells what differs from the file that ships). From then on swarm
keeps the fleet: work alone orders hosts, and they are drained and returned while swarm is up.
For root, with openssh-server, rsync and redis-server; it takes minutes.
"""

import contextlib
import time
from collections.abc import Callable, Iterator

from benchmarks.live_swarm import until
from benchmarks.ray_up_world import MOST_S, Cluster, brought_up, machines
from benchmarks.report import Figures, Options, progress, run


def measure(options: Options) -> Figures:
    del options
    figures: dict[str, float] = {}
    with machines() as pool, contextlib.ExitStack() as later:
        with _timed("ray_up_s", figures):
            cluster = later.enter_context(brought_up(pool))
        _comes(cluster, figures)
        _is_lost(cluster, figures)
        (kept,) = pool.types["dedicated"]  # where the task went
        with _timed("done_to_all_free_s", figures):
            with _timed("done_to_returned_s", figures):
                _until(lambda: "dedicated" in cluster.reached("returned"))
            with _timed("returned_to_free_s", figures):
                _until(lambda: kept not in pool.used())
            _until(lambda: pool.used() == [pool.head])
    return figures


def _comes(cluster: Cluster, figures: dict[str, float]) -> None:
    """Nodes of both markets, of which that on spot has nothing to do in the end."""
    with _timed("handed_in_to_ordered_s", figures):
        cluster.hand_in("first", "spot")
        cluster.hand_in("second", "on-demand")
        _until(lambda: cluster.reached("ordered") == {"spot", "dedicated"})
    with _timed("wanted_to_working_s", figures):
        _until(lambda: cluster.markets() == ["on-demand", "spot"])
    _until(lambda: bool(cluster.ran("first") and cluster.ran("second")))
    cluster.end("first")


def _is_lost(cluster: Cluster, figures: dict[str, float]) -> None:
    """The host on spot, with a task that ends at the other one."""
    with _timed("submitted_to_running_s", figures):
        cluster.hand_in("tied")
        _until(lambda: len(cluster.ran("tied")) == 1)
    (lost,) = cluster.ran("tied")
    cluster.end("second")
    with _timed("host_killed_to_running_elsewhere_s", figures):
        cluster.machines.at(lost).kill()
        _until(lambda: len(cluster.ran("tied")) == 2)
    cluster.end("tied")


@contextlib.contextmanager
def _timed(name: str, figures: dict[str, float]) -> Iterator[None]:
    progress(name)
    began_s = time.monotonic()
    yield
    figures[name] = time.monotonic() - began_s


def _until(done: Callable[[], bool]) -> None:
    until("the next step", done, MOST_S)


if __name__ == "__main__":
    run("ray_up", __doc__ or "", measure)

"""Nodes from Ray's autoscaler (v2): the fleet is one request, with a lease beside it.

An offering is a node type of the cluster file: its name, its CPUs, its label `ray.io/market-type`.
Each node that is wanted is asked for as a bundle of all its CPUs, with the labels of its type.
Ray starts what is missing. What is too much is never left to Ray to choose: a worker keeps its
node's CPUs, so that no node at work is idle for Ray, and `release` has one certain node leave.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ray.autoscaler.v2.schema import ClusterStatus, LaunchRequest

from swarm.capacity.base import Standing, check
from swarm.capacity.boots import Boots
from swarm.capacity.lease import Lease
from swarm.capacity.ray_request import Bundle, RayRequest
from swarm.capacity.refusals import because_of, words_of
from swarm.clock import Clock
from swarm.errors import CapacityError
from swarm.model.plans import NotGiven, Offering
from swarm.model.work import MARKET_LABEL, OFFERING_LABEL

_SOLD_OUT_S = 300.0  # after a launch that failed: an offering is not tried again for so long
_SILENT_S = 60.0  # its autoscaler reports every few seconds: for so long it has stalled or died


class RayAutoscaler:
    """`offerings` are the node types that are swarm's, `most` of each as the cluster file has it.
    Whoever keeps the workers ends the one on a node that is returned and starts no other one there
    (`actors/returned.py`): until then Ray does not let the node go."""

    fixed = False

    def __init__(
        self,
        offerings: Iterable[Offering],
        request: RayRequest,
        clock: Clock,
        silent_s: float = _SILENT_S,
    ) -> None:
        kinds = sorted(offerings, key=lambda one: one.price_usd_per_h)
        self._offerings = {one.name: one for one in kinds}
        self._request, self._clock, self._silent_s = request, clock, silent_s
        self._boots = Boots()
        self._look, self._looked_s = -1, clock.monotonic_s()

    def offerings(self) -> Sequence[Offering]:
        sold_out = self.not_given()
        stand = Counter(one.offering for one in self.nodes())
        return [
            replace(one, most=stand[name]) if name in sold_out else one
            for name, one in self._offerings.items()
        ]

    def nodes(self) -> Sequence[Standing]:
        joined = [
            Standing(info.node_id.hex(), info.node_type_name, info.start_time_ms / 1_000)
            for info in self._request.alive()
            if info.node_type_name in self._offerings and not info.is_head_node
        ]
        status, booting = self._status(), Counter[str]()
        refused = {launch.ray_node_type_name for launch in self._failed(status)}
        for launch in status.pending_launches:
            if launch.ray_node_type_name not in refused:  # else Ray only tries it again
                booting[launch.ray_node_type_name] += launch.count
        booting.update(node.ray_node_type_name for node in status.pending_nodes)
        ours = {name: count for name, count in booting.items() if name in self._offerings}
        report = status.stats.autoscaler_version
        return [*joined, *self._boots.named(ours, report, joined, self._clock.now_s())]

    def want(self, fleet: Mapping[str, int], lease_s: float) -> None:
        check(fleet, self._offerings)
        if not self._request.follows_labels():
            raise CapacityError(
                f"Ray at {self._request.address} has an autoscaler that ignores labels; start its "
                "head with an autoscaling config and RAY_enable_autoscaler_v2=1"
            )
        bundles = [
            Bundle(one.room[0], ((MARKET_LABEL, one.capacity), (OFFERING_LABEL, name)))
            for name, one in self._offerings.items()
            for _ in range(_allowed(fleet.get(name, 0), one.most))
        ]
        self._request.state(bundles, Lease(uuid.uuid4().hex, lease_s))

    def release(self, node: str) -> None:
        """One that never joined cannot be told to go: Ray's head ends it by its own limit for
        machines that boot and are wanted no more (`clusterfile/started.py`)."""
        if node not in {one.node for one in self.nodes() if one.joined}:
            return
        refusal = self._request.drain_idle(node)
        if refusal:
            raise CapacityError(f"node {node} does not go: {refusal}")

    def not_given(self) -> Mapping[str, NotGiven]:
        failed = self._failed(self._status())
        log = self._request.log() if failed else ""
        found: dict[str, NotGiven] = {}
        for launch in sorted(failed, key=lambda one: one.failed_ts_s or 0):
            name = launch.ray_node_type_name
            said = words_of(name, launch.details or "", log)
            found[name] = NotGiven(float(launch.failed_ts_s or 0), because_of(said), said)
        return found

    def _failed(self, status: ClusterStatus) -> list[LaunchRequest]:
        since_s = self._clock.now_s() - _SOLD_OUT_S
        return [
            launch
            for launch in status.failed_launches
            if (launch.failed_ts_s or 0) >= since_s and launch.ray_node_type_name in self._offerings
        ]

    def _status(self) -> ClusterStatus:
        """Raises `CapacityError` also where it is an old one: whoever made it has died, and starts
        and ends no node any more."""
        report, now_s = self._request.report(), self._clock.monotonic_s()
        if report.look != self._look:
            self._look, self._looked_s = report.look, now_s
        silent_s = now_s - self._looked_s
        if silent_s > self._silent_s:
            raise CapacityError(
                f"the autoscaler of Ray at {self._request.address} has reported nothing for "
                f"{silent_s:.0f} s: its process (monitor.py, on Ray's head) has stalled or died; "
                "start the head again, nodes at work go on meanwhile"
            )
        return report.status


def _allowed(count: int, most: int | None) -> int:
    """Ray refuses a request as a whole when it cannot fulfil all of it: then it starts none."""
    return count if most is None else min(count, most)

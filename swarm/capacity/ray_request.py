"""What a Ray cluster's autoscaler is asked for, and the lease beside it. Needs no `ray.init`."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled
from ray.autoscaler.v2.schema import ClusterStatus, Stats
from ray.autoscaler.v2.sdk import request_cluster_resources
from ray.autoscaler.v2.utils import ClusterStatusParser, is_autoscaler_v2
from ray.core.generated.autoscaler_pb2 import GetClusterStatusReply
from ray.exceptions import RayError

from swarm.capacity.lease import Lease, decode
from swarm.errors import CapacityError

_SPACE, _KEY = b"swarm", b"fleet-lease"
_LOG_BYTES = 1 << 18
_ALIVE = 0  # `GcsNodeInfo.GcsNodeState`
_IDLE_TERMINATION = 1  # `DrainNodeReason`: refused by a node at work
_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Bundle:
    """One node that is asked for: room for so many CPUs, with these labels."""

    cpu: int
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What the autoscaler says. `look` is another number after each time that it looked at what is
    asked for and what stands."""

    status: ClusterStatus
    look: int


@contextlib.contextmanager
def answering(address: str) -> Iterator[None]:
    """What Ray raises becomes `CapacityError`."""
    try:
        yield
    except (RayError, OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CapacityError(f"Ray at {address} does not answer: {reason}") from None


class RayRequest:
    """Of the Ray at `address`. All of it raises `CapacityError` when that does not answer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Any = None

    @property
    def _gcs(self) -> Any:
        if self._client is None:
            self._client = GcsClient(address=self.address)
        return self._client

    def follows_labels(self) -> bool:
        """Is it autoscaler v2? The first one launches nodes of any label."""
        with answering(self.address):
            return bool(is_autoscaler_v2(fetch_from_server=True, gcs_client=self._gcs))

    def state(self, bundles: Sequence[Bundle], lease: Lease) -> None:
        """Ask for exactly these; what was asked before no longer counts. The lease goes first: a
        request without one would stay for ever."""
        wanted = [
            {"resources": {"CPU": one.cpu}, "label_selector": dict(one.labels)} for one in bundles
        ]
        with answering(self.address):
            self._gcs.internal_kv_put(_KEY, lease.encode(), True, _SPACE, _TIMEOUT_S)
            request_cluster_resources(self.address, wanted, _TIMEOUT_S)

    def lease(self) -> Lease | None:
        with answering(self.address):
            return decode(self._gcs.internal_kv_get(_KEY, _SPACE, _TIMEOUT_S))

    def clear(self, lease: Lease) -> None:
        """Ask for nothing, and forget the lease unless it was renewed meanwhile."""
        with answering(self.address):
            request_cluster_resources(self.address, [], _TIMEOUT_S)
            if self.lease() == lease:
                self._gcs.internal_kv_del(_KEY, False, _SPACE, _TIMEOUT_S)

    def alive(self) -> list[Any]:
        """Ray's `GcsNodeInfo` of each node that is there."""
        with answering(self.address):
            return list(self._gcs.get_all_node_info(_TIMEOUT_S, state_filter=_ALIVE).values())

    def report(self) -> Report:
        """The last one; Ray's server has it also when who made it is gone."""
        reply = GetClusterStatusReply()
        with answering(self.address):
            reply.ParseFromString(self._gcs.get_cluster_status(timeout_s=_TIMEOUT_S))
            status = ClusterStatusParser.from_get_cluster_status_reply(reply, stats=Stats())
        return Report(status, reply.autoscaling_state.last_seen_cluster_resource_state_version)

    def log(self) -> str:
        """What the autoscaler wrote last; empty where its log is not on this machine."""
        folder = next((one.session_dir for one in self.alive() if one.is_head_node), "")
        try:
            with (Path(folder) / "logs" / "monitor.log").open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _LOG_BYTES))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def drain_idle(self, node: str) -> str:
        """Have an idle node leave. Empty, or why it refuses."""
        with answering(self.address):
            accepted, why = self._gcs.drain_node(
                node, _IDLE_TERMINATION, "swarm returns it", 0, _TIMEOUT_S
            )
        return "" if accepted else str(why or "it is at work")

"""Ray's node provider for tests, some of whose machines never start Ray, of the types that its
cluster file names: `"provider": {"never": [type]}`."""

import subprocess
import sys
from typing import Any

from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider
from ray.autoscaler.tags import TAG_RAY_USER_NODE_TYPE

MACHINE = "a-machine-of"  # then the address of the head
_IDLES = "import signal; signal.pause()"


class NeverJoins(FakeMultiNodeProvider):  # type: ignore[misc]
    """A machine that never joins is a process that does nothing, until Ray ends it."""

    def _create_node_with_resources_and_labels(
        self, node_config: Any, tags: dict[str, str], count: int, resources: Any, labels: Any
    ) -> None:
        if tags[TAG_RAY_USER_NODE_TYPE] not in self.provider_config["never"]:
            super()._create_node_with_resources_and_labels(
                node_config, tags, count, resources, labels
            )
            return
        with self.lock:
            machine = _Machine(self.provider_config["gcs_address"])
            self._nodes[self._next_hex_node_id()] = {"tags": tags, "node": machine}


class _Machine:
    def __init__(self, address: str) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", _IDLES, MACHINE, address])

    def kill_all_processes(self, **_: object) -> None:
        """As Ray's provider for tests ends a node."""
        self._process.kill()
        self._process.wait()

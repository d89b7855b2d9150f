"""A node provider for Ray: machines that are there and reached by SSH, in groups of their own.

A cluster file names it as `module: swarm.capacity.host_pool.HostPool`; each node type lists its
`hosts` in `node_config`. A host that Ray starts a node on is in use, all others are free; Ray logs
in and starts itself, as it does on any cloud. Which are in use is in a file on the head: Ray's
autoscaler runs there. Node ids are the hosts' addresses.
"""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray.autoscaler.node_launch_exception import NodeLaunchException
from ray.autoscaler.node_provider import NodeProvider
from ray.autoscaler.tags import (
    NODE_KIND_HEAD,
    STATUS_UP_TO_DATE,
    TAG_RAY_NODE_KIND,
    TAG_RAY_NODE_STATUS,
    TAG_RAY_USER_NODE_TYPE,
)

_STATE = "~/.swarm-hosts-{cluster}.json"
_KEY_ON_HEAD = "~/ray_bootstrap_key.pem"  # where Ray puts the key that it was given
_STOP = "ray stop --force"
_STOP_S = 60

Tags = dict[str, str]


class HostPool(NodeProvider):  # type: ignore[misc]  # Ray is not typed
    """The methods are Ray's (`ray.autoscaler.node_provider`), which calls them from threads."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        super().__init__(provider_config, cluster_name)
        self._file = _path(provider_config.get("state_file", _STATE.format(cluster=cluster_name)))
        self._head: str = provider_config["head"]
        if os.environ.get("RAY_CLOUD_INSTANCE_ID") == self._head:
            self._note_head()

    @staticmethod
    def bootstrap_config(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """A provider is only given its own section: the rest that it needs is put there."""
        kind = cluster_config["head_node_type"]
        cluster_config["provider"] |= {
            "head": cluster_config["available_node_types"][kind]["node_config"]["hosts"][0],
            "head_type": kind,
            "auth": dict(cluster_config["auth"]),
        }
        return cluster_config

    def non_terminated_nodes(self, tag_filters: Mapping[str, str]) -> list[str]:
        return [
            host
            for host, tags in self._read()["used"].items()
            if tag_filters.items() <= tags.items()
        ]

    def is_running(self, node_id: str) -> bool:
        return node_id in self._read()["used"]

    def is_terminated(self, node_id: str) -> bool:
        return not self.is_running(node_id)

    def node_tags(self, node_id: str) -> Tags:
        return dict(self._read()["used"].get(node_id, {}))

    def internal_ip(self, node_id: str) -> str:
        return node_id

    def external_ip(self, node_id: str) -> str:
        return node_id

    def set_node_tags(self, node_id: str, tags: Mapping[str, str]) -> None:
        with self._changed() as state:
            if node_id in state["used"]:  # else it was returned meanwhile
                state["used"][node_id].update(tags)

    def create_node(
        self, node_config: Mapping[str, Any], tags: Mapping[str, str], count: int
    ) -> dict[str, Any]:
        """Take as many free hosts of the type. One that was returned is taken again last: it may
        have been returned because it does not answer."""
        with self._changed() as state:
            used, returned = state["used"], state["returned"]
            free = [host for host in node_config["hosts"] if host not in used]
            if len(free) < count:
                kind = tags.get(TAG_RAY_USER_NODE_TYPE, "")
                raise NodeLaunchException(
                    "NoFreeHost", f"{count} hosts of type {kind} wanted, {len(free)} are free", None
                )
            free.sort(key=lambda host: returned.index(host) + 1 if host in returned else 0)
            for host in free[:count]:
                used[host] = dict(tags)
                if host in returned:
                    returned.remove(host)
        return {host: {} for host in free[:count]}

    def terminate_node(self, node_id: str) -> None:
        """Stop Ray there and free the host. One that does not answer is free as well: its Ray ends
        itself once it hears that it was given up, and its tasks by swarm's own fence."""
        self._stop_ray(node_id)
        with self._changed() as state:
            if state["used"].pop(node_id, None) is not None:
                state["returned"].append(node_id)

    def _stop_ray(self, host: str) -> None:
        auth = self.provider_config["auth"]
        where = f"{auth['ssh_user']}@{host}" if "ssh_user" in auth else host
        options = ["BatchMode=yes", "ConnectTimeout=5", "StrictHostKeyChecking=no"]
        options += ["UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        command = [
            "timeout",
            str(_STOP_S),
            "ssh",
            *(f"-o{option}" for option in options),
            *self._key(),
            where,
        ]
        subprocess.run(
            [*command, f"bash -ic '{_STOP}'"],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _key(self) -> Sequence[str]:
        named = self.provider_config["auth"].get("ssh_private_key", "")
        for file in (_path(named), _path(_KEY_ON_HEAD)):
            if named and file.is_file():
                return ("-i", str(file))
        return ()

    def _note_head(self) -> None:
        """Ray's autoscaler asks for nodes only while it finds the head among those in use."""
        with self._changed() as state:
            tags = {
                TAG_RAY_NODE_KIND: NODE_KIND_HEAD,
                TAG_RAY_USER_NODE_TYPE: self.provider_config["head_type"],
                TAG_RAY_NODE_STATUS: STATUS_UP_TO_DATE,
            }
            state["used"].setdefault(self._head, tags)

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # also between threads: each opens it anew
            state = self._read()
            yield state
            part = self._file.with_suffix(".part")
            part.write_text(json.dumps(state))
            part.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {"used": {}, "returned": []}
        return state


def _path(name: str) -> Path:
    return Path(name).expanduser()

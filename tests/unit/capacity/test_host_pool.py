"""Which machines of a pool Ray's autoscaler gets, and which it gets again."""

import json
from pathlib import Path
from typing import Any

import pytest
from ray.autoscaler.node_launch_exception import NodeLaunchException

from swarm.capacity.host_pool import HostPool

SPOT = {"hosts": ["s1", "s2", "s3"]}
WORKER = {"ray-node-type": "worker", "ray-user-node-type": "spot"}


@pytest.fixture
def logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `ssh` that only notes what it was asked to do."""
    notes = tmp_path / "logins"
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\nprintf "%s " "$@" >> {notes}\necho >> {notes}\nexit 255\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("RAY_CLOUD_INSTANCE_ID", raising=False)
    return notes


@pytest.fixture
def section(tmp_path: Path, logins: Path) -> dict[str, Any]:
    """The provider's section as Ray hands it on."""
    key = tmp_path / "key"
    key.touch()
    tree = HostPool.bootstrap_config(
        {
            "provider": {"type": "external", "state_file": str(tmp_path / "hosts.json")},
            "auth": {"ssh_user": "ubuntu", "ssh_private_key": str(key)},
            "head_node_type": "head",
            "available_node_types": {"head": {"node_config": {"hosts": ["h"]}}},
        }
    )
    provider: dict[str, Any] = tree["provider"]
    return provider


@pytest.fixture
def pool(section: dict[str, Any]) -> HostPool:
    return HostPool(section, "swarm")


def test_a_free_host_is_used_until_it_is_returned(pool: HostPool) -> None:
    assert pool.create_node(SPOT, WORKER, 2) == {"s1": {}, "s2": {}}
    assert pool.non_terminated_nodes({}) == ["s1", "s2"]
    assert pool.is_running("s1")
    pool.terminate_node("s1")
    assert pool.is_terminated("s1")
    assert pool.non_terminated_nodes({}) == ["s2"]


def test_what_was_returned_is_taken_last(pool: HostPool) -> None:
    """It may be one that does not answer: a healthy one has to have its turn."""
    pool.create_node(SPOT, WORKER, 1)
    pool.terminate_node("s1")
    assert list(pool.create_node(SPOT, WORKER, 3)) == ["s2", "s3", "s1"]


def test_more_than_are_free_is_refused_whole(pool: HostPool) -> None:
    pool.create_node(SPOT, WORKER, 2)
    with pytest.raises(NodeLaunchException, match="2 hosts of type spot wanted, 1 are free"):
        pool.create_node(SPOT, WORKER, 2)
    assert pool.non_terminated_nodes({}) == ["s1", "s2"]


def test_tags_are_kept_and_found(pool: HostPool, section: dict[str, Any]) -> None:
    pool.create_node(SPOT, WORKER, 1)
    pool.set_node_tags("s1", {"ray-node-status": "up-to-date"})
    again = HostPool(section, "swarm")  # Ray makes one for each command
    assert again.node_tags("s1") == WORKER | {"ray-node-status": "up-to-date"}
    assert again.non_terminated_nodes({"ray-node-type": "worker"}) == ["s1"]
    assert again.non_terminated_nodes({"ray-node-type": "head"}) == []


def test_tags_of_a_host_that_was_returned_meanwhile_are_nothing(pool: HostPool) -> None:
    pool.set_node_tags("s1", {"ray-node-status": "up-to-date"})
    assert pool.node_tags("s1") == {}
    assert not pool.is_running("s1")


def test_ray_is_stopped_there_also_if_nobody_answers(pool: HostPool, logins: Path) -> None:
    pool.create_node(SPOT, WORKER, 1)
    pool.terminate_node("s1")
    (said,) = logins.read_text().splitlines()
    assert "ubuntu@s1 bash -ic 'ray stop --force'" in said
    assert f"-i {logins.parent / 'key'} " in said


def test_on_the_head_it_knows_of_the_head(
    section: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else Ray's autoscaler would ask for no node at all."""
    monkeypatch.setenv("RAY_CLOUD_INSTANCE_ID", "h")
    pool = HostPool(section, "swarm")
    assert pool.non_terminated_nodes({"ray-node-type": "head"}) == ["h"]
    assert pool.node_tags("h")["ray-user-node-type"] == "head"


def test_elsewhere_it_does_not(pool: HostPool, section: dict[str, Any]) -> None:
    assert pool.non_terminated_nodes({}) == []
    assert not Path(section["state_file"]).exists()


def test_what_is_written_is_whole(pool: HostPool, section: dict[str, Any]) -> None:
    pool.create_node(SPOT, WORKER, 1)
    assert json.loads(Path(section["state_file"]).read_text())["used"] == {"s1": WORKER}

"""The nodes that stand are planned for; killed, the planner goes on where it was."""

import json
import os
import signal

import pytest

from tests.e2e.conftest import Swarm
from tests.e2e.test_nodes import a_node
from tests.e2e.test_tasks import in_state
from tests.e2e.test_up import actor_process, eventually

pytestmark = pytest.mark.parametrize("swarm", ["placement"], indirect=True)


def unplaced(swarm: Swarm) -> dict[str, str]:
    done = swarm.cli("plan", "-o", "json")
    if done.returncode:
        return {}
    return {row["task"]: row["because"] for row in json.loads(done.stdout)["plan"]["unplaced"]}


def test_what_no_node_can_run_is_said_also_after_the_planner_was_killed(swarm: Swarm) -> None:
    huge = {"argv": ["true"], "cpu": 64, "wait_for_capacity": True}
    swarm.client.submit([{"id": "huge", **huge}])
    eventually(lambda: unplaced(swarm) == {"huge": "no_offering"})
    before = swarm.client.plan()
    os.kill(actor_process(swarm, "PlacementActor").pid, signal.SIGKILL)
    swarm.client.submit([{"id": "free", "argv": ["true"]}, {"id": "huger", **huge}])
    in_state(swarm, "free", "succeeded")
    eventually(lambda: set(unplaced(swarm)) == {"huge", "huger"})
    assert swarm.client.plan()["number"] > before["number"]
    for task in ("huge", "huger"):
        swarm.client.cancel(task)


def test_a_node_that_joins_is_planned_for_until_it_is_lost(swarm: Swarm) -> None:
    def steps() -> list[str]:
        return [row["step"] for row in swarm.client.scaling()]

    with a_node(swarm, "another"):
        eventually(lambda: "joined" in steps())
        eventually(lambda: swarm.client.plan()["wanted"] == {"night": 1})
    eventually(lambda: "left" in steps())
    told = swarm.cli("scale", "explain", "night")
    assert told.returncode == 0, told.stderr
    assert "it was lost" in told.stdout

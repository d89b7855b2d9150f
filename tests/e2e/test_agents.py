"""An agent of a real swarm dies with four items in progress."""

from pathlib import Path

import pytest

from swarm.cli.overload import overload
from swarm.client import ApiError
from tests.e2e.conftest import Swarm
from tests.e2e.test_tasks import ENDED, in_state
from tests.e2e.test_up import eventually

pytestmark = pytest.mark.parametrize("swarm", ["shared"], indirect=True)

CODE = """
import swarm

@swarm.agent(capability="echo", slots=2)
class Echo:
    def handle(self, item):
        return item
"""


def test_out_of_memory_with_four_items_in_progress(swarm: Swarm, tmp_path: Path) -> None:
    seen = overload(swarm.client, tmp_path)
    assert seen.outcomes == {"succeeded"}
    assert 0 < seen.seen_s < min(seen.moved_s, seen.replaced_s), seen.told()
    eventually(lambda: not any(any(row["capabilities"]) for row in swarm.client.workers()))


def test_an_agent_is_started_and_stopped_by_hand(swarm: Swarm, tmp_path: Path) -> None:
    (tmp_path / "echoing.py").write_text(CODE)
    started = swarm.cli("agents", "start", "echoing:Echo", "--cwd", str(tmp_path))
    assert started.returncode == 0, started.stderr
    eventually(lambda: "echo  0 of 2 slots" in swarm.cli("agents", "ls").stdout)
    (task,) = swarm.client.submit([{"capability": "echo", "item": {"a": [1]}}])
    assert in_state(swarm, task, *ENDED)["result"] == {"a": [1]}
    with pytest.raises(ApiError, match="set `capability`"):
        swarm.client.submit([{"item": 1}])
    swarm.cli("agents", "stop", "echoing:Echo")
    eventually(lambda: "echo" not in swarm.cli("agents", "ls").stdout)

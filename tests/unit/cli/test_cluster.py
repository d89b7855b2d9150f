"""`swarm cluster check` says what is wrong and ends accordingly."""

import json
from pathlib import Path
from random import Random

import pytest
import yaml
from typer.testing import CliRunner

from swarm.actors.dispatcher import policy
from swarm.actors.terms import offerings, terms
from swarm.cli.main import app
from swarm.config import Settings
from swarm.dispatch.capacity import Capacity
from swarm.errors import InputError
from swarm.model.plans import ScaleUp
from swarm.model.work import Needs, Resources, Submission, TaskId
from swarm.placement.demand import Demand, Spread
from swarm.placement.planner import Situation, plan
from swarm.placement.rooms import needed
from swarm.placement.sizing import Worth

GOOD = Path(__file__).parents[3] / "cluster" / "aws.yaml"


def run(*words: str, command: str = "check") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["cluster", command, *words])
    if isinstance(done.exception, InputError):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.read_text().replace("resources: {CPU: 0}", "resources: {CPU: 2}"))
    return file


def test_nothing_wrong_is_0() -> None:
    assert run(str(GOOD)) == (0, f"{GOOD}: nothing wrong\n")


def test_something_wrong_is_3_with_file_line_and_fix(bad: Path) -> None:
    code, text = run(str(bad))
    line = 1 + bad.read_text().splitlines().index(
        "    resources: {CPU: 2} # no work beside the journal"
    )
    assert code == 3
    assert text.startswith(f"{bad}:{line}: available_node_types.head.resources: ")
    assert "Fix: `resources: {CPU: 0}`" in text


def test_as_json(bad: Path) -> None:
    code, text = run(str(bad), "-o", "json")
    (finding,) = json.loads(text)["findings"]
    assert (code, finding["place"]) == (3, "available_node_types.head.resources")


def test_what_is_no_cluster_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("a: [\n")
    with pytest.raises(InputError, match=r"other\.yaml: line 2: not valid YAML"):
        run(str(file))


def test_what_is_no_text_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"other\.yaml: no text"):
        run(str(file))


def test_what_a_file_offers_is_printed_as_settings() -> None:
    code, text = run(str(GOOD), command="offerings")
    tree = yaml.safe_load(text)
    Settings.model_validate(tree | {"ray_address": "auto"})
    placement = tree["placement"]
    assert (code, placement["pool"], placement["most_workers"]) == (0, "ray", 50)
    assert placement["offerings"][3] == {
        "name": "dedicated-m5-xlarge",
        "slots": 4,
        "memory_bytes": 11_468 << 20,
        "gpu": 0.0,
        "price_usd_per_h": 0.192,
        "boot_s": 180,
        "market": "on-demand",
        "most": 10,
    }


def test_what_kubernetes_offers_is_printed_too() -> None:
    code, text = run(str(GOOD.parent / "kuberay" / "rayservice.yaml"), command="offerings")
    rows = yaml.safe_load(text)["placement"]["offerings"]
    assert code == 0
    assert [(row["name"], row["slots"], row["most"]) for row in rows] == [
        ("spot", 4, 20),
        ("dedicated", 4, 10),
    ]


def offered(text: str, folder: Path) -> Settings:
    """The settings of a swarm that were printed for this file."""
    file = folder / "cluster.yaml"
    file.write_text(text)
    code, printed = run(str(file), command="offerings")
    assert code == 0
    return Settings.model_validate(yaml.safe_load(printed) | {"ray_address": "auto"})


@pytest.mark.parametrize(
    "needs", [Resources(1.0, 8 << 30), Resources(1.0, gpu=1.0), Resources(4.0, 8 << 30, 1.0)]
)
def test_a_task_for_memory_and_gpus_is_taken_and_a_node_ordered_before_any_is_there(
    tmp_path: Path, needs: Resources
) -> None:
    had = "dedicated-m5-xlarge}\n    resources: {CPU: 4, "
    text = GOOD.read_text()
    assert text.count(had) == 1
    settings = offered(text.replace(had, f"{had}GPU: 1, "), tmp_path)
    task = Submission(TaskId("t"), "team", "d", 0.0, needs=Needs(resources=needs))
    Capacity(policy(settings).rentable).check(task)
    demand = Demand("t", Spread((60.0,)), needed(task.needs, None, ()))
    can_be_had, budget = offerings(settings), terms(settings).budget
    made = plan(Situation((demand,), (), can_be_had, budget, 3_600, Worth()), Random(1))
    assert made.unplaced == ()
    (up,) = made.moves
    assert isinstance(up, ScaleUp)


def test_where_a_type_says_no_memory_it_is_told_what_to_write(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    told = GOOD.read_text().replace("CPU: 4, memory: 12025908428", "CPU: 4", 1)
    file.write_text(told)
    done = CliRunner().invoke(app, ["cluster", "offerings", str(file)])
    (line,) = (one for one in done.stderr.splitlines() if "memory" in one)
    assert line.startswith("spot-m5-xlarge: ")
    assert "`memory: 16000000000`" in line


def test_spot_that_may_come_up_in_any_zone_is_told() -> None:
    done = CliRunner().invoke(app, ["cluster", "offerings", str(GOOD)])
    told = [
        line.split(":")[0] for line in done.stderr.splitlines() if "any of several zones" in line
    ]
    assert told == ["spot-m5-xlarge", "spot-m5a-xlarge", "spot-m6i-xlarge"]


def test_a_file_with_a_fault_offers_nothing(bad: Path) -> None:
    assert run(str(bad), command="offerings") == (1, "")

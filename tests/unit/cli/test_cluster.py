"""`swarm cluster check` says what is wrong and ends accordingly."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from swarm.cli.main import app
from swarm.config import Settings
from swarm.errors import InputError

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


def test_a_file_with_a_fault_offers_nothing(bad: Path) -> None:
    assert run(str(bad), command="offerings") == (1, "")

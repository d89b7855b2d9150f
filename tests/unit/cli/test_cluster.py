"""`swarm cluster check` says what is wrong and ends accordingly."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app
from swarm.errors import InputError

GOOD = Path(__file__).parents[3] / "cluster" / "aws.yaml"


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["cluster", "check", *words])
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


def test_something_wrong_is_1_with_file_line_and_fix(bad: Path) -> None:
    code, text = run(str(bad))
    line = 1 + bad.read_text().splitlines().index(
        "    resources: {CPU: 2} # no work beside the journal"
    )
    assert code == 1
    assert text.startswith(f"{bad}:{line}: available_node_types.head.resources: ")
    assert "Fix: `resources: {CPU: 0}`" in text


def test_as_json(bad: Path) -> None:
    code, text = run(str(bad), "-o", "json")
    (finding,) = json.loads(text)["findings"]
    assert (code, finding["place"]) == (1, "available_node_types.head.resources")


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

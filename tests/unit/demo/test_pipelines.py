"""The lab's cast: enough of everything, and decoys that are where the list says."""

import json
from importlib import resources
from pathlib import Path

import pytest

from swarm.demo.cron import commands, install, script

PIPELINES = Path(str(resources.files("swarm.demo"))) / "pipelines"
DECOYS = json.loads((PIPELINES / "decoys.json").read_text())


def test_there_are_enough_decoys() -> None:
    assert len({decoy["name"] for decoy in DECOYS}) == len(DECOYS) >= 20


@pytest.mark.parametrize("decoy", DECOYS, ids=lambda decoy: str(decoy["name"]))
def test_a_decoy_names_what_it_imitates(decoy: dict[str, str]) -> None:
    text = (PIPELINES / decoy["place"]).read_text()
    if decoy["dataset"] is not None:
        short = decoy["dataset"].rpartition("/" if "/" in decoy["dataset"] else ".")[2]
        assert short in text


def test_no_pipeline_knows_swarm() -> None:
    for file in PIPELINES.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            assert "swarm" not in file.read_text().casefold(), file


def test_only_living_lines_of_a_crontab_run() -> None:
    text = "# 1 1 * * * python old.py\nA=b\n\n5 4 * * * cd /x && python code/load.py\n"
    assert commands(text) == ["cd /x && python code/load.py"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("cd /x && python code/cron/load.py", "load"),
        ("cd /x && sqlite3 w.db < code/cron/fx_rates.sql", "fx_rates"),
    ],
)
def test_a_cron_pipeline_is_named_after_its_script(command: str, name: str) -> None:
    assert script(command) == name


def test_the_crontab_names_the_folder_it_runs_in(tmp_path: Path) -> None:
    text = install(tmp_path, "1 2 * * * cd {folder} && python a.py", {}).read_text()
    assert text == f"1 2 * * * cd {tmp_path} && python a.py"

"""The maps of the packages that read programs and SQL name every module of them."""

import re
from pathlib import Path

import pytest

LINEAGE = Path(__file__).parents[3] / "swarm" / "lineage"


@pytest.mark.parametrize("package", ["code", "sql"])
def test_every_module_is_on_the_map_and_nothing_else(package: str) -> None:
    folder = LINEAGE / package
    text = (folder / "README.md").read_text()
    last = [line.split("|")[-2] for line in text.splitlines() if line.startswith("| ")]
    named = set(re.findall(r"`(\w+)`", " ".join(last)))
    named |= set(re.findall(r"the port its parts see: `(\w+)`", text))
    assert named == {path.stem for path in folder.glob("*.py")} - {"__init__"}

"""The map of the package that reads programs names every module of it."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "swarm" / "lineage" / "code"


def test_every_module_is_on_the_map_and_nothing_else():
    text = (FOLDER / "README.md").read_text()
    last = [line.split("|")[-2] for line in text.splitlines() if line.startswith("| ")]
    named = set(re.findall(r"`(\w+)`", " ".join(last)))
    named |= set(re.findall(r"the port its parts see: `(\w+)`", text))
    assert named == {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}

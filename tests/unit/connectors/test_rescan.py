"""A manifest that is read again is not parsed again."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.sql_texts import manifest
from swarm.config import Settings
from swarm.connectors.contexts import LISTENER
from swarm.connectors.manifest import read_manifest
from swarm.lineage.text import SqlContext
from swarm.model.keys import TaskKey
from swarm.model.lineage import Extraction, Tier

TASKS = 3_000  # more than a cache of the most recent few could hold


class Tiers:
    """A listener that counts."""

    def __init__(self) -> None:
        self.seen: Counter[Tier] = Counter()

    def of(self, task: TaskKey) -> "Tiers":
        return self

    def text(self, text: str, context: SqlContext, place: str, found: Extraction) -> None:
        assert place == "query.sql"
        self.seen[found.tier] += 1

    def files(self, sources: Mapping[str, str]) -> None:
        assert set(sources) == {"query.sql"}


def tiers_of_a_pass(path: Path) -> Counter[Tier]:
    listener = Tiers()
    before = LISTENER.set(listener)
    for _ in read_manifest(path, "m", Settings(), 0.0):
        pass
    LISTENER.reset(before)
    return listener.seen


def test_the_second_pass_remembers_every_text(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    lines = list(manifest(TASKS, seed=11))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert tiers_of_a_pass(path)[Tier.EXACT] == 0
    assert tiers_of_a_pass(path) == {Tier.EXACT: TASKS}

    lines[7]["files"] = {"query.sql": "SELECT * FROM changed PIVOT (x)"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert tiers_of_a_pass(path) == {Tier.EXACT: TASKS - 1, Tier.TREE: 1}

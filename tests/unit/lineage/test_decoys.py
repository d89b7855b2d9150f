"""A small world of decoys: every dependency of it is shown, and nothing else.

The texts are ours; each looks like one of the ways in which a name misleads: comments, strings,
names of `WITH`, temporary tables, other schemas, projects, servers and environments, code that
never runs, files of another task.
"""

import json
from pathlib import Path

import pytest
import yaml

from benchmarks.discovery import measure, read_corpus

WORLD = yaml.safe_load(Path(__file__).with_name("decoys.yml").read_text())


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def truth() -> list[dict[str, object]]:
    pairs = [
        (up.split("/"), (task["pipeline"], task["task"]))
        for task in WORLD["tasks"]
        for up in task.get("after", [])
    ]
    return [
        {
            "upstream": {"pipeline": up[0], "task": up[1]},
            "downstream": {"pipeline": down[0], "task": down[1]},
            "cross": up[0] != down[0],
            "data": True,
        }
        for up, down in pairs
    ]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    folder = tmp_path_factory.mktemp("decoys")
    tasks = [{k: v for k, v in task.items() if k != "after"} for task in WORLD["tasks"]]
    corpus = read_corpus(
        lines(folder / "tasks.jsonl", tasks),
        lines(folder / "views.jsonl", WORLD["views"]),
        lines(folder / "truth.jsonl", truth()),
    )
    return dict(measure(corpus))


def test_the_world_is_large_enough() -> None:
    assert len(WORLD["tasks"]) >= 50
    assert len({task["pipeline"] for task in WORLD["tasks"]}) >= 40


def test_every_dependency_is_found(figures: dict[str, float]) -> None:
    assert figures["recall"] == 1.0
    assert figures["cross_recall"] == 1.0


def test_no_decoy_is_taken_for_a_dependency(figures: dict[str, float]) -> None:
    assert figures["precision"] == 1.0
    assert figures["cross_precision"] == 1.0

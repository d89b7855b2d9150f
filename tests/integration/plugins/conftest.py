"""One swarm for the orchestrators that share it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.live_swarm import LiveSwarm, running_swarm

# It may be held for a minute after it was planned, and is planned for every minute.
LEFT_OUT = {"match": "airflow/left_out", "mode": "gate", "wait_max_s": 60, "at_latest": "skip"}


@pytest.fixture(scope="session")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSwarm]:
    folder = tmp_path_factory.mktemp("swarm")
    yesterday_s = time.time() - 86_400
    ran = {"started_at_s": yesterday_s, "ended_at_s": yesterday_s + 10}
    sources = [
        _manifest(folder, "shop", pipeline="feed", writes=["shop.feed"], runs=[ran]),
        _manifest(folder, "airflow", pipeline="left_out", reads=["shop.feed"]),
    ]
    with running_swarm(folder, slots=4, sources=sources, pipelines=[LEFT_OUT]) as swarm:
        yield swarm


def _manifest(folder: Path, name: str, **line: object) -> dict[str, str]:
    """A source that tells of one pipeline that starts every minute."""
    file = folder / f"{name}.jsonl"
    nothing: dict[str, object] = {"task": "work", "reads": [], "writes": []}
    file.write_text(json.dumps({**nothing, "schedule": "* * * * *", "timezone": "UTC", **line}))
    return {"kind": "manifest", "name": name, "path": str(file)}

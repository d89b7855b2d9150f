"""What README and ADOPTION tell people to type works, against a swarm that they start themselves.

Every block of the two is run here, in the order of the documents, or is in `ELSEWHERE` with the
test that runs the same. Two things differ from what is written: the sources are a manifest by the
name of `airflow`, as there is no server at those addresses, and nobody is told anything.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.e2e.conftest import MANIFEST, free_port
from tests.e2e.test_up import eventually
from tests.unit.documents import ROOT, Block, blocks

DOCUMENTS = (ROOT / "README.md", ROOT / "swarm" / "ADOPTION.md")
UP = "swarm check -c swarm.yaml"
HAND = "state_dir: /var/lib/swarm-hand"
DOWN = "swarm down"
DAY_S = 86_400

# The first line of a block, the test that runs it, and what has to stand there.
ELSEWHERE = {
    "make demo": ("tests/e2e/test_demo.py", '"swarm", "demo"'),
    "pip install .": ("tests/integration/lab/test_postgres.py", "survey(settings_for(lab"),
    "swarm check  ": ("tests/e2e/test_up.py", "def test_down_leaves_no_process_and_up_again_knows"),
    "swarm alerts test": ("tests/unit/cli/test_alerts.py", '["alerts", "test"'),
    HAND: ("tests/e2e/test_hand.py", '"hand_url"'),
    "swarm hand run": ("tests/e2e/test_hand.py", '"swarm", "hand", "run"'),
    "AIRFLOW__CORE__EXECUTOR": ("tests/integration/plugins", "SwarmExecutor"),
}
# What a block has to print, beyond ending with 0.
PRINTS = {
    "export SWARM_CONFIG": (
        "airflow ok since",
        "airflow/crm_export/load",
        "downstream of airflow/crm_export",
        "accepted: airflow/crm_export/load -> airflow/finance_close/report",
    ),
    "swarm doctor": ("ok     journal: is read", "airflow/finance_close/report reads"),
    "swarm accept": ("accepted: airflow/crm_export/load",),
    "swarm sla ": ("airflow/board_deck", "deadlines"),
    "swarm decisions  ": ('"level": "gate"',),
    "swarm hold": ("hold     airflow/board_deck until", "release  airflow/board_deck"),
    "swarm tasks run": ("loaded 2026-11-22", "worker", "detection  silence of"),
}


def elsewhere(block: Block) -> tuple[str, str] | None:
    return next(
        (where for first, where in ELSEWHERE.items() if block.first.startswith(first)), None
    )


def settings_of(found: list[Block]) -> dict:
    """All that the documents set, the last word counts; hands have a file of their own."""
    merged: dict = {}
    for block in found:
        if block.language == "yaml" and not elsewhere(block):
            merged |= yaml.safe_load(block.text)
    return merged


def mornings(pipeline: str) -> list[dict]:
    """Twenty good runs, one a day: what a replay looks back at."""
    today_s = time.time() // DAY_S * DAY_S
    begins_s = {"crm_export": 5, "finance_close": 6, "board_deck": 7}[pipeline] * 3_600
    return [
        {"started_at_s": at_s, "ended_at_s": at_s + 600, "state": "succeeded"}
        for at_s in (today_s - day * DAY_S + begins_s for day in range(20, 0, -1))
    ]


class Reader:
    """Somebody who types what the documents say, in a home of their own."""

    def __init__(self, home: Path, settings: dict) -> None:
        self.home = home
        programs = home / "bin"
        programs.mkdir()
        for name, words in (("swarm", "-m swarm"), ("python", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
            program.chmod(0o755)
        (home / "etl").mkdir()
        (home / "etl" / "load.py").write_text(
            "import sys\nprint('loaded', *sys.argv[2:], flush=True)\n"
        )
        rows = [row | {"runs": mornings(row["pipeline"])} for row in MANIFEST]
        (home / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        stand_in = {"kind": "manifest", "name": "airflow", "path": str(home / "tasks.jsonl")}
        self.settings = settings | {"sources": [stand_in | {"poll_s": 0.5}], "code": []}
        del self.settings["alerts"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        self.env = env | {
            "HOME": str(home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SWARM_API__PORT": str(free_port()),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def types(self, text: str, *shell: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(shell or ("bash", "-euo", "pipefail", "-c")), text],
            cwd=self.home,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def logs(self) -> list[str]:
        """What the actors logged, where FAILURES.md says that it is."""
        state = self.home / ".local" / "state" / "swarm"
        name = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"swarm-{os.getuid()}-{name}" / "session_latest"
        return [path.read_text() for path in folder.glob("logs/worker-*.out")]

    def runs(self, block: Block) -> None:
        """One block, and what it has to print."""
        if block.language == "yaml":
            return  # is in the settings, which `UP` checks
        shell = (sys.executable, "-c") if block.language == "python" else ()
        if block.first.startswith(UP):
            (self.home / "swarm.yaml").write_text(yaml.safe_dump(self.settings))
        done = self.types(block.text, *shell)
        assert done.returncode == 0, (block.at, block.text, done.stdout, done.stderr)
        said = done.stdout + done.stderr
        for first, words in PRINTS.items():
            if block.first.startswith(first):
                assert [word for word in words if word not in said] == [], (block.at, said)
        if block.first.startswith(UP):
            self.env["SWARM_CONFIG"] = "swarm.yaml"
            eventually(lambda: "finance_close" in self.types("swarm deps -o json").stdout)


def test_every_block_of_readme_and_adoption_works(tmp_path):
    found = [block for document in DOCUMENTS for block in blocks(document)]
    reader = Reader(tmp_path, settings_of(found))
    try:
        for block in found:
            if not elsewhere(block):
                reader.runs(block)
        assert any('"event": "connector"' in text for text in reader.logs()), "where they should be"
    finally:
        stopped = reader.types(DOWN)
    assert "swarm is down." in stopped.stdout


def test_each_block_that_is_not_run_here_is_run_elsewhere():
    firsts = [block.first for document in DOCUMENTS for block in blocks(document)]
    for first in [*ELSEWHERE, *PRINTS]:
        assert any(line.startswith(first) for line in firsts), f"no block begins with {first}"
    for first, (where, words) in ELSEWHERE.items():
        place = ROOT / where
        files = place.rglob("*.py") if place.is_dir() else [place]
        assert any(words in file.read_text() for file in files), (first, where, words)

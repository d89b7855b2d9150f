"""From a person's word to the hand beside a source, and what is left of it when swarm is killed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.e2e.conftest import MANIFEST, cli, free_port
from tests.e2e.test_up import kill_all

TTL_S = 60
DEADLINE_S = 240.0
PIPELINE = "manifest/finance_close"
PROGRAM = """
import json, sys
wanted = json.load(sys.stdin)
with open(sys.argv[1], "a") as told:
    told.write(json.dumps(wanted) + "\\n")
"""


class Beside:
    """A swarm and a hand, each a process of its own; the hand's program writes what it is told."""

    def __init__(self, folder: Path) -> None:
        self.seen = folder / "seen"
        self.swarm, self.hand = str(folder / "swarm.yaml"), str(folder / "hand.yaml")
        token, manifest, port = folder / "token", folder / "tasks.jsonl", free_port()
        token.write_text("only for tests on loopback")
        manifest.write_text("".join(json.dumps(line) + "\n" for line in MANIFEST))
        source = {"kind": "manifest", "path": str(manifest)}
        command = [sys.executable, "-c", PROGRAM, str(self.seen)]
        beside = {"port": port, "token_file": str(token), "command": command}
        own = {"hand_url": f"http://127.0.0.1:{port}", "hand_token_file": str(token)}
        self.state = folder / "state"
        swarm = {
            "state_dir": str(self.state),
            "api": {"port": free_port()},
            "hold_ttl_s": TTL_S,
            "sources": [{**source, **own, "poll_s": 0.5}],
        }
        hand = {"state_dir": str(folder / "hand"), "sources": [source], "hand": beside}
        Path(self.swarm).write_text(yaml.safe_dump(swarm))
        Path(self.hand).write_text(yaml.safe_dump(hand))

    def cli(self, *arguments: str) -> str:
        done = cli(*arguments, SWARM_CONFIG=self.swarm)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def acts(self) -> list[str]:
        """What the program was told, in order; a hold comes again when it is renewed."""
        lines = self.seen.read_text().splitlines() if self.seen.exists() else []
        acts = [json.loads(line)["act"] for line in lines]
        return [act for at, act in enumerate(acts) if acts[at - 1 : at] != [act]]

    def until(self, there) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not there():
            assert time.monotonic() < deadline_s, self.acts()
            time.sleep(0.2)

    def kill_swarm(self) -> None:
        """Every process of it at once, Ray's and the journal's too."""
        pid = json.loads((self.state / "up.json").read_text())["pid"]
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        kill_all(family)
        psutil.wait_procs(family, timeout=180)


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    beside = Beside(tmp_path)
    with (tmp_path / "hand.log").open("ab") as log:
        command = [sys.executable, "-m", "swarm", "hand", "run", "-c", beside.hand]
        hand = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        beside.cli("up")
        yield beside
    finally:
        cli("down", SWARM_CONFIG=beside.swarm)
        hand.kill()
        hand.wait()


def test_what_is_held_goes_on_also_when_all_of_swarm_is_killed(beside: Beside) -> None:
    beside.until(lambda: PIPELINE in beside.cli("deps"))
    beside.cli("hold", PIPELINE, "--for", "10m")
    beside.until(lambda: beside.acts() == ["hold"])
    beside.until(lambda: "[done" in beside.cli("decisions"))
    beside.cli("release", PIPELINE)
    beside.until(lambda: beside.acts() == ["hold", "release"])

    beside.cli("hold", PIPELINE, "--for", "10m")
    beside.until(lambda: beside.acts() == ["hold", "release", "hold"])
    beside.kill_swarm()
    beside.until(lambda: beside.acts() == ["hold", "release", "hold", "release"])
    shown = cli("hand", "show", "-c", beside.hand).stdout
    assert "it was not renewed" in shown

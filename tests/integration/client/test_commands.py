"""Commands against the real API over a real server: what a person mutes, and what `doctor` says of
work that nobody can begin."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from swarm.cli.main import app
from swarm.client import Client
from swarm.model.graph import FindingChanged
from tests.integration.client.conftest import World, until
from tests.unit.alerts.builders import a_finding
from tests.unit.api.conftest import TOKEN

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    (tmp_path / "a.token").write_text(TOKEN)
    monkeypatch.delenv("SWARM_CONFIG", raising=False)
    monkeypatch.setenv("SWARM_URL", world.url)
    monkeypatch.setenv("SWARM_TOKEN_FILE", str(tmp_path / "a.token"))
    return lambda *words: CliRunner().invoke(app, words)


async def test_what_is_muted_is_listed_apart_with_until_when_and_why(
    world: World, client: Client, run: Run
) -> None:
    sequencer: Any = world.deps.sequencer
    for name in ("f1", "f2"):
        await world._there(lambda name=name: sequencer.write([FindingChanged(a_finding(name))]))
    until(lambda: len(list(client.findings())) == 2)
    told = run("mute", "f1", "--for", "2h", "--note", "the move", "--dry-run")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout.split(" ", 2)[2])["for_s"] == 7_200
    assert run("mute", "none", "--dry-run").exit_code == 4
    assert run("mute", "none").exit_code == 4
    assert run("mute", "f1", "--for", "soon").exit_code == 2
    assert run("mute", "f1", "--for", "2h", "--note", "the move").exit_code == 0
    until(lambda: any(row["mute"] for row in client.findings()))
    left = run("findings")
    assert (left.stdout.count("stale_read"), left.stderr) == (
        1,
        "1 findings; 1 more are muted: `swarm findings --muted`\n",
    )
    apart = run("findings", "--muted")
    assert apart.stdout.count("stale_read") == 1
    assert ": the move (`swarm unmute f1`)" in apart.stdout
    assert len(json.loads(run("findings", "-o", "json").stdout)["findings"]) == 2
    assert run("unmute", "f1").exit_code == 0
    until(lambda: not any(row["mute"] for row in client.findings()))
    assert run("findings").stderr == "2 findings\n"


async def test_doctor_says_when_what_waits_can_never_begin(
    world: World, client: Client, run: Run, tmp_path: Path
) -> None:
    def workers() -> Any:
        looks = json.loads(run("doctor", "-c", str(settings), "-o", "json").stdout)["looks"]
        return next(one for one in looks if one["what"] == "workers")

    settings = tmp_path / "swarm.yaml"
    settings.write_text(f"state_dir: {tmp_path}\n")
    assert workers() == {"what": "workers", "found": "none, and nothing waits for one", "fix": ""}
    (task,) = client.submit([{"argv": ["true"], "id": "t1", "wait_for_capacity": True}])
    until(lambda: list(client.tasks(state="queued")))
    found = workers()
    assert found["found"] == f"none has a slot, and tasks wait, such as {task}"
    assert found["fix"].startswith("SWARM_WORKER__SLOTS=4 swarm up")
    await world.join(slots=2)
    until(lambda: client.workers())
    assert workers() == {"what": "workers", "found": "2 slots", "fix": ""}

"""Which swarm a client finds that is told of none."""

import json
from pathlib import Path

import pytest

import swarm
from swarm.client import ApiError, AsyncClient, Client, Unreachable, place


def started(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "token").write_text("here\n")
    up = {"url": "http://127.0.0.1:8642", "token_file": str(folder / "token"), "pid": 1}
    (folder / "up.json").write_text(json.dumps(up))


def test_the_one_that_is_named_comes_first(tmp_path: Path) -> None:
    started(tmp_path / "swarm")
    (tmp_path / "far").write_text("there\n")
    around = {"SWARM_URL": "http://swarm:8642", "SWARM_TOKEN_FILE": str(tmp_path / "far")}
    around |= {"SWARM_STATE_DIR": str(tmp_path / "swarm")}
    assert place.found(around) == ("http://swarm:8642", "there")


@pytest.mark.parametrize("variable", ["SWARM_STATE_DIR", "XDG_STATE_HOME", "HOME"])
def test_then_the_one_that_runs_here(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    below = {"SWARM_STATE_DIR": ".", "XDG_STATE_HOME": "swarm", "HOME": ".local/state/swarm"}
    folder = tmp_path / "x"
    around = {variable: str(folder)} if variable != "HOME" else {}
    started((folder if around else tmp_path) / below[variable])
    assert place.found(around) == ("http://127.0.0.1:8642", "here")


def test_none_is_told_with_what_starts_one(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="try `swarm up`"):
        place.found({"SWARM_STATE_DIR": str(tmp_path)})
    with pytest.raises(Unreachable, match="SWARM_TOKEN_FILE"):
        place.found({"SWARM_URL": "http://swarm:8642"})


def test_what_a_machine_that_went_down_left_torn_is_none(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text("")
    with pytest.raises(Unreachable, match="try `swarm up`"):
        place.local(tmp_path)


def test_the_names_are_at_the_top() -> None:
    assert (swarm.Client, swarm.AsyncClient, swarm.ApiError) == (Client, AsyncClient, ApiError)
    assert {"Client", "AsyncClient", "agent"} <= set(dir(swarm))

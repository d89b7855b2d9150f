"""What a granted task runs, as a worker unpacks it."""

import json
import stat
from pathlib import Path

from swarm.actors.programs import Programs
from swarm.model.passes import read, seed_of
from swarm.model.work import TaskId, Token

KEY = b"key"
TOKEN = Token(TaskId("a"), 2)
PASS = {"seed": seed_of(KEY, TOKEN.task), "url": "http://swarm:8642"}


def unpacked(folder: Path, **body: object):  # type: ignore[no-untyped-def]
    return Programs(folder).unpack(TOKEN, json.dumps(body))


def test_a_program_finds_the_pass_of_its_grant_and_nothing_it_could_make_another_of(
    tmp_path: Path,
) -> None:
    program = unpacked(tmp_path, argv=["x"], clean_env=True, **{"pass": PASS})
    place = Path(program.env["SWARM_TOKEN_FILE"])
    assert read(KEY, place.read_text()) == TOKEN
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert program.files == place.parent, "it goes with the grant"
    assert program.env["SWARM_URL"] == "http://swarm:8642"
    assert PASS["seed"] not in json.dumps([*program.argv, dict(program.env)])
    assert place.read_text() not in json.dumps([*program.argv, dict(program.env)])


def test_where_it_is_told_another_address_that_counts(tmp_path: Path) -> None:
    env = {"SWARM_URL": "https://proxy", "SWARM_TOKEN_FILE": "/theirs"}
    program = unpacked(tmp_path, argv=["x"], env=env, **{"pass": PASS})
    assert program.env["SWARM_URL"] == "https://proxy"
    assert program.env["SWARM_TOKEN_FILE"] != "/theirs"


def test_who_asked_for_none_has_none(tmp_path: Path) -> None:
    program = unpacked(tmp_path, argv=["x"], env={"SWARM_TOKEN_FILE": "/theirs"}, clean_env=True)
    assert program.env["SWARM_TOKEN_FILE"] == "/theirs"
    assert "SWARM_URL" not in program.env
    assert program.files is None


def test_a_call_carries_it_as_a_mark_that_ends_with_it(tmp_path: Path) -> None:
    call = unpacked(tmp_path, call={"path": "a:b", "args": {}}, **{"pass": PASS})
    assert call.marks["SWARM_TOKEN_FILE"] == str(call.files / "swarm-token")
    assert "SWARM_TOKEN_FILE" not in call.env

"""`swarm doctor` finds what is most likely wrong with a set-up, each with what mends it."""

import contextlib
import json
import os
import socket

import pytest
import yaml
from sqlalchemy import text
from typer.testing import CliRunner

from swarm import __version__
from swarm.cli.installed import source
from swarm.cli.main import app
from swarm.demo.processes import free_ports
from swarm.store.database import open_file
from swarm.store.migrations import version_table
from swarm.store.projector import open_projector
from tests.small_disk import filled, small_disk

_NOT_HERE = (
    "AIRFLOW_HOME",
    "AIRFLOW__CORE__EXECUTOR",
    "DAGSTER_HOME",
    "SWARM_CONFIG",
    "SWARM_URL",
    "SWARM_TOKEN_FILE",
)


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """A machine on which nothing runs."""
    for name in _NOT_HERE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def faults(file):
    """What `doctor` says is wrong, by what it looked at."""
    told = CliRunner().invoke(app, ["doctor", "-c", str(file), "-o", "json"])
    looks = json.loads(told.stdout)["looks"]
    assert told.exit_code == (3 if any(one["fix"] for one in looks) else 0)
    return {one["what"]: (one["found"], one["fix"]) for one in looks if one["fix"]}


@pytest.fixture
def well(tmp_path):
    """Settings with which nothing is wrong but that no swarm runs."""
    (tmp_path / "m.jsonl").write_text("")
    (tmp_path / "state").mkdir(mode=0o700)

    def write(**more):
        tree = {"state_dir": str(tmp_path / "state"), "api": {"port": free_port()}}
        tree["sources"] = [{"kind": "manifest", "path": str(tmp_path / "m.jsonl")}]
        file = tmp_path / "settings.yaml"
        file.write_text(yaml.safe_dump(tree | more))
        return file

    return write


def free_port():
    (port,) = free_ports(1)
    return port


def rewrite_version(state, number):
    file, table = open_file(state / "projections.db"), version_table("projections")
    with contextlib.closing(file) as database, database.writing() as connection:
        connection.execute(text(f"UPDATE {table} SET version_num = '{number}'"))


def test_where_nothing_is_wrong_only_swarm_is_missing(well):
    assert list(faults(well())) == ["swarm"]


def test_a_state_that_others_may_enter_or_read_is_told(well, tmp_path):
    (tmp_path / "state").chmod(0o755)
    (tmp_path / "state" / "token").write_text("t")
    (tmp_path / "state" / "token").chmod(0o644)
    told = faults(well())
    assert told["state"][1] == f"chmod 700 {tmp_path}/state"
    assert told["secret token"][1] == f"chmod 600 {tmp_path}/state/token"


def test_a_port_that_is_taken_is_told_with_how_to_see_by_whom(well):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = faults(well(api={"port": port}))
    found, fix = told[f"port {port}"]
    assert found == f"127.0.0.1:{port} is taken"
    assert fix.startswith(f"ss -ltnp 'sport = :{port}'")


def test_a_store_of_a_newer_swarm_is_told(well, tmp_path):
    open_projector("", tmp_path / "state").close()
    assert list(faults(well())) == ["swarm"]
    rewrite_version(tmp_path / "state", "9999")
    found, fix = faults(well())["store"]
    assert "version 9999" in found
    assert f"-m pip install --upgrade {source()}    #" in fix


def test_a_store_that_is_to_be_migrated_is_no_fault(well, tmp_path):
    open_projector("", tmp_path / "state").close()
    rewrite_version(tmp_path / "state", "0001")
    said = CliRunner().invoke(app, ["doctor", "-c", str(well())]).stdout
    assert "to be migrated by `swarm up`: projections 0001" in said


def test_a_server_that_is_away_is_told(well):
    url = f"postgresql://me@127.0.0.1:{free_port()}/swarm"
    found, fix = faults(well(store_url=url))["store"]
    assert "refused" in found
    assert fix.startswith("pg_isready")


def test_a_disk_without_room_is_told_with_what_fills_it(well, tmp_path):
    with small_disk(tmp_path / "small", "64m") as folder, filled(folder):
        found, fix = faults(well(state_dir=str(folder / "state")))["room"]
    assert found == f"0.0 GB free under {folder}"
    assert fix.startswith(f"du -xh {folder} | sort -h | tail ")


def test_an_agent_that_cannot_be_imported_is_told_as_python_says_it(well, tmp_path):
    (tmp_path / "mine.py").write_text("import nowhere_to_be_found\n")
    (tmp_path / "good.py").write_text("class Clerk:\n    pass\n")
    agents = [
        {"path": "mine:Clerk", "cwd": str(tmp_path)},
        {"path": "good:Clerk", "cwd": str(tmp_path)},
        {"path": "good:Clerk", "cwd": str(tmp_path / "none")},
    ]
    told = faults(well(agents=agents[:2]))
    found, fix = told.pop("agent mine:Clerk")
    assert "nowhere_to_be_found" in found
    assert fix == f"cd {tmp_path} && python -c 'import mine'"
    assert list(told) == ["swarm"]
    assert faults(well(agents=agents[2:]))["agent good:Clerk"][1].startswith("mkdir -p")


def test_an_orchestrator_that_shall_use_a_plug_in_and_has_none_is_told(well, tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    program = tmp_path / "bin" / "airflow"
    program.parent.mkdir()
    program.write_text(f"#!{python}\n")
    for one in (python, program):
        one.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    assert list(faults(well())) == ["swarm"]
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "swarm.plugins.airflow.SwarmExecutor")
    found, fix = faults(well())["plug-in for airflow"]
    assert found == f"{python} has no swarm"
    assert fix == f"{python} -m pip install --no-deps {source()}    # swarm {__version__}"
    python.write_text("#!/bin/sh\nexit 0\n")
    assert list(faults(well())) == ["swarm"]


def test_a_shell_that_starts_an_orchestrator_is_no_python(well, tmp_path, monkeypatch):
    """As installers write it where the path of Python is long, or has blanks."""
    program = tmp_path / "bin" / "airflow"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n'''exec' '/a b/python' \"$0\" \"$@\"\n' '''\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "swarm.plugins.airflow.SwarmExecutor")
    assert list(faults(well())) == ["swarm"]


def test_a_token_that_cannot_be_read_is_told(well, monkeypatch, tmp_path):
    monkeypatch.setenv("SWARM_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SWARM_TOKEN_FILE", str(tmp_path / "none"))
    found, fix = faults(well())["swarm"]
    assert "none: No such file" in found
    assert fix.startswith("export SWARM_TOKEN_FILE=")


@pytest.mark.parametrize(("address", "actors"), [("", "/swarm-"), ("auto", "/ray/")])
def test_what_does_not_run_has_left_logs_that_are_named(
    well, tmp_path, monkeypatch, address, actors
):
    # Of no concern here is the cluster; beside other tests there may be one, which lets nobody in.
    monkeypatch.setattr("swarm.cli.nodes._ASK_S", 1.0)
    own, its_actors = faults(well(ray_address=address))["swarm"][1].split(", and of its actors ")
    assert own.endswith(f"{tmp_path}/state/swarm.log")
    assert actors in its_actors
    assert its_actors.endswith("/session_latest/logs")

"""`swarm init`, `check` and `config show`: from nothing to settings that can be used."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from swarm import config
from swarm.cli.main import app


def invoke(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine on which nothing runs."""
    for name in ("AIRFLOW_HOME", "DAGSTER_HOME", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings(tmp_path):
    def write(**tree):
        file = tmp_path / "settings.yaml"
        file.write_text(yaml.safe_dump(tree))
        return file

    return write


def test_what_has_left_a_trace_is_named_in_settings_that_can_be_read(home, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "/d")
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect:4200/api")
    (home / "target").mkdir()
    (home / "target" / "manifest.json").write_text("{}")
    assert invoke("init", "new.yaml").exit_code == 0
    sources = config.load(home / "new.yaml", {}).sources
    assert [one.kind for one in sources] == ["dagster", "prefect", "dbt"]
    assert sources[1].url == "http://prefect:4200/api"


def test_where_nothing_was_found_the_settings_can_be_read_too(home):
    assert invoke("init").exit_code == 0
    assert config.load(home / "swarm.yaml", {}).sources == ()
    assert invoke("config", "show", "-c", "swarm.yaml").exit_code == 0, "as its first line says"


def test_settings_that_are_there_stay_as_they_are(home):
    mine = home / "swarm.yaml"
    mine.write_text("sources: []\n")
    told = invoke("init")
    assert told.exit_code == 7
    assert "swarm init OTHER.yaml" in told.stderr
    assert mine.read_text() == "sources: []\n"


def test_a_dry_run_writes_nothing(home):
    told = invoke("init", "--dry-run")
    assert "sources:" in told.stdout
    assert list(home.iterdir()) == []


def test_settings_that_can_be_used_are_found_well(settings, tmp_path):
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o600)
    file = settings(sources=[{"kind": "airflow", "url": "http://a:1", "token_file": str(token)}])
    told = invoke("check", "-c", file, "-o", "json")
    assert told.exit_code == 0
    assert [one["fix"] for one in json.loads(told.stdout)["looks"]] == ["", ""]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"kind": "airflow", "token_file": "nowhere"}, "nowhere cannot be read"),
        ({"kind": "airflow", "token_file": "open"}, "chmod 600"),
        ({"kind": "dagstre"}, "Did you mean `dagster`"),
        ({"kind": "airflow", "pol_s": 3}, "pol_s"),
    ],
)
def test_what_is_wrong_is_told_with_what_mends_it(settings, tmp_path, monkeypatch, source, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open").write_text("t")
    (tmp_path / "open").chmod(0o644)
    told = invoke("check", "-c", settings(sources=[source]))
    assert told.exit_code == 3
    assert words in told.stdout
    assert "1 faults" in told.stderr


def test_yaml_says_what_json_says(settings):
    file = settings(sources=[{"kind": "airflow", "name": "ä"}])
    as_json, as_yaml = (
        invoke("connections", "list", "-c", file, "-o", o) for o in ("json", "yaml")
    )
    assert yaml.safe_load(as_yaml.stdout) == json.loads(as_json.stdout)
    assert "name: ä" in as_yaml.stdout


def test_each_setting_says_who_says_so(settings, monkeypatch):
    file = settings(api={"port": 9_000, "host": "0.0.0.0"}, min_confidence=0.7)
    monkeypatch.setenv("SWARM_API__PORT", "9001")
    told = invoke("config", "show", "--config", file, "--origin", "-o", "json")
    said = json.loads(told.stdout)
    assert said["api.port"] == {"value": 9_001, "origin": "variable SWARM_API__PORT"}
    assert said["api.host"] == {"value": "0.0.0.0", "origin": f"file {file}"}
    assert said["min_confidence"]["origin"] == f"file {file}"
    assert said["worker.slots"]["origin"] == "default"


def test_links_that_go_round_are_refused_with_the_way_round(settings):
    """By `check` as by `up`, which would have started something."""
    links = [("air/orders", "dag/stock"), ("dag/stock", "pre/report"), ("pre/report", "air/orders")]
    rules = [{"upstreams": [up], "downstream": down} for up, down in links]
    source = {"kind": "airflow", "url": "http://localhost:8080"}
    way = "air/orders -> dag/stock -> pre/report -> air/orders"
    file = settings(sources=[source], links=rules)
    told = invoke("check", "-c", file)
    assert told.exit_code == 3
    assert way in told.stdout
    refused = invoke("up", "-c", file, "--dry-run")
    assert refused.exit_code == 2
    assert way in refused.stderr
    assert invoke("check", "-c", settings(sources=[source], links=rules[:2])).exit_code == 0
    instead = {"upstreams": ["air/other"], "downstream": "air/orders"}
    last_counts = settings(sources=[source], links=[*rules, instead])
    assert invoke("check", "-c", last_counts).exit_code == 0

"""What the command line tells of a running swarm, and with which exit code it ends."""

import json

import httpx2 as httpx
import pytest
import yaml
from typer.testing import CliRunner

from swarm.cli.main import app
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from tests.e2e.dashboard_world import HOSTILE, TOKEN, served
from tests.e2e.test_up import eventually
from tests.unit.api.test_long_names import NAMES, event


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with served(tmp_path_factory.mktemp("world")) as found:
        yield found


@pytest.fixture
def invoke(world, tmp_path, monkeypatch):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    monkeypatch.setenv("SWARM_URL", world.url)
    monkeypatch.setenv("SWARM_TOKEN_FILE", str(token))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words, code=0):
        told = CliRunner().invoke(app, [str(word) for word in words])
        assert told.exit_code == code, told.output
        return told

    return run


def test_runs_can_be_narrowed(invoke):
    found = json.loads(invoke("runs", "--newest", "-o", "json").stdout)["runs"]
    names = [one["pipeline"]["pipeline"] for one in found]
    assert len(names) == len(set(names)) > 10
    began = [one["started_at_s"] for one in found]
    assert began == sorted(began, reverse=True)
    failed = json.loads(invoke("runs", "returns", "--state", "failed", "-o", "json").stdout)["runs"]
    assert {(one["pipeline"]["pipeline"], one["state"]) for one in failed} == {
        ("returns", "failed")
    }
    assert "airflow/returns" in invoke("runs", "returns").stdout


def test_the_graph_says_who_feeds_whom(invoke):
    rows = invoke("graph").stdout.splitlines()
    (close,) = (row for row in rows if row.startswith("dagster/finance_close"))
    assert "orders_clean" in close
    told = json.loads(invoke("graph", "dagster/finance_close", "-o", "json").stdout)
    assert "airflow/orders_clean" in told["pipelines"]
    assert len(told["pipelines"]) < len(rows) - 1
    ends = {end for edge in told["edges"] for end in (edge["upstream"], edge["downstream"])}
    assert ends <= set(told["pipelines"])
    assert '"airflow/orders_clean" -> "dagster/finance_close"' in invoke("graph", "--dot").stdout
    assert "swarm graph" in invoke("graph", "airflow/none", code=4).stderr


def test_datasets_name_who_writes_and_reads_them(invoke):
    told = invoke("datasets", "dwh.orders_clean", "-o", "yaml")
    [row] = yaml.safe_load(told.stdout)["datasets"]
    assert [one["pipeline"] for one in row["written_by"]] == ["orders_clean"]
    assert HOSTILE in invoke("datasets", "-n", 1_000).stdout


def test_names_of_every_script_come_back(invoke, world):
    header = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"{world.url}/api/v1/", headers=header, timeout=120) as http:
        for name in NAMES.values():
            for told in (event(name, name), event("reads them", inputs=(name,))):
                assert http.post("lineage", json=told).status_code == 201

    def squeezed(*words):
        return "".join(invoke(*words).stdout.split())

    def shown(text):
        return [name for name in NAMES.values() if "".join(name.split()) not in text]

    every = ("-n", 1_000)
    eventually(lambda: not shown(squeezed("datasets", *every)))
    eventually(lambda: not shown(squeezed("graph")))  # its last edge may be told after its ends
    rows = json.loads(invoke("datasets", *every, "-o", "json").stdout)["datasets"]
    writers = {one["pipeline"] for row in rows for one in row["written_by"]}
    assert set(NAMES.values()) <= writers
    for name in NAMES.values():
        assert "prod/reads them" in invoke("impact", f"prod/{name}").stdout


def test_events_are_followed_from_a_place_on(invoke, world):
    world.offer(Pipeline(PipelineKey("airflow", "told_of")))
    lines = invoke("events", "--after", 0, "-n", 3, "-o", "json").stdout.splitlines()
    numbers = [json.loads(line)["seq"] for line in lines]
    assert numbers == sorted(numbers)
    told = invoke("events", "--after", numbers[-1], "--kind", "pipeline", "-n", 1).stdout
    assert "is new or changed" in told
    refused = invoke("events", "--after", 10**9, code=1)
    assert "start from the snapshot" in refused.stderr


def test_the_description_of_the_api_lists_each_route(invoke):
    told = json.loads(invoke("openapi").stdout)
    assert told["openapi"].startswith("3.1")
    assert "/api/v1/runs" in told["paths"]
    assert "/api/v1/graph" in invoke("openapi", "-o", "table").stdout


def test_top_looks_once_where_no_terminal_is(invoke):
    told = invoke("top").stdout
    assert "2 SLAs at risk or missed" in told
    for words in ("At risk (2)", "waits for airflow/crm_export", "Held (1)", "Failing", "worker-3"):
        assert words in told


def test_the_doctor_tells_what_is_wrong_with_a_swarm_that_runs(invoke, tmp_path):
    told = invoke("doctor", "-o", "json", code=3)
    looks = {one["what"]: one for one in json.loads(told.stdout)["looks"]}
    assert looks["swarm"]["fix"] == ""
    assert looks["reads airflow"]["fix"] == ""
    assert "connection refused" in looks["reads query_history"]["found"]
    assert looks["reads query_history"]["fix"]
    assert "name no sources" in looks["settings"]["found"]


def test_losses_are_told_with_where_the_work_went(invoke):
    told = invoke("workers", "losses").stdout
    assert "worker-1  process_exit, silent for" in told
    assert "load-8 to worker-3 after" in told
    assert "1 losses seen: p50" in told
    assert "8 tasks moved: p50" in told
    found = json.loads(invoke("workers", "losses", "-n", 1, "-o", "json").stdout)
    assert [one["worker"] for one in found["redistributions"]] == ["worker-1"]


def test_the_exit_code_says_what_went_wrong(invoke, tmp_path, monkeypatch):
    assert "Did you mean" in invoke("impact", "crm_exprt", code=4).stderr
    invoke("runs", "-n", 0, code=2)
    (tmp_path / "token").write_text("wrong")
    assert "Authorization" in invoke("runs", code=5).stderr
    monkeypatch.delenv("SWARM_TOKEN_FILE")
    assert "set SWARM_TOKEN_FILE" in invoke("runs", code=2).stderr
    assert "set SWARM_TOKEN_FILE" in invoke("doctor", code=3).stdout
    monkeypatch.setenv("SWARM_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("SWARM_URL", "http://127.0.0.1:9")
    assert "does not answer" in invoke("runs", code=6).stderr
    monkeypatch.delenv("SWARM_URL")
    settings = tmp_path / "swarm.yaml"
    settings.write_text(f"state_dir: {tmp_path}/none\n")
    assert "try `swarm up`" in invoke("runs", "-c", settings, code=6).stderr
    settings.write_text("api: {prot: 1}\n")
    assert "prot" in invoke("runs", "-c", settings, code=2).stderr

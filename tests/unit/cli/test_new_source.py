"""`swarm connections add`: a source is tried, then written; nothing else changes."""

import json
import stat

import pytest
import yaml
from typer.testing import CliRunner

from swarm.cli.main import app
from swarm.cli.settings_text import with_source

ENTRY = {"kind": "dagster", "url": "http://d:3000"}
LINE = '{kind: dagster, url: "http://d:3000"}'


def invoke(*args, **more):
    return CliRunner().invoke(app, ["connections", "add", *map(str, args)], **more)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("SWARM_CONFIG", "SWARM_SOURCES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manifest(tmp_path):
    file = tmp_path / "pipelines.json"
    file.write_text(json.dumps({"schema_version": 1, "pipelines": []}))
    return file


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"sources:\n  - {LINE}\n"),
        ("mode: warn", f"mode: warn\nsources:\n  - {LINE}\n"),
        ("# ours\nmode: warn  # yes\n", f"# ours\nmode: warn  # yes\nsources:\n  - {LINE}\n"),
        (
            "sources:\n  # the first\n  - kind: airflow  # ours\n    url: http://a\n"
            "\n# end\nmode: warn\n",
            "sources:\n  # the first\n  - kind: airflow  # ours\n    url: http://a\n"
            f"  - {LINE}\n\n# end\nmode: warn\n",
        ),
        (
            "sources:\n- {kind: airflow}  # ours\ncode: [a]\n",
            f"sources:\n- {{kind: airflow}}  # ours\n- {LINE}\ncode: [a]\n",
        ),
        (
            "sources:\n- kind: airflow\n  url: |\n    http://a\n",
            f"sources:\n- kind: airflow\n  url: |\n    http://a\n- {LINE}\n",
        ),
        ("sources: []\nmode: warn\n", f"sources:\n  - {LINE}\nmode: warn\n"),
        ("sources:\n  # none yet\n  []\n", f"sources:\n  # none yet\n  - {LINE}\n"),
        ("sources:\nmode: warn\n", f"sources:\n  - {LINE}\nmode: warn\n"),
        ("mode: warn\nsources:", f"mode: warn\nsources:\n  - {LINE}\n"),
        ("sources: [{kind: airflow}]\n", f"sources: [{{kind: airflow}}, {LINE}]\n"),
        (
            "sources:\n  - kind: airflow\n    url: http://a",
            f"sources:\n  - kind: airflow\n    url: http://a\n  - {LINE}\n",
        ),
    ],
)
def test_one_line_comes_in_and_every_other_stays(before, after):
    assert with_source(before, ENTRY) == after
    assert yaml.safe_load(after)["sources"][-1] == ENTRY


@pytest.mark.parametrize(
    "text",
    [
        "sources: &all\n  - {kind: airflow}\nother: *all\n",  # it would come in twice
        "base: &all [{kind: airflow}]\nsources: *all\n",
        "sources: {kind: airflow}\n",
        "sources: airflow\n",
        "{mode: warn}\n",
        "- a list\n",
        "sources:\n  - {kind: airflow}\n---\nmode: warn\n",
        "sources: [\n",
        "sources: []\nsources: []\n",
    ],
)
def test_where_it_cannot_be_sure_it_leaves_it_to_a_person(text):
    assert with_source(text, ENTRY) is None


def test_a_source_that_answers_is_written_and_can_be_used_at_once(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    file.write_text(
        "# ours\nsources:\n  - {kind: airflow, url: 'http://a'}  # keep\naudit_days: 9\n"
    )
    file.chmod(0o640)
    done = invoke("manifest", "--path", manifest, "--name", "cron", "-c", file)
    assert done.exit_code == 0, done.stderr
    added = f"  - {{kind: manifest, name: cron, path: {manifest}}}\n"
    assert file.read_text() == (
        f"# ours\nsources:\n  - {{kind: airflow, url: 'http://a'}}  # keep\n{added}audit_days: 9\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert "answers" in done.stdout
    assert "swarm up" in done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["pipelines.json", "swarm.yaml"]
    tried = CliRunner().invoke(app, ["connections", "test", "cron", "-c", str(file)])
    assert tried.exit_code == 0


def test_a_file_that_is_not_there_is_begun(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    assert invoke("manifest", "--path", manifest, "-c", file).exit_code == 0
    assert yaml.safe_load(file.read_text()) == {
        "sources": [{"kind": "manifest", "path": str(manifest)}]
    }


def test_one_that_cannot_be_read_is_not_written_unless_that_is_wanted(tmp_path):
    file = tmp_path / "swarm.yaml"
    wrong = ("manifest", "--path", tmp_path / "none.json", "-c", file)
    refused = invoke(*wrong)
    assert refused.exit_code == 3
    assert "none.json" in refused.stdout
    assert "--untried" in refused.stderr
    assert not file.exists()
    assert invoke(*wrong, "--untried").exit_code == 0
    assert yaml.safe_load(file.read_text())["sources"][0]["path"] == str(tmp_path / "none.json")


def test_a_name_that_is_taken_is_refused_with_another(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    file.write_text(f"sources:\n  - {{kind: manifest, path: {manifest}}}\n")
    before = file.read_text()
    refused = invoke("manifest", "--path", manifest, "-c", file)
    assert refused.exit_code == 7
    assert "--name manifest-2" in refused.stderr
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("airfow", "--url", "http://a"), "Did you mean `airflow`?"),
        (("airflow",), "--url"),
        (("manifest",), "--path"),
        (("manifest", "--path", "x", "--name", "a b"), "name"),
        (("airflow", "--url", "http://169.254.169.254"), "169.254"),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_written(tmp_path, args, said):
    file = tmp_path / "swarm.yaml"
    refused = invoke(*args, "-c", file)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert not file.exists()


def test_without_settings_it_asks_for_their_name(manifest):
    refused = invoke("manifest", "--path", manifest)
    assert refused.exit_code == 2
    assert "-c swarm.yaml" in refused.stderr


def test_a_dry_run_tries_and_prints_and_writes_nothing(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    done = invoke("manifest", "--path", manifest, "-c", file, "--dry-run")
    assert done.exit_code == 0
    assert yaml.safe_load(done.stdout) == {"sources": [{"kind": "manifest", "path": str(manifest)}]}
    assert not file.exists()


def test_what_it_cannot_write_it_gives_to_paste(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    file.write_text("{audit_days: 9}\n")
    done = invoke("manifest", "--path", manifest, "-c", file)
    assert done.exit_code == 1
    assert yaml.safe_load(done.stdout)["sources"][0]["kind"] == "manifest"
    assert "paste" in done.stderr
    assert file.read_text() == "{audit_days: 9}\n"


def test_a_variable_that_hides_the_file_is_told(tmp_path, manifest, monkeypatch):
    file = tmp_path / "swarm.yaml"
    monkeypatch.setenv("SWARM_SOURCES", "[]")
    refused = invoke("manifest", "--path", manifest, "-c", file)
    assert refused.exit_code == 2
    assert "SWARM_SOURCES" in refused.stderr
    assert not file.exists()


def test_json_says_what_was_written_where(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    done = invoke("manifest", "--path", manifest, "-c", file, "-o", "json")
    told = json.loads(done.stdout)
    assert told["connection"] == {"kind": "manifest", "path": str(manifest)}
    assert (told["written"], told["ok"]) == (str(file), True)


def test_it_asks_for_what_was_not_given(tmp_path, manifest):
    file = tmp_path / "swarm.yaml"
    done = invoke("-c", file, input=f"manifest\n{manifest}\n\n")
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(file.read_text()) == {
        "sources": [{"kind": "manifest", "path": str(manifest)}]
    }
    again = invoke("-c", file, input=f"nothing\nmanifest\n{manifest}\nnightly\n")
    assert again.exit_code == 0, again.output
    assert "manifest-2" in again.stderr, "a name that is free is offered"
    assert [one.get("name") for one in yaml.safe_load(file.read_text())["sources"]] == [
        None,
        "nightly",
    ]


def test_it_asks_how_an_orchestrator_lets_it_in(tmp_path):
    file, secret = tmp_path / "swarm.yaml", tmp_path / "password"
    secret.write_text("x")
    done = invoke(
        "-c", file, "--untried", input=f"airflow\nhttp://a:8080\n\npassword\nme\n{secret}\n"
    )
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(file.read_text())["sources"] == [
        {
            "kind": "airflow",
            "url": "http://a:8080",
            "username": "me",
            "password_file": str(secret),
        }
    ]


def test_who_gives_up_while_asked_has_changed_nothing(tmp_path):
    file = tmp_path / "swarm.yaml"
    assert invoke("-c", file, input="airflow\n").exit_code == 1
    assert not file.exists()

"""`swarm scan` and `swarm config`, called as from a shell."""

import json

import pytest
from typer.testing import CliRunner

from swarm import __version__
from swarm.cli.main import app, main


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def invoke(*words, **environ):
        return CliRunner().invoke(app, [str(word) for word in words], env=environ)

    return invoke


@pytest.fixture
def tasks(tmp_path):
    return a_manifest(tmp_path / "tasks.jsonl", {})


def a_manifest(path, more):
    lines = [
        {"pipeline": "load", "task": "t", "writes": ["raw.orders"]},
        {
            "pipeline": "sums",
            "task": "t",
            "kind": "sql",
            "dialect": "postgres",
            "files": {"q.sql": "INSERT INTO mart.sums SELECT * FROM v_orders"},
        }
        | more,
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def names(tree):
    return {
        (edge["upstream"]["pipeline"], edge["downstream"]["pipeline"], edge["declared"])
        for edge in tree["edges"]
    }


def test_a_dependency_through_a_view_is_found_and_proved(run, tasks, tmp_path):
    views = tmp_path / "views.jsonl"
    views.write_text('{"name": "v_orders", "sql": "SELECT * FROM raw.orders"}\n')
    done = run("scan", "--manifest", tasks, "--catalog", views, "-o", "json")
    assert done.exit_code == 0, done.stderr
    tree = json.loads(done.stdout)
    assert names(tree) == {("load", "sums", False)}
    (edge,) = tree["edges"]
    assert edge["dataset"] == "warehouse/raw.orders"
    assert edge["confidence"] >= 0.8
    reading = next(line for line in edge["evidence"] if line["access"] == "read")
    assert (reading["channel"], reading["via"]) == ("sql_source", ["warehouse/v_orders"])
    assert tree["unresolved"] == []


def test_each_text_says_how_it_was_read(run, tmp_path):
    texts = {"plain.sql": "SELECT 1 FROM a; SELECT 2 FROM b", "odd.sql": "SELECT 3 FROM c; SELEC 4"}
    path = a_manifest(tmp_path / "m.jsonl", {"files": texts})
    tree = json.loads(run("scan", "--manifest", path, "-o", "json").stdout)
    odd, plain = tree["texts"]
    assert plain.pop("tier") in ("tokens", "exact")
    assert plain == {
        "task": "manifest/sums/t",
        "place": "plain.sql",
        "dialect": "postgres",
        "confidence": 1.0,
        "abstained": "",
        "unresolved": 0,
    }
    assert odd.pop("tier") in ("tree", "exact")
    assert odd["confidence"] == 0.5
    assert "statement" in odd["abstained"]


def test_without_the_view_nothing_is_guessed(run, tasks):
    assert json.loads(run("scan", "--manifest", tasks, "-o", "json").stdout)["edges"] == []


def test_a_declared_upstream_makes_it_declared(run, tmp_path):
    upstream = [{"pipeline": "load", "task": "t"}]
    more = {"upstream": upstream, "files": {"q.sql": "SELECT * FROM raw.orders"}}
    path = a_manifest(tmp_path / "m.jsonl", more)
    tree = json.loads(run("scan", "--manifest", path, "-o", "json").stdout)
    assert names(tree) == {("load", "sums", True)}


@pytest.mark.parametrize("form", ["table", "html"])
def test_the_other_forms_name_everything_too(run, tmp_path, form):
    path = a_manifest(tmp_path / "m.jsonl", {"files": {"q.sql": "SELECT * FROM raw.orders"}})
    done = run("scan", "--manifest", path, "-o", form)
    assert done.exit_code == 0
    for name in ("manifest/load/t", "manifest/sums/t", "raw.orders"):
        assert name in done.stdout
    assert done.stderr == ""


def test_min_confidence_leaves_out(run, tmp_path):
    path = a_manifest(tmp_path / "m.jsonl", {"files": {"q.sql": "SELECT * FROM raw.orders"}})
    tree = json.loads(run("scan", "--manifest", path, "-o", "json", "--min-confidence", 1).stdout)
    assert tree["edges"] == []


def test_sources_can_be_named_and_given_again(run, tasks, tmp_path):
    other = a_manifest(tmp_path / "x=y.jsonl", {})
    done = run(
        "scan", "--manifest", f"eu={tasks}", "--manifest", tasks, "--manifest", other, "-o", "json"
    )
    tree = json.loads(done.stdout)
    assert {p["orchestrator"] for p in tree["pipelines"]} == {"eu", "manifest", "manifest-2"}


def test_the_settings_file_is_read_too(run, tasks, tmp_path):
    config = tmp_path / "swarm.yaml"
    config.write_text(
        f"sources: [{{kind: manifest, name: a, path: '{tasks}'}}]\n"
        "naming: {datasets: {v_orders: raw.orders}}\n"
    )
    tree = json.loads(run("scan", "-c", config, "--manifest", f"b={tasks}", "-o", "json").stdout)
    assert {p["orchestrator"] for p in tree["pipelines"]} == {"a", "b"}
    assert ("load", "sums", False) in names(tree)


def test_a_source_that_fails_is_told_and_the_rest_reported(run, tasks, tmp_path):
    config = tmp_path / "swarm.yaml"
    config.write_text("sources: [{kind: manifest, name: gone, path: /nowhere/x.jsonl}]\n")
    done = run("scan", "-c", config, "--manifest", tasks, "-o", "json")
    assert done.exit_code == 3
    assert "gone: /nowhere/x.jsonl" in done.stderr
    tree = json.loads(done.stdout)
    assert len(tree["pipelines"]) == 2
    (found,) = tree["unresolved"]
    assert (found["subject"], found["reason"]) == ("gone", "unreachable")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scan"], "nothing to scan"),
        (["scan", "--manifest", "/nowhere"], "/nowhere"),
        (["scan", "--airflow", "host:8080"], "http://"),
        (["scan", "--code", "/nowhere"], "/nowhere"),
        (["scan", "-c", "/nowhere"], "/nowhere"),
        (["scan", "--min-confidence", "2"], "min-confidence"),
        (["scan", "-o", "xml"], "xml"),
        (["scan", "--manifset", "x"], "--manifest"),
        (["scna"], "scan"),
    ],
)
def test_usage_errors_say_what_to_do(run, words, said):
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_two_sources_of_one_name_are_a_usage_error(run, tasks):
    done = run("scan", "--manifest", f"a={tasks}", "--crontab", f"a={tasks}")
    assert done.exit_code == 2
    assert "`a`" in done.stderr


def test_a_config_error_is_one_message_and_exit_2(monkeypatch, capsys, tmp_path):
    config = tmp_path / "swarm.yaml"
    config.write_text("api: {prot: 1}\n")
    monkeypatch.setattr("sys.argv", ["swarm", "config", "show", "--config", str(config)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err.strip() == (
        f"swarm: {config}: unknown key `api.prot`. Did you mean `port`?"
    )


def test_config_show_fills_in_defaults_and_hides_passwords(run):
    done = run("config", "show", "-o", "json", SWARM_STORE_URL="postgresql://ann:pw@h/d")
    tree = json.loads(done.stdout)
    assert tree["store_url"] == "postgresql://ann:***@h/d"
    assert tree["api"]["port"] == 8642


def test_version(run):
    assert run("--version").stdout == f"swarm {__version__}\n"


def mornings(begins, takes, late=()):
    """Twenty days of runs of so many minutes, from a minute of the day on; twice as long when
    late."""
    day_s, from_s = 86_400, 20_000 * 86_400
    for day in range(20):
        at_s = from_s + day * day_s + begins * 60
        took_s = (5 if day in late else 1) * takes * 60
        yield {"started_at_s": at_s, "ended_at_s": at_s + took_s}


def test_what_runs_show_is_told_with_what_hangs_on_it(run, tmp_path):
    path = tmp_path / "tasks.jsonl"
    load = {"pipeline": "load", "task": "t", "writes": ["raw.orders"]}
    sums = {"pipeline": "sums", "task": "t", "reads": ["raw.orders"], "writes": ["mart.sums"]}
    deck = {"pipeline": "deck", "task": "t", "reads": ["mart.sums"]}
    load["runs"] = list(mornings(300, 30, late={5, 9}))
    sums["runs"] = list(mornings(360, 10))
    path.write_text("".join(json.dumps(line) + "\n" for line in (load, sums, deck)))
    tree = json.loads(run("scan", "--manifest", path, "-o", "json").stdout)
    assert tree["unresolved"] == []
    [found] = tree["hazards"]
    assert (found["kind"], found["seen"], found["of"]) == ("stale_read", 2, 20)
    assert [key["pipeline"] for key in found["pipelines"]] == ["load", "sums"]
    assert found["pipelines_behind"] == 2
    story = "manifest/sums read what was not new from manifest/load on 2 of 20 runs"
    for form in ("table", "html"):
        shown = run("scan", "--manifest", path, "-o", form).stdout
        assert story in shown
        assert "2 pipelines behind it" in shown
        assert "Start manifest/sums when manifest/load is done" in shown


def test_a_run_that_cannot_be_read_is_said_and_its_line_left_out(run, tmp_path):
    path = a_manifest(tmp_path / "tasks.jsonl", {"runs": [{"started_at_s": "yesterday"}]})
    tree = json.loads(run("scan", "--manifest", path, "-o", "json").stdout)
    [told] = tree["unresolved"]
    assert told["place"].endswith("tasks.jsonl:2")
    assert "runs" in told["detail"]

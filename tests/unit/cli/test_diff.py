"""`swarm diff`, called as from a pull request's check."""

import json

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app

LOAD = {"pipeline": "load", "task": "t", "writes": ["raw.orders"], "owner": "ingest"}
CLOSE = {
    "pipeline": "close",
    "task": "t",
    "reads": ["dwh.sums"],
    "writes": ["fin.close"],
    "expected_duration_s": 600,
}


def sums(reads="raw.orders", **more):
    text = f"INSERT INTO dwh.sums SELECT * FROM {reads}"
    task = {"pipeline": "sums", "task": "t", "kind": "sql", "dialect": "postgres"}
    return task | {"files": {"q.sql": text}, "owner": "finance"} | more


@pytest.fixture
def manifest(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    return write


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def invoke(base, head, *words):
        asked = ["diff", "--base", base, "--head", head, *words]
        return CliRunner().invoke(app, [str(word) for word in asked])

    return invoke


@pytest.fixture
def compare(run):
    def as_json(base, head, *words, exit_code=0):
        done = run(base, head, *words, "-o", "json")
        assert done.exit_code == exit_code, done.stderr
        return json.loads(done.stdout)

    return as_json


def promised(tmp_path, pipeline="manifest/close"):
    path = tmp_path / "swarm.yaml"
    path.write_text(f'slas: [{{pipeline: {pipeline}, by: "07:00"}}]\n')
    return ("--config", path)


def test_the_same_tasks_in_another_file_and_order_are_no_change(manifest, compare, run):
    base = manifest("base.jsonl", LOAD, sums(), CLOSE)
    head = manifest("head.jsonl", CLOSE, sums(), LOAD)
    assert compare(base, head) == {
        "schema_version": 1,
        "new_rings": [],
        "slas": [],
        "slas_known": 0,
        "new_dependencies": [],
        "gone_dependencies": [],
        "declared_dependencies": [],
        "new_pipelines": [],
        "gone_pipelines": [],
        "not_read": [],
    }
    assert run(base, head).stdout == "swarm diff: no dependency is new or gone\n"


def test_a_read_that_moves_is_one_new_and_one_gone_and_names_whom_to_ask(manifest, compare):
    other = {"pipeline": "refunds", "task": "t", "writes": ["raw.refunds"]}
    base = manifest("base.jsonl", LOAD, other, sums())
    tree = compare(base, manifest("head.jsonl", LOAD, other, sums("raw.refunds")))
    (new,), (gone,) = tree["new_dependencies"], tree["gone_dependencies"]
    assert new.pop("confidence") > 0.8
    assert new == {
        "upstream": "manifest/refunds/t",
        "downstream": "manifest/sums/t",
        "dataset": "warehouse/raw.refunds",
        "declared": False,
        "level": "warn",
        "pipelines_behind": 1,
        "evidence": [
            "manifest/refunds/t writes it: manifest at head.jsonl:2",
            "manifest/sums/t reads it: sql_source at q.sql:1",
        ],
        "ask": [{"pipeline": "manifest/refunds", "owner": ""}],
    }
    assert (gone["upstream"], gone["downstream"]) == ("manifest/load/t", "manifest/sums/t")
    assert gone["ask"] == [{"pipeline": "manifest/load", "owner": "ingest"}]


def test_markdown_is_what_a_reviewer_reads(manifest, run, tmp_path):
    base = manifest("base.jsonl", LOAD, CLOSE)
    done = run(base, manifest("head.jsonl", LOAD, sums(), CLOSE), "-o", "markdown")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "## swarm diff: 2 new dependencies"
    assert "### New dependencies" in lines
    (edge,) = [line for line in lines if line.startswith("- `manifest/load/t`")]
    assert edge.startswith(
        "- `manifest/load/t` -> `manifest/sums/t` through `warehouse/raw.orders`; "
        "nobody declared it, "
    )
    assert "2 pipelines behind it" in edge
    assert edge.endswith("ask `ingest`, who owns `manifest/load`")
    assert "- `manifest/sums`" in lines
    assert lines[-1].startswith("No SLA is known")


def test_a_new_ring_is_exit_code_3_with_the_way_around(manifest, compare, run):
    back = {"pipeline": "load", "task": "t", "writes": ["raw.orders"], "reads": ["fin.close"]}
    base = manifest("base.jsonl", LOAD, sums(), CLOSE)
    head = manifest("head.jsonl", back, sums(), CLOSE)
    (ring,) = compare(base, head, exit_code=3)["new_rings"]
    assert ring["pipelines"] == ["manifest/close", "manifest/load", "manifest/sums"]
    assert ring["path"] == ["manifest/close", "manifest/load", "manifest/sums"]
    done = run(base, head, "-o", "markdown")
    assert done.exit_code == 3
    way = "`manifest/close` -> `manifest/load` -> `manifest/sums` -> `manifest/close`"
    assert f"- {way}, " in done.stdout
    known = run(head, head)
    assert known.exit_code == 0, "a ring that was there before fails nobody's change"
    assert run(head, base).exit_code == 0


def test_a_longer_way_to_an_sla_is_told_from_runs_and_expectations(manifest, compare, tmp_path):
    day_s = 86_400.0
    runs = [
        {"started_at_s": n * day_s, "ended_at_s": n * day_s + took_s}
        for n, took_s in enumerate((1_700.0, 1_800.0, 9_000.0))
    ]
    runs.append({"started_at_s": 3 * day_s, "ended_at_s": 4 * day_s, "state": "failed"})
    base = manifest("base.jsonl", LOAD | {"runs": runs}, CLOSE)
    head = manifest("head.jsonl", LOAD, sums(expected_duration_s=900), CLOSE)
    (sla,) = compare(base, head, *promised(tmp_path))["slas"]
    assert sla == {
        "name": "manifest/close by 07:00 UTC",
        "pipeline": "manifest/close",
        "entered": ["manifest/load", "manifest/sums"],
        "left": [],
        "before_s": 600.0,
        "after_s": 1_800.0 + 900.0 + 600.0,
        "longer_s": 2_700.0,
        "duration_unknown": [],
    }


def test_what_the_change_expects_of_itself_counts_above_its_old_runs(manifest, compare, tmp_path):
    runs = [{"started_at_s": 0.0, "ended_at_s": 100.0}]
    base = manifest("base.jsonl", sums(runs=runs, expected_duration_s=100), CLOSE)
    head = manifest("head.jsonl", sums(runs=runs, expected_duration_s=400), CLOSE)
    (sla,) = compare(base, head, *promised(tmp_path))["slas"]
    assert (sla["entered"], sla["longer_s"]) == ([], 300.0)


def test_durations_that_nothing_tells_are_said_to_be_unknown(manifest, run, tmp_path):
    base = manifest("base.jsonl", CLOSE)
    head = manifest("head.jsonl", LOAD, sums(expected_duration_s=900), CLOSE)
    done = run(base, head, *promised(tmp_path), "-o", "markdown")
    assert "`manifest/sums` enters its critical path; the path takes 15 min longer" in done.stdout
    assert "how long `manifest/load` takes is not known (no runs, no" in done.stdout


def test_a_promise_whose_pipeline_goes_is_told(manifest, run, tmp_path):
    base, head = manifest("base.jsonl", LOAD, CLOSE), manifest("head.jsonl", LOAD)
    done = run(base, head, *promised(tmp_path))
    assert "manifest/close by 07:00 UTC: its pipeline manifest/close is gone" in done.stdout


def test_a_dependency_that_is_declared_now_is_good_news(manifest, compare):
    upstream = [{"pipeline": "load", "task": "t"}]
    base = manifest("base.jsonl", LOAD, sums())
    tree = compare(base, manifest("head.jsonl", LOAD, sums(upstream=upstream)))
    (edge,) = tree["declared_dependencies"]
    assert (edge["upstream"], edge["downstream"]) == ("manifest/load/t", "manifest/sums/t")
    assert (tree["new_dependencies"], tree["gone_dependencies"]) == ([], [])


def test_least_confidence_leaves_out_on_both_sides(manifest, compare):
    base, head = manifest("base.jsonl", LOAD), manifest("head.jsonl", LOAD, sums())
    assert compare(base, head, "--min-confidence", 1)["new_dependencies"] == []


def test_the_rest_of_the_company_comes_from_the_settings(manifest, compare, tmp_path):
    """The reader is of another scheduler; the manifest of that name in the settings is replaced."""
    reader = manifest("other.jsonl", sums())
    stale = manifest("stale.jsonl", {"pipeline": "old", "task": "t"})
    config = tmp_path / "swarm.yaml"
    config.write_text(
        f"sources: [{{kind: manifest, name: dwh, path: '{reader}'}},"
        f" {{kind: manifest, name: shop, path: '{stale}'}}]\n"
    )
    base = manifest("base.jsonl", {"pipeline": "x", "task": "t", "writes": ["raw.x"]})
    tree = compare(f"shop={base}", manifest("head.jsonl", LOAD), "--config", config)
    (new,) = tree["new_dependencies"]
    assert (new["upstream"], new["downstream"]) == ("shop/load/t", "dwh/sums/t")
    assert new["ask"] == [{"pipeline": "dwh/sums", "owner": "finance"}]
    assert (tree["new_pipelines"], tree["gone_pipelines"]) == (["shop/load"], ["shop/x"])


def test_a_line_that_breaks_is_named_and_the_rest_compared(manifest, compare, tmp_path):
    base = manifest("base.jsonl", LOAD)
    bad = sums(runs=[{"started_at_s": 9.0, "ended_at_s": 3.0}])
    tree = compare(base, manifest("head.jsonl", LOAD, bad, CLOSE))
    (item,) = tree["not_read"]
    assert item["place"] == "head.jsonl:2"
    assert "it ends (3.0) before it starts (9.0)" in item["detail"]
    assert tree["new_pipelines"] == ["manifest/close"]


def test_names_cannot_break_out_of_the_markdown(manifest, run):
    name = "x` @all <img src=y>\n## `` y"
    done = run(
        manifest("base.jsonl", LOAD),
        manifest("head.jsonl", LOAD, {"pipeline": name, "task": "t", "reads": ["raw.orders"]}),
        "-o",
        "markdown",
    )
    assert done.exit_code == 0
    assert "- ```manifest/x` @all <img src=y> ## `` y```" in done.stdout.splitlines()
    assert not any(line.startswith("## `` y") for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("base", "head", "said"),
    [
        ("/nowhere/a.jsonl", "{there}", "/nowhere/a.jsonl"),
        ("a={there}", "b={there}", "one scheduler"),
    ],
)
def test_bad_words_are_exit_code_2(manifest, run, base, head, said):
    there = str(manifest("there.jsonl", LOAD))
    done = run(base.format(there=there), head.format(there=there))
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_source_that_cannot_be_read_is_exit_code_1_and_nothing_is_compared(
    manifest, run, tmp_path
):
    config = tmp_path / "swarm.yaml"
    config.write_text("sources: [{kind: manifest, name: gone, path: /nowhere/x.jsonl}]\n")
    path = manifest("a.jsonl", LOAD)
    done = run(path, path, "--config", config)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "gone: /nowhere/x.jsonl" in done.stderr

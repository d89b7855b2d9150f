"""`swarm simulate` over a manifest with runs, called as from a shell."""

import json
import time

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app

DAY_S, HOUR_S = 86_400.0, 3_600.0
WEEKS = 8


def runs(hour, took_s):
    """A run on each of the last weeks' days, up to yesterday."""
    today_s = time.time() // DAY_S * DAY_S
    starts = [today_s - day * DAY_S + hour * HOUR_S for day in range(1, 7 * WEEKS)]
    return [{"started_at_s": at_s, "ended_at_s": at_s + took_s} for at_s in starts]


LOAD = {"pipeline": "load", "task": "t", "writes": ["raw.orders"], "runs": runs(5, 1_800)}
SUMS = {
    "pipeline": "sums",
    "task": "t",
    "kind": "sql",
    "files": {"q.sql": "INSERT INTO dwh.sums SELECT * FROM raw.orders"},
    "runs": runs(6, 1_800),
    "upstream": [{"pipeline": "load"}],
}


def a_file(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def simulate(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    manifest = a_file(tmp_path / "tasks.jsonl", LOAD, SUMS)
    config = tmp_path / "swarm.yaml"
    config.write_text('slas: [{pipeline: manifest/sums, by: "07:00"}]\n')

    def invoke(*words):
        asked = ["simulate", "--manifest", manifest, "-c", config, "--draws", 10, *words]
        return CliRunner().invoke(app, [str(word) for word in asked])

    return invoke


@pytest.fixture
def answer(simulate):
    def as_json(*words):
        done = simulate(*words, "-o", "json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return as_json


def test_a_late_source_misses_the_sla(answer):
    tree = answer("--late", "manifest/load=65m")
    (sla,) = tree["slas"]
    assert (sla["name"], sla["before"], sla["after"]) == (
        "manifest/sums by 07:00 UTC",
        0.0,
        1.0,
    )
    load, sums = tree["pipelines"]
    assert (load["pipeline"], load["moved_s"]) == ("manifest/load", 3_900.0)
    assert (sums["pipeline"], sums["moved_s"], sums["later_share"]) == ("manifest/sums", 2_100.0, 1)
    assert tree["slots"] == {"manifest": 1}
    assert tree["unknown"] == []


def test_the_table_says_it_in_words(simulate):
    done = simulate("--late", "load=65m")
    assert done.exit_code == 0, done.stderr
    assert "  0% -> 100% missed  manifest/sums by 07:00 UTC" in done.stdout
    assert "done 05:30 (05:30) -> 06:35 (06:35)  manifest/load" in done.stdout


def test_all_words_of_a_change_arrive(answer):
    tree = answer(
        *("--slots", "manifest=3", "--workers", "-2", "--down", "manifest=100%@05:10+3h"),
        *("--backfill", "manifest/load=2x2@04:00"),
    )
    ends = {row["pipeline"]: row["after"]["p50_s"] % DAY_S / HOUR_S for row in tree["pipelines"]}
    assert tree["slots"] == {"manifest": 3}
    # Two more runs of half an hour, one slot: the day's own begins at five and is lost at ten past.
    assert ends == {"manifest/load": 8 + 10 / 60 + 0.5, "manifest/sums": 8 + 10 / 60 + 1.0}


def test_a_new_pipeline_comes_from_a_manifest(answer, tmp_path):
    new = a_file(
        tmp_path / "new.jsonl",
        {
            "pipeline": "check",
            "task": "t",
            "reads": ["raw.orders"],
            "expected_duration_s": 600,
        },
    )
    (first, *_) = answer("--new", new)["pipelines"]
    assert (first["pipeline"], first["before"]) == ("new/check", None)
    assert first["after"]["p50_s"] % DAY_S == 5 * HOUR_S + 1_800 + 600


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({}, "add `expected_duration_s`"),
        ({"expected_duration_s": 1, "schedule": "@hourly"}, "`@hourly` of new/check"),
    ],
)
def test_a_new_pipeline_that_says_too_little_is_named(simulate, tmp_path, line, said):
    new = a_file(tmp_path / "new.jsonl", {"pipeline": "check", "task": "t"} | line)
    done = simulate("--new", new)
    assert done.exit_code != 0
    assert said in str(done.exception)
    assert "new.jsonl:1" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--late", "load"], "e.g. --late airflow/crm_export=45m"),
        (["--down", "0.3@6+2h"], "--down"),
        (["--workers", "2"], "--workers"),
        (["--slots", "16"], "--slots"),
        (["--backfill", "x"], "--backfill"),
    ],
)
def test_words_that_are_not_understood_are_exit_code_2_with_an_example(simulate, words, said):
    done = simulate(*words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_name_that_nobody_has_says_what_was_meant(simulate):
    done = simulate("--late", "manifest/laod=5m")
    assert "Did you mean manifest/load" in str(done.exception)

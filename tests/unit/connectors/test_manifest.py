"""A manifest of tasks, read from a real file."""

import asyncio
import json
import os

import pytest

from swarm.config import Settings, Source, SqlConnection
from swarm.connectors.manifest import connect
from swarm.errors import ConfigError, Unavailable
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Cron, DeclaredEdge, Inventory, Pipeline


class Manifest:
    """A manifest on disk and what a pass over it says."""

    def __init__(self, path, *lines, **settings):
        self.path = path
        self.settings = Settings(**settings)
        self.write(*lines)

    def write(self, *lines):
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        self.path.write_text("".join(f"{text}\n" for text in texts))

    def batches(self, cursor=None):
        connector = connect(Source(kind="manifest", path=self.path), self.settings)

        async def observe():
            return [batch async for batch in connector.observe(cursor)]

        return asyncio.run(observe())

    def items(self, kind):
        return [i for batch in self.batches() for i in batch.items if isinstance(i, kind)]

    def seen(self):
        return {(e.task.task, e.access, e.dataset.name, e.channel) for e in self.items(Evidence)}

    def problems(self):
        return [(u.reason, u.place, u.detail) for u in self.items(Unresolved)]


@pytest.fixture
def manifest(tmp_path):
    return lambda *lines, **settings: Manifest(tmp_path / "tasks.jsonl", *lines, **settings)


def a_task(pipeline="p", task="t", **fields):
    return {"pipeline": pipeline, "task": task, "reads": [], "writes": [], **fields}


def test_a_schedule_is_exact_where_its_time_zone_is_told(manifest):
    found = manifest(
        a_task("a", "one", schedule="0 1 * * *", timezone="Europe/Rome"),
        a_task("a", "two"),
        a_task("b", schedule="0 1 * * *"),
        a_task("c", schedule="now and then", timezone="UTC"),
        a_task("d", schedule="0 1 * * *", timezone="Rome"),
    ).items(Pipeline)
    assert [one.crons for one in found] == [(Cron("0 1 * * *", "Europe/Rome"),), (), (), ()]


def test_lines_of_one_pipeline_are_one_pipeline_wherever_they_stand(manifest):
    found = manifest(
        a_task("a", "one", schedule="0 1 * * *", owner="ann", kind="sql", expected_duration_s=60),
        a_task("b", "x"),
        a_task("a", "two", kind="python", upstream=[{"pipeline": "a", "task": "one"}]),
    ).items(Pipeline)

    first, second = found
    assert first.key == PipelineKey("manifest", "a")
    assert [(task.key.task, task.kind) for task in first.tasks] == [
        ("one", "sql"),
        ("two", "python"),
    ]
    assert (first.schedule, first.owner) == ("0 1 * * *", "ann")
    assert first.declared == (
        DeclaredEdge(TaskKey("manifest", "a", "one"), TaskKey("manifest", "a", "two"), "upstream"),
    )
    assert second.key.name == "b"


def test_a_pipeline_takes_as_long_as_its_longest_chain(manifest):
    (found,) = manifest(
        a_task("a", "x", expected_duration_s=10),
        a_task("a", "y", expected_duration_s=100),
        a_task("a", "z", expected_duration_s=7, upstream=[{"pipeline": "a", "task": "x"}]),
    ).items(Pipeline)
    assert found.expected_duration_s == 100


def test_a_cycle_of_tasks_has_no_length_and_breaks_nothing(manifest):
    (found,) = manifest(
        a_task("a", "x", expected_duration_s=1, upstream=[{"pipeline": "a", "task": "y"}]),
        a_task("a", "y", expected_duration_s=1, upstream=[{"pipeline": "a", "task": "x"}]),
    ).items(Pipeline)
    assert found.expected_duration_s is None
    assert len(found.declared) == 2


def test_upstream_may_be_a_pipeline_of_another_orchestrator(manifest):
    tasks = manifest(a_task(upstream=[{"pipeline": "dag", "orchestrator": "airflow"}]))
    (found,) = tasks.items(Pipeline)
    assert found.declared[0].upstream == TaskKey("airflow", "dag", "")
    assert tasks.problems() == []


def test_an_upstream_that_no_line_defines_is_reported_where_it_stands(manifest):
    ((reason, place, detail),) = manifest(
        a_task("a"), a_task("b", upstream=[{"pipeline": "a", "task": "typo"}])
    ).problems()
    assert (reason, place) == (UnresolvedReason.MALFORMED, "tasks.jsonl:2")
    assert "manifest/a/typo" in detail


def test_stated_reads_and_writes_are_evidence_under_full_names(manifest):
    line = a_task(
        reads=["raw.orders", "s3://lake/in.csv"],
        writes=["sums"],
        default_catalog="dw",
        default_schema="mart",
    )
    assert manifest(line).seen() == {
        ("t", Access.READ, "dw.raw.orders", Channel.MANIFEST),
        ("t", Access.READ, "in.csv", Channel.MANIFEST),
        ("t", Access.WRITE, "dw.mart.sums", Channel.MANIFEST),
    }


def test_sql_files_are_read_with_their_dialect_defaults_and_parameters(manifest):
    text = "INSERT INTO `${target}` SELECT * FROM orders"
    line = {
        "pipeline": "p",
        "task": "t",
        "kind": "sql",
        "dialect": "bigquery",
        "default_catalog": "dw",
        "default_schema": "mart",
        "files": {"a/query.sql": text},
        "parameters": {"target": "dw.mart.sums", "limit": 5},
    }
    tasks = manifest(line)
    assert tasks.seen() == {
        ("t", Access.WRITE, "dw.mart.sums", Channel.SQL_SOURCE),
        ("t", Access.READ, "dw.mart.orders", Channel.SQL_SOURCE),
    }
    assert {c.channel for c in tasks.items(Coverage)} == {Channel.MANIFEST, Channel.SQL_SOURCE}
    assert all(e.place.startswith("a/query.sql") for e in tasks.items(Evidence))


def test_the_configured_connection_fills_in_what_a_line_leaves_out(manifest):
    connection = SqlConnection(
        dialect="postgres", namespace="postgres://dw", default_catalog="dw", default_schema="public"
    )
    line = a_task(files={"q.sql": "SELECT * FROM orders"})
    found = manifest(line, connections={"default": connection}).items(Evidence)
    assert [e.dataset for e in found] == [DatasetKey("postgres://dw", "dw.public.orders")]


def test_a_bare_select_is_taken_to_write_what_the_scheduler_states(manifest):
    line = {"pipeline": "p", "task": "t", "files": {"q.sql": "SELECT 1 FROM a"}, "writes": ["b"]}
    tasks = manifest(line)
    hints = [e for e in tasks.items(Evidence) if e.channel is Channel.SQL_SOURCE]
    assert {(e.access, e.dataset.name) for e in hints} == {(Access.READ, "a"), (Access.WRITE, "b")}
    assert next(e for e in hints if e.access is Access.WRITE).confidence < 0.5


def test_python_is_followed_from_the_file_the_command_line_names(manifest):
    lib = "SQL = 'INSERT INTO good SELECT * FROM orders'"
    main = "import sqlite3, lib\nsqlite3.connect('x.db').execute(lib.SQL)"
    dead = "import sqlite3\nsqlite3.connect('x.db').execute('INSERT INTO bad SELECT * FROM bad2')"
    line = {
        "pipeline": "p",
        "task": "t",
        "kind": "python",
        "files": {"dead.py": dead, "lib.py": lib, "run.py": main},
        "arguments": ["python", "run.py", "--day", 3],
    }
    assert {(access, name) for _, access, name, _ in manifest(line).seen()} == {
        (Access.WRITE, "good"),
        (Access.READ, "orders"),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        "psql -v t=orders -f q.sql",
        ["psql", "-v", "t=orders", "-f", "q.sql"],
        "['psql', '-v'] + ['t=orders'] + ['-f', 'q.sql']",
        '["psql", "-v", "t=orders", "-f", "q.sql"]',
    ],
)
def test_a_command_line_is_followed(manifest, arguments):
    files = {"q.sql": "INSERT INTO b SELECT * FROM :t"}
    line = {"pipeline": "p", "task": "t", "files": files, "arguments": arguments}
    seen = [(access, name) for _, access, name, channel in manifest(line).seen()
            if channel is Channel.CODE]  # fmt: skip
    assert sorted(seen) == [(Access.READ, "orders"), (Access.WRITE, "b")]


def exporter(task, writes=("s.b",)):
    """A task that gets the query that makes `s.b`, and a program that nobody has."""
    return {
        "pipeline": "p",
        "task": task,
        "files": {"q.sql": "SELECT * FROM a"},
        "arguments": f"tools/{task} --query q.sql",
        "writes": list(writes),
    }


def test_a_hidden_program_probably_reads_what_another_tasks_text_makes(manifest):
    maker = {"pipeline": "m", "task": "m", "files": {"q.sql": "SELECT * FROM a"}, "writes": ["s.b"]}
    tasks = manifest(exporter("publish"), maker, exporter("other", ["s.c"]))
    ((task, sure),) = [
        (e.task.task, e.confidence) for e in tasks.items(Evidence)
        if e.access is Access.READ and e.dataset.name == "s.b"
    ]  # fmt: skip
    assert task == "publish"
    assert sure < 1
    assert ("m", Channel.SQL_SOURCE) in {(c.task.task, c.channel) for c in tasks.items(Coverage)}
    covered = {c.channel for c in tasks.items(Coverage) if c.task.task == "publish"}
    assert covered == {Channel.MANIFEST}  # the query is not all that a hidden program does


def test_two_hidden_programs_say_nothing_of_their_order(manifest):
    tasks = manifest(exporter("one"), exporter("two"))
    assert not [e for e in tasks.items(Evidence)
                if e.access is Access.READ and e.dataset.name == "s.b"]  # fmt: skip


def test_sql_that_does_not_parse_is_reported_for_its_task_and_covers_nothing(manifest):
    tasks = manifest(a_task(files={"q.sql": "SELECT FROM WHERE ((("}), a_task(task="u"))
    assert [u.subject for u in tasks.items(Unresolved)] == ["manifest/p/t"]
    assert {c.channel for c in tasks.items(Coverage)} == {Channel.MANIFEST}
    assert len(tasks.items(Pipeline)[0].tasks) == 2


def test_a_text_over_the_limit_is_reported_and_the_rest_goes_on(manifest):
    huge = "SELECT 1; " * 200_000
    tasks = manifest(a_task(files={"q.sql": huge}), a_task(task="u", reads=["a"]))
    assert [reason for reason, _, _ in tasks.problems()] == [UnresolvedReason.TOO_LARGE]
    assert ("u", Access.READ, "a", Channel.MANIFEST) in tasks.seen()


def test_a_task_of_which_nothing_is_said_is_reported(manifest):
    ((reason, place, detail),) = manifest({"pipeline": "p", "task": "t"}).problems()
    assert (reason, place) == (UnresolvedReason.MISSING_SOURCE, "tasks.jsonl:1")
    assert "files" in detail


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("{oops", "JSON"),
        ("[1]", "object"),
        ('{"pipeline": "p"}', "`task` is missing"),
        ('{"pipeline": "p", "tsk": "t"}', "`tsk`"),
        ('{"pipeline": "p", "task": 5}', "`task`"),
        ('{"pipeline": "p", "task": ""}', "`task`"),
        ('{"pipeline": "p", "task": "t", "writes": "x"}', "`writes`"),
        ('{"pipeline": "p", "task": "t", "kind": "cobol"}', "`kind`"),
        ('{"pipeline": "p", "task": "t", "expected_duration_s": NaN}', "`expected_duration_s`"),
        ('{"pipeline": "p", "task": "t", "upstream": [{}]}', "`upstream.0.pipeline`"),
        ('{"pipeline": "p\\ud800", "task": "t"}', "`pipeline`"),
        ("[" * 100_000, "deep"),
    ],
)
def test_a_broken_line_is_named_with_its_fix_and_the_rest_is_used(manifest, line, fix):
    tasks = manifest(a_task("a"), line, a_task("b"))
    ((reason, place, detail),) = tasks.problems()
    assert (reason, place) == (UnresolvedReason.MALFORMED, "tasks.jsonl:2")
    assert fix in detail
    assert [p.key.name for p in tasks.items(Pipeline)] == ["a", "b"]


def test_bytes_that_are_no_text_break_their_line_only(manifest):
    tasks = manifest(a_task("a"))
    tasks.path.write_bytes(b"\xff\xfe\n\xef\xbb\xbf\n" + tasks.path.read_bytes())
    assert [place for _, place, _ in tasks.problems()] == ["tasks.jsonl:1", "tasks.jsonl:2"]
    assert [p.key.name for p in tasks.items(Pipeline)] == ["a"]


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_not_matter(manifest):
    tasks = manifest(a_task("a"), "", a_task("b"))
    text = tasks.path.read_bytes().replace(b"\n", b"\r\n")
    tasks.path.write_bytes(b"\xef\xbb\xbf" + text)
    assert tasks.problems() == []
    assert len(tasks.items(Pipeline)) == 2


def test_an_unknown_field_is_reported_once_with_what_was_meant(manifest):
    tasks = manifest(a_task(schedul="x"), a_task(task="u", schedul="x"))
    ((_, place, detail),) = tasks.problems()
    assert place == "tasks.jsonl:1"
    assert "`schedul`" in detail
    assert "`schedule`" in detail
    assert len(tasks.items(Pipeline)[0].tasks) == 2


def test_null_counts_as_absent(manifest):
    tasks = manifest(a_task(schedule=None, dialect=None, expected_duration_s=None, upstream=None))
    assert tasks.problems() == []


def test_of_two_lines_for_one_task_the_first_counts_and_the_second_is_reported(manifest):
    tasks = manifest(a_task(writes=["a"]), a_task(writes=["b"]))
    assert {name for _, _, name, _ in tasks.seen()} == {"a"}
    ((_, place, detail),) = tasks.problems()
    assert place == "tasks.jsonl:2"
    assert "tasks.jsonl:1" in detail


def test_the_inventory_comes_with_the_last_batch_and_only_when_no_line_was_lost(manifest):
    lines = [a_task("a", str(n)) for n in range(120)]
    tasks = manifest(*lines)
    batches = tasks.batches()
    assert len(batches) > 2
    assert [any(isinstance(i, Inventory) for i in b.items) for b in batches[:-1]] == [False] * (
        len(batches) - 1
    )
    assert Inventory("manifest", ("a",)) in batches[-1].items
    tasks.write(*lines, "{half")
    assert tasks.items(Inventory) == []


def test_only_the_last_batch_moves_the_cursor(manifest):
    batches = manifest(*(a_task("a", str(n)) for n in range(120))).batches(cursor="old")
    assert {batch.cursor for batch in batches[:-1]} == {"old"}
    assert batches[-1].cursor not in ("", "old")


def test_an_unchanged_file_yields_nothing_and_a_changed_one_everything(manifest):
    tasks = manifest(a_task("a"))
    cursor = tasks.batches()[-1].cursor
    assert tasks.batches(cursor) == []
    before = os.stat(tasks.path)
    tasks.write(a_task("b"))
    os.utime(tasks.path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as `cp -p` leaves it
    (batch,) = tasks.batches(cursor)
    assert Inventory("manifest", ("b",)) in batch.items


def test_other_connections_mean_reading_again(manifest):
    tasks = manifest(a_task("a"))
    cursor = tasks.batches()[-1].cursor
    tasks.settings = Settings(connections={"default": SqlConnection(dialect="postgres")})
    assert tasks.batches(cursor) != []


def test_a_file_of_nothing_but_rubbish_stays_a_short_report(manifest):
    tasks = manifest(*(f"line {n}" for n in range(3_000)))
    problems = tasks.problems()
    assert len(problems) <= 1_001
    assert "2000 more" in problems[-1][2]


def test_a_missing_file_is_unavailable_and_named(manifest):
    tasks = manifest()
    tasks.path.unlink()
    with pytest.raises(Unavailable, match=r"tasks\.jsonl"):
        tasks.batches()


def test_a_source_without_path_is_a_config_error():
    with pytest.raises(ConfigError, match="path"):
        connect(Source(kind="manifest"), Settings())

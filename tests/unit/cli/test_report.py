"""The report of a scan, in all its forms."""

import io
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from swarm.cli.report import Reading, as_json, build
from swarm.cli.report_html import as_html
from swarm.cli.report_table import print_table
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Proof,
    Recurrence,
    Tier,
    Unresolved,
    UnresolvedReason,
)
from swarm.model.pipelines import DeclaredEdge, Pipeline, Task


def a_pipeline(name, *declared, orchestrator="airflow"):
    key = PipelineKey(orchestrator, name)
    return Pipeline(key, (Task(TaskKey(orchestrator, name, "t")),), declared, schedule="@daily")


def a_task(pipeline, task="t", orchestrator="airflow"):
    return TaskKey(orchestrator, pipeline, task)


def a_dependency(up, down, dataset="mart.orders", declared=False, confidence=0.9):
    proofs = (
        Proof(up, Access.WRITE, Channel.MANIFEST, "tasks:1", "writes: it", 0.0, 5.0),
        Proof(
            down,
            Access.READ,
            Channel.CODE,
            "x.py:3",
            "SELECT <b>\n FROM v",
            0.0,
            4.0,
            (DatasetKey("dw", "v"),),
        ),
    )
    key = DependencyKey(up, down, DatasetKey("dw", dataset))
    return Dependency(key, declared, confidence, proofs)


def a_report(dependencies=(), pipelines=(), unresolved=(), min_confidence=0.5):
    return build(
        pipelines, dependencies, unresolved, min_confidence=min_confidence, generated_at_s=0.0
    )


def a_chain(*names):
    return [a_dependency(a_task(up), a_task(down)) for up, down in itertools.pairwise(names)]


def printed(report, width=200, **options):
    out = io.StringIO()
    print_table(report, Console(file=out, width=width, highlight=False, **options))
    return out.getvalue()


def test_what_most_hangs_on_comes_first():
    pipelines = [a_pipeline(name) for name in "abcdxy"]
    dependencies = [a_dependency(a_task("x"), a_task("y"), confidence=0.99)]
    dependencies += a_chain("a", "b", "c", "d")
    edges = a_report(dependencies, pipelines).edges
    assert [(e.upstream.pipeline, e.pipelines_behind) for e in edges] == [
        ("a", 3),
        ("b", 2),
        ("x", 1),
        ("c", 1),
    ]


def test_dependencies_inside_a_pipeline_come_after_those_between_and_declared_ones_last():
    inside = a_dependency(a_task("a", "t"), a_task("a", "u"), confidence=0.99)
    between = a_dependency(a_task("a"), a_task("b"), confidence=0.6)
    declared = a_dependency(a_task("a"), a_task("c"), declared=True, confidence=0.99)
    edges = a_report([declared, inside, between], [a_pipeline(n) for n in "abc"]).edges
    assert [(e.downstream.pipeline, e.declared) for e in edges] == [
        ("b", False),
        ("a", False),
        ("c", True),
    ]


def test_less_sure_than_asked_is_left_out():
    found = [a_dependency(a_task("a"), a_task("b"), confidence=c) for c in (0.5,)]
    assert len(a_report(found, min_confidence=0.5).edges) == 1
    assert a_report(found, min_confidence=0.51).edges == ()


def test_a_declared_order_without_data_is_an_edge_without_dataset():
    edge = DeclaredEdge(a_task("a"), a_task("b"), "sensor")
    (found,) = as_json(a_report(pipelines=[a_pipeline("a"), a_pipeline("b", edge)]))["edges"]
    assert (found["dataset"], found["declared"], found["confidence"]) == ("", True, 1.0)
    assert found["evidence"][0]["excerpt"] == "sensor"


def test_a_declared_order_with_data_is_one_edge():
    edge = DeclaredEdge(a_task("a"), a_task("b"), "asset")
    found = [a_dependency(a_task("a"), a_task("b"), declared=True)]
    edges = a_report(found, [a_pipeline("a"), a_pipeline("b", edge)]).edges
    assert [e.dataset for e in edges] == ["dw/mart.orders"]


def test_the_json_has_the_promised_shape():
    problem = Unresolved("airflow/a", UnresolvedReason.SYNTAX, "q.sql:3", "no")
    report = a_report(a_chain("a", "b"), [a_pipeline("a"), a_pipeline("b")], [problem])
    tree = json.loads(json.dumps(as_json(report)))
    assert list(tree) == [
        "schema_version",
        "generated_at",
        "pipelines",
        "understood",
        "edges",
        "hazards",
        "unattributed",
        "texts",
        "unresolved",
    ]
    assert (tree["schema_version"], tree["generated_at"]) == (1, "1970-01-01T00:00:00+00:00")
    assert tree["pipelines"][0] == {
        "orchestrator": "airflow",
        "pipeline": "a",
        "tasks": ["t"],
        "schedule": "@daily",
        "owner": "",
        "paused": False,
        "place": "",
    }
    (edge,) = tree["edges"]
    assert edge["upstream"] == {"orchestrator": "airflow", "pipeline": "a", "task": "t"}
    assert (edge["dataset"], edge["declared"], edge["confidence"]) == ("dw/mart.orders", False, 0.9)
    assert (edge["level"], edge["recurrence"]) == ("warn", None)
    assert edge["evidence"][1] == {
        "task": {"orchestrator": "airflow", "pipeline": "b", "task": "t"},
        "access": "read",
        "channel": "code",
        "place": "x.py:3",
        "excerpt": "SELECT <b>\n FROM v",
        "weight": 4.0,
        "still": 1.0,
        "via": ["dw/v"],
    }
    assert tree["unresolved"] == [
        {"subject": "airflow/a", "reason": "syntax", "place": "q.sql:3", "detail": "no"}
    ]


def test_a_narrow_terminal_loses_no_name():
    long = "a_very_long_pipeline_name_" * 8
    report = a_report([a_dependency(a_task(long), a_task("b"))], [a_pipeline(long)])
    text = printed(report, width=30, soft_wrap=True)
    assert f"airflow/{long}/t" in text
    assert "dw/mart.orders" in text


def test_names_that_look_like_markup_are_printed_as_they_are():
    report = a_report(
        [a_dependency(a_task("[bold]x[/bold]"), a_task("[/]"))],
        [a_pipeline("p", orchestrator="[red]")],
        [Unresolved("[/x]", UnresolvedReason.SYNTAX, "[y]", "[/z]")],
    )
    text = printed(report)
    for name in ("airflow/[bold]x[/bold]/t", "airflow/[/]/t", "[red] 1", "[/x]", "[y]", "[/z]"):
        assert name in text


def test_no_color_means_no_escape_codes(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    report = a_report(a_chain("a", "b"))
    assert "\x1b[3" not in printed(report, force_terminal=True)
    monkeypatch.delenv("NO_COLOR")
    assert "\x1b[3" in printed(report, force_terminal=True, color_system="standard")


def test_a_long_table_says_what_it_leaves_out():
    found = [a_dependency(a_task("a"), a_task(f"p{number}")) for number in range(60)]
    assert "10 more undeclared dependencies" in printed(a_report(found))


def test_an_empty_report_is_a_report():
    assert "0 undeclared" in printed(a_report())
    assert "None found" in as_html(a_report())


class Page(HTMLParser):
    """Which elements a page has, and which addresses it would load."""

    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.loads = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href")]


def test_the_page_stands_alone_and_escapes_everything():
    evil = "<script>alert(1)</script>\"'&"
    report = a_report(
        [a_dependency(a_task(evil), a_task(evil, "u"), dataset=evil)],
        [a_pipeline(evil, orchestrator=evil)],
        [Unresolved(evil, UnresolvedReason.SYNTAX, evil, evil)],
    )
    text = as_html(report)
    page = Page(text)
    assert page.loads == []
    assert not page.tags & {"script", "img", "iframe", "link"}
    assert "<script>" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 8
    assert 'name="viewport"' in text
    assert re.search(r"prefers-color-scheme: dark", text)


@pytest.mark.parametrize(
    ("often", "words"),
    [
        (None, "90% sure (warn)"),
        (Recurrence(1, 9, 0.0, 0.0), "90% sure (warn), seen once"),
        (Recurrence(4, 9, 0.0, 0.0), "90% sure (warn), seen on 4 of 9 days"),
    ],
)
def test_an_edge_says_what_it_is_sure_enough_for_and_how_often_it_was_seen(often, words):
    (found,) = a_chain("a", "b")
    report = a_report([replace(found, recurrence=often)], [a_pipeline("a"), a_pipeline("b")])
    assert words in as_html(report)
    assert words in printed(report)


def blind(subject, place="q.sql:1"):
    return Unresolved(subject, UnresolvedReason.SYNTAX, place, "does not parse")


def test_each_pipeline_says_how_far_it_is_understood():
    many = Pipeline(
        PipelineKey("airflow", "many"), tuple(Task(a_task("many", name)) for name in "abcd")
    )
    pipelines = (a_pipeline("whole"), many, a_pipeline("broken"), a_pipeline("short"))
    unresolved = (
        blind("airflow/many/b"),
        blind("airflow/many/b", "q.sql:2"),
        blind("airflow/broken"),
        blind("dw/orders", "airflow/short/t"),
        blind("tasks.jsonl:3"),
    )
    report = a_report(pipelines=pipelines, unresolved=unresolved)
    shares = {one.pipeline.name: (one.share, one.blind) for one in report.trust}
    assert shares == {
        "broken": (1.0, ("t",)),
        "short": (1.0, ("t",)),
        "many": (0.25, ("b",)),
        "whole": (0.0, ()),
    }
    text = printed(report)
    assert "1 of 4 pipelines are understood whole" in text
    assert "airflow/many: 25% not understood or only in part, 1 of 4 tasks (b)" in text
    assert "airflow/whole:" not in text
    assert "airflow/many: 25%" in as_html(report)
    first = as_json(report)["understood"]["pipelines"][0]
    assert (first["pipeline"], first["not_understood"]) == ("broken", 1.0)


def test_texts_are_counted_by_tier_and_dialect():
    texts = (
        Reading("a.sql", "bigquery", Tier.TOKENS, 1.0, ""),
        Reading("b.sql", "", Tier.TREE, 0.5, "statement", "", 1),
        Reading("c.sql", "bigquery", Tier.TREE, 1.0, "template", "", 1),
    )
    report = replace(a_report(pipelines=(a_pipeline("p"),)), texts=texts)
    said = "3 SQL texts: by tier tree 2, tokens 1; by dialect bigquery 2, generic 1; "
    assert said + "2 not understood whole" in printed(report)
    assert said + "2 not understood whole" in as_html(report)
    assert as_json(report)["understood"]["texts_by_tier"] == {"tree": 2, "tokens": 1}

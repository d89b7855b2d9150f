"""`swarm scan --explain`: a person can follow it from the words of a text to the number."""

import json
import re
from math import exp

import pytest
from typer.testing import CliRunner

from swarm.cli.edge_name import EdgeName, edge_name
from swarm.cli.main import app
from swarm.errors import InputError, Rejected, UnknownKey

LOAD = {
    "pipeline": "load",
    "task": "t",
    "kind": "sql",
    "dialect": "postgres",
    "default_schema": "raw",
    "parameters": {"env": "prod"},
    "files": {
        "q.sql": "-- load\n\nINSERT INTO Orders\nSELECT *\nFROM {{ src }}.feed\nWHERE e = '${env}'",
        "conf.yaml": "a: 1\nsrc: landing\n",
    },
}
SUMS = {
    "pipeline": "sums",
    "task": "t",
    "kind": "sql",
    "dialect": "postgres",
    "files": {"q.sql": "INSERT INTO mart.sums\nSELECT * FROM v_orders"},
    "reads": ["raw.orders"],
}
PROGRAM = "import psycopg2\nS = 'raw'\nc = psycopg2.connect('postgresql://h/db').cursor()\n"
PROGRAM += "c.execute(f'select * from {S}.orders')\nc.execute(unknown)\n"
CODE = {"pipeline": "py", "task": "p", "kind": "python", "files": {"main.py": PROGRAM}}
OTHER = {
    "pipeline": "other",
    "task": "o",
    "kind": "sql",
    "files": {"q.sql": "SELECT * FROM archive.orders;\nSELECT * FROM {{ foo }}.b"},
}


@pytest.fixture
def explain(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    tasks, views = tmp_path / "tasks.jsonl", tmp_path / "views.jsonl"
    lines = [LOAD, SUMS, CODE, OTHER]
    tasks.write_text("".join(json.dumps(line) + "\n" for line in lines))
    views.write_text('{"name": "v_orders", "sql": "SELECT *\\nFROM raw.orders"}\n')

    def run(edge, *more):
        words = ["scan", "--manifest", str(tasks), "--catalog", str(views), "--explain", edge]
        return CliRunner().invoke(app, [*words, *more])

    return run


def tree_of(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_way_of_a_name_is_told_step_by_step(explain):
    (edge,) = tree_of(explain("load -> sums", "-o", "json"))["edges"]
    (line,) = edge["write"]["lines"]
    assert (line["channel"], line["place"]) == ("sql_source", "q.sql:3")
    (trail,) = line["trails"]
    assert trail["context"] == [
        "1: -- load",
        "2: ",
        "3: INSERT INTO Orders",
        "4: SELECT *",
        "5: FROM {{ src }}.feed",
    ]
    assert (trail["line"], trail["dialect"], trail["tier"]) == (3, "postgres", "tree")
    assert (trail["understood"], trail["abstained"]) == (1.0, "template")
    assert trail["filled_in"] == [
        {"name": "src", "value": "landing", "origin": "conf.yaml:2"},
        {"name": "env", "value": "prod", "origin": ""},
    ]
    steps = (trail["written"], trail["completed"], trail["dataset"])
    assert steps == ("Orders", "raw.Orders", "warehouse/raw.orders")


def test_views_and_a_second_channel_are_told(explain):
    (edge,) = tree_of(explain("load -> sums", "-o", "json"))["edges"]
    stated, read = sorted(edge["read"]["lines"], key=lambda line: line["channel"])
    assert (stated["channel"], stated["place"]) == ("manifest", "tasks.jsonl:2")
    assert read["views"] == [
        {"view": "warehouse/v_orders", "place": "views.jsonl:1", "excerpt": "view v_orders"}
    ]
    assert read["trails"][0]["written"] == "v_orders"


def test_sql_in_a_program_shows_the_program_and_the_sql_as_put_together(explain):
    (edge,) = tree_of(explain("load -> py", "-o", "json"))["edges"]
    (line,) = edge["read"]["lines"]
    assert line["place"] == "main.py:4"
    (trail,) = line["trails"]
    assert trail["context"][1:3] == [f"{n}: {PROGRAM.splitlines()[n - 1]}" for n in (3, 4)]
    assert trail["as_read"] == "select * from raw.orders"
    assert trail["written"] == "raw.orders"


def test_two_tasks_with_a_file_of_the_same_name_are_not_mixed_up(explain):
    text = explain("load -> sums").stdout
    assert "INSERT INTO Orders" in text
    assert "archive" not in text


@pytest.mark.parametrize("edge", ["load -> sums", "load -> py"])
def test_the_printed_numbers_add_up(explain, edge):
    text = explain(edge).stdout
    ends = re.findall(
        r"^  prior +(\S+)\n((?:  .+ [+-][\d.]+\n)+)  P\(\w+\) = 1 / \(1 \+ e\^(\S+)\) = (\S+)$",
        text,
        re.MULTILINE,
    )
    assert len(ends) == 2
    for prior, lines, negated, probability in ends:
        *weights, total = [float(line.split()[-1]) for line in lines.splitlines()]
        assert float(prior) + sum(weights) == pytest.approx(total, abs=0.0011)
        assert float(negated) == pytest.approx(-total, abs=1e-9)
        assert 1 / (1 + exp(-total)) == pytest.approx(float(probability), abs=0.0002)
    product = re.search(r"naming = (\S+) x (\S+) x (\S+) = (\S+)", text)
    assert product
    write, read, naming, result = map(float, product.groups())
    assert write * read * naming == pytest.approx(result, abs=2e-6)
    assert f"  {result:.6f}, enough to" in text
    for weight, alone in re.findall(r"weight: (\S+) for a sure report x 1 \S+ .* = (\S+)$", text):
        assert float(weight) == float(alone)


def test_no_dependency_says_why_not(explain):
    tree = tree_of(explain("load -> other", "-o", "json"))
    assert (tree["edges"], tree["weaker"]) == ([], [])
    assert {use["dataset"] for use in tree["writes"]["uses"]} == {"warehouse/raw.orders"}
    assert {use["dataset"] for use in tree["reads"]["uses"]} == {"warehouse/archive.orders"}
    assert [(u["place"], u["reason"]) for u in tree["reads"]["unresolved"]] == [
        ("q.sql:2", "template")
    ]
    assert tree["same_name"] == [
        {"written": "warehouse/raw.orders", "read": "warehouse/archive.orders"}
    ]
    text = explain("load -> other").stdout
    for words in (
        "No dependency: manifest/load -> manifest/other",
        "not understood of it at q.sql:2: template",
        "they touch no dataset in common",
        "warehouse/raw.orders is written, warehouse/archive.orders is read",
    ):
        assert words in text


def test_nothing_known_of_the_writes_is_said(explain):
    text = explain("other -> sums").stdout
    assert "nothing that manifest/other writes is known" in text


def test_a_dependency_below_the_limit_shows_its_sum(explain):
    done = explain("load -> py", "--min-confidence", "0.95", "-o", "json")
    tree = tree_of(done)
    assert tree["edges"] == []
    (weak,) = tree["weaker"]
    assert 0.8 < weak["confidence"] < 0.95
    text = explain("load -> py", "--min-confidence", "0.95").stdout
    assert "below the 0.95 that is shown" in text
    assert "log-odds" in text


@pytest.mark.parametrize(
    ("edge", "error", "said"),
    [
        ("laod -> py", UnknownKey, "Did you mean load"),
        ("load -> py through raw.order", UnknownKey, "through warehouse/raw.orders"),
        ("load py", InputError, "WRITER -> READER"),
    ],
)
def test_a_miss_names_what_was_meant(explain, edge, error, said):
    done = explain(edge)
    assert isinstance(done.exception, error)
    assert isinstance(done.exception, InputError | Rejected)
    assert said in str(done.exception)


def test_an_edge_is_written_as_people_write_it():
    assert edge_name("a->b") == EdgeName("a", "b", "")
    assert edge_name(" x/a/t  ->  b through dwh.t ") == EdgeName("x/a/t", "b", "dwh.t")

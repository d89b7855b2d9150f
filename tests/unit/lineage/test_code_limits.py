"""Where a limit ends the reading of a program or a command, that is said with file and line."""

import pytest

from swarm.connectors.airflow.rendered import sql_of
from swarm.lineage.code.entry import extract_code, extract_shell
from swarm.lineage.text import CodeContext
from swarm.model.lineage import UnresolvedReason

START = "import psycopg2\ndb = psycopg2.connect('').cursor()\n"


def read(body, **files):
    return extract_code({"p.py": START + body, **files}, "p.py", CodeContext())


def told(found):
    return [(item.reason, item.place, item.detail) for item in found.unresolved]


def names(found):
    return {touch.dataset.name for touch in found.touches}


def test_calls_inside_each_other_up_to_a_depth():
    steps = [f"def f{n}():\n    f{n + 1}()\n" for n in range(30)]
    found = read("".join(steps) + "def f30():\n    db.execute('DELETE FROM t')\nf0()\n")
    assert names(found) == set()
    ((reason, place, detail),) = told(found)
    assert (reason, place) == (UnresolvedReason.TOO_LARGE, "p.py:53")
    assert "calls in each other" in detail


def test_a_function_that_calls_itself_is_read_once_and_whole():
    found = read("def f(n):\n    db.execute('DELETE FROM t')\n    f(n - 1)\nf(3)\n")
    assert names(found) == {"t"}
    assert told(found) == []


def test_expressions_inside_each_other_up_to_a_depth():
    call = "db.execute('DELETE FROM t')"
    found = read("x = " + "[" * 90 + call + "]" * 90 + "\n")
    assert names(found) == {"t"}
    found = read("x = " + "-" * 130 + call + "\n")
    assert names(found) == set()
    assert [(r, p) for r, p, _ in told(found)] == [(UnresolvedReason.TOO_LARGE, "p.py:3")]


def test_elements_a_call_is_made_for():
    body = "def f(x):\n    db.execute(f'DELETE FROM t{x}')\nlist(map(f, [%s]))\n"
    assert told(read(body % ", ".join(map(str, range(20))))) == []
    ((reason, place, _),) = told(read(body % ", ".join(map(str, range(40)))))
    assert (reason, place) == (UnresolvedReason.TOO_LARGE, "p.py:5")


def test_a_program_of_too_many_steps_says_at_which_line():
    loop = "for a in range(50):\n for b in range(50):\n  for c in range(50):\n   x = a + b + c\n"
    ((reason, place, _),) = told(read(loop))
    assert (reason, place.rpartition(":")[0]) == (UnresolvedReason.TOO_LARGE, "p.py")
    assert 3 <= int(place.rpartition(":")[2]) <= 6


def test_what_is_asserted_is_read():
    assert names(read("assert db.execute('DELETE FROM t'), db.execute('DELETE FROM u')")) == {
        "t",
        "u",
    }


@pytest.mark.parametrize(
    ("command", "left_out"),
    [
        ("for x in {}; do psql -c 'DELETE FROM t'; done", 150),
        ("for x in {}; do psql -c 'DELETE FROM t'; done", 50),
    ],
)
def test_turns_of_a_loop_of_a_command(command, left_out):
    words = " ".join(f"w{n}" for n in range(left_out))
    found = extract_shell(command.format(words), {}, CodeContext(), "cron:1")
    assert names(found) == {"t"}
    assert [p for _, p, _ in told(found)] == (["cron:1"] if left_out > 100 else [])


def test_values_a_variable_may_have():
    branches = "".join(f"if test {n}; then T=t{n}; fi; " for n in range(20))
    found = extract_shell(branches + 'psql -c "DELETE FROM $T"', {}, CodeContext(), "cron:1")
    assert len(names(found)) < 20
    assert [p for _, p, _ in told(found)] == ["cron:1"]


def test_a_description_of_a_query_that_airflow_cut_is_no_silence():
    cut = "Truncated. You can change this behaviour in [core]max_templated_field_length. {'que..."
    assert sql_of("BigQueryInsertJobOperator", {"configuration": cut}) == (cut,)


def test_a_file_that_is_sourced_and_not_given_is_said():
    command = ". venv/bin/activate; . ~/.profile; source load.sh; psql -c 'DELETE FROM t'"
    found = extract_shell(command, {}, CodeContext(), "cron:1")
    assert names(found) == {"t"}
    ((reason, place, detail),) = told(found)
    assert (reason, place) == (UnresolvedReason.MISSING_SOURCE, "cron:1")
    assert "`load.sh`" in detail
    given = {"load.sh": "psql -c 'DELETE FROM u'"}
    found = extract_shell("source load.sh", given, CodeContext(), "cron:1")
    assert (names(found), told(found)) == ({"u"}, [])


def test_a_statement_of_sqlalchemy_nested_too_deep_is_reported():
    build = "".join("q = select(q.subquery())\n" for _ in range(45))
    source = (
        "from sqlalchemy import MetaData, Table, create_engine, select\n"
        't = Table("orders", MetaData(), schema="raw")\nq = select(t)\n' + build
    )
    source += 'create_engine("sqlite:///x").connect().execute(q)\n'
    found = extract_code({"a.py": source}, "a.py", CodeContext())
    assert [one.place for one in found.unresolved] == ["a.py:49"]
    assert "nested_more_than" in found.unresolved[0].detail


def test_a_long_chain_of_calls_is_followed_to_what_began_it():
    source = (
        "from pyspark.sql import SparkSession\n"
        "d = SparkSession.builder.getOrCreate().table('raw.t')\n"
        "for i in range(49):\n    d = d.withColumn(str(i), d.x).drop('y').distinct()\n"
        "d.write.saveAsTable('mart.t')\n"
    )
    found = extract_code({"a.py": source}, "a.py", CodeContext())
    assert {str(touch.dataset) for touch in found.touches} == {"raw.t", "mart.t"}

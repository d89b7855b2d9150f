"""No text and no combination of statements makes the reading of programs fail."""

from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.lineage.code.airflow import extract_airflow_file
from swarm.lineage.code.dagster import dagster_entries, extract_dagster
from swarm.lineage.code.entry import extract_code, extract_shell
from swarm.lineage.code.prefect import prefect_entry
from swarm.lineage.text import CodeContext, SqlContext

CONTEXT = CodeContext({"x": SqlContext("sqlite", "x")}, SqlContext("", "w"), {"p": "v"})
ATOMS = st.sampled_from(
    [
        *("x", "y", "conn", "f", "self", "1", "None", "'a'", "'DELETE FROM t'", "[]", "{}", "()"),
        *("open", "sqlite3", "Path('a')", "C", "C()", "super()", "__file__", "lambda: x", "*x"),
        *("'%s %(a)s %' % x", "f'{x}'", "'{} {a}'.format(x)", "os.environ['A']", "-1", "b'a'"),
        *("t", "Table", "select", "Table('t', x)", "select(t)", "t.insert()", "O", "O.id", "O()"),
        *("'a' * 10 ** 9", "range(9 ** 9)", "'%99999999d' % 1", "'{:>999999999}'.format(1)"),
    ]
)
METHODS = st.sampled_from(["execute", "append", "x", "map", "query", "join", "delete"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}({})".format, inner, inner),
        st.builds(
            "({}).{}".format,
            inner,
            st.sampled_from(["execute", "append", "x", "map", "query", "join", "delete"]),
        ),
        st.builds("({}) + ({})".format, inner, inner),
        st.builds("({}) / ({})".format, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("[{} for x in ({})]".format, inner, inner),
        st.builds("({}) if ({}) else ({})".format, inner, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
    ),
    max_leaves=8,
)
LINES = st.one_of(
    EXPRESSIONS,
    st.builds("x = {}".format, EXPRESSIONS),
    st.builds("x, y = {}".format, EXPRESSIONS),
    st.builds("x += {}".format, EXPRESSIONS),
    st.builds("for x in {}: f({})".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("with {} as x: y = {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("if {}: return {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("def f(*a, k={}, **b): return {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("class C(C): x = {}".format, EXPRESSIONS),
    st.builds("@task\ndef f(x): return {}".format, EXPRESSIONS),
    st.sampled_from(
        [
            "import sqlite3, os",
            "from m import *",
            "from n import *",
            "from n import x as C",
            "global x",
            "del x",
            "f()",
            "main()",
        ]
    ),
)


SHELL = st.lists(
    st.sampled_from(
        [
            *("psql x ", "cat ", "echo ", "python -c ", "python - ", "bash -c ", "sh a.sh", "cd a"),
            *("<<A", "<<-'A'", "<<< ", "A", "\nA\n", "\n", " | ", " && ", ";", "(", ")", "'", '"'),
            *(
                "$(",
                "`",
                ")",
                "DELETE FROM t",
                "open('a')",
                "\\",
                "\x01",
                "\x010\x01",
                "> /a",
                "< a",
            ),
        ]
    ),
    max_size=14,
)


def readings(source: str) -> None:
    modules = {"m.py": source}
    extract_code(modules, "m.py", CONTEXT)
    extract_code(modules, "m.py:main", CONTEXT)
    extract_airflow_file(modules, "m.py", CONTEXT)
    prefect_entry(modules, "m.py:main", CONTEXT)
    for name in dagster_entries(modules):
        extract_dagster(modules, name, CONTEXT)


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text(text: str):
    readings(text)
    extract_shell(text, {"a.sh": text}, CONTEXT, "x:1")


@given(st.lists(LINES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_statements(lines: list[str]):
    body = "".join("    " + line.replace("\n", "\n    ") + "\n" for line in lines)
    head = "from airflow.sdk import task\nfrom pathlib import Path\n"
    head += "from sqlalchemy import Table, select\n"
    head += "t = Table('t', None, schema='s')\nclass O(Base):\n    __tablename__ = 'o'\n"
    readings(f"{head}def main(conn):\n    pass\n{body}\nmain(1)\n")


@given(SHELL)
@settings(max_examples=400, deadline=None)
def test_any_command(parts: list[str]):
    text = "".join(parts)
    extract_shell(text, {"a.sh": text, "a/a.sh": text}, CONTEXT, "x:1")

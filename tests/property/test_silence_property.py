"""Nothing is left out in silence: a table that plain sqlglot sees in a text is among what was
found, or what is unresolved covers its statement.

Left aside is what by convention is no dataset (swarm/lineage/README.md): names of a WITH, aliases
and paths of columns, catalogs, and what a script itself makes, renames or only defines.
"""

import re
from collections.abc import Iterator

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.errors import SqlglotError

from swarm.lineage.code.entry import extract_code
from swarm.lineage.naming import table_name
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import Extraction
from tests.unit.lineage.test_sql_cases import CASES

_MADE = re.compile(
    r"\b(?:CREATE|EXCHANGE|RENAME|SWAP|ALTER|DROP|CACHE|IDENTIFIER|INTO\s+(?:TEMP|#)|FUNCTION"
    r"|sp_rename|DESCRIBE|DEFINE)|\{\{|\{%|\$\{|\$\(",
    re.IGNORECASE,
)
_CATALOG = re.compile(
    r"information_schema|^(?:pg_|st[lv]_|sv[lv]_|svcs_|sys_|all_|user_|dba_|v\$)"
    r"|^(?:system$|sys$|mysql$|performance_schema)"
    r"|^dual$|__tables__|[/:]"
)
_DATA = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge)
_WORD = re.compile(r"\s+|\w+|[^\w\s]")
PLAIN = [
    (text, case.context()) for case in CASES if not _MADE.search(text := "\n".join(case.lines))
]
PIECES = st.sampled_from(
    [
        *("(", ")", ";\n", "\n", ",", "*", " AS x ", " WITH ", "\x00", " JOIN zz.zz ON 1 = 1 "),
        *(" SELECT * FROM zz.zz ", " UNION ALL SELECT * FROM zz.zz "),
        " WHERE x IN (SELECT y FROM zz.zz) ",
    ]
)
relaxed = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def statements(text: str, dialect: str) -> list[exp.Expression]:
    """What plain sqlglot makes of a text; nothing where it gives up."""
    try:
        found = sqlglot.parse(text, read=dialect or None)
    except (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return []
    return [tree for tree in found if tree is not None]


def last_line(tree: exp.Expression) -> int:
    lines = (name.meta.get("line") or 0 for name in tree.find_all(exp.Identifier, exp.Star))
    return max(lines, default=0)


def tables(tree: exp.Expression) -> Iterator[str]:
    """The names of tables in one statement, but for those that are none by convention."""
    scope = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
    for alias in tree.find_all(exp.TableAlias):
        scope |= {alias.name.casefold(), *(column.name.casefold() for column in alias.columns)}
    named = {table.name.casefold() for table in tree.find_all(exp.Table)}
    for table in tree.find_all(exp.Table):
        parts = [part.name.casefold() for part in table.parts]
        path = len(parts) > 1 and parts[0] in scope | named  # of a column of another table
        usual = isinstance(table.this, exp.Identifier) and parts[0] not in scope and not path
        if usual and not any(_CATALOG.search(part) for part in parts):
            yield table_name(tuple(parts))


def is_it(name: str, found: str) -> bool:
    """Whether `found` is the table called `name`: its parts in their order, the last one last."""
    parts = iter(re.split(r"[./]", found))
    return found.endswith(name.rpartition(".")[2]) and all(p in parts for p in name.split("."))


def left_out(text: str, context: SqlContext, found: Extraction, whole: bool) -> list[str]:
    """The tables that nothing tells of; `whole`: any report covers the whole text."""
    views = [name for view in found.views for name in (view.dataset, *view.reads)]
    known = [one.name.casefold() for one in (*(t.dataset for t in found.touches), *views)]
    lines = [int(item.place.rpartition(":")[2]) for item in found.unresolved]
    silent: list[str] = []
    first = 1
    for tree in statements(text, context.dialect):
        last = max(last_line(tree), first)
        told = lines if whole else [line for line in lines if first <= line <= last]
        if isinstance(tree, _DATA) and not told:
            silent += (n for n in tables(tree) if not any(is_it(n, one) for one in known))
        first = last
    return silent


@pytest.mark.parametrize(("text", "context"), PLAIN, ids=lambda value: str(value)[:40])
def test_no_case_leaves_a_table_out(text: str, context: SqlContext) -> None:
    assert left_out(text, context, extract_sql(text, context, "q"), False) == []


@given(data=st.data())
@relaxed
def test_no_changed_text_leaves_a_table_out(data: st.DataObject) -> None:
    text, context = data.draw(st.sampled_from(PLAIN))
    words = _WORD.findall(text)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words)))
        until = data.draw(st.integers(at, min(len(words), at + 3)))
        words[at:until] = [data.draw(PIECES)]
    changed = "".join(words)
    found = extract_sql(changed, context, "q")
    if not _MADE.search(changed):
        assert left_out(changed, context, found, False) == [], changed


@given(data=st.data())
@relaxed
def test_no_program_leaves_a_table_of_its_sql_out(data: st.DataObject) -> None:
    """The text in a constant, put together, or as an argument of a function of the program."""
    text, context = data.draw(st.sampled_from(PLAIN))
    cut = data.draw(st.integers(0, len(text)))
    way = data.draw(
        st.sampled_from(
            [
                "db.execute({text!r})",
                "Q = {text!r}\ndb.execute(Q)",
                "def run(q):\n    db.execute(q)\nrun({text!r})",
                "A, B = {first!r}, {rest!r}\ndb.execute(A + B)",
                "A, B = {first!r}, {rest!r}\ndb.execute(f'{{A}}{{B}}')",
                "if x:\n    db.execute({text!r})\nelse:\n    db.execute('SELECT 1 FROM zz.zz')",
            ]
        )
    )
    body = way.format(text=text, first=text[:cut], rest=text[cut:])
    program = f"import psycopg2\ndb = psycopg2.connect('').cursor()\n{body}\n"
    found = extract_code({"p.py": program}, "p.py", CodeContext({}, context, {}))
    assert left_out(text, context, found, True) == [], program

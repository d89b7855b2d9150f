"""SQL that was damaged: no exception, places inside of the text, an answer no larger than it."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext

DIALECTS = (
    "athena",
    "bigquery",
    "clickhouse",
    "databricks",
    "duckdb",
    "hive",
    "mysql",
    "oracle",
    "postgres",
    "redshift",
    "snowflake",
    "spark",
    "trino",
    "tsql",
)
FOLDER = Path(__file__).parents[1] / "unit" / "lineage" / "sql_cases"
MAX_EXCERPT = 160
MAX_DETAIL = 1_000  # characters of what is said about a problem
PER_WORD = 16  # a text that is put together may be one of so many, each with the same words


def case_texts() -> list[tuple[str, str]]:
    """(dialect, text) of every case, without what the case states."""
    found: list[tuple[str, str]] = []
    for path in sorted(FOLDER.glob("*.sql")):
        for block in re.split(r"^--- .*\n", path.read_text(), flags=re.MULTILINE)[1:]:
            lines = block.splitlines()
            while lines and re.match(r"-- \w+:", lines[0]):
                lines.pop(0)
            found.append((path.stem if path.stem in DIALECTS else "", "\n".join(lines)))
    return found


CASES = case_texts()
# fmt: off
PIECES = st.sampled_from([
    "(", ")", "'", '"', "`", "[", "]", "{", "}", "{{", "}}", "{%", "%}", ";", ",", ".", "@", "#",
    "--", "/*", "*/", "$$", "${x}", "&x", "$(x)", ":x", "\n", "\r\n", "\ufeff", "\x00", "\u2028",
    "BEGIN ", "END ", "CASE ", "SELECT ", " FROM ", "AS (", "IN (", "WITH a AS (", " OUTPUT ",
    "EXEC ", "IF ", "GO\n", "DELIMITER $$\n", "FORMAT x ", "INTO ", "\u00e9", "\U0001f41d",
    "\ud800",
])
# fmt: on


def check(text: str, dialect: str) -> None:
    found = extract_sql(text, SqlContext(dialect, "ns", "cat", "sch", {"x": "y"}), "q")
    last = len(text.splitlines()) + 1
    excerpts = [touch.excerpt for touch in found.touches] + [view.excerpt for view in found.views]
    places = [item.place for item in (*found.touches, *found.views, *found.unresolved)]
    for place in places:
        name, _, line = place.partition(":")
        assert name == "q"
        assert 0 <= int(line or 0) <= last
    assert all(len(excerpt) <= MAX_EXCERPT for excerpt in excerpts)
    longest = max(map(len, re.findall(r"[^\s.]+", text)), default=0)
    details = [problem.detail for problem in found.unresolved]
    assert all(len(detail) <= MAX_DETAIL + 4 * longest for detail in details)
    words = len(re.findall(r"\w+|[^\w\s]", text)) + 1
    assert len(places) <= PER_WORD * words
    assert all(len(view.reads) <= PER_WORD * words for view in found.views)


relaxed = settings(
    max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, str]:
    """The text of a case after a few words were lost, doubled, swapped or put in."""
    dialect, text = draw(st.sampled_from(CASES))
    words = re.findall(r"\w+|\s+|[^\w\s]", text)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(words) - 1)))
        other = draw(st.integers(0, max(0, len(words) - 1)))
        match draw(st.sampled_from(["cut", "lose", "double", "swap", "put", "nest"])):
            case "cut":
                words = words[:at]
            case "lose":
                words = words[:at] + words[at + draw(st.integers(1, 4)) :]
            case "double":
                words = words[:at] + words[at : at + 3] * draw(st.integers(2, 5)) + words[at:]
            case "swap" if words:
                words[at], words[other] = words[other], words[at]
            case "nest":
                depth = draw(st.integers(1, 40))
                words = [*words[:at], "(" * depth, *words[at:other], ")" * depth, *words[other:]]
            case _:
                words.insert(at, draw(PIECES))
    other_dialect = draw(st.sampled_from(DIALECTS))
    return "".join(words), draw(st.sampled_from([dialect, dialect, other_dialect]))


@given(damaged())
@relaxed
def test_damaged_cases(case: tuple[str, str]) -> None:
    text, dialect = case
    check(text, dialect)


@given(st.sampled_from(CASES), st.sampled_from(DIALECTS))
@relaxed
def test_cases_in_other_dialects(case: tuple[str, str], dialect: str) -> None:
    check(case[1], dialect)


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=60), st.sampled_from(DIALECTS))
@relaxed
def test_pieces_of_sql(pieces: list[str], dialect: str) -> None:
    check("".join(pieces), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_long_lists_and_deep_nesting(dialect: str) -> None:
    many = 4_000  # subqueries in each other end the process, if a parser meets them
    items = ", ".join(str(number) for number in range(many))
    check(f"INSERT INTO a SELECT * FROM b WHERE x IN ({items})", dialect)
    check("SELECT * FROM " + "(SELECT * FROM " * 3 * many + "a" + ") t" * 3 * many, dialect)
    check("SELECT * FROM " + "a JOIN (" * 3 * many + "b" + ")" * 3 * many, dialect)
    check("BEGIN IF x THEN " * 600 + "DELETE FROM a;", dialect)
    check("SELECT " + "CASE WHEN x THEN " * many + "1" + " END" * many + " FROM a", dialect)
    common = ", ".join(f"c{number} AS (SELECT 1)" for number in range(200))
    check(f"WITH {common} SELECT 1", dialect)

"""Limits of a text, what is not understood, and views over temporary tables."""

import pytest

from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Access, Extraction, UnresolvedReason


def touched(found: Extraction, access: Access) -> list[str]:
    return [str(touch.dataset) for touch in found.touches if touch.access is access]


def test_view_over_a_temporary_table_reads_what_that_is_built_from() -> None:
    sql = "CREATE TEMP TABLE t AS SELECT * FROM a; CREATE VIEW v AS SELECT * FROM t, b"
    (view,) = extract_sql(sql, SqlContext(), "q.sql").views
    assert [str(dataset) for dataset in view.reads] == ["a", "b"]


def test_rows_put_into_a_temporary_table_later_count_for_a_view_over_it() -> None:
    sql = "CREATE TEMP TABLE t (x INT); INSERT INTO t SELECT * FROM a;"
    sql += "CREATE VIEW v AS SELECT * FROM t"
    (view,) = extract_sql(sql, SqlContext(), "q.sql").views
    assert [str(dataset) for dataset in view.reads] == ["a"]


def test_broken_statement_is_named_and_the_others_count() -> None:
    sql = "INSERT INTO a SELECT * FROM b;\n\nSELECT FROM WHERE (;\nINSERT INTO c SELECT * FROM d;"
    found = extract_sql(sql, SqlContext("postgres"), "etl/q.sql")
    assert touched(found, Access.READ) == ["b", "d"]
    assert touched(found, Access.WRITE) == ["a", "c"]
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.SYNTAX
    assert problem.subject == "etl/q.sql"
    assert problem.place == "etl/q.sql:3"
    assert "SELECT FROM WHERE (" in problem.detail


def test_statement_of_another_dialect_is_still_read() -> None:
    found = extract_sql('SELECT * FROM "s"."t"', SqlContext("bigquery"), "q.sql")
    assert touched(found, Access.READ) == ["s.t"]


def test_open_string_is_reported() -> None:
    found = extract_sql("SELECT 'abc FROM a", SqlContext("postgres"), "q.sql")
    assert found.touches == ()
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.SYNTAX
    assert "statements" in problem.detail


def test_text_over_the_limit_is_refused_with_both_sizes() -> None:
    found = extract_sql("SELECT '" + "é" * 500_000 + "' FROM a", SqlContext(), "q.sql")
    assert found.touches == ()
    (problem,) = found.unresolved
    assert problem.reason is UnresolvedReason.TOO_LARGE
    assert "1000016" in problem.detail
    assert "1000000" in problem.detail


def test_deep_nesting_is_reported() -> None:
    sql = "SELECT 1 FROM a;\nSELECT " + "(" * 3000 + "1" + ")" * 3000 + ";\nSELECT 1 FROM b"
    found = extract_sql(sql, SqlContext(), "q.sql")
    assert touched(found, Access.READ) == ["a", "b"]
    (problem,) = found.unresolved
    assert problem.place == "q.sql:2"
    assert "nested too deeply" in problem.detail


def test_endless_blocks_are_reported() -> None:
    (problem,) = extract_sql("BEGIN " * 5000, SqlContext("postgres"), "q.sql").unresolved
    assert problem.reason is UnresolvedReason.SYNTAX


def test_long_unions_are_no_deep_nesting() -> None:
    sql = " UNION ALL ".join(f"SELECT * FROM t{number}" for number in range(2000))
    found = extract_sql(sql, SqlContext(), "q.sql")
    assert len(found.touches) == 2000
    assert found.unresolved == ()


def test_unknown_dialect_is_reported() -> None:
    (problem,) = extract_sql("SELECT 1 FROM a", SqlContext("postgress"), "q.sql").unresolved
    assert "postgress" in problem.detail
    assert "postgres," in problem.detail


def test_nothing_is_written_to_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    extract_sql("CREATE FOO bar; ALTER TABLE a FOO; SHOW x y z", SqlContext("postgres"), "q.sql")
    captured = capsys.readouterr()
    assert (captured.out, captured.err, caplog.records) == ("", "", [])


def test_parameters_and_place_do_not_leak_between_equal_texts() -> None:
    sql = "SELECT * FROM ${t}"
    one = extract_sql(sql, SqlContext(parameters={"t": "a"}), "one.sql")
    two = extract_sql(sql, SqlContext(parameters={"t": "b"}), "two.sql")
    assert [(str(t.dataset), t.place) for t in (*one.touches, *two.touches)] == [
        ("a", "one.sql:1"),
        ("b", "two.sql:1"),
    ]


@pytest.mark.parametrize("dialect", ["tsql", "mysql", "hive", "spark", "oracle", "clickhouse"])
def test_byte_order_marks_and_line_ends_of_windows_change_nothing(dialect: str) -> None:
    sql = "\ufeffINSERT INTO a\r\nSELECT * FROM b;\r\n-- c;\r\nINSERT INTO d SELECT * FROM e;\r\n"
    found = extract_sql(sql, SqlContext(dialect), "q.sql")
    assert [(str(t.dataset), t.place) for t in found.touches] == [
        ("a", "q.sql:1"),
        ("b", "q.sql:2"),
        ("d", "q.sql:4"),
        ("e", "q.sql:4"),
    ]
    assert found.unresolved == ()


def test_commands_of_a_tool_with_line_ends_of_windows() -> None:
    sql = (
        "\ufeffSET DEFINE ON\r\nDEFINE own = lake\r\nINSERT INTO &own..a SELECT * FROM b;\r\n/\r\n"
    )
    found = extract_sql(sql, SqlContext("oracle"), "q.sql")
    assert [str(t.dataset) for t in found.touches] == ["lake.a", "b"]
    sql = ":setvar db lake\r\nINSERT INTO $(db).dbo.a SELECT * FROM b\r\nGO\r\n"
    found = extract_sql(sql, SqlContext("tsql"), "q.sql")
    assert [str(t.dataset) for t in found.touches] == ["lake.dbo.a", "b"]

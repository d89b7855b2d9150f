"""What counts as a read and a write where tools differ: every switch, and no switch without it."""

import pytest

from swarm.config import Counted, Settings
from swarm.connectors.contexts import code_context, sql_context
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import Convention, SqlContext
from swarm.model.lineage import Access

SCRIPT = "CREATE TABLE t AS SELECT * FROM a; INSERT INTO b SELECT * FROM t; DROP TABLE t"

# the switch, a text, (reads, writes) without it, (reads, writes) with it
SWITCHES = [
    ("schema_changes_write", "DROP TABLE a", ("", ""), ("", "a")),
    ("schema_changes_write", "ALTER TABLE a ADD COLUMN x INT", ("", ""), ("", "a")),
    ("schema_changes_write", "DROP TABLE IF EXISTS a; CREATE TABLE b AS SELECT * FROM c",
     ("c", "b"), ("c", "a b")),
    ("schema_changes_write", SCRIPT, ("a", "b"), ("a", "b")),
    ("schema_changes_write", "CREATE TEMP TABLE t (x INT); DROP TABLE t", ("", ""), ("", "")),
    ("intermediate_tables", SCRIPT, ("a", "b"), ("a t", "b t")),
    ("intermediate_tables", "CREATE TEMP TABLE t AS SELECT * FROM a; INSERT INTO b SELECT * FROM t",
     ("a", "b"), ("a t", "b t")),
    ("intermediate_tables", "CREATE TABLE t AS SELECT * FROM a; ALTER TABLE t RENAME TO b",
     ("a", "b"), ("a t", "b t")),
    ("views_read", "CREATE VIEW v AS SELECT * FROM a", ("", "v"), ("a", "v")),
    ("views_read", "CREATE VIEW v AS SELECT * FROM 's3://bkt/x.csv'", ("", "v"), ("", "v")),
    ("deletes_write", "DELETE FROM a WHERE x IN (SELECT x FROM b)", ("b", ""), ("b", "a")),
    ("deletes_write", "TRUNCATE TABLE a; UPDATE c SET x = 1", ("", "c"), ("", "a c")),
]  # fmt: skip


@pytest.mark.parametrize(("switch", "sql", "without", "with_it"), SWITCHES)
def test_each_switch_moves_what_it_says(
    switch: str, sql: str, without: tuple[str, str], with_it: tuple[str, str]
) -> None:
    for is_on, expected in ((False, without), (True, with_it)):
        context = SqlContext("duckdb", convention=Convention(**{switch: is_on}))
        found = extract_sql(sql, context, "q.sql")
        touched = {
            access: sorted(t.dataset.name for t in found.touches if t.access is access)
            for access in Access
        }
        assert touched[Access.READ] == expected[0].split()
        assert touched[Access.WRITE] == expected[1].split()


def test_answers_of_one_convention_are_not_those_of_another() -> None:
    counts = SqlContext("postgres", convention=Convention(schema_changes_write=True))
    first = extract_sql("DROP TABLE once", SqlContext("postgres"), "q.sql")
    second = extract_sql("DROP TABLE once", counts, "q.sql")
    assert (len(first.touches), len(second.touches)) == (0, 1)


def test_the_settings_reach_every_context() -> None:
    settings = Settings(
        lineage=Counted(views_read=True), connections={"lake": {"dialect": "postgres"}}
    )
    expected = Convention(views_read=True)
    assert sql_context(settings).convention == expected
    assert sql_context(settings, "lake").convention == expected
    default = sql_context(settings)
    assert code_context(settings, default).connections["lake"].convention == expected
    assert sql_context(Settings()).convention == Convention()

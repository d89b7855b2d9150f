"""What comes with each table found: its name in full, its line, an excerpt."""

from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Access, Extraction


def touched(found: Extraction, access: Access) -> list[str]:
    return [str(touch.dataset) for touch in found.touches if touch.access is access]


def test_quoted_names_may_hold_anything() -> None:
    found = extract_sql('SELECT * FROM "My Schema"."Order Items; x"', SqlContext(), "q.sql")
    assert touched(found, Access.READ) == ["my schema.order items; x"]


def test_short_names_are_completed_and_long_ones_are_not() -> None:
    context = SqlContext("postgres", "postgres://h:5432", "lake", "public")
    found = extract_sql("INSERT INTO a SELECT * FROM s.b, c.s.d", context, "q.sql")
    assert [str(touch.dataset) for touch in found.touches] == [
        "postgres://h:5432/lake.public.a",
        "postgres://h:5432/lake.s.b",
        "postgres://h:5432/c.s.d",
    ]


def test_each_touch_shows_its_line() -> None:
    sql = "\n-- first\nINSERT INTO a\nSELECT x\nFROM b;\n\nSELECT *\n  FROM c, b"
    found = extract_sql(sql, SqlContext(), "etl/q.sql")
    shown = [(str(t.dataset), t.place, t.excerpt) for t in found.touches]
    assert shown == [
        ("a", "etl/q.sql:3", "INSERT INTO a"),
        ("b", "etl/q.sql:5", "FROM b;"),
        ("c", "etl/q.sql:8", "FROM c, b"),
    ]


def test_excerpts_are_short() -> None:
    found = extract_sql("SELECT " + "x, " * 200 + "y FROM a", SqlContext(), "q.sql")
    assert len(found.touches[0].excerpt) == 160

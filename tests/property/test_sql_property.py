"""Whatever the text: no exception, the same answer twice, and places inside of the text."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext

DIALECTS = ["", "bigquery", "snowflake", "tsql", "postgres", "mysql", "hive", "duckdb", "oracle"]
SCRIPTS = [
    "WITH a AS (SELECT * FROM b) INSERT INTO t SELECT * FROM a WHERE x = '{{ ds }}';",
    "BEGIN IF x THEN UPDATE t SET a = 1 FROM b; ELSE DELETE FROM c; END IF; END;",
    "CREATE TEMP TABLE t AS SELECT 1; ALTER TABLE t RENAME TO u; DROP TABLE u;",
    "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN UPDATE SET y = 1;",
    "{% for x in ['a'] %}SELECT * FROM {{ x }}{% if y %} LIMIT 1{% endif %}{% endfor %}",
    "COPY INTO @s/x FROM (SELECT * FROM t); UNLOAD ('SELECT 1') TO 's3://b/k';",
    "EXECUTE IMMEDIATE 'SELECT 1'; CALL p(); DO $$ BEGIN SELECT 1; END $$;",
    "CREATE PROCEDURE p() BEGIN SELECT 1; END; USE x.y; RENAME TABLE a TO b;",
]
WORDS = st.sampled_from(
    """SELECT FROM INSERT INTO UPDATE SET DELETE MERGE USING WITH AS CREATE TABLE VIEW DROP ALTER
    BEGIN END IF THEN ELSE WHILE LOOP FOR IN DO DECLARE CALL EXECUTE IMMEDIATE COPY UNLOAD TO
    RENAME SWAP EXCHANGE TABLES AND USE SCHEMA REPLACE LOAD DATA TRUNCATE a b.c `d.e.f` [g] 'h'
    1 ( ) , ; . * = := :x @y #z ${w} {{v}} {%if(u)%} {%endif%} $$ -- /* */ << >> :
    CASE WHEN VALUES UNION ALL PROCEDURE EXEC TRANSACTION REFRESH MATERIALIZED DIRECTORY""".split()  # noqa: SIM905
)


def check(text: str, dialect: str) -> None:
    context = SqlContext(dialect, "ns", "cat", "sch", {"v": "x", "w": "y"})
    found = extract_sql(text, context, "q")
    # Another namespace is another entry of the cache: the second answer is worked out again.
    again = extract_sql(text + " ", context, "q")
    assert extract_sql(text, context, "q") == found
    assert [t.dataset for t in again.touches] == [t.dataset for t in found.touches]
    last = len(text.splitlines()) + 1
    places = [touch.place for touch in found.touches] + [view.place for view in found.views]
    for place in places + [problem.place for problem in found.unresolved]:
        name, _, line = place.partition(":")
        assert name == "q"
        assert 0 <= int(line or 0) <= last


relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@given(text=st.text(max_size=300), dialect=st.sampled_from(DIALECTS))
@relaxed
def test_any_text(text: str, dialect: str) -> None:
    check(text, dialect)


@given(words=st.lists(WORDS, max_size=40), dialect=st.sampled_from(DIALECTS))
@relaxed
def test_any_words(words: list[str], dialect: str) -> None:
    check(" ".join(words), dialect)


@given(data=st.data(), script=st.sampled_from(SCRIPTS), dialect=st.sampled_from(DIALECTS))
@relaxed
def test_mutated_sql(data: st.DataObject, script: str, dialect: str) -> None:
    text = script
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        until = data.draw(st.integers(at, min(len(text), at + 12)))
        text = text[:at] + data.draw(st.sampled_from(["", "(", ")", "'", ";", "\n"])) + text[until:]
    check(text, dialect)

"""Makes the tokens of a statement familiar to the parser before it sees them.

Dialects have clauses that the parser does not know and that say nothing about which tables are
read or written: they are cut out. Words are changed to words that mean the same. What a cut
clause does write (`OUTPUT INTO audit`, `INTO OUTFILE`) is noted as an effect.
"""

from collections.abc import Callable
from itertools import pairwise

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.clauses import (
    all_columns,
    cluster,
    copied_rows,
    copy_options,
    deleted_using,
    error_log,
    given_name,
    given_table,
    if_not_there,
    into_file,
    into_variables,
    merge_deletes,
    modifiers,
    numbered,
    overwritten_directory,
    provider,
    replaced_rows,
    schema_evolution,
    source_of_clone,
    storage,
    time_travel,
    totals,
    transforming,
)
from swarm.lineage.sql.clauses_query import (
    from_template,
    modelled,
    on_conflict,
    piped,
    sampled,
)
from swarm.lineage.sql.clauses_rare import (
    descendants,
    graph,
    only,
    own_function,
    partitions,
    removed_duplicates,
    replica,
    searched,
    typed,
    view_options,
)
from swarm.lineage.sql.clauses_tsql import (
    cloned,
    cursor_row,
    output,
    second_from,
    table_words,
    target_hints,
    top,
)
from swarm.lineage.sql.draft import Draft
from swarm.lineage.sql.effects import Effect
from swarm.lineage.sql.inline_views import changed_view
from swarm.lineage.sql.made import made_by_query, options_of_view, refreshed_by_query, view_checks
from swarm.lineage.sql.tokens import Statement

_UNKNOWN_KINDS = frozenset(
    {
        ("DEEP", "CLONE"),
        ("SHALLOW", "CLONE"),
        ("SNAPSHOT", "TABLE"),
        ("LIVE", "TABLE"),
        ("HYBRID", "TABLE"),
        ("PRIVATE", "TEMPORARY"),
        ("LOCAL", "TEMPORARY"),
        ("LOCAL", "TEMP"),
    }
)
_TSQL = frozenset({"tsql", "fabric"})
_MYSQL = frozenset({"mysql", "doris", "starrocks", "singlestore"})
_SPARK = frozenset({"spark", "spark2", "databricks", "hive"})
_ORACLE = frozenset({"oracle"})
_POSTGRES = frozenset({"postgres", "redshift"})
_TRINO = frozenset({"trino", "presto", "athena"})
_BIGQUERY = frozenset({"bigquery"})
_SNOWFLAKE = frozenset({"snowflake"})
_CLICKHOUSE = frozenset({"clickhouse"})
_CONFLICTS = frozenset({"", "duckdb", "sqlite"})

# The dialects of a rule, the word without which it does not apply, the rule.
_RULES: tuple[tuple[frozenset[str], str, Callable[[Draft], None]], ...] = (
    (_BIGQUERY | _SPARK, "|>", piped),
    (_SPARK, "TABLESAMPLE", sampled),
    (_ORACLE, "MODEL", modelled),
    (_SNOWFLAKE, "TEMPLATE", from_template),
    (_POSTGRES | _CONFLICTS, "CONFLICT", on_conflict),
    (_TSQL, "TOP", top),
    (_TSQL, "OUTPUT", output),
    (_TSQL, "DELETE", second_from),
    (_TSQL, "OPENROWSET", table_words),
    (_TSQL, "OPENDATASOURCE", table_words),
    (_TSQL, "INSERT", target_hints),
    (_TSQL, "CLONE", cloned),
    (_TSQL | _ORACLE | _POSTGRES, "CURRENT", cursor_row),
    (_MYSQL, "DELETE", all_columns),
    (_TSQL, "CHANGETABLE", table_words),
    (_TSQL, "AS", made_by_query),
    (_ORACLE, "CREATE", made_by_query),
    (_CLICKHOUSE | _SPARK, "AS", refreshed_by_query),
    (_MYSQL, "LOW_PRIORITY", modifiers),
    (_MYSQL, "QUICK", modifiers),
    (_MYSQL, "DELAYED", modifiers),
    (_MYSQL, "IGNORE", modifiers),
    (_MYSQL, "HIGH_PRIORITY", modifiers),
    (_MYSQL, "USING", deleted_using),
    (_MYSQL | _CLICKHOUSE, "OUTFILE", into_file),
    (_MYSQL, "DUMPFILE", into_file),
    (_MYSQL, "INTO", into_variables),
    (_MYSQL, "VIEW", options_of_view),
    (_MYSQL | _TSQL | _ORACLE | _POSTGRES, "OPTION", view_checks),
    (_ORACLE, "READ", view_checks),
    (_ORACLE, ":", numbered),
    (_ORACLE, "SELECT", changed_view),
    (_ORACLE, "STORAGE", storage),
    (_ORACLE, "LOG", error_log),
    (_ORACLE, "MERGE", merge_deletes),
    (_ORACLE | _SPARK, "OF", time_travel),
    (_ORACLE, "VERSIONS", time_travel),
    (_SPARK, "DIRECTORY", overwritten_directory),
    (_SPARK, "EVOLUTION", schema_evolution),
    (_SPARK, "PARTITION", if_not_there),
    (_SPARK, "REPLACE", replaced_rows),
    (_SPARK, "COPY", copy_options),
    (_SPARK, "IDENTIFIER", given_name),
    (_SPARK, "USING", provider),
    (_SPARK, "MAP", transforming),
    (_SPARK, "REDUCE", transforming),
    (_BIGQUERY | _SPARK, "TABLE", given_table),
    (_BIGQUERY, "MODEL", given_table),
    (_BIGQUERY | _SNOWFLAKE, "CLONE", source_of_clone),
    (_POSTGRES, "COPY", copied_rows),
    (_POSTGRES, "ONLY", only),
    (_POSTGRES, "*", descendants),
    (_POSTGRES, "SEARCH", searched),
    (_POSTGRES, "CYCLE", searched),
    (_POSTGRES, "VIEW", view_options),
    (_POSTGRES, "OF", typed),
    (_POSTGRES, "REMOVE", removed_duplicates),
    (_POSTGRES | _BIGQUERY, "GRAPH_TABLE", graph),
    (_BIGQUERY, "PARTITION", partitions),
    (_BIGQUERY, "PARTITIONS", partitions),
    (_BIGQUERY, "REPLICA", replica),
    (_TRINO, "VIEW", refreshed_by_query),
    (_TRINO, "USING", own_function),
    (_CLICKHOUSE, "CLUSTER", cluster),
    (_CLICKHOUSE, "SYNC", cluster),
    (_CLICKHOUSE, "TOTALS", totals),
)


def familiar(statement: Statement, dialect: str) -> tuple[list[Token], list[Effect]]:
    """The tokens to parse, and the effects of what was cut out of them."""
    draft = Draft(list(statement.tokens))
    first = statement.word(0)
    if first == "REPLACE" and not statement.is_condition:
        _replace(draft)
    if first == "ALTER" and "VIEW" in (statement.word(1), statement.word(2)):
        draft.put(0, TokenType.CREATE, "CREATE")  # ALTER VIEW v AS query
    if draft.word(0) == "CREATE":
        _create(draft)
    if draft.is_at(0, "DROP", "SNAPSHOT"):
        draft.cut(1, 2)
    words = {draft.word(index) for index in range(len(draft.tokens))}
    for dialects, trigger, rule in _RULES:
        if trigger in words and dialect in dialects:
            rule(draft)
    return draft.tokens, draft.effects


def _replace(draft: Draft) -> None:
    if draft.word(1) in ("TABLE", "VIEW"):  # Spark: REPLACE TABLE t AS query
        draft.put(0, TokenType.CREATE, "CREATE")
    else:
        draft.put(0, TokenType.INSERT, "INSERT")


def _create(draft: Draft) -> None:
    words = [draft.word(index) for index in range(len(draft.tokens))]
    kinds = [pair in _UNKNOWN_KINDS for pair in pairwise(words)]
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index]:
            draft.cut(index, index + 1)
    for index in draft.places("ON", "COMMIT"):  # ON COMMIT DROP, ON COMMIT DELETE ROWS
        is_short = draft.word(index + 2) == "DROP" and draft.word(index + 3) != "DEFINITION"
        draft.cut(index, index + (3 if is_short else 4))

"""Clauses of PostgreSQL, Redshift, BigQuery and Athena that the parser does not know, each made
familiar by one rule. What they say is not about which tables are read or written."""

from sqlglot.tokens import TokenType

from swarm.lineage.sql.draft import Draft
from swarm.lineage.sql.made import refreshed_by_query

_SOURCES = frozenset({"FROM", "JOIN", "UPDATE", "USING", ","})
_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_VALUES = _NAMES | {TokenType.NUMBER, TokenType.STRING, TokenType.L_PAREN}  # EXTRACT(x FROM a * b)
_BEHIND_SEARCH = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", ","})


def only(draft: Draft) -> None:
    """PostgreSQL: `FROM ONLY a`, `JOIN ONLY (a)`: rows of tables that inherit are left out."""
    for index in draft.places("ONLY"):
        before = draft.word(index - 1) or draft.tokens[index - 1].text
        if before in _SOURCES and index + 1 < len(draft.tokens):
            end = draft.behind_group(index + 1)
            if end > index + 1:
                draft.cut(end - 1, end)
                draft.cut(index + 1, index + 2)
            draft.cut(index, index + 1)


def descendants(draft: Draft) -> None:
    """PostgreSQL: `FROM a *`: with the rows of tables that inherit, as without the star."""
    for index in draft.places("*"):
        start = index - 1
        while start > 1 and draft.tokens[start - 1].token_type == TokenType.DOT:
            start -= 2
        following = draft.tokens[index + 1].token_type if index + 1 < len(draft.tokens) else None
        is_table = draft.word(start - 1) in ("FROM", "JOIN") and following not in _VALUES
        if is_table and draft.tokens[index - 1].token_type in _NAMES:
            draft.cut(index, index + 1)


def searched(draft: Draft) -> None:
    """`WITH RECURSIVE t AS (...) SEARCH DEPTH FIRST BY x SET o`, `CYCLE x SET c USING p`."""
    for word in ("SEARCH", "CYCLE"):
        for index in draft.places(word):
            if index and draft.tokens[index - 1].token_type == TokenType.R_PAREN:
                end = draft.next_of(frozenset({"SET"}), index)
                draft.cut(index, draft.next_of(_BEHIND_SEARCH, end))


def view_options(draft: Draft) -> None:
    """PostgreSQL: RECURSIVE, `WITH (security_barrier)`, options of materialised views; one `WITH
    NO DATA` is filled later."""
    head = [draft.word(index) for index in range(8)]
    if head[0] != "CREATE" or "VIEW" not in head:
        return
    for index in draft.places("WITH", "NO", "DATA"):
        draft.cut(index, index + 3)
        if "MATERIALIZED" in head:
            draft.cut(head.index("MATERIALIZED"), head.index("MATERIALIZED") + 1)
            _cut_options(draft)
            return
    for index in draft.places("WITH", "DATA"):
        draft.cut(index, index + 2)
    if "RECURSIVE" in head[: head.index("VIEW")]:
        draft.cut(head.index("RECURSIVE"), head.index("RECURSIVE") + 1)
    if "MATERIALIZED" in head:
        refreshed_by_query(draft)
    else:
        _cut_options(draft)


def _cut_options(draft: Draft) -> None:
    """What stands between the name of a view, its columns, and AS."""
    name = draft.next_of(frozenset({"VIEW"}), 0) + 1
    while draft.word(name) in ("IF", "NOT", "EXISTS"):
        name += 1
    start = draft.behind_group(draft.behind_name(name))
    draft.cut(start, draft.next_of(frozenset({"AS"}), start))


def typed(draft: Draft) -> None:
    """PostgreSQL: `CREATE TABLE a OF type`."""
    for index in draft.places("OF"):
        if draft.word(0) == "CREATE" and draft.word(index - 2) in ("TABLE", "EXISTS"):
            draft.cut(index, draft.behind_name(index + 1))


def removed_duplicates(draft: Draft) -> None:
    """Redshift: `MERGE ... REMOVE DUPLICATES` replaces the rows that match."""
    for index in draft.places("REMOVE", "DUPLICATES"):
        draft.cut(index, index + 2)
        kinds = (TokenType.WHEN, TokenType.VAR, TokenType.THEN, TokenType.DELETE)
        words = ("WHEN", "MATCHED", "THEN", "DELETE")
        for offset, (kind, word) in enumerate(zip(kinds, words, strict=True)):
            draft.insert(index + offset, kind, word)


def partitions(draft: Draft) -> None:
    """BigQuery: `WITH PARTITION COLUMNS (...)`, `LOAD DATA OVERWRITE t PARTITIONS (...)`."""
    for index in draft.places("WITH", "PARTITION", "COLUMNS"):
        draft.cut(index, draft.behind_group(index + 3))
    for index in draft.places("PARTITIONS"):
        if draft.word(0) == "LOAD":
            draft.cut(index, draft.behind_group(index + 1))


def replica(draft: Draft) -> None:
    """BigQuery: `CREATE MATERIALIZED VIEW a AS REPLICA OF b`."""
    for index in draft.places("AS", "REPLICA", "OF"):
        draft.put(index + 1, TokenType.SELECT, "SELECT")
        draft.put(index + 2, TokenType.FROM, "FROM")
        draft.insert(index + 2, TokenType.STAR, "*")


def graph(draft: Draft) -> None:
    """`GRAPH_TABLE(g MATCH ... COLUMNS (...))` reads the property graph `g`."""
    for index in draft.places("GRAPH_TABLE"):
        end = draft.behind_group(index + 1)
        behind = draft.behind_name(index + 2)
        if end > index + 2 and draft.word(behind) == "MATCH":
            draft.cut(behind, end)
            draft.cut(index, index + 2)


def own_function(draft: Draft) -> None:
    """Athena: `USING EXTERNAL FUNCTION f(x VARCHAR) RETURNS VARCHAR LAMBDA 'l' SELECT ...`."""
    if draft.is_at(0, "USING", "EXTERNAL", "FUNCTION"):
        draft.cut(0, draft.next_of(frozenset({"SELECT", "WITH"}), 0))

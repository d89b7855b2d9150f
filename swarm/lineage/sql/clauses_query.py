"""Clauses of a query that the parser does not know or misreads, each made familiar by one rule."""

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.draft import Draft

_MODEL_STARTS = frozenset(
    {"RETURN", "IGNORE", "KEEP", "UNIQUE", "PARTITION", "DIMENSION", "REFERENCE", "MAIN"}
)
_OF_COLUMNS = frozenset({"SET", "DROP", "RENAME", "DISTINCT", "ASSERT", "WINDOW", "CALL"})
_BEHIND_MODEL = frozenset({"ORDER", "UNION", "INTERSECT", "MINUS", "EXCEPT", "FETCH", "OFFSET"})
_ENDS_OF_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "WINDOW", "FOR", "VALUES"}
)


def piped(draft: Draft) -> None:
    """BigQuery: what a pipe does to columns: `|> SET x = 1`, `|> DROP y`, `|> ASSERT x > 0`.

    It is left out, but for a query or a table function in it, which becomes a condition.
    """
    for index in range(len(draft.tokens) - 1, -1, -1):
        if draft.tokens[index].token_type != TokenType.PIPE_GT:
            continue
        if draft.word(index + 1) not in _OF_COLUMNS:
            continue
        end = _next_pipe(draft, index + 1)
        words = {draft.word(at) for at in range(index, end)}
        if not words & {"SELECT", "FROM", "CALL"}:
            draft.cut(index, end)
            continue
        draft.put(index + 1, TokenType.WHERE, "WHERE")
        depth = 0
        for at in range(index + 2, end):
            kind = draft.tokens[at].token_type
            depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
            if kind == TokenType.COMMA and not depth:
                draft.put(at, TokenType.AND, "AND")


def _next_pipe(draft: Draft, index: int) -> int:
    depth = 0
    for at in range(index, len(draft.tokens)):
        kind = draft.tokens[at].token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if depth < 0 or (depth == 0 and kind == TokenType.PIPE_GT):
            return at
    return len(draft.tokens)


def sampled(draft: Draft) -> None:
    """Hive: `FROM t TABLESAMPLE(BUCKET 1 OUT OF 4 ON a, b)` is part of `t`."""
    for index in draft.places("TABLESAMPLE", "("):
        draft.cut(index, draft.behind_group(index + 1))


def modelled(draft: Draft) -> None:
    """Oracle: `MODEL ... MEASURES (...) RULES (...)` computes rows; `REFERENCE r ON (query)` in it
    reads."""
    for index in draft.places("MODEL"):
        if draft.word(index + 1) not in _MODEL_STARTS:
            continue
        end = draft.next_of(_BEHIND_MODEL, index + 1)
        clause = draft.tokens[index:end]
        queries: list[Token] = []
        for place in range(index, end):
            if draft.word(place) == "REFERENCE" and draft.word(place + 2) == "ON":
                union = (TokenType.UNION, "UNION"), (TokenType.ALL, "ALL")
                near = draft.tokens[place]
                queries += [
                    Token(kind, text, near.line, near.col, near.start, near.end)
                    for kind, text in union
                ]
                queries += draft.tokens[place + 3 : draft.behind_group(place + 3)]
        if any(token.text.upper() == "MEASURES" for token in clause):
            draft.tokens[index:end] = queries


def from_template(draft: Draft) -> None:
    """Snowflake: `CREATE TABLE t USING TEMPLATE (query)`: the query gives the columns."""
    for index in draft.places("USING", "TEMPLATE", "("):
        if draft.word(0) == "CREATE":
            draft.cut(index + 1, index + 2)
            draft.put(index, TokenType.ALIAS, "AS")


def on_conflict(draft: Draft) -> None:
    """`INSERT ... SELECT ... CROSS JOIN b ON CONFLICT ...`: the ON is none of the join's."""
    for index in draft.places("ON", "CONFLICT"):
        start = next((at for at in range(index) if draft.word(at) == "SELECT"), index)
        source = draft.next_of(frozenset({"FROM"}), start)
        is_bare = source < index < draft.next_of(_ENDS_OF_FROM, source)
        if draft.word(0) in ("INSERT", "WITH") and is_bare:
            draft.insert(index, TokenType.TRUE, "TRUE")
            draft.insert(index, TokenType.WHERE, "WHERE")

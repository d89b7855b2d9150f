"""Clauses of T-SQL that the parser does not know, each cut out by one rule."""

from sqlglot.tokens import TokenType

from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.effects import Accessed
from swarm.lineage.sql.tokens import CHANGES
from swarm.model.lineage import Access

_AFTER_OUTPUT = frozenset({"FROM", "WHERE", "VALUES", "SELECT", "WITH", "EXEC", "EXECUTE"}) | {
    "DEFAULT",
    "OPTION",
    "INTO",
    "OUTPUT",
}
_TABLE_WORDS = frozenset({"BULK", "CHANGES", "VERSION"})


def top(draft: Draft) -> None:
    """T-SQL: `INSERT TOP (5) INTO`, `DELETE TOP (10) PERCENT FROM`."""
    for index in draft.places("TOP"):
        if draft.word(index - 1) in CHANGES:
            end = draft.behind_group(index + 1)
            draft.cut(index, end + (draft.word(end) == "PERCENT"))


def output(draft: Draft) -> None:
    """T-SQL: `OUTPUT inserted.x INTO audit (x)`, which writes `audit`."""
    if draft.word(0) not in CHANGES | {"WITH"}:
        return
    for index in draft.places("OUTPUT"):
        end = draft.next_of(_AFTER_OUTPUT, index + 1)
        if draft.word(end) == "INTO":
            name, behind = named(draft, end + 1)
            if name is not None:
                draft.effects.append(Accessed(Access.WRITE, name))
            end = draft.behind_group(behind)
        draft.cut(index, end)


def second_from(draft: Draft) -> None:
    """T-SQL: `DELETE FROM alias FROM table AS alias` is `DELETE alias FROM ...`."""
    for index in draft.places("DELETE", "FROM"):
        following = draft.behind_name(index + 2)
        if draft.word(following) == "FROM":
            draft.cut(index + 1, index + 2)


def table_words(draft: Draft) -> None:
    """T-SQL: a word in front of what a function is about: `OPENROWSET(BULK 'path', ...)`.

    Without BULK it is a query on another server; `OPENDATASOURCE(...).db.dbo.t` is a table there.
    """
    for index in draft.places("OPENROWSET", "("):
        if draft.word(index + 2) != "BULK":
            draft.put(index, TokenType.VAR, "OPENDATASOURCE")
    for index in draft.places("OPENDATASOURCE", "("):
        end = draft.behind_group(index + 1)
        if draft.word(end) == ".":
            draft.cut(end, draft.behind_name(end + 1))
    for index in range(len(draft.tokens) - 1, 0, -1):
        opens = draft.tokens[index - 1].token_type == TokenType.L_PAREN
        if opens and draft.word(index) in _TABLE_WORDS:
            draft.cut(index, index + 1)


def target_hints(draft: Draft) -> None:
    """T-SQL: `INSERT INTO t WITH (TABLOCK) (x)`."""
    if draft.word(0) not in ("INSERT", "WITH"):
        return
    for index in draft.places("INSERT"):
        end = draft.behind_name(index + 1 + (draft.word(index + 1) == "INTO"))
        if draft.is_at(end, "WITH", "("):
            draft.cut(end, draft.behind_group(end + 1))


def cloned(draft: Draft) -> None:
    """Fabric: `CREATE TABLE t AS CLONE OF s`."""
    for index in draft.places("AS", "CLONE", "OF"):
        draft.cut(index + 2, index + 3)
        draft.cut(index, index + 1)


def cursor_row(draft: Draft) -> None:
    """`WHERE CURRENT OF c` names a cursor."""
    for index in draft.places("CURRENT", "OF"):
        if draft.word(index - 1) == "WHERE":
            draft.cut(index - 1, draft.behind_name(index + 2))

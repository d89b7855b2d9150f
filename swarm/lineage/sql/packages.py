"""The procedures and functions in a package body of Oracle, each kept under its full name."""

from collections.abc import Iterator

from sqlglot.tokens import TokenType

from swarm.lineage.sql.dynamic import kept_text
from swarm.lineage.sql.effects import Kept
from swarm.lineage.sql.names import name_at
from swarm.lineage.sql.scripting import LOOP_ENDS
from swarm.lineage.sql.tokens import Statement, Tokens, word_of

_ROUTINES = frozenset({"PROCEDURE", "FUNCTION"})
_BLOCKS = frozenset({"BEGIN", "CASE"})


def package_routines(statement: Statement, sql: str) -> list[Kept]:
    """What `CREATE PACKAGE BODY p AS PROCEDURE q IS ... END q; ... END p` keeps as `p.q`."""
    words = [statement.word(index) for index in range(8)]
    if words[0] != "CREATE" or "PACKAGE" not in words or "BODY" not in words:
        return []
    package, start = name_at(statement, words.index("BODY") + 1)
    if package is None:
        return []
    return list(_routines(statement.tokens, start, package.parts, sql))


def _routines(tokens: Tokens, index: int, package: tuple[str, ...], sql: str) -> Iterator[Kept]:
    while index + 1 < len(tokens):
        if word_of(tokens[index]) not in _ROUTINES:
            index += 1
            continue
        name = name_at(Statement(tokens), index + 1)[0]
        start = _behind_is(tokens, index + 2)
        if start is None or name is None:  # it is announced, its body comes later
            index += 2
            continue
        end = _end(tokens, start, name.parts[-1])
        full = type(name)((*package, *name.parts), name.line)
        if start < end:
            yield Kept(full, *kept_text(tokens[start:end], sql, "DECLARE "))
        index = end


def _behind_is(tokens: Tokens, index: int) -> int | None:
    """Where the declarations begin; None where a semicolon ends the head."""
    depth = 0
    for at in range(index, len(tokens)):
        kind = tokens[at].token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        word = word_of(tokens[at])
        if depth == 0 and word in ("IS", "AS"):
            return at + 1
        if depth == 0 and (word in _ROUTINES or word in _BLOCKS):
            return None
    return None


def _end(tokens: Tokens, start: int, name: str) -> int:
    """The index behind the END of the routine: the one with its name, else the one that closes
    its first block."""
    depth = 0
    closed: int | None = None
    for at in range(start, len(tokens)):
        word = word_of(tokens[at])
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        if word == "END" and after is not None and after.text.casefold() == name.casefold():
            return at + 1
        before = word_of(tokens[at - 1])
        if word in _BLOCKS and before != "END":
            depth += 1
        elif word == "END" and (after is None or word_of(after) not in LOOP_ENDS):
            depth -= 1
            if depth == 0 and closed is None:
                closed = at + 1
    return closed if closed is not None else len(tokens)

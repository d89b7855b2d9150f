"""Cuts a SQL script into statements, by the tokens of its dialect.

Scripting is peeled off: of `IF x THEN INSERT ...; END IF` the condition and the `INSERT` remain.
Bodies of procedures, functions and triggers are left out, because defining one runs nothing.
Strings and comments never split, because the dialect's own tokenizer has read them.
"""

from collections.abc import Iterator

from sqlglot.tokens import TokenType

from swarm.lineage.sql_scripting import LOOP_ENDS, peel
from swarm.lineage.sql_tokens import (
    QUERY,
    STARTS,
    TRANSACTION,
    Statement,
    Tokens,
    has_string,
    top_words,
    word_of,
)
from swarm.lineage.sql_undivided import undivided

_MAX_PEELS = 500
_BLOCKS = frozenset({"BEGIN", "CASE"})
_BODIES = frozenset({"PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "PACKAGE", "TASK", "EVENT"})


def statements(tokens: Tokens, dialect: str) -> Iterator[Statement]:
    """All statements of a script in their order."""
    depth = 0  # of BEGIN ... END
    declaring = False
    pending = list(_chunks(tokens, dialect))
    pending.reverse()
    peels = 0  # in a row; a limit, because each one copies the rest of its chunk
    while pending:
        chunk = pending.pop()
        if not chunk:
            continue
        first = word_of(chunk[0])
        if _is_body(chunk):
            _skip_body(chunk, pending, dialect)
            continue
        if peels == _MAX_PEELS:  # no script is nested that deep: let it be a syntax error
            peels = 0
            yield Statement(chunk, is_condition=True)
            continue
        peeled = peel(chunk)
        peels = 0 if peeled is None else peels + 1
        if peeled is None:
            declaring = first == "DECLARE" or (declaring and first not in STARTS)
            yield from _plain(chunk, first, declaring, depth)
            continue
        condition, rest, change = peeled
        declaring = False
        depth = max(0, depth + change)
        if not rest:
            peels = 0
        if condition:
            yield Statement(condition, depth > 0, is_condition=word_of(condition[0]) not in QUERY)
        pending.append(rest)


def _plain(chunk: Tokens, first: str, declaring: bool, depth: int) -> Iterator[Statement]:
    """A chunk without scripting in front: a statement, or a declaration's value."""
    assigned = _assigned(chunk) if first not in STARTS - {"DECLARE"} else None
    if assigned is not None:
        is_query = word_of(assigned[0]) in QUERY
        yield Statement(assigned, in_block=True, is_condition=not is_query)
    elif not declaring or first == "DECLARE":
        yield Statement(chunk, depth > 0)


def _assigned(chunk: Tokens) -> Tokens | None:
    """The value in `x := value` and `DECLARE x int := value`, the query of a cursor."""
    for index in range(min(len(chunk) - 1, 12)):
        word, after = word_of(chunk[index]), chunk[index + 1]
        is_cursor = word in ("FOR", "IS") and word_of(after) in QUERY
        is_default = word == "DEFAULT" and after.token_type == TokenType.L_PAREN
        if chunk[index].token_type == TokenType.COLON_EQ or is_cursor or is_default:
            return chunk[index + 1 :]
    return None


def _chunks(tokens: Tokens, dialect: str) -> Iterator[Tokens]:
    start = 0
    for index, token in enumerate(tokens):
        if token.token_type == TokenType.SEMICOLON or _is_oracle_end(tokens, index, dialect):
            yield from _undivided(tokens[start:index], dialect)
            start = index + 1
    yield from _undivided(tokens[start:], dialect)


def _is_oracle_end(tokens: Tokens, index: int, dialect: str) -> bool:
    """A slash alone on its line."""
    line = int(tokens[index].line)
    if dialect != "oracle" or tokens[index].token_type != TokenType.SLASH:
        return False
    before = int(tokens[index - 1].line) if index else 0
    after = int(tokens[index + 1].line) if index + 1 < len(tokens) else line + 1
    return before < line < after


def _undivided(chunk: Tokens, dialect: str) -> Iterator[Tokens]:
    """T-SQL needs no semicolons."""
    if dialect in ("tsql", "fabric"):
        yield from undivided(chunk)
    else:
        yield chunk


def _is_body(chunk: Tokens) -> bool:
    words = [word_of(token) for token in chunk[:6]]
    return words[0] in ("CREATE", "ALTER") and any(word in _BODIES for word in words[1:])


def _skip_body(chunk: Tokens, pending: list[Tokens], dialect: str) -> None:
    """Drop from `pending` what belongs to the body of the procedure that `chunk` begins."""
    if dialect in ("tsql", "fabric"):
        while pending and word_of((pending[-1] or chunk)[0]) != "GO":
            pending.pop()
        return
    depth = _nesting(chunk)
    declares = dialect in ("oracle", "postgres") and bool(top_words(chunk) & {"IS", "AS"})
    if depth == 0 and declares and not has_string(chunk):
        # Declarations come before the BEGIN; without one there is no body.
        body = (i for i in range(len(pending) - 1, -1, -1) if _nesting(pending[i]) > 0)
        first = next(body, None)
        if first is None:
            return
        depth = _nesting(pending[first])
        del pending[first:]
    while pending and depth > 0:
        depth += _nesting(pending.pop())


def _nesting(chunk: Tokens) -> int:
    depth = 0
    for index, token in enumerate(chunk):
        word = word_of(token)
        before = word_of(chunk[index - 1]) if index else ""
        after = word_of(chunk[index + 1]) if index + 1 < len(chunk) else ""
        if word in _BLOCKS and before != "END" and after not in TRANSACTION:
            depth += 1
        elif word == "END" and after not in LOOP_ENDS:
            depth -= 1
    return depth

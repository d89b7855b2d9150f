"""Cuts a SQL script into statements, by the tokens of its dialect.

Scripting is peeled off: of `IF x THEN INSERT ...; END IF` the condition and the `INSERT` remain.
The body of a procedure, function or trigger stays in the statement that makes it.
Strings and comments never split, because the dialect's own tokenizer has read them.
"""

from collections.abc import Iterator

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.scripting import LOOP_ENDS, assignments, branching, peel
from swarm.lineage.sql.tokens import (
    KINDS_OF_ROUTINES,
    QUERY,
    STARTS,
    TRANSACTION,
    Statement,
    Tokens,
    has_string,
    top_words,
    word_of,
)
from swarm.lineage.sql.undivided import undivided, without_definer

_MAX_PEELS = 500
_NO_THEN = frozenset({"tsql", "fabric"})  # IF x statement, without THEN and END IF
_NO_VALUES = (STARTS - {"DECLARE"}) | {"EXPLAIN"}
_SINGLE = frozenset({"IF", "ELSE", "WHILE"})
_BLOCKS = frozenset({"BEGIN", "CASE"})
_ROUTINES = frozenset({"FUNCTION", "PROCEDURE"})
_BODIES = KINDS_OF_ROUTINES | {"TRIGGER", "PACKAGE", "EVENT"}


def statements(tokens: Tokens, dialect: str) -> Iterator[Statement]:
    """All statements of a script in their order."""
    depth = branches = 0  # of BEGIN ... END, and of IF, loops and CASE
    declaring = single = False  # `single`: T-SQL's IF is about the next statement
    pending = list(_chunks(tokens, dialect))
    pending.reverse()
    peels = 0  # in a row; a limit, because each one copies the rest of its chunk
    while pending:
        chunk = pending.pop()
        if not chunk:
            continue
        first = word_of(chunk[0])
        if _is_slash(chunk):  # Oracle: ends a block
            depth, branches, declaring = 0, 0, False
            continue
        if _is_body(chunk, dialect):
            yield from _routines(chunk, pending, dialect)
            continue
        if peels == _MAX_PEELS:  # no script is nested that deep: let it be a syntax error
            peels = 0
            yield Statement(chunk, is_condition=True)
            continue
        peeled = peel(chunk)
        peels = 0 if peeled is None else peels + 1
        if peeled is None:
            declaring = first == "DECLARE" or (declaring and first not in STARTS)
            in_branch = branches > 0 or (dialect in _NO_THEN and (depth > 0 or single))
            single = False
            yield from _plain(
                chunk, first, declaring, Statement(chunk, depth > 0, False, in_branch)
            )
            continue
        condition, rest, change = peeled
        declaring, single = False, first in _SINGLE
        depth = max(0, depth + change)
        branches = max(0, branches + branching(chunk)) if dialect not in _NO_THEN else 0
        if not rest:
            peels = 0
        if condition:
            yield Statement(condition, depth > 0, is_condition=word_of(condition[0]) not in QUERY)
        pending.append(rest)


def _plain(chunk: Tokens, first: str, declaring: bool, whole: Statement) -> Iterator[Statement]:
    """A chunk without scripting in front: a statement, or a declaration's value."""
    given = assignments(chunk, declaring) if first not in _NO_VALUES else []
    for names, value in given:
        yield Statement(value, True, word_of(value[0]) not in QUERY, whole.in_branch, names)
    if not given and (not declaring or first == "DECLARE"):
        yield whole


def _chunks(tokens: Tokens, dialect: str) -> Iterator[Tokens]:
    start = 0
    for index, token in enumerate(tokens):
        is_end = _is_oracle_end(tokens, index, dialect)
        is_flow = dialect == "snowflake" and token.token_type == TokenType.DARROW
        if is_end or is_flow or token.token_type == TokenType.SEMICOLON:
            yield from _undivided(tokens[start:index], dialect)
            start = index + 1
        if is_end:
            yield tokens[index:start]
    yield from _undivided(tokens[start:], dialect)


def _is_oracle_end(tokens: Tokens, index: int, dialect: str) -> bool:
    """A slash alone on its line."""
    line = int(tokens[index].line)
    if dialect != "oracle" or tokens[index].token_type != TokenType.SLASH:
        return False
    before = int(tokens[index - 1].line) if index else 0
    after = int(tokens[index + 1].line) if index + 1 < len(tokens) else line + 1
    return before < line < after


def _is_slash(chunk: Tokens) -> bool:
    return len(chunk) == 1 and bool(chunk[0].token_type == TokenType.SLASH)


def _undivided(chunk: Tokens, dialect: str) -> Iterator[Tokens]:
    """T-SQL needs no semicolons."""
    if dialect in _NO_THEN:
        yield from undivided(chunk)
    elif dialect == "mysql":
        yield without_definer(chunk)
    else:
        yield chunk


def _is_body(chunk: Tokens, dialect: str) -> bool:
    words = [word_of(token) for token in chunk[:6]]
    if words[0] == "WITH":
        return dialect == "oracle" and not _ROUTINES.isdisjoint(words[1:2])
    return words[0] in ("CREATE", "ALTER") and any(word in _BODIES for word in words[1:])


def _routines(chunk: Tokens, pending: list[Tokens], dialect: str) -> Iterator[Statement]:
    """The statement that makes a routine; Oracle's `WITH FUNCTION f ... END; query` as if each
    routine were made before the query."""
    start = chunk[0]
    if word_of(start) != "WITH":
        yield Statement([*chunk, *_body(chunk, pending, dialect)])
        return
    chunk = chunk[1:]
    while chunk and word_of(chunk[0]) in _ROUTINES:
        create = _beside(start, TokenType.CREATE, "CREATE")
        yield Statement([create, *chunk, *_body(chunk, pending, dialect)])
        chunk = pending.pop() if pending else []
    if chunk and word_of(chunk[0]) not in QUERY:  # common tables follow, without another WITH
        chunk = [_beside(start, TokenType.WITH, "WITH"), *chunk]
    pending.append(chunk)


def _beside(near: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, near.line, near.col, near.start, near.end)


def _body(chunk: Tokens, pending: list[Tokens], dialect: str) -> Iterator[Token]:
    """Take from `pending` what belongs to the body of the procedure that `chunk` begins."""
    if dialect in _NO_THEN:
        while pending and word_of((pending[-1] or chunk)[0]) != "GO":
            yield from pending.pop()
        return
    if dialect == "oracle" and "PACKAGE" in top_words(chunk[:6]) and any(map(_is_slash, pending)):
        while not _is_slash(pending[-1]):  # procedures are nested in it
            yield from pending.pop()
        return
    depth = _nesting(chunk)
    declares = dialect in ("oracle", "postgres") and bool(top_words(chunk) & {"IS", "AS"})
    if depth == 0 and declares and not has_string(chunk):
        # Declarations come before the BEGIN; without one there is no body.
        if not any(_nesting(later) > 0 for later in pending):
            return
        while depth == 0:
            later = pending.pop()
            depth = _nesting(later)
            yield from later
    while pending and depth > 0:
        later = pending.pop()
        depth += _nesting(later)
        yield from later


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

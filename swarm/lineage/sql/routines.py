"""What a function, procedure, macro or task does when it is called: its body, if that is SQL."""

import re

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.dynamic import kept_text
from swarm.lineage.sql.effects import Kept, NotUnderstood
from swarm.lineage.sql.names import name_at
from swarm.lineage.sql.tokens import (
    CHANGES,
    KINDS_OF_ROUTINES,
    STARTS,
    STRINGS,
    Statement,
    Tokens,
    word_of,
)
from swarm.lineage.sql.values import Kind, Piece
from swarm.model.lineage import UnresolvedReason

_SQL = frozenset({"SQL", "PLPGSQL", "PLSQL", "SPL", "PLPGSQL_SECDEF"})
_RIGHTS = frozenset({"CALLER", "OWNER", "RESTRICTED", "SELF"})  # EXECUTE AS OWNER
_ELSEWHERE = frozenset({"EXTERNAL", "REMOTE", "LAMBDA", "SONAME", "HANDLER", "URL"})
_QUERY_IN_TEXT = re.compile(r"\b(?:select|insert|update|delete|merge)\b", re.IGNORECASE)
_STATEMENT = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(<<|[a-zA-Z]+)", re.DOTALL)


def routine(statement: Statement, sql: str) -> Kept | NotUnderstood | None:
    """What CREATE FUNCTION and the like keep; None if the statement makes nothing of the kind.

    One in SQL whose body is not where it should be is not understood: what it does when it is
    called would be silent.
    """
    words = [statement.word(index) for index in range(8)]
    kind = next((index for index, word in enumerate(words) if word in KINDS_OF_ROUTINES), 0)
    if words[0] not in ("CREATE", "ALTER") or not kind:
        return None
    start = kind + 1
    while statement.word(start) in ("IF", "NOT", "EXISTS"):
        start += 1
    name, start = name_at(statement, start)
    if name is None:
        return None
    if _language(statement) not in _SQL:
        return Kept(name, (), statement.line, statement.line)
    body = _body(statement.tokens, start)
    if body is None and words[0] == "CREATE" and _has_query(statement.tokens, start):
        detail = f"the body of {'.'.join(name.parts)} is not found"
        return NotUnderstood(UnresolvedReason.SYNTAX, statement.line, detail)
    if body is None:
        return Kept(name, (), statement.line, statement.line)
    tokens, prefix = body
    first = tokens[0]
    if first.token_type in STRINGS:
        line = int(first.line) - first.text.count("\n")
        return Kept(name, (Piece(Kind.TEXT, _as_script(first.text)),), line, int(first.line))
    return Kept(name, *kept_text(tokens, sql, prefix))


def _has_query(tokens: Tokens, start: int) -> bool:
    """Whether a query or a change stands where no body begins."""
    if any(word_of(token) in _ELSEWHERE for token in tokens):
        return False
    return any(
        _QUERY_IN_TEXT.search(token.text)
        if token.token_type in STRINGS
        else word_of(token) in ("SELECT", *CHANGES)
        for token in tokens[start:]
    )


def _language(statement: Statement) -> str:
    for index, token in enumerate(statement.tokens):
        if word_of(token) == "LANGUAGE" and index + 1 < len(statement.tokens):
            return str(statement.tokens[index + 1].text).upper()
    return "SQL"


def _as_script(text: str) -> str:
    """A body that is only an expression is run as a query."""
    match = _STATEMENT.match(text)
    word = match.group(1).upper() if match else ""
    return text if word in STARTS or word in ("<<", "FROM", "TABLE") else "SELECT " + text


def _body(tokens: Tokens, start: int) -> tuple[Tokens, str] | None:
    """The tokens of the body, and what to put before them to make them a script."""
    depth = 0
    for index in range(start, len(tokens) - 1):
        token, word = tokens[index], word_of(tokens[index])
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif depth:
            continue
        elif word in ("BEGIN", "DECLARE"):
            return tokens[index:], ""
        elif word == "RETURN":
            return tokens[index + 1 :], _before(tokens[index + 1])
        elif word in ("SELECT", *CHANGES):  # MySQL: a body of one statement
            return tokens[index:], ""
        elif word in ("AS", "IS") and word_of(tokens[index + 1]) not in _RIGHTS:
            return _behind_as(tokens[index + 1 :])
    return None


def _before(first: Token) -> str:
    """What makes a query of what a RETURN gives."""
    return "" if word_of(first) in ("SELECT", "WITH") else "SELECT "


def _behind_as(rest: Tokens) -> tuple[Tokens, str] | None:
    word = word_of(rest[0])
    if rest[0].token_type in STRINGS:
        return rest[:1], ""
    if word == "TABLE" and len(rest) > 1:
        return rest[1:], ""
    if word == "RETURN" and len(rest) > 1:
        return rest[1:], _before(rest[1])
    if word in STARTS or word == "FROM":
        return rest, ""
    if any(word_of(token) == "BEGIN" for token in rest):  # Oracle: declarations come first
        return rest, "DECLARE "
    return rest, "SELECT "

"""Statements that run a text, or what another statement keeps: EXECUTE, CALL, DO, PREPARE."""

from swarm.lineage.sql.effects import (
    Assigned,
    Called,
    Effect,
    Executed,
    Kept,
    Nested,
    NotUnderstood,
)
from swarm.lineage.sql.names import name_at
from swarm.lineage.sql.procedures import (
    HARMLESS,
    REFRESHING,
    is_unknown_call,
    of_iceberg,
    refreshed,
    renamed,
)
from swarm.lineage.sql.tokens import STRINGS, Statement, Tokens, find, word_of
from swarm.lineage.sql.values import Kind, Piece, Value, expression, value_of
from swarm.model.lineage import UnresolvedReason

_MADE = "runs a text that is made at run time"
_PROCEDURE = "calls a procedure whose statements are not in the text"
_PREPARED = "runs a statement that was prepared elsewhere, its text is not here"
_TASK = "runs a task whose statements are not in the text"
_TSQL = frozenset({"tsql", "fabric"})
_ORACLE_ENDS = ("INTO", "USING", "BULK", "RETURNING", "WITH", "LOOP")


def dynamic(statement: Statement, sql: str, problem: str) -> NotUnderstood:
    """`problem` at this statement, with its beginning."""
    text = " ".join(statement.text(sql)[:320].split())[:80]
    return NotUnderstood(UnresolvedReason.DYNAMIC, statement.line, f"{problem}: {text}")


def run_effects(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    """The effects of a statement that runs another text; None: it is another kind."""
    match statement.word(0):
        case "DO":
            body = next((t for t in statement.tokens if t.token_type in STRINGS), None)
            return [Nested(body.text, body.line)] if body is not None else []
        case "CALL":
            name, _ = name_at(statement, 1)
            if statement.word(1).startswith("PRAGMA_"):  # DuckDB
                return []
            problem = dynamic(statement, sql, _PROCEDURE)
            known = of_iceberg(statement)
            if known is not None:
                return known
            return [Called(name, problem)] if name is not None else [problem]
        case "PREPARE":
            return _prepared(statement, sql, dialect)
        case "OPEN":
            return _opened(statement, sql, dialect)
        case "EXECUTE" | "EXEC":
            return _execute(statement, sql, dialect)
    return None


def _execute(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    second, tokens = statement.word(1), statement.tokens
    if second == "IMMEDIATE":
        return _text(statement, 2, sql, dialect)
    if second in REFRESHING:
        return refreshed(statement)
    if dialect == "oracle" and second.startswith(HARMLESS) and not is_unknown_call(statement, 1):
        return []
    if second == "TASK":
        return _called(statement, 2, sql, _TASK)
    if dialect not in _TSQL:
        if _is_text(statement, dialect):
            return _text(statement, 1, sql, dialect)
        return _called(
            statement, 1, sql, _PREPARED if dialect not in ("", "oracle") else _PROCEDURE
        )
    words = [statement.word(index) for index in range(1, 6)]
    if "SP_RENAME" in words:
        return renamed(statement)
    if "SP_EXECUTESQL" in words:
        start = words.index("SP_EXECUTESQL") + 2
        named = statement.word(start + 1) in ("STMT", "STATEMENT")  # @stmt = text
        return _text(statement, start + 3 * named, sql, dialect)
    if word_of(tokens[1]) == "(" if len(tokens) > 1 else False:
        return _text(statement, 1, sql, dialect)
    start = 3 if second.startswith("@") or statement.word(2) == "=" else 1
    return _called(statement, start, sql, _PROCEDURE)


def _opened(statement: Statement, sql: str, dialect: str) -> list[Effect]:
    """Oracle: OPEN c FOR 'query'; an OPEN without FOR runs a query that was read before."""
    start = find(statement.tokens, ("FOR",), 1) + 1
    start += statement.word(start) == "EXECUTE"
    return _text(statement, start, sql, dialect) if start < len(statement.tokens) else []


def _is_text(statement: Statement, dialect: str) -> bool:
    """PL/pgSQL's EXECUTE runs a text; outside of a block it runs a prepared statement."""
    first = statement.tokens[1] if len(statement.tokens) > 1 else None
    text = first is not None and (first.token_type in STRINGS or word_of(first) == "(")
    return text or ((statement.in_block or statement.is_condition) and dialect != "oracle")


def _called(statement: Statement, index: int, sql: str, problem: str) -> list[Effect]:
    name, _ = name_at(statement, index)
    unknown = dynamic(statement, sql, problem)
    return [Called(name, unknown)] if name is not None else [unknown]


def _text(statement: Statement, start: int, sql: str, dialect: str) -> list[Effect]:
    tokens = statement.tokens
    end = find(tokens, _ORACLE_ENDS, start)
    comma = next((i for i in range(start, end) if tokens[i].text == ","), end)
    before = {statement.word(index) for index in range(1, start)}
    is_argument = "SP_EXECUTESQL" in before
    text = tokens[start : comma if is_argument else end]
    problem = dynamic(statement, sql, _MADE)
    if len(text) == 1 and text[0].token_type in STRINGS:
        return [Nested(text[0].text, int(text[0].line))]
    return [executed(text, sql, dialect, problem)]


def executed(tokens: Tokens, sql: str, dialect: str, problem: NotUnderstood) -> Executed:
    """Run the text that the expression makes."""
    value = text_value(tokens, sql, dialect)
    if not any(piece.kind is Kind.TEXT for piece in value):
        return Executed(value, problem.line, problem.line, problem)
    string = next((t for t in tokens if t.token_type in STRINGS), None)
    first = int(string.line) - string.text.count("\n") if string is not None else problem.line
    return Executed(value, first, int(tokens[-1].line), problem)


def text_value(tokens: Tokens, sql: str, dialect: str) -> Value:
    """The pieces of the text that the expression makes."""
    tree = expression(tokens, sql, dialect)
    if tree is None:
        source = sql[tokens[0].start : tokens[-1].end + 1] if tokens else ""
        return (Piece(Kind.UNKNOWN, " ".join(source.split())[:80]),)
    return value_of(tree)


def assigned(statement: Statement, sql: str, dialect: str) -> list[Effect]:
    """The variables of the statement get its value."""
    value = text_value(statement.tokens, sql, dialect)
    return [Assigned(name, value, statement.in_branch) for name in statement.variables]


def kept_text(tokens: Tokens, sql: str, prefix: str = "") -> tuple[Value, int, int]:
    """The text from the first to the last token as it is written, and its lines."""
    first, last = tokens[0], tokens[-1]
    text = prefix + sql[first.start : last.end + 1]
    line = int(first.line) - (first.text.count("\n") if first.token_type in STRINGS else 0)
    return (Piece(Kind.TEXT, text),), line, int(last.line)


def _prepared(statement: Statement, sql: str, dialect: str) -> list[Effect]:
    """PREPARE p (types) AS statement; FROM statement; FROM 'text'; FROM @variable."""
    name, index = name_at(statement, 1)
    start = find(statement.tokens, ("AS", "FROM"), index) + 1
    body = statement.tokens[start:]
    if name is None or not body:
        return []
    if dialect in ("mysql", "doris", "starrocks", "singlestore"):
        line = statement.line
        return [Kept(name, text_value(body, sql, dialect), line, line)]
    return [Kept(name, *kept_text(body, sql))]


def anonymous_procedure(statement: Statement, sql: str) -> list[Effect] | None:
    """Snowflake: `WITH p AS PROCEDURE (...) AS $$ ... $$ CALL p()`; None: it is another WITH."""
    tokens = statement.tokens
    if not (statement.word(2) == "AS" and statement.word(3) == "PROCEDURE"):
        return None
    call = find(tokens, ("CALL",), 4)
    name, _ = name_at(statement, 1)
    body = next((t for t in tokens[call:0:-1] if t.token_type in STRINGS), None)
    problem = dynamic(statement, sql, _PROCEDURE)
    language = find(tokens, ("LANGUAGE",), 4) + 1
    if name is None or body is None or statement.word(language) not in ("SQL", ""):
        return [problem]
    line = int(body.line) - body.text.count("\n")
    kept = Kept(name, (Piece(Kind.TEXT, body.text),), line, int(body.line))
    return [kept, Called(name, problem)]

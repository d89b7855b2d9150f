"""Cuts T-SQL, which needs no semicolons, into statements.

The words that begin a statement are reserved in T-SQL, so outside of parentheses and CASE one of
them begins a statement wherever it stands, unless the statement before it may go on with it.
"""

from collections.abc import Iterator

from sqlglot.tokens import TokenType

from swarm.lineage.sql.tokens import CHANGES, STARTS, Tokens, word_of

_BEGINS = (STARTS - {"VALUES", "CALL", "GO"}) | {
    "BACKUP",
    "BREAK",
    "BULK",
    "CHECKPOINT",
    "CLOSE",
    "CONTINUE",
    "DBCC",
    "DEALLOCATE",
    "DENY",
    "FETCH",
    "GOTO",
    "GRANT",
    "KILL",
    "OPEN",
    "RECONFIGURE",
    "RESTORE",
    "REVOKE",
    "SAVE",
    "UPDATE STATISTICS",
    "WAITFOR",
}
_CONTINUES = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT", "AS", "THEN", "FOR", "AFTER", "OR"})
_OPENS = frozenset({"BEGIN", "TRY", "CATCH", "ELSE", "BULK"})  # a statement follows inside
_BEFORE_ON = frozenset({"JOIN", "FROM", "REFERENCES", "TABLE", "INDEX", "UPDATE", "=", "TRIGGER"})
_RIGHTS = frozenset({"GRANT", "DENY", "REVOKE"})
_BODIES = frozenset({"PROCEDURE", "PROC", "FUNCTION", "TRIGGER"})
_OBJECTS = frozenset({"TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "SYNONYM", "TYPE"}) | _BODIES


def undivided(chunk: Tokens) -> Iterator[Tokens]:
    """The statements of what is between two semicolons."""
    start = depth = cases = index = 0
    so_far: list[str] = []
    while index < len(chunk):
        kind, word = chunk[index].token_type, word_of(chunk[index])
        if _is_go(chunk, index):
            yield chunk[start:index]
            yield chunk[index : index + 1]
            index += 1 + _is_count(chunk, index + 1)
            start, depth, cases, so_far = index, 0, 0, []
            continue
        if kind == TokenType.L_PAREN:
            depth += 1
        elif kind == TokenType.R_PAREN:
            depth = max(0, depth - 1)
        elif depth == 0 and (cases or word == "CASE"):
            cases += (word == "CASE") - (word == "END")
        elif depth == 0:
            if index > start and _is_label(chunk, index):
                yield chunk[start:index]
                index += 2
                start, so_far = index, []
                continue
            if index > start and _begins(word, chunk, index, so_far):
                yield chunk[start:index]
                start, so_far = index, []
            so_far.append(word)
        index += 1
    yield chunk[start:]


def without_definer(chunk: Tokens) -> Tokens:
    """MySQL: `CREATE DEFINER = 'x'@'h' TRIGGER` without saying whose it is."""
    words = [word_of(token) for token in chunk[:5]]
    if words[:1] != ["CREATE"] or "DEFINER" not in words:
        return chunk
    start = words.index("DEFINER")
    end = start + 3
    if end < len(chunk) and chunk[end].token_type == TokenType.PARAMETER:
        end += 2
    return [*chunk[:start], *chunk[end:]]


def _is_go(chunk: Tokens, index: int) -> bool:
    """Whether the line is `GO` or `GO 5`."""
    if word_of(chunk[index]) != "GO":
        return False
    line = int(chunk[index].line)
    following = index + 1 + _is_count(chunk, index + 1)
    alone = bool(following >= len(chunk) or chunk[following].line != line)
    return alone and (index == 0 or int(chunk[index - 1].line) != line)


def _is_count(chunk: Tokens, index: int) -> bool:
    if index >= len(chunk) or chunk[index].token_type != TokenType.NUMBER:
        return False
    return int(chunk[index].line) == int(chunk[index - 1].line)


def _is_label(chunk: Tokens, index: int) -> bool:
    """Whether a line begins with `name:`."""
    if int(chunk[index].line) == int(chunk[index - 1].line):
        return False
    return index + 1 < len(chunk) and bool(chunk[index + 1].token_type == TokenType.COLON)


def _begins(word: str, chunk: Tokens, index: int, so_far: list[str]) -> bool:
    """Whether `word` at `index` ends the statement that has the words `so_far`."""
    before, after = word_of(chunk[index - 1]), [word_of(token) for token in chunk[index + 1 :][:2]]
    first = so_far[0] if so_far else ""
    if word not in _BEGINS or before in _CONTINUES or before in _OPENS:
        return False
    if first in ("CREATE", "ALTER") and _BODIES & set(so_far[:4]):
        return False
    if first in _RIGHTS and "ON" not in so_far:
        return False
    if before == "ON" and not _is_setting(so_far):  # ON DELETE CASCADE
        return False
    if word == "WITH":  # else hints, options, ROLLUP
        return _is_named_query(chunk[index + 1 : index + 4])
    return not _goes_on(word, so_far, before, after)


def _is_setting(so_far: list[str]) -> bool:
    """Whether the words end with `SET name ON`, `SET IDENTITY_INSERT dbo.t ON`."""
    for word in reversed(so_far[-8:-1]):
        if word == "SET":
            return True
        if word in _BEFORE_ON:
            break
    return False


def _goes_on(word: str, so_far: list[str], before: str, after: list[str]) -> bool:
    """Whether `word` belongs to the statement that has the words `so_far`."""
    match word:
        case "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "EXEC" | "EXECUTE" | "SET":
            return _is_inside(word, so_far, before, after)
        case "DROP" | "ALTER":
            return so_far[:1] == ["ALTER"] and not _OBJECTS & set(after[:1])
        case "IF":
            return after[:1] == ["EXISTS"] and so_far[0] in ("DROP", "ALTER")
        case "FETCH":
            return before in ("ROWS", "ROW")
        case "GRANT":
            return before in ("WITH", "REVOKE")
    return False


def _is_inside(word: str, so_far: list[str], before: str, after: list[str]) -> bool:
    """Whether a query or change is a part of the statement that has the words `so_far`."""
    words = set(so_far)
    has_query = bool(words & {"SELECT", "VALUES"})
    match word:
        case "SELECT":
            return not has_query and bool(words & {"INSERT", "WITH"})
        case "SET":
            is_change = bool(words & {"UPDATE", "ALTER"}) and "SET" not in words
            return is_change or before == "UPDATE"
        case "EXEC" | "EXECUTE":
            return before == "WITH" or ("INSERT" in words and not has_query)
    if after[:1] == ["JOIN"]:  # INNER MERGE JOIN
        return True
    return "WITH" in words and not has_query and not CHANGES & words


def _is_named_query(tokens: Tokens) -> bool:
    """Whether a common table expression begins: `name AS (`, `name (columns) AS`."""
    if not tokens or tokens[0].token_type == TokenType.L_PAREN:
        return False
    words = [word_of(token) for token in tokens[1:3]]
    return words[:1] == ["("] or words == ["AS", "("]

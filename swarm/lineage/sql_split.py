"""Cuts a SQL script into statements, by the tokens of its dialect.

Scripting is peeled off: of `IF x THEN INSERT ...; END IF` the condition and the `INSERT` remain.
Bodies of procedures, functions and triggers are left out, because defining one runs nothing.
Strings and comments never split, because the dialect's own tokenizer has read them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import Token, Tokenizer, TokenType

Tokens = Sequence[Token]

_MAX_PEELS = 500
_BLOCKS = frozenset({"BEGIN", "CASE"})
_LOOP_ENDS = frozenset({"IF", "LOOP", "WHILE", "FOR", "REPEAT"})
_TRANSACTION = frozenset({"TRANSACTION", "TRAN", "WORK", "DISTRIBUTED", "DEFERRED", "IMMEDIATE"})
_BODIES = frozenset({"PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "PACKAGE", "TASK", "EVENT"})
_QUERY = frozenset({"SELECT", "WITH", "VALUES"})
_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_OTHERS = frozenset(
    {"CREATE", "DROP", "TRUNCATE", "ALTER", "DECLARE", "EXEC", "EXECUTE", "IF", "WHILE", "PRINT"}
    | {"RETURN", "GO", "USE", "BEGIN", "END", "ELSE", "COMMIT", "ROLLBACK", "THROW", "RAISERROR"}
)
_STARTS = _QUERY | _CHANGES | _OTHERS | {"SET", "CALL"}
_CONTINUES = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT", "AS", "THEN", "FOR", "AFTER"})


@dataclass(frozen=True, slots=True)
class Statement:
    """Tokens of one statement. `in_block`: `INTO` names a variable there, not a table.
    `is_condition`: an expression (of `IF`, `WHILE`), not a statement."""

    tokens: Tokens
    in_block: bool = False
    is_condition: bool = False

    @property
    def line(self) -> int:
        return int(self.tokens[0].line)

    def word(self, index: int) -> str:
        """The token at `index` in capitals, empty past the end and for strings and names."""
        if not 0 <= index < len(self.tokens):
            return ""
        return _word(self.tokens[index])

    def text(self, sql: str) -> str:
        return sql[self.tokens[0].start : self.tokens[-1].end + 1]


@lru_cache(maxsize=64)
def _tokenizer(dialect: str) -> tuple[Dialect, type[Tokenizer]]:
    known = Dialect.get_or_raise(dialect)
    # As it comes, the tokenizer turns all that follows CALL, BEGIN and the like into one string.
    plain = type("PlainTokenizer", (known.tokenizer_class,), {"COMMANDS": set()})
    return known, plain


def tokenize(sql: str, dialect: str) -> Tokens:
    """The tokens of `sql`; raises sqlglot's `TokenError` (an open string or comment)."""
    known, plain = _tokenizer(dialect)
    tokens: Tokens = plain(dialect=known).tokenize(sql)
    return tokens


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
        first = _word(chunk[0])
        if _is_body(chunk):
            _skip_body(chunk, pending, dialect)
            continue
        if peels == _MAX_PEELS:  # no script is nested that deep: let it be a syntax error
            peels = 0
            yield Statement(chunk, is_condition=True)
            continue
        peeled = _peel(chunk)
        peels = 0 if peeled is None else peels + 1
        if peeled is None:
            declaring = first == "DECLARE" or (declaring and first not in _STARTS)
            yield from _plain(chunk, first, declaring, depth)
            continue
        condition, rest, change = peeled
        declaring = False
        depth = max(0, depth + change)
        if not rest:
            peels = 0
        if condition:
            yield Statement(condition, depth > 0, is_condition=_word(condition[0]) not in _QUERY)
        pending.append(rest)


def _plain(chunk: Tokens, first: str, declaring: bool, depth: int) -> Iterator[Statement]:
    """A chunk without scripting in front: a statement, or a declaration's value."""
    assigned = _assigned(chunk) if first not in _STARTS - {"DECLARE"} else None
    if assigned is not None:
        is_query = _word(assigned[0]) in _QUERY
        yield Statement(assigned, in_block=True, is_condition=not is_query)
    elif not declaring or first == "DECLARE":
        yield Statement(chunk, depth > 0)


def _assigned(chunk: Tokens) -> Tokens | None:
    """The value in `x := value` and `DECLARE x int := value`, the query of a cursor."""
    for index in range(min(len(chunk) - 1, 12)):
        word, after = _word(chunk[index]), chunk[index + 1]
        is_cursor = word in ("FOR", "IS") and _word(after) in _QUERY
        is_default = word == "DEFAULT" and after.token_type == TokenType.L_PAREN
        if chunk[index].token_type == TokenType.COLON_EQ or is_cursor or is_default:
            return chunk[index + 1 :]
    return None


def _word(token: Token) -> str:
    if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
        return ""
    return str(token.text).upper()


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
    """T-SQL needs no semicolons: a new statement is a keyword that begins a line."""
    if dialect not in ("tsql", "fabric"):
        yield chunk
        return
    start = depth = 0
    for index, token in enumerate(chunk):
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif index > start and depth == 0 and _begins(chunk, start, index):
            yield chunk[start:index]
            start = index
    yield chunk[start:]


def _begins(chunk: Tokens, start: int, index: int) -> bool:
    """Whether the keyword at `index` ends the statement that began at `start`."""
    word, before, first = _word(chunk[index]), _word(chunk[index - 1]), _word(chunk[start])
    if first == "GO":
        return True
    if word not in _STARTS or before in _CONTINUES or chunk[index].line == chunk[index - 1].line:
        return False
    if first in ("IF", "WHILE", "ELSE", "BEGIN", "END") and before in ("ELSE", "BEGIN", "END"):
        return False
    if first == "CREATE" and _is_body(chunk[start:index]):
        return word == "GO"
    return not _goes_on(word, first, _top_words(chunk[start:index]), chunk[index + 1 : index + 2])


def _goes_on(word: str, first: str, so_far: set[str], after: Tokens) -> bool:
    """Whether `word` belongs to a statement that began with `first` and has these words."""
    has_query = bool(so_far & {"SELECT", "VALUES"})
    match word:
        case "SELECT" | "VALUES":
            return not has_query and bool(so_far & {"INSERT", "WITH", "IF"})
        case "SET":
            return bool(so_far & {"UPDATE", "ALTER"})
        case "UPDATE" | "DELETE" if first in ("CREATE", "ALTER"):  # ON DELETE of a constraint
            return True
        case "INSERT" | "UPDATE" | "DELETE" | "MERGE":
            return "WITH" in so_far and not has_query and not so_far & _CHANGES
        case "DROP" | "ALTER":
            return first == "ALTER"
        case "EXEC" | "EXECUTE":
            return first == "INSERT" and not has_query
        case "WITH":  # a table hint, not a common table expression
            return bool(after) and after[0].token_type == TokenType.L_PAREN
    return False


def _top_words(tokens: Tokens) -> set[str]:
    depth, words = 0, set()
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif depth == 0:
            words.add(_word(token))
    return words


def _is_body(chunk: Tokens) -> bool:
    words = [_word(token) for token in chunk[:6]]
    return words[0] in ("CREATE", "ALTER") and any(word in _BODIES for word in words[1:])


def _skip_body(chunk: Tokens, pending: list[Tokens], dialect: str) -> None:
    """Drop from `pending` what belongs to the body of the procedure that `chunk` begins."""
    if dialect in ("tsql", "fabric"):
        while pending and _word((pending[-1] or chunk)[0]) != "GO":
            pending.pop()
        return
    depth = _nesting(chunk)
    declares = dialect in ("oracle", "postgres") and bool(_top_words(chunk) & {"IS", "AS"})
    if depth == 0 and declares and not _ends_in_string(chunk):
        # Declarations come before the BEGIN; without one there is no body.
        body = (i for i in range(len(pending) - 1, -1, -1) if _nesting(pending[i]) > 0)
        first = next(body, None)
        if first is None:
            return
        depth = _nesting(pending[first])
        del pending[first:]
    while pending and depth > 0:
        depth += _nesting(pending.pop())


def _ends_in_string(chunk: Tokens) -> bool:
    kinds = (TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING)
    return any(token.token_type in kinds for token in chunk)


def _nesting(chunk: Tokens) -> int:
    depth = 0
    for index, token in enumerate(chunk):
        word = _word(token)
        before = _word(chunk[index - 1]) if index else ""
        after = _word(chunk[index + 1]) if index + 1 < len(chunk) else ""
        if word in _BLOCKS and before != "END" and after not in _TRANSACTION:
            depth += 1
        elif word == "END" and after not in _LOOP_ENDS:
            depth -= 1
    return depth


_Peeled = tuple[Tokens, Tokens, int]  # a condition or query, what follows, change of depth


def _peel(chunk: Tokens) -> _Peeled | None:
    """Take the scripting off the front of `chunk`; None if it begins with a plain statement."""
    first = _word(chunk[0])
    second = _word(chunk[1]) if len(chunk) > 1 else ""
    if first in ("<<", "<"):  # a label
        end = next((i for i, token in enumerate(chunk) if _word(token) in (">>", ">")), 0)
        return ([], chunk[end + 1 :], 0) if end else None
    if len(chunk) > 2 and second == ":" and _word(chunk[2]) in ("BEGIN", "LOOP", "WHILE", "REPEAT"):
        return [], chunk[2:], 0
    if first == "BEGIN":
        return _peel_begin(chunk, second)
    if first == "END":
        return _peel_end(chunk, second)
    if first in ("LOOP", "REPEAT", "ELSE", "DO") and not _is_string(chunk, 1):
        return [], chunk[1:], 0
    if first == "EXCEPTION" or (first == "WHEN" and "THEN" in _top_words(chunk)):
        then = _find(chunk, ("THEN",), 1)
        return [], chunk[then + 1 :], 0
    if first in ("IF", "ELSEIF", "ELSIF", "WHILE", "UNTIL", "FOR"):
        return _peel_condition(chunk, first)
    if first == "RETURN" and second == "QUERY":
        return [], chunk[2:], 0
    if first in ("PERFORM", "ASSERT"):
        return chunk[1 : _find(chunk, ("AS",), 1)], [], 0
    return None


def _is_string(chunk: Tokens, index: int) -> bool:
    return index < len(chunk) and _ends_in_string(chunk[index : index + 3])


def _peel_begin(chunk: Tokens, second: str) -> _Peeled | None:
    if second in _TRANSACTION or len(chunk) == 1:
        return None  # `BEGIN;` opens a transaction, not a block
    return [], chunk[2 if second in ("TRY", "CATCH", "ATOMIC") else 1 :], 1


def _peel_end(chunk: Tokens, second: str) -> _Peeled:
    if second in _LOOP_ENDS:
        skip = 2
        if second == "IF" or len(chunk) == 2 or _word(chunk[2]) in _STARTS:
            return [], chunk[skip:], 0
        return [], chunk[skip + 1 :], 0  # END LOOP label
    if second in ("TRY", "CATCH", "CASE"):
        return [], chunk[2:], -1
    skip = 1 if second in _STARTS else 2  # END name
    return [], chunk[skip:], -1


def _peel_condition(chunk: Tokens, first: str) -> _Peeled | None:
    ends = ("THEN",) if first not in ("WHILE", "FOR") else ("DO", "LOOP")
    end = _find(chunk, ends, 1)
    if end < len(chunk):
        condition = chunk[1:end]
        if first == "FOR":  # FOR x IN (query), FOR x IN query
            names = _find(chunk, ("IN", "AS"), 1)
            condition = chunk[names + 1 : end]
        return condition, chunk[end + 1 :], 0
    if first in ("UNTIL", "FOR"):
        return chunk[1:], [], 0
    # T-SQL has no THEN: the condition ends where a statement starts.
    end = _find(chunk, tuple(_STARTS), 2)
    return chunk[1:end], chunk[end:], 0


def _find(chunk: Tokens, words: tuple[str, ...], start: int) -> int:
    """The first of `words` outside of parentheses and CASE, else the length of `chunk`."""
    depth = 0
    for index in range(start, len(chunk)):
        token = chunk[index]
        word = _word(token)
        if token.token_type == TokenType.L_PAREN or word == "CASE":
            depth += 1
        elif token.token_type == TokenType.R_PAREN or (depth and word == "END"):
            depth -= 1
        elif depth <= 0 and word in words:
            return index
    return len(chunk)

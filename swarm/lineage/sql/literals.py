"""Which literals of a SQL text can be exchanged without a change of what it reads and writes.

Rules
1. A literal is a string of one line without quotes, backslashes and braces, or a number. Two texts
   that differ only in literals of the same kinds have the same fingerprint.
2. Each literal must be exactly one token, by the dialect's tokenizer. A tokenizer goes from left
   to right, and nothing in such a literal can change its state: then it is one token in every text
   with this fingerprint, and all other tokens are equal too.
3. It folds where it stands in an expression (after SELECT, WHERE, ON, SET, VALUES, ...) as operand
   of an operator, or of a function that only computes. Paths, names in strings, options and
   statements in strings stand elsewhere, or a word of the text says that they may be there.
4. What does not fold is part of the key, as it is.
5. The caller checks once, by reading `exchanged`, that another text says the same.
"""

import re
from dataclasses import dataclass

from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.statistics import STATISTICS
from swarm.lineage.sql.tokens import Tokens, tokenize, word_of

_LITERAL = re.compile(
    r"((?<![\w'])'[^'\\{}\x00-\x1f\x85\u2028\u2029]{0,200}'(?!')"
    r"|(?<![\w$@:.#])\d{1,30}(?:\.\d{1,30})?(?![\w.]))"
)
# fmt: off
_STATEMENTS = frozenset({
    "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE",
})
_EXPRESSIONS = frozenset({
    "SELECT", "WHERE", "ON", "HAVING", "QUALIFY", "SET", "VALUES", "LIMIT", "OFFSET", "WHEN",
})
_ELSEWHERE = frozenset({
    "FROM", "JOIN", "INTO", "USING", "TABLE", "WITH", "CREATE", "INSERT", "UPDATE", "MERGE",
    "DELETE",
})
_BEFORE = frozenset({
    "=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "||", "(", ",", "AND", "OR",
    "BETWEEN", "LIKE", "ILIKE", "WHEN", "THEN", "ELSE", "SELECT", "LIMIT", "OFFSET", "WHERE",
    "ON", "NOT", "DATE", "TIMESTAMP",
})
_BEFORE_PARENTHESIS = _BEFORE | {
    "IN", "VALUES", "COALESCE", "IFNULL", "NVL", "NULLIF", "LOWER", "UPPER", "SUM", "MIN", "MAX",
    "COUNT", "AVG", "ROUND", "ABS", "GREATEST", "LEAST", "CAST", "DATE", "TO_DATE",
}
_SPEAKING = frozenset({  # a string may name or say something elsewhere in the text
    "EXEC", "EXECUTE", "IMMEDIATE", "CALL", "COPY", "UNLOAD", "LOAD", "EXPORT", "OPTIONS",
    "LOCATION", "BULK", "DO", "PREPARE", "DECLARE", "IDENTIFIER", "_TABLE_SUFFIX",
    "SP_EXECUTESQL", "SP_RENAME", "OPENROWSET", "OPENQUERY", "EXTERNAL_QUERY", "DIRECTORY",
    "STAGE", "OUTFILE", "BEGIN", "IF", "USE",
})
# fmt: on
_CATALOGS = tuple(name.partition(".")[0] for name in STATISTICS)  # asked by names in strings


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A text without its literals, and the literals in order, strings with their quotes."""

    skeleton: str
    literals: tuple[str, ...]


def fingerprint(text: str) -> Fingerprint | None:
    """None: the text has no literals, or may be a template."""
    if "{" in text or "\0" in text:
        return None
    pieces = _LITERAL.split(text)
    if len(pieces) == 1:
        return None
    literals = tuple(pieces[1::2])
    kinds = "".join(["s" if literal[0] == "'" else "n" for literal in literals])
    return Fingerprint("\0".join(pieces[::2]) + "\0" + kinds, literals)


def folding(text: str, dialect: str) -> tuple[bool, ...] | None:
    """For each literal of `text`, in order, whether it can be exchanged; None: rule 2 fails."""
    try:
        tokens = tokenize(text, dialect)
    except TokenError:
        return None
    starts = {int(token.start): index for index, token in enumerate(tokens)}
    spots = [match.span() for match in _LITERAL.finditer(text)]
    places: list[int] = []
    for start, end in spots:
        index = starts.get(start)
        if index is None or int(tokens[index].end) + 1 != end:
            return None
        wanted = TokenType.STRING if text[start] == "'" else TokenType.NUMBER
        if tokens[index].token_type != wanted:
            return None
        places.append(index)
    free = _free(tokens) if not _asks_catalog(text) else set()
    return tuple(index in free for index in places)


def exchanged(text: str, free: tuple[bool, ...]) -> str:
    """`text` with another literal in the place of each that is free."""
    pieces = _LITERAL.split(text)
    for number, is_free in enumerate(free):
        literal = pieces[2 * number + 1]
        if is_free:
            pieces[2 * number + 1] = "'other.words'" if literal[0] == "'" else "1" + literal
    return "".join(pieces)


def _asks_catalog(text: str) -> bool:
    folded = text.casefold()
    return any(catalog in folded for catalog in _CATALOGS)


def _free(tokens: Tokens) -> set[int]:
    """The indexes of the tokens that, were they literals, would fold."""
    words = [word_of(token) for token in tokens]
    if not _SPEAKING.isdisjoint(words):
        return set()
    found: set[int] = set()
    outside: list[bool] = []
    computed = starts = True
    known = False  # whether the statement is one of `_STATEMENTS`
    for index, (token, word) in enumerate(zip(tokens, words, strict=True)):
        before = words[index - 1] if index else ""
        if token.token_type == TokenType.SEMICOLON:
            starts = True
            outside.clear()
            continue
        if starts:
            known, computed, starts = word in _STATEMENTS, False, False
        computed = _computed(token, word, before, computed=computed, outside=outside)
        if known and computed and before in _BEFORE:
            found.add(index)
    return found


def _computed(token: Token, word: str, before: str, *, computed: bool, outside: list[bool]) -> bool:
    """Whether what follows `token` is an expression of nothing but values."""
    if token.token_type == TokenType.L_PAREN:
        outside.append(computed)
        return computed and before in _BEFORE_PARENTHESIS
    if token.token_type == TokenType.R_PAREN:
        return outside.pop() if outside else False
    if word in _EXPRESSIONS:
        return True
    return computed and word not in _ELSEWHERE

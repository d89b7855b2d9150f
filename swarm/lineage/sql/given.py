"""Variables of the session where a name or a path stands: `IDENTIFIER($t)`, `getvariable('p')`.

A parser takes them for names. Where the script gave the variable its text before, the text is put
in its place; where it may hold several, the statement is read with each of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.tokens import STRINGS, Statement, Tokens, word_of

_MARKS = frozenset({TokenType.PARAMETER, TokenType.COLON})
_BARE = frozenset({"spark", "spark2", "databricks"})  # variables have no mark there
_MAX_READINGS = 16

_Span = tuple[int, int, str]  # the tokens from the first up to the second, the variable


def with_given(
    statement: Statement, dialect: str, texts_of: Callable[[str], Sequence[str]]
) -> Iterator[Statement]:
    """The statement with each text that its variables may hold; as it is where none is known."""
    spans = [span for span in _spans(statement.tokens, dialect) if texts_of(span[2])]
    names = list(dict.fromkeys(name for _, _, name in spans))
    choices = list(product(*(texts_of(name) for name in names)))
    if not names or len(choices) > _MAX_READINGS:
        yield _joined(statement)
        return
    for texts in choices:
        held = dict(zip(names, texts, strict=True))
        tokens = list(statement.tokens)
        for start, end, name in reversed(spans):
            tokens[start:end] = [_string(tokens[start], held[name])]
        yield _joined(replace(statement, tokens=tokens))


def _spans(tokens: Tokens, dialect: str) -> Iterator[_Span]:
    for index in range(len(tokens) - 2):
        word, opens = word_of(tokens[index]), tokens[index + 1].token_type == TokenType.L_PAREN
        if not opens:
            continue
        if word == "GETVARIABLE" and tokens[index + 2].token_type in STRINGS:
            yield index, index + 4, tokens[index + 2].text
        elif word in ("IDENTIFIER", "TABLE"):
            is_bare = word == "IDENTIFIER" and dialect in _BARE
            yield from _in_group(tokens, index + 2, is_bare=is_bare)


def _in_group(tokens: Tokens, start: int, *, is_bare: bool) -> Iterator[_Span]:
    """The variables up to the parenthesis that closes; none if anything but texts is there."""
    found: list[_Span] = []
    index = start
    while index < len(tokens) and tokens[index].token_type != TokenType.R_PAREN:
        token = tokens[index]
        if token.token_type in _MARKS and index + 1 < len(tokens):
            found.append((index, index + 2, tokens[index + 1].text))
            index += 2
        elif is_bare and token.token_type == TokenType.VAR:
            found.append((index, index + 1, token.text))
            index += 1
        elif token.token_type in STRINGS or token.token_type == TokenType.DPIPE:
            index += 1
        else:
            return
    yield from found


def _joined(statement: Statement) -> Statement:
    """`IDENTIFIER('a' || '.b')` with its texts in one."""
    tokens = list(statement.tokens)
    for index in range(len(tokens) - 4, 0, -1):
        if word_of(tokens[index - 1]) != "IDENTIFIER":
            continue
        parts = tokens[index + 1 : index + 2]
        end = index + 2
        while end + 1 < len(tokens) and tokens[end].token_type == TokenType.DPIPE:
            parts.append(tokens[end + 1])
            end += 2
        if len(parts) > 1 and all(part.token_type in STRINGS for part in parts):
            tokens[index + 1 : end] = [_string(parts[0], "".join(part.text for part in parts))]
    return statement if len(tokens) == len(statement.tokens) else replace(statement, tokens=tokens)


def _string(near: Token, text: str) -> Token:
    return Token(TokenType.STRING, text, near.line, near.col, near.start, near.end)

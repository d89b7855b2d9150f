"""Where stand-ins for templates may stand in a statement, beside names and values.

A stand-in is a plain word. Where it stands for a number, for nothing, for a member of a `WITH` or
for a clause, the statement only parses with other tokens in its place.
"""

from collections.abc import Iterator, Sequence

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.tokens import word_of
from swarm.lineage.templates.holes import is_hole

_CLAUSE_ENDS: tuple[list[TokenType], ...] = (
    [],
    [TokenType.R_PAREN],
    [TokenType.UNION],
    [TokenType.ORDER_BY],
)
_OPERANDS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER, TokenType.R_PAREN}
    | {TokenType.NULL, TokenType.TRUE, TokenType.FALSE, TokenType.STAR}
)

_TABLES = frozenset({"FROM", "JOIN", "USING"})
_CONDITIONS = frozenset({"WHERE", "AND", "OR", "ON", "HAVING", "NOT", "QUALIFY"})
_CLAUSES = frozenset(
    {"WHERE", "GROUP", "ORDER", "HAVING", "QUALIFY", "LIMIT", "UNION", "EXCEPT", "INTERSECT"}
    | {"AND", "OR", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "GROUP BY", "ORDER BY"}
    | {"WHEN", "WINDOW"}
)
_TABLE_ENDS = frozenset({TokenType.VAR, TokenType.IDENTIFIER, TokenType.R_PAREN})
_ENDS = frozenset({TokenType.R_PAREN, TokenType.SEMICOLON})


def readings(tokens: list[Token]) -> Iterator[tuple[list[Token], bool]]:
    """The tokens as they are, then by what their stand-ins may be, likely ones first.

    With each: whether clauses are missing, so that a name may be one that they define.
    """
    yield tokens, False
    if any(is_hole(token.text) for token in tokens):
        yield [_as_number(token) for token in tokens], False
        yield [token for token in tokens if not is_hole(token.text)], False
        yield _with_clauses(tokens), True


def unseen(tokens: Sequence[Token]) -> list[str]:
    """The stand-ins that may name tables although the statement parses: behind a table, where a
    JOIN or a WHERE may stand, and in the place of a whole condition."""
    found: list[str] = []
    has_tables = False
    before: Token | None = None  # the last that is no stand-in
    run: list[str] = []
    for token in (*tokens, None):
        if token is not None and is_hole(token.text):
            run.append(token.text)
            continue
        ends = token is None or word_of(token) in _CLAUSES or token.token_type in _ENDS
        if run and ends and has_tables and before is not None:
            is_clause = before.token_type in _TABLE_ENDS
            found += run if is_clause or word_of(before) in _CONDITIONS else []
        run, before = [], token
        has_tables = has_tables or (token is not None and word_of(token) in _TABLES)
    return found


def _with_clauses(tokens: list[Token]) -> list[Token]:
    """The tokens with stand-ins for whole clauses, not names: members of a WITH, and queries."""
    kept: list[Token] = []
    kinds = [token.token_type for token in tokens]
    skip_comma = False
    for index, token in enumerate(tokens):
        before, after = (kinds[index - 1] if index else None), kinds[index + 1 : index + 2]
        if not is_hole(token.text):
            if not skip_comma:
                kept.append(token)
            skip_comma = False
        elif after == [TokenType.COMMA] and _defines(tokens, index + 2):
            skip_comma = True
            if before is None:
                kept.append(_like(token, TokenType.WITH, "WITH"))
        elif before == TokenType.COMMA and after == [TokenType.SELECT]:
            kept.pop()
        elif before in _OPERANDS and after in _CLAUSE_ENDS and index + 1 < len(tokens):
            continue
        elif before in (TokenType.L_PAREN, TokenType.R_PAREN) and after in _CLAUSE_ENDS:
            kept.append(_like(token, TokenType.SELECT, "SELECT"))
            kept.append(_like(token, TokenType.NUMBER, "0"))
        else:
            kept.append(token)
    return kept


def _defines(tokens: list[Token], index: int) -> bool:
    """Whether a member of a WITH begins at `index`; stand-ins for members may be before it."""
    while index + 1 < len(tokens) and is_hole(tokens[index].text):
        index += 2
    following = [token.text.upper() for token in tokens[index + 1 : index + 3]]
    return following == ["AS", "("]


def _as_number(token: Token) -> Token:
    if not is_hole(token.text):
        return token
    return _like(token, TokenType.NUMBER, "0")


def _like(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)

"""SET: variables of the script, and the settings that say where bare names are."""

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.tokens import TokenType

from swarm.lineage.sql.dynamic import text_value
from swarm.lineage.sql.effects import Assigned, Effect, UsedDefault
from swarm.lineage.sql.tables import accesses
from swarm.lineage.sql.tokens import Statement, Tokens, divided, word_of
from swarm.lineage.sql.values import Kind, Piece, expression, value_of

_SCOPES = frozenset({"SESSION", "LOCAL", "VARIABLE", "VAR", "GLOBAL"})
_OWN = frozenset({"$user", ""})  # the schema of the user, who is not known here


def set_effects(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    """What SET does; None: its syntax tree tells."""
    start = 2 if statement.word(1) in _SCOPES else 1
    if statement.word(start) == "SEARCH_PATH":
        path = (token.text for token in statement.tokens[start + 2 :] if token.text != ",")
        first = next((name for name in path if name.casefold() not in _OWN), "")
        return [UsedDefault("", first)] if first else []
    found: list[Effect] = []
    for names, value in _pairs(statement.tokens[start:]):
        tree = expression(value, sql, dialect)
        if tree is None and any(word_of(token) == "SELECT" for token in value):
            return None
        if tree is not None:
            found.extend(accesses(tree, dialect))
        pieces = text_value(value, sql, dialect)
        constant = "".join(piece.text for piece in pieces if piece.kind is Kind.TEXT)
        for name in names:
            found.append(Assigned(name, pieces, statement.in_branch))
            if name.casefold() == "@@dataset_id":
                found.append(UsedDefault("", constant))
            elif name.casefold() == "@@dataset_project_id":
                found.append(UsedDefault(constant, ""))
    return found


def _pairs(tokens: Tokens) -> Iterator[tuple[tuple[str, ...], Tokens]]:
    """(variables, value) of each assignment: `a = 1, b = 2`, `(a, b) = (1, 2)`."""
    for part in divided(tokens):
        index = next((i for i, t in enumerate(part) if t.text in ("=", ":=")), 0)
        if not index or index + 1 >= len(part):
            continue
        value = part[index + 1 :]
        if part[index - 1].token_type == TokenType.PLUS:  # T-SQL: SET @x += 'more'
            value = [*part[:index], *value]
            index -= 1
        if part[0].token_type != TokenType.L_PAREN:
            yield ("".join(token.text for token in part[:index]),), value
            continue
        names = tuple(token.text for token in part[1 : index - 1] if token.text != ",")
        values = list(divided(value[1:-1]))
        if len(values) == len(names) and "SELECT" not in map(word_of, value[1:2]):
            for name, one in zip(names, values, strict=True):
                yield (name,), one
        else:
            yield names, value


def selected(tree: exp.Expression, statement: Statement) -> list[Effect]:
    """T-SQL: `SELECT @x = 'a'` gives a value to a variable; with FROM, one that is not known."""
    found: list[Effect] = []
    is_query = tree.args.get("from_") is not None
    for item in tree.expressions if isinstance(tree, exp.Select) else []:
        if isinstance(item, exp.EQ) and isinstance(item.this, exp.Parameter):
            unknown = (Piece(Kind.UNKNOWN, item.this.sql()),)
            value = unknown if is_query else value_of(item.expression)
            found.append(Assigned(item.this.name, value, statement.in_branch))
    return found

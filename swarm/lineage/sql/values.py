"""Texts that a script puts together before it runs them: literals, variables, `||`, FORMAT.

A value is a row of pieces. Constants stay as they are, variables are looked up when the text is
run, everything else is unknown and becomes a stand-in that is found again in the text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.tokens import Tokens, is_deep

_MAX_SOURCE = 80
_FORMATS = frozenset({"format", "format_string", "printf", "formatmessage"})
_SHARDS = {"%Y%m%d": "20000101", "%Y%m": "200001"}  # a date of which names lose the date
_QUOTES = frozenset({"quote_ident", "quotename", "identifier", "to_varchar", "to_char", "quote"})
_SPEC = re.compile(r"%(?:(\d+)\$)?[-+ 0#']*\d*(?:\.\d+)?([a-zA-Z%])")
_BROKEN = (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError)


class Kind(Enum):
    """What a piece of a text is. `SCALAR`: unknown, but a number or a date and never SQL."""

    TEXT = "text"
    VARIABLE = "variable"
    SCALAR = "scalar"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Piece:
    """`text` is the constant, the name of the variable, or the source of what is unknown."""

    kind: Kind
    text: str


Value = tuple[Piece, ...]


def expression(tokens: Tokens, sql: str, dialect: str) -> exp.Expression | None:
    """The tree of an expression that stands alone; None if it is none."""
    if not tokens or is_deep(tokens):
        return None
    first = tokens[0]
    select = Token(TokenType.SELECT, "SELECT", first.line, 0, first.start, 0)
    for name in dict.fromkeys((dialect, "")):
        parser = Dialect.get_or_raise(name).parser(error_level=ErrorLevel.IMMEDIATE)
        try:
            trees = parser.parse([select, *tokens], sql)
        except _BROKEN:
            continue
        if len(trees) == 1 and isinstance(trees[0], exp.Select):
            found = trees[0].expressions
            return found[0] if len(found) == 1 and isinstance(found[0], exp.Expression) else None
    return None


def value_of(node: object) -> Value:
    """The pieces of the text that the expression `node` makes."""
    match node:
        case exp.Literal() | exp.National() | exp.RawString():
            return (Piece(Kind.TEXT, node.name),)
        case exp.Null():
            return ()
        case exp.Paren() | exp.Alias() | exp.Upper() | exp.Lower() | exp.Trim() | exp.Subquery():
            return value_of(node.this)
        case exp.DPipe() | exp.Add():
            return value_of(node.this) + value_of(node.expression)
        case exp.Concat():
            return tuple(piece for item in node.expressions for piece in value_of(item))
        case exp.Column() if not node.table:
            return (Piece(Kind.VARIABLE, node.name),)
        case exp.Parameter() | exp.Placeholder() | exp.SessionParameter() | exp.Var():
            return (Piece(Kind.VARIABLE, _innermost(node)),)
        case exp.Cast() | exp.Format() | exp.Anonymous() | exp.Chr() | exp.Replace():
            return _called(node)
        case exp.Expression():
            return _unknown(node)
    return ()


def _innermost(node: exp.Expression) -> str:
    while isinstance(node.this, exp.Expression):
        node = node.this
    return str(node.this)


def _called(node: exp.Func) -> Value:
    name = (node.name if isinstance(node, exp.Anonymous) else node.key).casefold()
    arguments = [node.this, *node.expressions]
    if isinstance(node, exp.Anonymous):
        arguments = node.expressions
    if isinstance(node, exp.Cast):
        inner = value_of(node.this)
        is_text = node.to.is_type(*exp.DataType.TEXT_TYPES)
        return inner if is_text or inner[0].kind is Kind.TEXT else _unknown(node)
    if isinstance(node, exp.Chr):
        code = node.expressions[0] if node.expressions else None
        known = isinstance(code, exp.Literal) and code.name.isdecimal() and int(code.name) < 128
        return (Piece(Kind.TEXT, chr(int(code.name))),) if known and code else _unknown(node)
    if name in _FORMATS and arguments:
        return _formatted(value_of(arguments[0]), [value_of(item) for item in arguments[1:]])
    if name in _QUOTES and arguments:
        return value_of(arguments[0])
    if name == "quote_literal" and arguments:
        return _quoted(value_of(arguments[0]))
    if name == "getvariable" and arguments and isinstance(arguments[0], exp.Literal):
        return (Piece(Kind.VARIABLE, arguments[0].name),)
    if isinstance(node, exp.Replace):
        return _replaced(node)
    return _unknown(node)


def _is_shard(node: exp.Expression) -> bool:
    """Whether a date is written as the names of date shards end, whatever the date."""
    form = node.args.get("format") if isinstance(node, exp.TimeToStr) else None
    return isinstance(form, exp.Literal) and form.name in _SHARDS


def _unknown(node: exp.Expression) -> Value:
    if _is_shard(node):
        return (Piece(Kind.TEXT, _SHARDS[node.args["format"].name]),)
    cast = node.to if isinstance(node, exp.Cast) else None
    is_text = cast is not None and cast.is_type(*exp.DataType.TEXT_TYPES)
    inner = node.this if is_text else node
    scalar = isinstance(
        inner, exp.CurrentDate | exp.CurrentTimestamp | exp.CurrentTime | exp.Count | exp.TimeToStr
    )
    numeric = cast is not None and cast.is_type(*exp.DataType.NUMERIC_TYPES)
    source = " ".join(node.sql().split())[:_MAX_SOURCE]
    return (Piece(Kind.SCALAR if scalar or numeric else Kind.UNKNOWN, source),)


def _quoted(value: Value) -> Value:
    quote = Piece(Kind.TEXT, "'")
    return (quote, *value, quote)


def _constant(value: Value) -> str | None:
    if any(piece.kind is not Kind.TEXT for piece in value):
        return None
    return "".join(piece.text for piece in value)


def _formatted(template: Value, arguments: list[Value]) -> Value:
    text = _constant(template)
    if text is None:
        return template
    pieces: list[Piece] = []
    end = following = 0
    for match in _SPEC.finditer(text):
        pieces.append(Piece(Kind.TEXT, text[end : match.start()]))
        end = match.end()
        letter = match.group(2)
        if letter == "%":
            pieces.append(Piece(Kind.TEXT, "%"))
            continue
        index = int(match.group(1)) - 1 if match.group(1) else following
        following = index + 1
        value = arguments[index] if index < len(arguments) else _missing(match.group(0))
        if letter in "dioxXeEfFgG":
            value = tuple(_as_scalar(piece) for piece in value)
        pieces.extend(_quoted(value) if letter in "TL" else value)
    return (*pieces, Piece(Kind.TEXT, text[end:]))


def _missing(spec: str) -> Value:
    return (Piece(Kind.UNKNOWN, spec),)


def _as_scalar(piece: Piece) -> Piece:
    return Piece(Kind.SCALAR, piece.text) if piece.kind is Kind.UNKNOWN else piece


def _replaced(node: exp.Replace) -> Value:
    """REPLACE('... {t} ...', '{t}', x)."""
    base = value_of(node.this)
    old = _constant(value_of(node.expression))
    new = value_of(node.args.get("replacement"))
    if not old:
        return base
    pieces: list[Piece] = []
    for piece in base:
        if piece.kind is not Kind.TEXT:  # a variable may hold what is replaced
            pieces.append(Piece(Kind.UNKNOWN, piece.text))
            continue
        first, *rest = piece.text.split(old)
        pieces.append(Piece(Kind.TEXT, first))
        for part in rest:
            pieces.extend((*new, Piece(Kind.TEXT, part)))
    return tuple(pieces)


class Variables:
    """The texts that variables may hold up to here.

    Of more than `_LIMIT` texts, or one of more than `_LONGEST` characters, none is known.
    """

    _LIMIT = 16
    _LONGEST = 1_000_000

    def __init__(self) -> None:
        self._texts: dict[str, tuple[str, ...]] = {}

    def put(self, name: str, texts: tuple[str, ...], *, maybe: bool) -> None:
        """`maybe`: the assignment is in a branch, so what was there before stays possible."""
        key = plain_name(name)
        before = self._texts.get(key, ()) if maybe else ()
        held = tuple(dict.fromkeys((*before, *texts)))
        self._texts[key] = held if len(held) <= self._LIMIT else ()

    def get(self, name: str) -> tuple[str, ...]:
        """What `name` may hold, nothing if that is not known."""
        return self._texts.get(plain_name(name), ())

    def texts(self, value: Value, stand_in: Callable[[Piece], str]) -> tuple[str, ...]:
        """All texts that `value` may be; `stand_in` writes what is not known."""
        found = [""]
        for piece in value:
            choices = (piece.text,) if piece.kind is Kind.TEXT else self.get(piece.text)
            size = max(map(len, found)) + max(map(len, choices), default=0)
            if (
                piece.kind in (Kind.UNKNOWN, Kind.SCALAR)
                or not choices
                or len(found) * len(choices) > self._LIMIT
                or size > self._LONGEST
            ):
                choices = (stand_in(piece),)
            found = [text + choice for choice in choices for text in found]
        return tuple(dict.fromkeys(found))


def plain_name(name: str) -> str:
    """The name of a variable without what marks it as one: `@x`, `:x`, `$x`."""
    return name.lstrip("@:$").casefold()

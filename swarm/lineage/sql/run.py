"""Runs a script in thought: statement after statement, and in its place each text that one runs.

Rules
1. A text that a statement runs is read where it is run, with the variables as they are there.
2. Of a variable that is assigned in a branch every value is possible.
3. What is unknown in a text becomes a stand-in. Within a string or behind an operator it can be
   no table; in a name it hides that table; elsewhere it may be anything and is reported.
4. A call runs the body of what this script has defined. A function is run once, a procedure at
   each call. What calls itself is run once on the way down.
"""

from dataclasses import dataclass, field, replace

from sqlglot.errors import TokenError
from sqlglot.tokens import TokenType

from swarm.lineage.sql.effects import (
    Assigned,
    Called,
    Effect,
    Executed,
    Kept,
    Name,
    Nested,
    NotUnderstood,
)
from swarm.lineage.sql.given import with_given
from swarm.lineage.sql.psql import DIALECTS_OF_PSQL, server_text
from swarm.lineage.sql.script import Script, original_line
from swarm.lineage.sql.split import statements
from swarm.lineage.sql.statements import statement_effects
from swarm.lineage.sql.tokens import STRINGS, Tokens, tokenize, word_of
from swarm.lineage.sql.values import Kind, Piece, Variables
from swarm.lineage.templates.holes import is_hole
from swarm.model.lineage import UnresolvedReason

_MAX_EXCERPT = 160
_MAX_NESTING = 8  # texts run by a text that is run by a text
_MAX_RUNS = 200  # texts run by one script
_OPERATORS = frozenset(
    {
        TokenType.EQ,
        TokenType.NEQ,
        TokenType.LT,
        TokenType.LTE,
        TokenType.GT,
        TokenType.GTE,
        TokenType.PLUS,
        TokenType.DASH,
        TokenType.STAR,
        TokenType.SLASH,
        TokenType.LIMIT,
        TokenType.OFFSET,
        TokenType.INTERVAL,
    }
)


@dataclass(slots=True)
class Count:
    """Statements of a script: the lines of those understood, how many there are, how many not."""

    understood: set[int] = field(default_factory=set)
    statements: int = 0
    failed: int = 0


class Run:
    """One way through a script. What it does goes to `script`, how well it went to `count`."""

    def __init__(self, script: Script, dialect: str, count: Count) -> None:
        self._count = count
        self._script = script
        self._dialect = dialect
        self._variables = Variables()
        self._kept: dict[str, list[tuple[Kept, tuple[int, ...]]]] = {}
        self._called: set[Kept] = set()  # functions that were run
        self._active: list[Kept] = []
        self._harmless: set[str] = set()  # stand-ins of numbers and dates
        self._runs = 0

    def text(self, text: str, lines: tuple[int, ...], depth: int = 0) -> None:
        """Run the script `text`; `lines[i]` is the original line of its line `i + 1`."""
        if depth == 0 and self._dialect in DIALECTS_OF_PSQL:
            text, problems = server_text(text)
            self._script.apply(problems, lines)
        try:
            tokens = _tokens(text, self._dialect)
        except TokenError as error:
            problem = str(error).splitlines()[0][:_MAX_EXCERPT]
            detail = f"cannot be cut into statements: {problem}"
            self._script.apply([NotUnderstood(UnresolvedReason.SYNTAX, 1, detail)], lines)
            self._count.statements += 1
            self._count.failed += 1
            return
        for statement in statements(tokens, self._dialect):
            given = with_given(statement, self._dialect, self._variables.get)
            effects = [
                effect for one in given for effect in statement_effects(one, text, self._dialect)
            ]
            plain = [effect for effect in effects if not isinstance(effect, _Later)]
            self._script.apply(plain, lines)
            self._count.statements += 1
            if any(isinstance(effect, NotUnderstood) for effect in effects):
                self._count.failed += 1
            else:
                self._count.understood.add(original_line(statement.line, lines))
            for effect in effects:
                if isinstance(effect, _Later):
                    self._apply(effect, lines, depth)

    def _apply(self, effect: Effect, lines: tuple[int, ...], depth: int) -> None:
        match effect:
            case Nested():
                first = effect.line - effect.text.count("\n")
                self._open(effect.text, (first, effect.line), lines, depth)
            case Assigned():
                texts = self._variables.texts(effect.value, self._stand_in)
                known = any(piece.kind is Kind.TEXT for piece in effect.value) or not all(
                    is_hole(text) for text in texts
                )
                self._variables.put(effect.name, texts if known else (), maybe=effect.maybe)
            case Executed():
                self._execute(effect, lines, depth)
            case Kept():
                known_as = _plain(effect.name)
                self._kept[known_as] = [(effect, lines)]
            case Called():
                self._call(effect, lines, depth)

    def _execute(self, effect: Executed, lines: tuple[int, ...], depth: int) -> None:
        texts = self._variables.texts(effect.value, self._stand_in)
        for text in texts:
            if is_hole(text):
                self._script.apply([effect.problem], lines)
                continue
            hidden = self._hidden(text)
            if hidden:
                listed = ", ".join(dict.fromkeys(hidden))
                detail = f"a part of the text is made at run time: {listed}"
                self._script.apply([replace(effect.problem, detail=detail)], lines)
            problems = len(self._script.problems)
            self._open(text, (effect.first, effect.last), lines, depth)
            if hidden:  # that the rest does not parse without it is no news
                self._script.forget_syntax(problems)

    def _hidden(self, text: str) -> list[str]:
        """The stand-ins in `text` that may be any piece of SQL."""
        try:
            tokens = _tokens(text, self._dialect)
        except TokenError:
            return []
        found: list[str] = []
        for index, token in enumerate(tokens):
            if not is_hole(token.text) or token.token_type in STRINGS:
                continue
            before = tokens[index - 1] if index else None
            near = [tokens[i] for i in (index - 1, index + 1) if 0 <= i < len(tokens)]
            in_name = any(t.token_type == TokenType.DOT for t in near)
            is_table = before is not None and word_of(before) in ("FROM", "JOIN", "INTO", "TABLE")
            is_value = before is not None and before.token_type in _OPERATORS
            if not (in_name or is_table or is_value or token.text in self._harmless):
                found.extend(self._script.holes_in(token.text))
        return found

    def _call(self, effect: Called, lines: tuple[int, ...], depth: int) -> None:
        found = self._find(effect.name)
        if found is None or not found[0].value:
            if effect.problem is not None:
                self._script.apply([effect.problem], lines)
            return
        kept, at = found
        is_function = effect.problem is None
        if kept in self._active or (is_function and kept in self._called):
            return
        self._called.add(kept)
        self._active.append(kept)
        for text in self._variables.texts(kept.value, self._stand_in):
            self._open(text, (kept.first, kept.last), at, depth)
        self._active.pop()

    def _find(self, name: Name) -> tuple[Kept, tuple[int, ...]] | None:
        """What was kept under this name, or under one of which either ends with the other."""
        called = _plain(name)
        if called in self._kept:
            return self._kept[called][-1]
        for known, kept in self._kept.items():
            if known.endswith("." + called) or called.endswith("." + known):
                return kept[-1]
        return None

    def _open(self, text: str, span: tuple[int, int], lines: tuple[int, ...], depth: int) -> None:
        """Run a text that stands on the lines `span` of the text around it."""
        first, last = span
        self._runs += 1
        if depth == _MAX_NESTING or self._runs > _MAX_RUNS:
            detail = f"texts that run texts, more than {_MAX_NESTING} deep or {_MAX_RUNS} in all"
            self._script.apply([NotUnderstood(UnresolvedReason.SYNTAX, first, detail)], lines)
            return
        count = text.count("\n") + 1
        inner = tuple(original_line(min(first + i, last), lines) for i in range(count))
        self.text(text, inner, depth + 1)

    def _stand_in(self, piece: Piece) -> str:
        text = self._script.stand_in(piece.text)
        if piece.kind is Kind.SCALAR:
            self._harmless.add(text)
        return text


_Later = Nested | Assigned | Executed | Kept | Called


def _plain(name: Name) -> str:
    return ".".join(part.casefold() for part in name.parts)


def _tokens(text: str, dialect: str) -> Tokens:
    try:
        return tokenize(text, dialect)
    except TokenError:
        if not dialect:
            raise
        return tokenize(text, "")

"""Expressions in `${...}` that are more than a name, as Oozie and Java's expression language have.

Worked out are constants, parameters, the text functions of Oozie and its formatted dates (one
fixed date stands for all of them). What another function gives may be a parameter with the name of
the whole call (`wf:id()`). What else the run has to say becomes a stand-in.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from swarm.lineage.templates.values import MOMENT

_MAX_RESULT = 1_000  # characters; names and paths are shorter
_MAX_DEPTH = 8  # calls inside of calls, and parameters whose values name others
_MAX_PATTERN = 60  # characters of a regular expression that is tried

_EXPRESSION = re.compile(r"""\$\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{}"'])*)\}""")
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<name>[A-Za-z_][\w.:]*)"""
    r"""|(?P<number>-?\d+)|(?P<sign>[(),]))\s*"""
)
_LITERAL_PATTERN = re.compile(r"[\w.,:/*+?^$\\\[\]-]*")  # no groups: nothing that backtracks badly
_DATE_LETTERS = re.compile(r"'([^']*)'|([A-Za-z])\2*")
_DATE_PARTS = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}


def fill_expressions(
    text: str, parameters: Mapping[str, str], stand_in: Callable[[str], str]
) -> str:
    """`text` with every `${expression}` replaced by its value or by a stand-in; keeps lines."""

    def value(match: re.Match[str]) -> str:
        known = _worked_out(match.group(1), parameters, 0)
        filled = known if known is not None else stand_in(match.group(0))
        return filled + "\n" * match.group(0).count("\n")

    return _EXPRESSION.sub(value, text) if "${" in text else text


def _worked_out(source: str, parameters: Mapping[str, str], depth: int) -> str | None:
    tokens = list(_tokens(source))
    if not tokens or tokens[-1] is None or depth > _MAX_DEPTH:
        return None
    reader = _Reader([token for token in tokens if token is not None], parameters, depth)
    result = reader.value()
    known = result is not None and reader.finished() and len(result) <= _MAX_RESULT
    return result if known else None


def _tokens(source: str) -> Iterator[re.Match[str] | None]:
    """The tokens, the last of them `None` where something else stands."""
    place = 0
    while place < len(source):
        token = _TOKEN.match(source, place)
        yield token
        if token is None:
            return
        place = token.end()


@dataclass(slots=True)
class _Reader:
    """Reads one value after the other; `None` is a value that only the run knows."""

    tokens: list[re.Match[str]]
    parameters: Mapping[str, str]
    depth: int
    place: int = 0

    def finished(self) -> bool:
        return self.place >= len(self.tokens)

    def value(self) -> str | None:
        if self.finished():
            return None
        token = self.tokens[self.place]
        self.place += 1
        if token["text"] is not None:
            return re.sub(r"\\(.)", r"\1", token["text"][1:-1])
        if token["name"] is None:
            return token["number"]
        if not self._next("("):
            return self._parameter(token["name"])
        given = self._arguments()
        told = self.parameters.get(f"{token['name']}({','.join(map(str, given))})")
        return told if told is not None else _called(token["name"], given)

    def _next(self, sign: str) -> bool:
        found = not self.finished() and self.tokens[self.place]["sign"] == sign
        self.place += found
        return found

    def _arguments(self) -> list[str | None]:
        self.depth += 1
        given: list[str | None] = []
        while self.depth <= _MAX_DEPTH and not self.finished() and not self._next(")"):
            given.append(self.value())
            self._next(",")
        self.depth -= 1
        return given

    def _parameter(self, name: str) -> str | None:
        value = self.parameters.get(name)
        if value is None or "${" not in value:
            return value
        filled = _EXPRESSION.sub(
            lambda m: _worked_out(m.group(1), self.parameters, self.depth + 1) or m.group(0), value
        )
        return None if "${" in filled else filled


def _called(name: str, given: list[str | None]) -> str | None:
    """What Oozie's function `name` gives; a date is formatted whatever date it is."""
    if name == "coord:formatTime" and len(given) == 2 and given[1] is not None:
        return _formatted(given[1])
    texts = [text for text in given if text is not None]
    if len(texts) != len(given):
        return None
    if name == "concat":
        return "".join(texts)
    if name == "trim" and len(texts) == 1:
        return texts[0].strip()
    if name == "replaceAll" and len(texts) == 3:
        return _replaced(*texts)
    return None


def _replaced(text: str, pattern: str, by: str) -> str | None:
    if len(pattern) > _MAX_PATTERN or not _LITERAL_PATTERN.fullmatch(pattern) or "$" in by:
        return None
    try:
        return re.sub(pattern, lambda _: by, text[:_MAX_RESULT])
    except re.error:
        return None


def _formatted(pattern: str) -> str | None:
    """The fixed date by a pattern of Java's SimpleDateFormat."""
    unknown = False

    def part(match: re.Match[str]) -> str:
        nonlocal unknown
        if match.group(2) is None:
            return match.group(1) or "'"
        name = _DATE_PARTS.get(match.group(2))
        unknown = unknown or name is None
        number = str(getattr(MOMENT, name)) if name is not None else ""
        width = len(match.group(0))
        return number[-2:] if name == "year" and width == 2 else number.zfill(width)

    text = _DATE_LETTERS.sub(part, pattern)
    return None if unknown else text

"""The variables of a shell while its commands are read, and what words become with them.

A variable may be one of several values: those that the branches before left. What is not known
is a hole in the text, under the name of the variable.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product

from swarm.lineage.code.shell_text import MARK, Expansion, ShellText, mark_expansions
from swarm.lineage.code.texts import hole
from swarm.lineage.templates.values import MOMENT

MAX_VALUES = 16
_MAX_VALUE = 20_000  # characters of a value; longer ones are only made to hurt
_MAX_WORD = 1_000_000
_MAX_NESTING = 12
_NAMED = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_CAT_HERE = re.compile(r"\s*cat\s*(?:-\s*)?<<<\s*(\x01\d+\x01)\s*")
_FIELD = re.compile(r"[ \t\n]+")
_OPERATOR = re.compile(r"(:?[-=?+]|%%?|##?|//?|\^\^?|,,?|:)(.*)", re.DOTALL)
_DATE_PARTS = re.compile(r"%[a-zA-Z%]")

Reader = Callable[[str, str], str | None]
"""The text of a given file: of a folder and a path."""


def _nothing(folder: str, path: str) -> str | None:
    return None


def _none(folder: str, pattern: str) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a shell text is started with. `script` is the path of the text itself, `matching` gives
    the paths of given files that a pattern like `sql/*.sql` fits, seen from a folder."""

    variables: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    script: str = ""
    read: Reader = _nothing
    matching: Callable[[str, str], list[str]] = _none


@dataclass(slots=True)
class Variables:
    """What the shell knows now; `folder` is where it is."""

    around: Surroundings
    values: dict[str, tuple[str, ...]]
    arguments: tuple[str, ...]
    folder: str = ""
    arrays: dict[str, list[str]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    chosen: dict[str, str] = field(default_factory=dict)
    exports_all: bool = False
    nesting: int = 0  # expansions inside each other

    def assign(self, name: str, value: str, may_be: bool = False) -> None:
        """`name=value`; `may_be`: it may also keep what it was."""
        value = value if len(value) <= _MAX_VALUE else hole(name)
        before = self.values.get(name, ()) if may_be else ()
        self.values[name] = _few(name, (*before, value))

    def merge(self, states: Sequence[Mapping[str, tuple[str, ...]]]) -> None:
        """After branches a variable may be what any of them left."""
        names = dict.fromkeys(name for state in states for name in state)
        self.values = {
            name: _few(name, (v for state in states for v in state.get(name, ()))) for name in names
        }

    def environment(self) -> dict[str, str]:
        """What a program that is started now gets: variables with one value."""
        found = {name: self._value(name) for name in self.exported}
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, name: str) -> str | None:
        if name in self.chosen:
            return self.chosen[name]
        values = self.values.get(name, ())
        return values[0] if len(values) == 1 else None

    def choices(self, words: Iterable[str], text: ShellText) -> Iterator[None]:
        """Sets `chosen` to every combination of the values of the variables in `words`."""
        names: dict[str, None] = {}
        for word in words:
            names.update(dict.fromkeys(self._named(word, text, 0)))
        several = [name for name in names if len(self.values.get(name, ())) > 1]
        options = [self.values[name] for name in several]
        outside = self.chosen
        for at, chosen in enumerate(product(*options)):
            if at >= MAX_VALUES:  # the rest is not known, and said where it is used
                self.chosen = {**outside, **{name: hole(name) for name in several}}
                yield
                break
            self.chosen = {**outside, **dict(zip(several, chosen, strict=True))}
            yield
        self.chosen = outside

    def _named(self, word: str, text: ShellText, depth: int) -> Iterator[str]:
        for match in MARK.finditer(word):
            if match.group(1) is not None:
                inner = ShellText()
                document, expands = text.documents[int(match.group(1))]
                marked = mark_expansions(document, inner, True) if expands else ""
                yield from self._named(marked, inner, depth + 1) if depth < 4 else ()
            else:
                one = text.expansions[int(match.group(2))]
                yield one.name.partition("[")[0]

    # --- words ---------------------------------------------------------------------------------

    def words(self, words: Iterable[str], text: ShellText) -> list[str]:
        """The words after expansion; one that is not quoted may become several or none."""
        found: list[str] = []
        for word in words:
            found.extend(self._fields(word, text) if MARK.search(word) else [word])
        return found

    def _fields(self, word: str, text: ShellText) -> list[str]:
        whole = MARK.fullmatch(word)
        if whole is not None and whole.group(2) is not None:
            one = text.expansions[int(whole.group(2))]
            several = self._several(one)
            if several is not None:
                return several
            value = self._expanded(one, text)
            return [value] if one.is_quoted else [part for part in _FIELD.split(value) if part]
        return [self.text(word, text)]

    def text(self, word: str, text: ShellText) -> str:
        """The text that a word is; one that gets far too long is not known."""
        length = 0

        def value(match: re.Match[str]) -> str:
            nonlocal length
            found = one_value(match) if length <= _MAX_WORD else ""
            length += len(found)
            return found

        def one_value(match: re.Match[str]) -> str:
            if match.group(1) is not None:
                document, expands = text.documents[int(match.group(1))]
                return self.document(document) if expands else document
            one = text.expansions[int(match.group(2))]
            several = self._several(one)
            return " ".join(several) if several is not None else self._expanded(one, text)

        text_of_word = MARK.sub(value, word)
        return text_of_word if length <= _MAX_WORD else hole("a long text")

    def document(self, text: str) -> str:
        """A text in which the shell expands variables and commands: a here-document."""
        if self.nesting > _MAX_NESTING:
            return hole("substituted")
        self.nesting += 1
        inner = ShellText()
        found = self.text(mark_expansions(MARK.sub("", text), inner, in_quotes=True), inner)
        self.nesting -= 1
        return found

    def inlined(self, command: str, text: ShellText) -> str:
        """A command of `$(...)` with its here-documents as quoted words."""
        return MARK.sub(lambda match: shlex.quote(self.text(match.group(), text)), command)

    def _several(self, one: Expansion) -> list[str] | None:
        if one.name in {"@", "*"}:
            return list(self.arguments)
        name, bracket, _ = one.name.partition("[")
        if bracket and one.name.endswith(("[@]", "[*]")):
            return list(self.arrays.get(name, [hole(name)]))
        return None

    def _expanded(self, one: Expansion, text: ShellText) -> str:
        if one.command:
            here = _CAT_HERE.fullmatch(one.command)
            if here is not None:
                return self.text(here.group(1), text).rstrip("\n")
            return self.printed(one.command)
        known = self.known(one.name)
        return _operated(self, one, known)

    def known(self, name: str) -> str | None:
        """The value of a variable, `None` when there is none."""
        if name.isdigit():
            at = int(name)
            if at == 0:
                return self.around.script or None
            return self.arguments[at - 1] if at <= len(self.arguments) else None
        base, bracket, index = name.partition("[")
        if base in {"BASH_SOURCE"}:
            return self.around.script or None
        if bracket:
            items, at_text = self.arrays.get(base, []), index.rstrip("]")
            return items[int(at_text)] if at_text.isdigit() and int(at_text) < len(items) else None
        return self.folder or "." if base == "PWD" else self._value(base)

    def filled(self, text: str) -> str:
        """What `envsubst` makes of a text."""
        return _NAMED.sub(lambda match: self._of_name(match), text)

    def _of_name(self, match: re.Match[str]) -> str:
        known = self._value(match.group(1) or match.group(2))
        return match.group() if known is None else known

    # --- commands ------------------------------------------------------------------------------

    def printed(self, command: str) -> str:
        """What a command prints, where that can be told without running it."""
        words = self.document(command).split()
        name = posixpath.basename(words[0]) if words else ""
        if name == "date":
            return _date(command, self)
        if name in {"cat", "<"} and len(words) == 2:
            found = self.around.read(self.folder, words[1].strip("\"'"))
            return hole("substituted") if found is None else found.rstrip("\n")
        if name == "echo":
            return " ".join(words[1:]).strip("\"'")
        if name in {"dirname", "basename", "cd", "pwd", "readlink", "realpath"}:
            return _path(self, words)
        return hole("substituted")


def _path(state: Variables, words: Sequence[str]) -> str:
    """`$(dirname "$0")` and the ways to write it."""
    given = [word.strip("\"'()$") for word in words[1:] if not word.startswith("-")]
    if words[0] == "pwd":
        return state.folder or "."
    if not given:
        return hole("substituted")
    if words[0] == "basename":
        return posixpath.basename(given[0]).removesuffix(given[1] if len(given) > 1 else "")
    if words[0] == "cd":
        return given[0] if given[-1] == "pwd" else hole("substituted")
    return (posixpath.dirname(given[0]) or ".") if words[0] == "dirname" else given[0]


def _date(command: str, state: Variables) -> str:
    """One fixed date in the format that `date` is asked for. The moment is of this run alone."""
    match = re.search(r"\+(\"[^\"]*\"|'[^']*'|\S+)", state.document(command))
    if match is None:
        return MOMENT.strftime("%a %b %d %H:%M:%S UTC %Y")
    pattern = match.group(1).strip("\"'")
    if "%s" in pattern or "%N" in pattern:
        return hole("moment")
    known = {"%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%D": "%m/%d/%y"}
    pattern = _DATE_PARTS.sub(lambda part: known.get(part.group(), part.group()), pattern)
    try:
        return MOMENT.strftime(pattern)
    except ValueError:
        return hole("date")


def _operated(state: Variables, one: Expansion, known: str | None) -> str:
    """`${name:-default}`, `${name%suffix}` and their like."""
    match = _OPERATOR.fullmatch(one.operator)
    sign, rest = match.groups() if match is not None else ("", "")
    if sign in {":-", "-", ":=", "="} and not known:
        value = state.document(rest)
        if sign in {":=", "="}:
            state.assign(one.name, value)
        return value
    if sign in {":+", "+"}:
        return state.document(rest) if known else ""
    if known is None:
        return hole(f"argument {one.name}" if one.name.isdigit() else one.name)
    if not one.operator or sign in {":-", "-", ":=", "=", ":?", "?"}:
        return known
    return _changed(known, sign, state.document(rest))


def _changed(text: str, sign: str, rest: str) -> str:
    match sign:
        case "^^":
            return text.upper()
        case ",,":
            return text.lower()
        case "%" | "%%":
            ends = [at for at in range(len(text) + 1) if fnmatchcase(text[at:], rest)]
            return text[: (ends[0] if sign == "%%" else ends[-1])] if ends else text
        case "#" | "##":
            ends = [at for at in range(len(text) + 1) if fnmatchcase(text[:at], rest)]
            return text[(ends[-1] if sign == "##" else ends[0]) :] if ends else text
        case "/" | "//":
            old, _, new = rest.partition("/")
            return text.replace(old, new, -1 if sign == "//" else 1) if old else text
    return hole("part of a variable")


def _few(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """The different ones; of too many the rest is a value that is not known."""
    found = tuple(dict.fromkeys(values))
    return found if len(found) <= MAX_VALUES else (*found[: MAX_VALUES - 1], hole(name))

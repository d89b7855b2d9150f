"""A shell text as simple commands in their order: words, operators, and what is expanded in them.

Every `$name`, `${...}`, `$(...)` and here-document is a numbered mark in a word. What a mark
becomes is known only where the command stands (`shell_variables`).
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

MAX_COMMAND = 100_000
_HERE = re.compile(r"(?<!<)<<(-?)[ \t]*(['\"]?)([A-Za-z_]\w*)\2")
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?!-]")
_BRACED = re.compile(r"(!?)(#?)([A-Za-z_]\w*(?:\[[^\]]*\])?|[0-9]+|[@*#?])(.*)", re.DOTALL)
_DOCUMENT, _EXPANSION, _JOINED = "\x01", "\x02", "\x04"
MARK = re.compile(f"{_DOCUMENT}(\\d+){_DOCUMENT}|{_EXPANSION}(\\d+){_EXPANSION}")
_PUNCTUATION = "();<>|&"
_OPERATORS = {"&&", "||", ";", "&", ";;", ";&", ";;&", "\n"}


@dataclass(frozen=True, slots=True)
class Expansion:
    """`${name operator}` (`$name` has no operator) or the output of `command`."""

    name: str = ""
    operator: str = ""
    command: str = ""
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A simple command, `(`, `)`, `|` or `;;`; `after` is the operator before it."""

    words: tuple[str, ...]
    after: str
    line: int


@dataclass(slots=True)
class ShellText:
    """The parts of a text; marks in their words are numbers in the two lists.

    A document is its text and whether the shell expands it.
    """

    parts: list[Part] = field(default_factory=list)
    expansions: list[Expansion] = field(default_factory=list)
    documents: list[tuple[str, bool]] = field(default_factory=list)


def read_shell(text: str) -> ShellText:
    """The simple commands of a text. Never raises."""
    found = ShellText()
    for mark in (_DOCUMENT, _EXPANSION, _JOINED):
        text = text.replace(mark, "")
    plain = _here_documents(text, found)
    marked = mark_expansions(plain, found, in_quotes=False)
    for line, number in _lines(marked):
        found.parts.extend(_split(line, number))
    return found


def _here_documents(text: str, found: ShellText) -> str:
    """The text with the place of each here-document taken by a marked word."""
    lines, rest = [], text.split("\n")
    while rest:
        line = rest.pop(0)
        blank = 0
        for match in _HERE.finditer(line):
            dash, quote, end = match.groups()
            body = [each.lstrip("\t") for each in rest] if dash else rest
            at = next((n for n, each in enumerate(body) if _ends(each, end)), -1)
            if at < 0:
                continue  # no here-document after all, as in `1 << x`
            mark = f"<<< {_DOCUMENT}{len(found.documents)}{_DOCUMENT}"
            found.documents.append(("\n".join(body[:at]), not quote))
            line = line.replace(match.group(), mark, 1)
            behind = body[at][len(end) :]
            rest = [behind, *rest[at + 1 :]] if behind else rest[at + 1 :]
            blank += at if behind else at + 1
        lines += [line, *[""] * blank]
    return "\n".join(lines)


def _ends(line: str, end: str) -> bool:
    """Whether a line ends a here-document: the end of a substitution may stand right behind."""
    return line == end or (line.startswith(end) and line[len(end) :].lstrip()[:1] in ("`", ")"))


def mark_expansions(text: str, found: ShellText, in_quotes: bool) -> str:
    """The text with everything that the shell expands in it replaced by marks."""
    out: list[str] = []
    quoted = in_quotes
    at = 0
    while at < len(text):
        char = text[at]
        end = at + 1
        if char == "\\" and end < len(text):
            end += 1
            out.append(_escaped(text[at:end], in_quotes))
        elif char == "'" and not quoted:
            end = _closing(text, at)
            out.append(text[at:end])
        elif char == '"' and not in_quotes:
            quoted = not quoted
            out.append(char)
        elif char == "#" and not quoted and (at == 0 or text[at - 1] in " \t\n;"):
            end = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif char in "$`" and (one := _expansion(text, at, quoted)) is not None:
            expansion, end = one
            out.append(f"{_EXPANSION}{len(found.expansions)}{_EXPANSION}")
            found.expansions.append(expansion)
        else:
            out.append(char)
        at = end
    return "".join(out)


def _escaped(two: str, in_document: bool) -> str:
    if two == "\\\n":
        return _JOINED
    return two[1] if in_document and two[1] in "$`\\" else two


def _closing(text: str, at: int) -> int:
    end = text.find("'", at + 1)
    return len(text) if end < 0 else end + 1


def _expansion(text: str, at: int, quoted: bool) -> tuple[Expansion, int] | None:
    """The expansion that starts at `at` and where it ends."""
    if text[at] == "`":
        end = text.find("`", at + 1)
        return None if end < 0 else (Expansion(command=text[at + 1 : end] or " "), end + 1)
    following = text[at + 1 : at + 2]
    if following == "(":
        end = matching(text, at + 1, "()")
        command = text[at + 2 : end - 1]
        if command.startswith("(") and command.endswith(")"):
            return Expansion("arithmetic", is_quoted=quoted), end
        return Expansion(command=command or " ", is_quoted=quoted), end
    if following == "{":
        end = matching(text, at + 1, "{}")
        match = _BRACED.fullmatch(text[at + 2 : end - 1])
        if match is None or match.group(1) or match.group(2):
            return Expansion(text[at + 2 : end - 1], "?", is_quoted=quoted), end
        return Expansion(match.group(3), match.group(4), is_quoted=quoted), end
    name = _NAME.match(text, at + 1)
    if name is None:
        return None
    return Expansion(name.group(), is_quoted=quoted), name.end()


def matching(text: str, at: int, pair: str) -> int:
    """Where the bracket at `at` is closed again: the place after it."""
    depth = 0
    quote = ""
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in pair:
            depth += 1 if char == pair[0] else -1
            if depth == 0:
                return at + 1
        at += 1
    return len(text)


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Logical lines with the number of their first; a quoted text may span several."""
    pending, start, number = "", 1, 1
    for line in text.split("\n"):
        start = start if pending else number
        number += 1 + line.count(_JOINED)
        pending = f"{pending}\n{line}" if pending else line
        try:
            shlex.split(pending, comments=True)
        except ValueError:
            continue
        yield pending.replace(_JOINED, " "), start
        pending = ""
    if pending:
        yield pending.replace(_JOINED, " "), start


def _split(line: str, number: int) -> Iterator[Part]:
    """The simple commands of a line, and the parentheses, pipes and `;;` between them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    try:
        words = [part for word in lexer for part in _apart(word)]
    except ValueError:
        return
    current: list[str] = []
    after = "\n"
    for word in words:
        if word not in {"(", ")", "|", "|&"} and word not in _OPERATORS:
            current.append(word)
            continue
        if current:
            yield Part(tuple(current), after, number)
        current, after = [], word
        if word in {"(", ")", ";;"}:
            yield Part((word,), after, number)
        elif word in {"|", "|&"}:
            yield Part(("|",), after, number)
    if current:
        yield Part(tuple(current), after, number)


def _apart(word: str) -> Sequence[str]:
    """`);` comes as one word."""
    if not word or not set(word) <= set(_PUNCTUATION):
        return [word]
    return [part for part in re.findall(r"[()]|;;&?|[^();]+|;", word) if part]


_DROPPED = frozenset({"!", "time"})
_OPENERS = frozenset({"if", "then", "else", "elif", "while", "until", "do", "{"})


def separated(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts, with every word of the shell that opens a block apart from what follows it."""
    for part in parts:
        words = part.words
        while words and (words[0] in _DROPPED or words[0] in _OPENERS):
            if words[0] in _OPENERS:
                yield replace(part, words=words[:1])
            words = words[1:]
        if words[:1] == ("function",) and len(words) > 2:
            yield replace(part, words=words[:2])
            words = words[2:]
            if words[0] == "{":
                yield replace(part, words=words[:1])
                words = words[1:]
        if words[:1] == ("case",) and "in" in words:
            at = words.index("in") + 1
            yield replace(part, words=words[:at])
            words = words[at:]
        if words:
            yield replace(part, words=words)

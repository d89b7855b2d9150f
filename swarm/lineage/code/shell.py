"""What a shell text runs: SQL clients, programs, copies of files, redirections.

A reading of simple commands in their order, with variables, loops over known words, branches (each
counts), functions, `case` over arguments and files that are sourced. What the shell does not know
before it runs is a hole in the words.
"""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from swarm.lineage.code.shell_command import Command, Streams, redirected
from swarm.lineage.code.shell_simple import printed_by, redirections, simple_commands, split_setting
from swarm.lineage.code.shell_text import MARK, MAX_COMMAND, Part, ShellText, read_shell
from swarm.lineage.code.shell_variables import Surroundings, Variables
from swarm.lineage.code.texts import hole

_DROPPED = frozenset({"!", "time"})
_OPENERS = frozenset({"if", "then", "else", "elif", "while", "until", "do", "{"})
_BODIES = {"{": "}", "(": ")"}  # of functions
_SETTERS = frozenset({"export", "declare", "typeset", "local", "readonly"})
_PROFILES = frozenset({"activate", "profile", "bashrc", "bash_profile", "env.sh", "setenv.sh"})
_MAX_DEPTH = 6  # functions, sourced files and substitutions inside each other
_MAX_TURNS = 100  # of one loop
_MAX_COMMANDS = 3_000
_MAX_NESTING = 60  # blocks inside each other
_MAX_STEPS = 10_000  # commands that are looked at, turns of loops counted each


def _only_sets(path: str) -> bool:
    """Whether a file that is sourced sets up an environment: nothing is lost without it, for a
    variable that nobody set is told where it is used."""
    name = posixpath.basename(path)
    return name.startswith(".") or name in _PROFILES or path.startswith("/etc/")


def commands(
    command: str | Sequence[str], around: Surroundings | None = None
) -> tuple[Command, ...]:
    """The simple commands of a shell text, or the one a list of arguments is. Never raises."""
    around = around or Surroundings()
    if not isinstance(command, str):
        words = list(command)
        if PurePosixPath(words[0] if words else "").name in {"sh", "bash"} and "-c" in words[:-1]:
            return commands(words[words.index("-c") + 1], around)
        found = simple_commands(words, None)
        return tuple(replace(one, variables=around.variables) for one in found)
    if len(command) > MAX_COMMAND:
        return (Command(missing=f"a command of {len(command)} characters"),)
    values: dict[str, tuple[str, ...]] = {
        name: (value,) for name, value in around.variables.items()
    }
    reader = _Reader(Variables(around, values, around.arguments, exported=set(values)))
    reader.read(command)
    return tuple(reader.found)


def _separated(parts: Sequence[Part]) -> Iterator[Part]:
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


class _Reader:
    """Goes through a text; the commands that it starts are in `found`."""

    def __init__(self, state: Variables) -> None:
        self.found: list[Command] = []
        self._state = state
        self._text = ShellText()
        self._parts: list[Part] = []
        self._functions: dict[str, tuple[list[Part], ShellText]] = {}
        self._depth = 0
        self._steps = 0
        self._nesting = 0
        self._is_cut = False
        self._options = ""  # the variable that `getopts` sets
        self._by_words = False  # a loop goes over the words of the command line
        self._before, self._piped = Streams(), False

    def read(self, source: str) -> None:
        """Follows a text inside of what is followed now."""
        text = read_shell(source)
        self._inside(list(_separated(text.parts)), text)

    def _inside(self, parts: list[Part], text: ShellText) -> None:
        if self._depth >= _MAX_DEPTH:
            self._too_long()
            return
        outside = self._parts, self._text
        self._parts, self._text = parts, text
        self._depth += 1
        at = 0
        while at < len(parts):  # a closing word too many ends nothing
            at = self._block(at, frozenset()) + 1
        self._depth -= 1
        self._parts, self._text = outside

    # --- blocks ----------------------------------------------------------------------------------

    def _block(self, at: int, ends: frozenset[str]) -> int:
        """Follows parts up to one of the words in `ends`; answers where that stands."""
        while at < len(self._parts) and self._parts[at].words[0] not in ends:
            self._steps += 1
            if self._is_over():
                self._too_long()
                return len(self._parts)
            self._nesting += 1
            at = self._statement(at)
            self._nesting -= 1
        if at < len(self._parts) and len(self._parts[at].words) > 1:
            _, streams = redirections(self._words(self._parts[at].words[1:]), None)
            paths = redirected(streams.files, streams.outputs)
            if paths:
                self._add(Command(paths=paths), self._parts[at])
        return at

    def _is_over(self) -> bool:
        over = self._steps > _MAX_STEPS or self._nesting > _MAX_NESTING
        return over or len(self.found) >= _MAX_COMMANDS

    def _too_long(self) -> None:
        """Says once that the rest of the text is not followed."""
        if not self._is_cut:
            self._is_cut = True
            missing = "the shell text is too long or nested too deep to be followed to its end"
            self.found.append(Command(missing=missing))

    def _statement(self, at: int) -> int:
        first = self._parts[at].words[0]
        block = self._blocks().get(first)
        if block is not None:
            self._piped = False
            return block(at)
        if first == "function" and len(self._parts[at].words) > 1:
            after = at + 3 if self._word(at + 1) == "(" else at + 1
            return self._define(at, self._parts[at].words[1], after)
        if self._word(at + 1) == "(" and self._word(at + 2) == ")":
            return self._define(at, first, at + 3)
        if first.endswith("=") and self._word(at + 1) == "(":
            return self._array(at)
        if first == "|":
            self._piped = True
        elif first not in {";;", ")", "}"}:
            self._command(self._parts[at])
        return at + 1

    def _blocks(self) -> dict[str, Callable[[int], int]]:
        return {
            "if": self._if,
            "while": self._while,
            "until": self._while,
            "for": self._for,
            "select": self._for,
            "case": self._case,
            "{": self._group,
            "(": self._subshell,
        }

    def _word(self, at: int) -> str:
        return self._parts[at].words[0] if at < len(self._parts) else ""

    def _if(self, at: int) -> int:
        at = self._block(at + 1, frozenset({"then"}))
        start = dict(self._state.values)
        states = []
        is_complete = False
        while at < len(self._parts):
            at = self._block(at + 1, frozenset({"elif", "else", "fi"}))
            states.append(self._state.values)
            word = self._word(at)
            self._state.values = dict(start)
            if word == "elif":
                at = self._block(at + 1, frozenset({"then"}))
            elif word == "else":
                is_complete = True
            else:
                break
        self._state.merge(states if is_complete else [start, *states])
        return at + 1

    def _while(self, at: int) -> int:
        at = self._block(at + 1, frozenset({"do"}))
        start, arguments = dict(self._state.values), self._state.arguments
        self._by_words = False
        at = self._block(at + 1, frozenset({"done"}))
        if not self._by_words:
            self._state.merge([start, self._state.values])
        self._state.arguments = arguments
        return at + 1

    def _for(self, at: int) -> int:
        words = self._parts[at].words
        start = at + 1
        while start < len(self._parts) and self._word(start) != "do":
            start += 1
        name = words[1] if len(words) > 1 else ""
        items = self._words(words[3:]) if "in" in words else list(self._state.arguments)
        items = [one for item in items for one in self._matching(item)] or [hole(name or "item")]
        end = start
        if len(items) > _MAX_TURNS:
            self._too_long()
        for item in items[:_MAX_TURNS]:
            self._state.values[name] = (item,)
            before = len(self.found)
            end = self._block(start + 1, frozenset({"done"}))
            again = [one for one in self.found[before:] if one not in self.found[:before]]
            self.found[before:] = again
        return end + 1

    def _matching(self, word: str) -> list[str]:
        if not any(sign in word for sign in "*?["):
            return [word]
        return self._state.around.matching(self._state.folder, word) or [word]

    def _case(self, at: int) -> int:
        subject = self._parts[at].words[1]
        value = " ".join(self._words([subject]))
        start, arguments = dict(self._state.values), self._state.arguments
        states = [start]
        by_words = self._is_argument(subject)
        self._by_words = self._by_words or by_words
        at += 1
        while at < len(self._parts) and self._word(at) != "esac":
            patterns: list[str] = []
            while at < len(self._parts) and self._word(at) not in {")", "esac"}:
                patterns += [word for word in self._parts[at].words if word not in {"|", "("}]
                at += 1
            self._state.values = dict(start)
            if self._chosen(subject, value, patterns):
                at = self._block(at + 1, frozenset({";;", "esac"}))
                states.append(self._state.values)
            else:
                at = self._skipped(at + 1)
            self._state.arguments = arguments
            if by_words:
                start = _joined(states)
            at += self._word(at) == ";;"
        self._state.merge([start] if by_words else states)
        return at + 1

    def _is_argument(self, subject: str) -> bool:
        match = MARK.fullmatch(subject)
        if match is None or match.group(2) is None:
            return False
        name = self._text.expansions[int(match.group(2))].name
        return name == "1" or (bool(self._options) and name == self._options)

    def _chosen(self, subject: str, value: str, patterns: Sequence[str]) -> bool:
        """Whether a section of a `case` may count. One over the words of the command line counts
        when one of them fits, and then sees those from there."""
        if not self._is_argument(subject):
            known = "\x00" not in value and bool(value)
            return not known or any(fnmatchcase(value, pattern) for pattern in patterns)
        words = self._state.arguments
        dash = "-" if self._options else ""
        for at, word in enumerate(words):
            if any(fnmatchcase(word, dash + p) for p in patterns if p not in {"*", "?"}):
                self._state.arguments = words[at:]
                self._state.values["OPTARG"] = words[at + 1 : at + 2] or (hole("OPTARG"),)
                return True
        return False

    def _skipped(self, at: int) -> int:
        depth = 0
        while at < len(self._parts):
            word = self._word(at)
            if depth == 0 and word in {";;", "esac"}:
                return at
            depth += (word == "case") - (word == "esac")
            at += 1
        return at

    def _group(self, at: int) -> int:
        return self._block(at + 1, frozenset({"}"})) + 1

    def _subshell(self, at: int) -> int:
        folder, values = self._state.folder, dict(self._state.values)
        at = self._block(at + 1, frozenset({")"}))
        self._state.folder, self._state.values = folder, values
        return at + 1

    def _define(self, at: int, name: str, start: int) -> int:
        opening = self._word(start)
        if opening not in _BODIES:
            return start
        closing = _BODIES[opening]
        depth, end = 0, start
        while end < len(self._parts):
            depth += (self._word(end) == opening) - (self._word(end) == closing)
            if depth == 0:
                break
            end += 1
        self._functions[name] = (self._parts[start + 1 : end], self._text)
        return end + 1

    def _array(self, at: int) -> int:
        name = self._parts[at].words[0].rstrip("+=")
        items: list[str] = []
        at += 2
        while at < len(self._parts) and self._word(at) != ")":
            items.extend(self._words(self._parts[at].words))
            at += 1
        self._state.arrays[name] = items
        return at + 1

    # --- commands --------------------------------------------------------------------------------

    def _words(self, words: Sequence[str]) -> list[str]:
        return self._state.words(words, self._text)

    def _command(self, part: Part) -> None:
        given = self._before if self._piped else None
        self._piped = False
        for _ in self._state.choices(part.words, self._text):
            words = self._words(part.words)
            self._substitutions(part.words)
            self._before = printed_by(words, given, self._state)
            self._one(words, part, given)

    def _substitutions(self, words: Sequence[str]) -> None:
        """Commands inside of `$(...)` run too; those that only make a text are of no interest."""
        for word in words:
            for match in MARK.finditer(word):
                number = match.group(2)
                command = self._text.expansions[int(number)].command if number else ""
                if not command:
                    continue
                before, folder = len(self.found), self._state.folder
                kept = self._before, self._piped
                self.read(self._state.inlined(command, self._text))
                self._before, self._piped = kept
                self._state.folder = folder
                self.found[before:] = [one for one in self.found[before:] if not one.missing]

    def _one(self, words: list[str], part: Part, given: Streams | None) -> None:
        settings, rest = split_setting(words)
        name = rest[0] if rest else ""
        may_be = part.after in {"&&", "||"}
        if name in _SETTERS:
            self._set(split_setting(rest[1:])[0], may_be)
            exports = name == "export" or "-x" in rest
            names = {word.partition("=")[0] for word in rest[1:]} if exports else set()
            self._state.exported |= names
        elif not rest:
            self._set(settings, may_be)
        elif (builtin := self._builtins().get(name)) is not None:
            builtin(rest)
        elif name in self._functions:
            self._call(name, rest[1:], part.line)
        else:
            variables = {**self._state.environment(), **dict(settings)}
            for found in simple_commands(words, given):
                self._add(replace(found, variables=variables), part)

    def _add(self, command: Command, part: Part) -> None:
        self.found.append(replace(command, folder=self._state.folder, line=part.line))

    def _set(self, settings: Sequence[tuple[str, str]], may_be: bool) -> None:
        for name, value in settings:
            value = self._without_itself(name, value)
            if name.endswith("+"):
                plain = name[:-1]
                value = "".join(self._state.values.get(plain, ("",))[:1]) + value
                name = plain
            self._state.assign(name, value, may_be)
            if self._state.exports_all:
                self._state.exported.add(name)

    def _without_itself(self, name: str, value: str) -> str:
        """`x="$x more"` of a variable of the script that has no value yet starts from nothing."""
        is_of_script = name not in self._state.values and name != name.upper()
        return value.replace(hole(name), "") if is_of_script else value

    def _builtins(self) -> dict[str, Callable[[list[str]], None]]:
        return {
            "cd": self._cd,
            "pushd": self._cd,
            "source": self._source,
            ".": self._source,
            "read": self._read,
            "mapfile": self._unknown,
            "shift": self._shift,
            "getopts": self._getopts,
            "eval": self._eval,
            "set": self._set_options,
        }

    def _cd(self, words: list[str]) -> None:
        """A folder that only the shell knows (`~`, a hole) keeps that as its name: nothing is found
        right below it, but what is deeper can be told by the end of its path."""
        names = [word for word in words[1:] if word not in {"-P", "-L", "--"}]
        target = names[0] if names else "~"
        self._state.folder = posixpath.normpath(posixpath.join(self._state.folder, target))

    def _source(self, words: list[str]) -> None:
        text = None
        if len(words) > 1:
            text = self._state.around.read(self._state.folder, words[1])
        if text is not None and len(text) <= MAX_COMMAND:
            self.read(text)
        elif len(words) > 1 and not _only_sets(words[1]):
            missing = f"the sourced file `{words[1]}` is not among the files given, or too long"
            self.found.append(Command(missing=missing))

    def _read(self, words: list[str]) -> None:
        """`read -d '' name <<EOF` takes the whole document, else what is read is not known."""
        at = words.index("<<<") if "<<<" in words[:-1] else -1
        if at > 1 and any(word.startswith("-") and "d" in word for word in words[:at]):
            self._state.assign(words[at - 1], words[at + 1])
        else:
            self._unknown(words[: at if at > 0 else None])

    def _unknown(self, words: list[str]) -> None:
        for word in words[1:]:
            if not word.startswith("-"):
                self._state.values[word] = (hole(word),)

    def _shift(self, words: list[str]) -> None:
        count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
        self._state.arguments = self._state.arguments[count:]

    def _getopts(self, words: list[str]) -> None:
        self._options = words[2] if len(words) > 2 else ""

    def _eval(self, words: list[str]) -> None:
        self.read(" ".join(words[1:]))

    def _set_options(self, words: list[str]) -> None:
        self._state.exports_all = words[1:2] != ["+a"] and (
            self._state.exports_all or "-a" in words or "allexport" in words
        )

    def _call(self, name: str, arguments: list[str], line: int) -> None:
        parts, text = self._functions[name]
        outside, self._state.arguments = self._state.arguments, tuple(arguments)
        before = len(self.found)
        self._inside(parts, text)
        if text is not self._text:  # lines are those of the file that is followed
            self.found[before:] = [replace(one, line=line) for one in self.found[before:]]
        self._state.arguments = outside


def _joined(states: Sequence[dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Sections over the words of one command line add to each other: the latest value counts."""
    return {name: values for state in states for name, values in state.items()}

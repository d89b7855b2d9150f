"""What a shell text runs: SQL clients, programs, copies of files, redirections.

A reading of simple commands in their order, with variables, loops over known words, branches (each
counts), functions, `case` over arguments and files that are sourced. What the shell does not know
before it runs is a hole in the words.
"""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from swarm.lineage.code.shell_blocks import Blocks
from swarm.lineage.code.shell_command import Command, Streams
from swarm.lineage.code.shell_simple import printed_by, simple_commands, split_setting
from swarm.lineage.code.shell_text import MARK, MAX_COMMAND, Part
from swarm.lineage.code.shell_variables import Surroundings, Variables
from swarm.lineage.code.texts import hole

_SETTERS = frozenset({"export", "declare", "typeset", "local", "readonly"})
_PROFILES = frozenset({"activate", "profile", "bashrc", "bash_profile", "env.sh", "setenv.sh"})


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


class _Reader:
    """Runs the simple commands of a text in thought; those that it starts are in `found`."""

    def __init__(self, state: Variables) -> None:
        self.found: list[Command] = []
        self._state = state
        self._blocks = Blocks(state, self.found, self._command)
        self._before = Streams()

    def read(self, source: str) -> None:
        """Follows a text."""
        self._blocks.read(source)

    def _words(self, words: Sequence[str]) -> list[str]:
        return self._state.words(words, self._blocks.text)

    def _command(self, part: Part, piped: bool) -> None:
        given = self._before if piped else None
        for _ in self._state.choices(part.words, self._blocks.text):
            words = self._words(part.words)
            self._substitutions(part.words)
            self._before = printed_by(words, given, self._state)
            self._one(words, part, given)

    def _substitutions(self, words: Sequence[str]) -> None:
        """Commands inside of `$(...)` run too; those that only make a text are of no interest."""
        for word in words:
            for match in MARK.finditer(word):
                number = match.group(2)
                command = self._blocks.text.expansions[int(number)].command if number else ""
                if not command:
                    continue
                before, folder = len(self.found), self._state.folder
                kept = self._before
                self._blocks.read(self._state.inlined(command, self._blocks.text))
                self._before = kept
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
        elif name in self._blocks.functions:
            self._blocks.call(name, rest[1:], part.line)
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
            self._blocks.read(text)
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
        self._blocks.options = words[2] if len(words) > 2 else ""

    def _eval(self, words: list[str]) -> None:
        self._blocks.read(" ".join(words[1:]))

    def _set_options(self, words: list[str]) -> None:
        self._state.exports_all = words[1:2] != ["+a"] and (
            self._state.exports_all or "-a" in words or "allexport" in words
        )

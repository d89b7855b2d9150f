"""The blocks of a shell text: branches, loops, `case`, functions, subshells.

Goes through the parts in their order and hands each simple command on. Every branch counts; what
a loop over known words does is done for each.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from swarm.lineage.code.shell_command import Command, redirected
from swarm.lineage.code.shell_simple import redirections
from swarm.lineage.code.shell_text import MARK, Part, ShellText, read_shell, separated
from swarm.lineage.code.shell_variables import Variables
from swarm.lineage.code.texts import hole

_BODIES = {"{": "}", "(": ")"}  # of functions
_MAX_DEPTH = 6  # functions, sourced files and substitutions inside each other
_MAX_TURNS = 100  # of one loop
_MAX_COMMANDS = 3_000
_MAX_NESTING = 60  # blocks inside each other
_MAX_STEPS = 10_000  # commands that are looked at, turns of loops counted each


class Blocks:
    """Follows texts inside each other; `found` are the commands up to here.

    `run` gets a simple command, and whether another one is piped into it. `text` is the one that
    is followed now, `options` the variable that `getopts` sets.
    """

    def __init__(
        self, state: Variables, found: list[Command], run: Callable[[Part, bool], None]
    ) -> None:
        self.text = ShellText()
        self.options = ""
        self.functions: dict[str, tuple[list[Part], ShellText]] = {}
        self._state = state
        self._found = found
        self._run = run
        self._parts: list[Part] = []
        self._depth = 0
        self._steps = 0
        self._nesting = 0
        self._is_cut = False
        self._by_words = False  # a loop goes over the words of the command line
        self._piped = False

    def read(self, source: str) -> None:
        """Follows a text inside of what is followed now."""
        text = read_shell(source)
        self._inside(list(separated(text.parts)), text)

    def _inside(self, parts: list[Part], text: ShellText) -> None:
        if self._depth >= _MAX_DEPTH:
            self._too_long()
            return
        outside = self._parts, self.text
        self._parts, self.text = parts, text
        self._depth += 1
        at = 0
        while at < len(parts):  # a closing word too many ends nothing
            at = self._block(at, frozenset()) + 1
        self._depth -= 1
        self._parts, self.text = outside

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
                one = Command(paths=paths, folder=self._state.folder, line=self._parts[at].line)
                self._found.append(one)
        return at

    def _is_over(self) -> bool:
        over = self._steps > _MAX_STEPS or self._nesting > _MAX_NESTING
        return over or len(self._found) >= _MAX_COMMANDS

    def _too_long(self) -> None:
        """Says once that the rest of the text is not followed."""
        if not self._is_cut:
            self._is_cut = True
            missing = "the shell text is too long or nested too deep to be followed to its end"
            self._found.append(Command(missing=missing))

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
            piped, self._piped = self._piped, False
            self._run(self._parts[at], piped)
            self._piped = False
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
            before = len(self._found)
            end = self._block(start + 1, frozenset({"done"}))
            again = [one for one in self._found[before:] if one not in self._found[:before]]
            self._found[before:] = again
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
        name = self.text.expansions[int(match.group(2))].name
        return name == "1" or (bool(self.options) and name == self.options)

    def _chosen(self, subject: str, value: str, patterns: Sequence[str]) -> bool:
        """Whether a section of a `case` may count. One over the words of the command line counts
        when one of them fits, and then sees those from there."""
        if not self._is_argument(subject):
            known = "\x00" not in value and bool(value)
            return not known or any(fnmatchcase(value, pattern) for pattern in patterns)
        words = self._state.arguments
        dash = "-" if self.options else ""
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
        self.functions[name] = (self._parts[start + 1 : end], self.text)
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

    def call(self, name: str, arguments: list[str], line: int) -> None:
        """Follows the body of a function."""
        parts, text = self.functions[name]
        outside, self._state.arguments = self._state.arguments, tuple(arguments)
        before = len(self._found)
        self._inside(parts, text)
        if text is not self.text:  # lines are those of the file that is followed
            self._found[before:] = [replace(one, line=line) for one in self._found[before:]]
        self._state.arguments = outside

    def _words(self, words: Sequence[str]) -> list[str]:
        return self._state.words(words, self.text)


def _joined(states: Sequence[dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Sections over the words of one command line add to each other: the latest value counts."""
    return {name: values for state in states for name, values in state.items()}

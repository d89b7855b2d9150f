"""What a shell command runs: SQL clients, Python programs, copies of files, redirections.

A simple reading of simple commands. A program that is not known is reported as missing source,
the words of the shell itself and programs that touch no data are left out.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import dropwhile
from pathlib import PurePosixPath

from swarm.lineage.code.shell_programs import Command, program_of, redirected
from swarm.model.lineage import Access

MAX_COMMAND = 100_000
_HARMLESS_NAMES = """
    echo printf sleep date true false exit set export unset cd mkdir rm rmdir test [ [[ : pwd ls
    touch chmod chown whoami hostname which trap wait kill umask ulimit source . if then else
    elif fi for do done while until case esac return local read shift eval function { }
    break continue declare typeset readonly dirname basename uname id stat df du ps nproc
    pip uv git kubectl ssh ping nslookup
"""
_HARMLESS = frozenset(_HARMLESS_NAMES.split())
_FILTER_NAMES = "cat head tail sort uniq wc grep egrep sed awk cut tr jq tee gzip gunzip"
_FILTERS = frozenset(_FILTER_NAMES.split())
_RUNNER_NAMES = "nohup sudo time nice exec env timeout flock ionice stdbuf command"
_RUNNERS = frozenset(_RUNNER_NAMES.split())
_KEYWORDS = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{"})
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
# What a command substitution prints is not known; its words are no commands of the line.
_SUBSTITUTION = re.compile(r"\$\([^()]*\)|`[^`]*`")
_PUNCTUATION = "();<>|&"
_OPERATORS = {"&&", "||", ";", "|", "&", ";;", "\n", "|&"}


def commands(command: str | Sequence[str]) -> tuple[Command, ...]:
    """The simple commands of a shell text, or the one a list of arguments is. Never raises."""
    if not isinstance(command, str):
        words = list(command)
        if PurePosixPath(words[0] if words else "").name in {"sh", "bash"} and "-c" in words[:-1]:
            return commands(words[words.index("-c") + 1])
        found = _simple(words)
        return (found,) if found is not None else ()
    if len(command) > MAX_COMMAND:
        return (Command(missing=f"a command of {len(command)} characters"),)
    return tuple(_simple_commands([words for line in _lines(command) for words in _split(line)]))


def _simple_commands(parts: Sequence[list[str]]) -> Iterator[Command]:
    """The commands of a text, each with the folder it runs in; parentheses keep a `cd` inside."""
    folder, around = "", [""]
    for part in parts:
        words = list(dropwhile(_KEYWORDS.__contains__, part))
        if not words:
            continue
        if words == ["("]:
            around.append(folder)
        elif words == [")"]:
            folder = around.pop() if len(around) > 1 else folder
        elif words[0] == "cd":
            folder = _moved(folder, words[1:])
        elif (found := _simple(words)) is not None:
            yield replace(found, folder=folder)


def _moved(folder: str, words: Sequence[str]) -> str:
    """Where `cd` leads. A folder that only the shell knows (`$X`, `~`) keeps that as its name:
    nothing is found right below it, but what is deeper can be told by the end of its path."""
    names = [word for word in words if word not in {"-P", "-L", "--"}]
    return posixpath.normpath(posixpath.join(folder, names[0] if names else "~"))


def _lines(text: str) -> list[str]:
    """Logical lines; a quoted text may span several, a here-document is the input of its line."""
    lines: list[str] = []
    pending = ""
    for line in text.replace("\\\n", " ").split("\n"):
        pending = f"{pending}\n{line}" if pending else line
        try:
            shlex.split(pending, comments=True)
        except ValueError:
            continue
        lines.append(pending)
        pending = ""
    return [*lines, pending] if pending else lines


def _split(line: str) -> list[list[str]]:
    plain = _SUBSTITUTION.sub("$substituted", line)
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    try:
        words = [part for word in lexer for part in _apart(word)]
    except ValueError:
        return []
    found: list[list[str]] = [[]]
    for word in words:
        if word in {"(", ")"}:
            found += [[word], []]
        elif word in _OPERATORS:
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words]


def _apart(word: str) -> list[str]:
    """`);` comes as one word."""
    return re.findall(r"[()]|[^()]+", word) if word and set(word) <= set(_PUNCTUATION) else [word]


def _simple(words: list[str]) -> Command | None:
    words, inputs, outputs = _redirections(words)
    words = _without_runners(words)
    if not words:
        return None
    name = PurePosixPath(words[0]).name
    program = program_of(name)
    if program is not None:
        return program(words[1:], inputs, outputs)
    paths = redirected(inputs, outputs)
    if name in _HARMLESS:
        return Command(paths=paths) if paths else None
    if name in _FILTERS:
        return Command(paths=(*_read_by_filter(name, words[1:]), *paths))
    if name.endswith((".sh", ".py", ".bash")):
        return Command(script=words[0], arguments=tuple(words[1:]), paths=paths)
    return Command(paths=paths, missing=f"what the program `{name}` does is not known")


def _redirections(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    plain: list[str] = []
    inputs: list[str] = []
    outputs: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        if word in {">", ">>", "<", ">&", "&>", "<<", "<<<"}:
            if word in {">", ">>"} and plain and plain[-1] in {"1", "2"}:
                is_error = plain.pop() == "2"
                outputs.extend([] if is_error else [following])
            elif word in {">", ">>"}:
                outputs.append(following)
            elif word == "<":
                inputs.append(following)
            at += 2
        else:
            plain.append(word)
            at += 1
    return plain, inputs, outputs


def _without_runners(words: list[str]) -> list[str]:
    at = 0
    while at < len(words):
        name = PurePosixPath(words[at]).name
        is_option = at > 0 and re.fullmatch(r"-.*|\d+[smh]?", words[at]) is not None
        if not (_ASSIGNMENT.match(words[at]) or name in _RUNNERS or is_option):
            break
        at += 1
    return words[at:]


def _read_by_filter(name: str, words: list[str]) -> list[tuple[Access, str]]:
    """Only words that are surely files: with a slash and no option before them."""
    access = Access.WRITE if name == "tee" else Access.READ
    return [(access, w) for w in words if "/" in w and not w.startswith("-") and " " not in w]

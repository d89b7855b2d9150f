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

from swarm.lineage.code.shell_programs import Command, Streams, program_of, redirected
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
_SUBSTITUTION = re.compile(r"\$\(\([^()]*\)\)|\$\([^()]*\)|`[^`]*`")
_HERE = re.compile(r"(?<!<)<<(-?)[ \t]*(['\"]?)([A-Za-z_]\w*)\2")
_MARK = "\x01"
_PIPE = ["|"]
_REDIRECTIONS = {">", ">>", "<", ">&", "&>", "<<", "<<<"}
_PUNCTUATION = "();<>|&"
_OPERATORS = {"&&", "||", ";", "&", ";;", "\n"}


def commands(command: str | Sequence[str]) -> tuple[Command, ...]:
    """The simple commands of a shell text, or the one a list of arguments is. Never raises."""
    if not isinstance(command, str):
        words = list(command)
        if PurePosixPath(words[0] if words else "").name in {"sh", "bash"} and "-c" in words[:-1]:
            return commands(words[words.index("-c") + 1])
        found = _simple(words, None)
        return (found,) if found is not None else ()
    if len(command) > MAX_COMMAND:
        return (Command(missing=f"a command of {len(command)} characters"),)
    plain, documents = _here_documents(command.replace(_MARK, ""))
    parts = [words for line in _lines(plain) for words in _split(line, documents)]
    return tuple(_simple_commands(parts))


def _here_documents(text: str) -> tuple[str, list[str]]:
    """The text with the place of each here-document taken by a marked word, and the documents."""
    lines, rest = [], text.split("\n")
    documents: list[str] = []
    while rest:
        line = rest.pop(0)
        for match in _HERE.finditer(line):
            dash, quote, end = match.groups()
            body = [each.lstrip("\t") for each in rest] if dash else rest
            if end not in body:
                continue  # no here-document after all, as in `1 << x`
            at = body.index(end)
            document = "\n".join(body[:at])
            mark = f"<<< {_MARK}{len(documents)}{_MARK}"
            documents.append(document if quote else _expanded(document))
            line = line.replace(match.group(), mark, 1)
            rest = rest[at + 1 :]
        lines.append(line)
    return "\n".join(lines), documents


def _expanded(document: str) -> str:
    """A here-document whose end is not quoted: the shell replaces commands in it."""
    kept = document.replace("\\`", _MARK)
    return _SUBSTITUTION.sub("$substituted", kept).replace(_MARK, "`").replace("\\$", "$")


def _simple_commands(parts: Sequence[list[str]]) -> Iterator[Command]:
    """The commands of a text, each with the folder it runs in; parentheses keep a `cd` inside."""
    folder, around = "", [""]
    before, piped = Streams(), False
    for part in parts:
        words = list(dropwhile(_KEYWORDS.__contains__, part))
        if not words:
            continue
        if words == _PIPE:
            piped = True
            continue
        given = before if piped else None
        before, piped = _printed(words, given), False
        if words == ["("]:
            around.append(folder)
        elif words == [")"]:
            folder = around.pop() if len(around) > 1 else folder
        elif words[0] == "cd":
            folder = _moved(folder, words[1:])
        elif (found := _simple(words, given)) is not None:
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


def _split(line: str, documents: Sequence[str]) -> list[list[str]]:
    """The simple commands of a line, and the parentheses and pipes between them."""
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
        elif word in {"|", "|&"}:
            found += [_PIPE, []]
        elif word in _OPERATORS:
            found.append([])
        else:
            is_marked = word.startswith(_MARK) and word.strip(_MARK).isdigit()
            found[-1].append(documents[int(word.strip(_MARK))] if is_marked else word)
    return [words for words in found if words]


def _apart(word: str) -> list[str]:
    """`);` comes as one word."""
    return re.findall(r"[()]|[^()]+", word) if word and set(word) <= set(_PUNCTUATION) else [word]


def _simple(words: list[str], given: Streams | None) -> Command | None:
    """What one simple command does; `given` is what another pipes into it."""
    words, streams = _redirections(words, given)
    words = _without_runners(words)
    if not words:
        return None
    name = PurePosixPath(words[0]).name
    program = program_of(name)
    if program is not None:
        return program(words[1:], streams)
    files = () if given is not None else streams.files
    paths = redirected(files, streams.outputs)
    if name in _HARMLESS:
        return Command(paths=paths) if paths else None
    if name in _FILTERS:
        return Command(paths=(*_read_by_filter(name, words[1:]), *paths))
    if name.endswith((".sh", ".py", ".bash")):
        return Command(script=words[0], arguments=tuple(words[1:]), paths=paths)
    return Command(paths=paths, missing=f"what the program `{name}` does is not known")


def _printed(words: list[str], given: Streams | None) -> Streams:
    """What a command hands on through a pipe, as far as that is known."""
    words, streams = _redirections(words, given)
    words = _without_runners(words)
    name = PurePosixPath(words[0]).name if words else ""
    rest = [word for word in words[1:] if not word.startswith("-")]
    if name == "echo" or (name == "printf" and len(rest) == 1 and "%" not in rest[0]):
        return Streams(texts=(" ".join(rest),), is_piped=True)
    if name == "cat":
        kept = Streams(tuple(rest), is_piped=True) if rest else streams
        return replace(kept, outputs=(), is_piped=True)
    return Streams(is_piped=True)


def _redirections(words: list[str], given: Streams | None) -> tuple[list[str], Streams]:
    plain: list[str] = []
    inputs: list[str] = []
    texts: list[str] = []
    outputs: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        if word not in _REDIRECTIONS:
            plain.append(word)
            at += 1
            continue
        at += 2
        is_error = word in {">", ">>"} and plain[-1:] == ["2"]
        if word in {">", ">>"}:
            plain = plain[:-1] if plain[-1:] in (["1"], ["2"]) else plain
            outputs.extend([] if is_error else [following])
        elif word == "<":
            inputs.append(following)
        elif word == "<<<":
            texts.append(following)
    if given is not None and not inputs and not texts:
        return plain, replace(given, outputs=tuple(outputs))
    return plain, Streams(tuple(inputs), tuple(texts), tuple(outputs))


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

"""What one simple command of a shell does, when its words are known."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from swarm.lineage.code.shell_command import Command, Streams, options, redirected
from swarm.lineage.code.shell_programs import program_of
from swarm.lineage.code.shell_variables import Variables
from swarm.lineage.code.shell_wrappers import is_wrapper, takes_lines, wrapped
from swarm.model.lineage import Access

_HARMLESS_NAMES = """
    echo printf sleep date true false exit set export unset cd mkdir rm rmdir test [ [[ : pwd ls
    touch chmod chown whoami hostname which trap wait kill umask ulimit source . if then else
    elif fi for do done while until case esac return local read shift eval function { }
    break continue declare typeset readonly dirname basename uname id stat df du ps nproc
    pip git ping nslookup
"""
_HARMLESS = frozenset(_HARMLESS_NAMES.split())
_FILTER_NAMES = "cat head tail sort uniq wc grep egrep sed awk cut tr jq tee gzip gunzip envsubst"
_FILTERS = frozenset(_FILTER_NAMES.split())
_WITH_PROGRAM = frozenset({"sed", "awk", "grep", "egrep", "tr", "jq"})
_RUNNER_NAMES = "chronic setsid nohup time nice exec env timeout ionice stdbuf command"
_RUNNERS = frozenset(_RUNNER_NAMES.split())
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*\+?=")
_MAX_STARTED = 8  # programs that start a program that starts one
_EDIT = re.compile(r"s([/|#,@])(.*?)\1(.*?)\1g?", re.DOTALL)
_REDIRECTIONS = {">", ">>", "<", ">&", "&>", "<<", "<<<"}


def simple_commands(words: list[str], given: Streams | None, depth: int = 0) -> list[Command]:
    """What one simple command does, and those that it starts in other places."""
    plain, streams = redirections(words, given)
    plain = _without_runners(plain)
    started = wrapped(plain, _fed_to(streams, given)) if plain and depth < _MAX_STARTED else None
    if isinstance(started, Command):
        return [started]
    if started is not None:
        inside = None if takes_lines(plain[0]) else _fed_to(streams, given)
        return [one for each in started if each for one in simple_commands(each, inside, depth + 1)]
    found = simple_command(words, given)
    return [found] if found is not None else []


def _fed_to(streams: Streams, given: Streams | None) -> Streams | None:
    """What a command that is started by another gets."""
    return streams if given is not None or streams.files or streams.texts else None


def simple_command(words: list[str], given: Streams | None) -> Command | None:
    """What one simple command does; `given` is what another pipes into it."""
    words, streams = redirections(words, given)
    words = _without_runners(words)
    if not words:
        return None
    name = PurePosixPath(words[0]).name
    program = program_of(name)
    if program is not None:
        return program(words[1:], streams)
    files = () if given is not None else streams.files
    paths = redirected(files, streams.outputs)
    if name in _HARMLESS or is_wrapper(name):
        return Command(paths=paths) if paths else None
    if name in _FILTERS:
        return Command(paths=(*_read_by_filter(name, words[1:]), *paths))
    if name.endswith((".sh", ".py", ".bash")):
        return Command(script=words[0], arguments=tuple(words[1:]), paths=paths)
    arguments = words if name.startswith("-") else words[1:]
    missing = f"what the program `{name}` does is not known"
    return Command(paths=paths, missing=missing, arguments=tuple(arguments))


def printed_by(words: list[str], given: Streams | None, state: Variables) -> Streams:
    """What a command hands on through a pipe, as far as that is known."""
    words, streams = redirections(words, given)
    words = _without_runners(words)
    name = PurePosixPath(words[0]).name if words else ""
    rest = [word for word in words[1:] if not word.startswith("-")]
    if name == "echo" or (name == "printf" and len(rest) == 1 and "%" not in rest[0]):
        return Streams(texts=(" ".join(rest),), is_piped=True)
    if name == "cat":
        kept = Streams(tuple(rest), is_piped=True) if rest else streams
        return replace(kept, outputs=(), is_piped=True)
    if name == "envsubst":
        filled = tuple(state.filled(text) for text in _texts(streams, state))
        return Streams(texts=filled, is_piped=True)
    if name == "sed":
        return _edited(words, streams, state)
    return Streams(is_piped=True)


def _texts(streams: Streams, state: Variables) -> list[str]:
    """The texts that a command gets, those of given files too."""
    read = [state.around.read(state.folder, path) for path in streams.files]
    return [*streams.texts, *(text for text in read if text is not None)]


def _edited(words: Sequence[str], streams: Streams, state: Variables) -> Streams:
    """`sed -e s/old/new/g file`: where every edit is a plain replacement."""
    found, rest = options(words[1:], "-e --expression")
    edits = found.get("-e", []) + found.get("--expression", [])
    if not edits:
        edits, rest = rest[:1], rest[1:]
    texts = _texts(replace(streams, files=tuple(rest) or streams.files), state)
    for edit in (one for text in edits for one in text.split(";") if one.strip()):
        match = _EDIT.fullmatch(edit.strip())
        if match is None or re.search(r"[\[*^$\\]", match.group(2)):
            return Streams(is_piped=True)
        _, old, new = match.groups()
        texts = [text.replace(old, new) for text in texts]
    return Streams(texts=tuple(texts), is_piped=True)


def redirections(words: list[str], given: Streams | None) -> tuple[list[str], Streams]:
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


def split_setting(words: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """The assignments before a command, by name, and the words of the command."""
    settings: list[tuple[str, str]] = []
    rest = list(words)
    while rest and _ASSIGNMENT.match(rest[0]):
        name, _, value = rest.pop(0).partition("=")
        settings.append((name, value))
    return settings, rest


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
    if name in _WITH_PROGRAM:
        found, rest = options(words, "-e --expression -f --file -v -F -d -t")
        has_program = any(key in found for key in ("-e", "--expression", "-f", "--file"))
        words = rest if has_program else rest[1:]
    return [(access, w) for w in words if "/" in w and not w.startswith("-") and " " not in w]

"""What one simple command of a shell is, and how its options are told from its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swarm.model.lineage import Access


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: SQL texts and files that run on `server`, a script, file accesses.

    `code` is Python and `text` a shell text that it runs. `folder` is where the `cd` commands
    before it lead, seen from where the text starts; `missing` says what of the command is not
    known. `given` are the values that a client puts into its SQL in the way of `style`,
    `variables` the environment of what is started. `dialects` are those
    the client may speak, its own first; `schema` and `catalog` are where short names
    of tables are looked for, `address` is the namespace of the server as the words tell it; `line`
    counts from where the text starts.
    """

    server: str = ""
    sql: tuple[str, ...] = ()
    sql_files: tuple[str, ...] = ()
    script: str = ""
    arguments: tuple[str, ...] = ()
    paths: tuple[tuple[Access, str], ...] = ()
    missing: str = ""
    folder: str = ""
    code: str = ""
    text: str = ""
    tables: tuple[tuple[Access, str], ...] = ()
    style: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    dialects: tuple[str, ...] = ()
    schema: str = ""
    catalog: str = ""
    address: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Streams:
    """What a command gets and where its output goes: files by name, texts as they are.

    `is_piped`: it gets the output of another command, of which more than the texts may be there.
    """

    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    is_piped: bool = False


def redirected(inputs: Sequence[str], outputs: Sequence[str]) -> tuple[tuple[Access, str], ...]:
    found = [(Access.READ, path) for path in inputs] + [(Access.WRITE, path) for path in outputs]
    return tuple((a, p) for a, p in found if p and not p.startswith(("/dev/", "&")))


def options(words: Sequence[str], with_value: str) -> tuple[dict[str, list[str]], list[str]]:
    """Options that take a value (`-f x`, `-fx`, `--file=x`) and the words that are no options."""
    takes = set(with_value.split())
    found: dict[str, list[str]] = {}
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        short = word[:2]
        if word in takes and at + 1 < len(words):
            at += 1
            found.setdefault(word, []).append(words[at])
        elif equals and name in takes:
            found.setdefault(name, []).append(value)
        elif short in takes and not word.startswith("--") and len(word) > 2:
            found.setdefault(short, []).append(word[2:])
        elif not word.startswith("-") or word == "-":
            rest.append(word)
        at += 1
    return found, rest


def first_of(found: Mapping[str, list[str]], *names: str) -> str:
    return next((found[name][0] for name in names if name in found), "")


def all_of(found: Mapping[str, list[str]], *names: str) -> tuple[str, ...]:
    return tuple(value for name in names for value in found.get(name, []))

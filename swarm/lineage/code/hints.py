"""What the command line of a program that is not at hand says of its data.

`--source-table a.b --output-path s3://c/d` names data and, in the words of the options, what is
done with it. It is a hint and no proof: the program stays `unresolved`, and what is found here is
less sure than what a source shows. A value without a direction counts only for an option that
names a table, and then as read: most tables that are handed to a program are its input.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarm.lineage.code.texts import holes
from swarm.model.lineage import Access

_DIRECTED = 0.7  # how sure it is when the option says what is done
_NAMED = 0.6  # and when it only says that the value is a table

# fmt: off
_READS = frozenset({"input", "inputs", "in", "source", "sources", "src", "from", "read", "reads"})
_WRITES = frozenset({
    "output", "outputs", "out", "destination", "dest", "dst", "target", "sink", "to", "write",
    "writes", "result", "results", "into",
})
_TABLES = frozenset({"table", "tables", "view", "relation"})
_SCHEMAS = frozenset({"dataset", "schema", "database", "db"})
_CATALOGS = frozenset({"project", "catalog"})
# fmt: on
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_URL = re.compile(r"(?:s3[an]?|gs|hdfs|abfss?|wasbs?|adl|oss|dbfs|viewfs)://[^\s,]+")
_TABLE = re.compile(r"`?[A-Za-z_][\w-]*`?(?:\.`?[A-Za-z_][\w-]*`?){0,2}(?:\$.*)?")
_FILE = re.compile(r"\.(?:py|sql|hql|sh|jar|json|ya?ml|xml|csv|txt|conf|properties|parquet|zip)$")


@dataclass(frozen=True, slots=True)
class Hint:
    """`name` is a table or, `is_path`, a file or object; so sure is the access to it."""

    access: Access
    name: str
    is_path: bool
    confidence: float


def hints(arguments: Sequence[str]) -> Iterator[Hint]:
    """What the words behind a program's name say."""
    given = list(_options(arguments))
    around = {kind: _only(given, words) for kind, words in _AROUND.items()}
    for name, value in given:
        words = _words(name)
        access = _direction(words)
        for item in value.split(","):
            if _URL.fullmatch(item):
                if access is not None and not _unknown(item):
                    yield Hint(access, item, True, _DIRECTED)
            elif is_table(item, words, access):
                whole = _whole(item.partition("$")[0], around)
                sure = _NAMED if access is None else _DIRECTED
                yield Hint(access or Access.READ, whole, False, sure)


def is_table(value: str, words: frozenset[str], access: Access | None) -> bool:
    """Whether the value of an option with these words in its name is one of a table."""
    if not _TABLE.fullmatch(value) or _FILE.search(value) or _unknown(value.partition("$")[0]):
        return False
    return bool(words & _TABLES) or (access is not None and value.count(".") == 2)


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`--name value`, `--name=value` and `name=value`."""
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        following = arguments[index + 1 : index + 2]
        if equals and re.fullmatch(r"-{0,2}[A-Za-z][\w.-]*", name):
            yield name, value
        elif word.startswith("-") and following and not following[0].startswith("-"):
            yield word, following[0]


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))


def _direction(words: frozenset[str]) -> Access | None:
    reads, writes = bool(words & _READS), bool(words & _WRITES)
    if reads == writes:
        return None
    return Access.READ if reads else Access.WRITE


_AROUND: Mapping[str, frozenset[str]] = {"schema": _SCHEMAS, "catalog": _CATALOGS}


def _only(given: Sequence[tuple[str, str]], kind: frozenset[str]) -> str:
    """The value of the only option of this kind."""
    values = {
        value
        for name, value in given
        if _words(name) & kind and not _words(name) & _TABLES and re.fullmatch(r"[\w-]+", value)
    }
    return values.pop() if len(values) == 1 else ""


def _whole(table: str, around: Mapping[str, str]) -> str:
    """A bare table with the schema and the catalog that other options give."""
    if "." in table or not around["schema"]:
        return table
    return ".".join(part for part in (around["catalog"], around["schema"], table) if part)


def _unknown(value: str) -> bool:
    return bool(holes(value)) or "{" in value or "$" in value or "(" in value

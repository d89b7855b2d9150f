"""What a call outside the program can turn out to be, and how to see what it is called on."""

from collections.abc import Callable
from dataclasses import dataclass

from swarm.lineage.code.call import Call
from swarm.lineage.code.texts import describe, label
from swarm.lineage.code.values import Atom, External, ListOf, Made, Member, Unknown, Value, of
from swarm.model.lineage import Access

_LONGEST_CHAIN = 2_000  # calls on what a call gives: a loop makes many
_PRIVATE_FILES = ("tempfile.", "io.", "sys.std")


@dataclass(frozen=True, slots=True)
class RunsSql:
    """`text` runs on `server`. Unless `sure`, only a text that reads like SQL counts.

    A `bare_table` means a single word is the name of a table to read. `catalog` and `schema` are
    those of short names, if the command itself says so; `dialects` those its client may speak;
    `address` is the namespace of its server, where the command tells it.
    """

    text: Value
    server: Value
    sure: bool = True
    bare_table: bool = False
    has_values: bool = False
    dialects: tuple[str, ...] = ()
    catalog: str = ""
    schema: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class TouchesTable:
    """A table is accessed by name.

    `instead_of_read`: what looked like a read of it in the same statement only chose its rows.
    `confidence` is how sure it is.
    """

    access: Access
    name: Value
    server: Value
    schema: Value | None = None
    instead_of_read: bool = False
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class TouchesPath:
    """A file or object is accessed; `confidence` is how sure it is."""

    access: Access
    path: Value
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class RunsCommand:
    """A shell command (text) or a program with its arguments (list) is run, in `folder`."""

    command: Value
    folder: str = ""


@dataclass(frozen=True, slots=True)
class HidesTable:
    """From here `name` is a temporary view of the session, not a dataset."""

    name: Value


Effect = RunsSql | TouchesTable | TouchesPath | RunsCommand | HidesTable
Rule = Callable[[Call], tuple[Effect, ...]]


def receiver(call: Call) -> Value:
    """The object whose method is called, or the function itself."""
    if isinstance(call.function, Member):
        return Value((call.function.owner,), call.function.owner_names)
    return of(call.function)


def chain(atom: Atom) -> list[Atom]:
    """What an object was made from, nearest first: `spark.read.format("x")` -> ... -> `spark`."""
    links: list[Atom] = []
    current: Atom | None = atom
    while current is not None and len(links) < _LONGEST_CHAIN:
        links.append(current)
        match current:
            case Member(owner=owner):
                current = owner
            case Made(maker=maker):
                current = maker
            case _:
                current = None
    return links


def library(atom: Atom) -> str:
    """The package an object comes from, as far as it can be seen."""
    last = chain(atom)[-1]
    return last.name.split(".")[0] if isinstance(last, External) else ""


def made_by(value: Value, names: set[str]) -> Made | None:
    """The nearest call to one of `names` that the value comes from."""
    for atom in value.atoms:
        for link in chain(atom):
            maker = link.maker if isinstance(link, Made) else None
            if isinstance(maker, External | Member) and maker.name.rpartition(".")[2] in names:
                return link if isinstance(link, Made) else None
    return None


def flat(value: Value) -> list[Atom]:
    """The alternatives, with lists opened: several texts may be given at once."""
    found: list[Atom] = []
    for atom in value.atoms:
        if isinstance(atom, ListOf):
            found.extend(a for item in atom.items[:1000] for a in item.atoms)
            if atom.is_open:
                found.append(Unknown(label(value)))
        else:
            found.append(atom)
    return found


def is_own(atom: Atom) -> bool:
    """Buffers, standard streams, temporary files, files that were opened before."""
    opened = {"open", "NamedTemporaryFile", "StringIO", "BytesIO", "get_object", "read"}
    last = chain(atom)[-1]
    if isinstance(last, External) and last.name.startswith(_PRIVATE_FILES):
        return True
    return isinstance(atom, Made) and describe(atom.maker).rpartition(".")[2] in opened

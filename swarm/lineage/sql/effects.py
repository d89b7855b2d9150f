"""What one statement does, before names are completed and the rest of the script is known."""

from dataclasses import dataclass

from swarm.lineage.sql.values import Value
from swarm.model.lineage import Access, UnresolvedReason

DIRECTORY = "directory://"  # what a `Name.url` begins with that is below a directory of Oracle


@dataclass(frozen=True, slots=True)
class Name:
    """A table as written (`parts`, outermost first) or a file or object (`url`, parts empty).

    `line` is that of the text the statement was parsed from. `local`: only this script can see it
    (a T-SQL `#table` or table variable). `bound`: a part that begins with a colon is a bind
    parameter. An empty part is the server's own schema (`db..t`).
    """

    parts: tuple[str, ...] = ()
    line: int = 0
    url: str = ""
    local: bool = False
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Accessed:
    """Rows of `name` are read, or may be different afterwards; so sure it is, from 0 to 1.
    `removes`: rows only go."""

    access: Access
    name: Name
    confidence: float = 1.0
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """`name` exists afterwards, made new. `temporary`: only for the rest of the script."""

    name: Name
    temporary: bool


@dataclass(frozen=True, slots=True)
class Defined:
    """Reading the view or external table `name` means reading `reads`."""

    name: Name
    reads: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Files below `name` (`@stage`, or `directory://name` of Oracle) are those below `url`."""

    name: Name
    url: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What was in `source` is in `target` afterwards, and `source` is gone."""

    source: Name
    target: Name


@dataclass(frozen=True, slots=True)
class Swapped:
    """`first` and `second` have each other's rows afterwards."""

    first: Name
    second: Name


@dataclass(frozen=True, slots=True)
class Dropped:
    """`name` is gone."""

    name: Name


@dataclass(frozen=True, slots=True)
class Altered:
    """The definition of `name` is another afterwards, its rows are the same."""

    name: Name


@dataclass(frozen=True, slots=True)
class UsedDefault:
    """Bare names from here on are in this catalog and schema; empty: as before."""

    catalog: str
    schema: str


@dataclass(frozen=True, slots=True)
class Nested:
    """Another script is run here, given as a constant text that starts on `line`."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """This statement, or a part of it, does something that the text does not say; `of_clauses`:
    stand-ins for whole clauses may."""

    reason: UnresolvedReason
    line: int
    detail: str
    of_clauses: bool = False


@dataclass(frozen=True, slots=True)
class Assigned:
    """The variable `name` holds `value` from here on. `maybe`: only if a branch is taken."""

    name: str
    value: Value
    maybe: bool


@dataclass(frozen=True, slots=True)
class Executed:
    """A text made from `value` is run here. It stands on the lines `first` to `last`.
    `problem` is what to say if nothing of the text is known."""

    value: Value
    first: int
    last: int
    problem: "NotUnderstood"


@dataclass(frozen=True, slots=True)
class Kept:
    """A function, procedure, task or prepared statement `name` that runs `value` when called.
    Without a value it is in another language."""

    name: Name
    value: Value
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Called:
    """What was kept as `name` is run here; `problem` is what to say if it is not known."""

    name: Name
    problem: "NotUnderstood | None" = None


Effect = (
    Accessed
    | Created
    | Defined
    | Placed
    | Moved
    | Swapped
    | Dropped
    | Altered
    | UsedDefault
    | Nested
    | Assigned
    | Executed
    | Kept
    | Called
    | NotUnderstood
)

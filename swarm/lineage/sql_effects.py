"""What one statement does, before names are completed and the rest of the script is known."""

from dataclasses import dataclass

from swarm.model.lineage import Access, UnresolvedReason


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
    """Rows of `name` are read, or may be different afterwards; so sure it is, from 0 to 1."""

    access: Access
    name: Name
    confidence: float = 1.0


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
    """This statement, or a part of it, does something that the text does not say."""

    reason: UnresolvedReason
    line: int
    detail: str


Effect = (
    Accessed | Created | Defined | Moved | Swapped | Dropped | UsedDefault | Nested | NotUnderstood
)

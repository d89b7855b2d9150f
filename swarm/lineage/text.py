"""What an extractor is told about a text besides the text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from swarm.model.keys import TaskKey
from swarm.model.lineage import Extraction


@dataclass(frozen=True, slots=True)
class Convention:
    """What counts as a read and a write where tools differ. The defaults are swarm's own.

    `schema_changes_write`: DROP TABLE and ALTER TABLE write the table. `deletes_write`: DELETE
    and TRUNCATE do. `intermediate_tables`: tables that only live inside the script are read and
    written too. `views_read`: CREATE VIEW reads what its query names.
    """

    schema_changes_write: bool = False
    deletes_write: bool = True
    intermediate_tables: bool = False
    views_read: bool = False


DEFAULT_CONVENTION = Convention()

# dialect, namespace, default catalog, default schema; what counts, if it is not the default
Where = tuple[str, str, str, str] | tuple[str, str, str, str, Convention]
Parameters = tuple[tuple[str, str], ...]
Reader = Callable[[str, Where, Parameters], Extraction]


class Listener(Protocol):
    """Hears what is read, from the threads that read."""

    def text(self, text: str, context: "SqlContext", place: str, found: Extraction) -> None:
        """The SQL `text` at `place` was read, and what was found in it."""

    def files(self, sources: Mapping[str, str]) -> None:
        """Texts by path that a program was looked for in."""

    def of(self, task: TaskKey) -> "Listener":
        """Hears the same, of the texts of `task`."""


@dataclass(frozen=True, slots=True)
class SqlContext:
    """Where a SQL text runs.

    `dialect` is sqlglot's name (empty: a generic one), `namespace` the OpenLineage namespace of
    the server (empty: not known), the defaults complete bare table names, `parameters` are the
    values of `${name}`, `:name` and `{{ name }}`. `tree` reads a text by its syntax tree, where
    that may go wrong without harm (None: here and now). `told` hears how each text was read.
    """

    dialect: str = ""
    namespace: str = ""
    default_catalog: str = ""
    default_schema: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    convention: Convention = DEFAULT_CONVENTION
    tree: Reader | None = field(default=None, compare=False, repr=False)
    told: Listener | None = field(default=None, compare=False, repr=False)

    def of(self, task: TaskKey) -> "SqlContext":
        """The same for a text of `task`: who hears how it is read hears that, too."""
        return self if self.told is None else replace(self, told=self.told.of(task))


@dataclass(frozen=True, slots=True)
class CodeContext:
    """Where a program runs.

    `connections` maps the names that code uses for a server (an Airflow `conn_id`, a URL or a
    file path, or the name of the variable that holds it) to the SQL context behind it;
    `default` is used where the code does not tell. `arguments` are the words of the command line
    after the program's name; `None`: not known.
    """

    connections: Mapping[str, SqlContext] = field(default_factory=dict)
    default: SqlContext = SqlContext()
    parameters: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] | None = None

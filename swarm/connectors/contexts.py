"""What the settings tell the engines: where SQL and code run, and which names are one dataset."""

from contextvars import ContextVar
from dataclasses import replace

from swarm.config import Settings, SqlConnection
from swarm.connectors.trees import TREES
from swarm.lineage.naming import Naming
from swarm.lineage.text import CodeContext, Convention, Listener, SqlContext

# Who hears, of the connectors opened from here on, how each SQL text was read.
LISTENER: ContextVar[Listener | None] = ContextVar("LISTENER", default=None)


def sql_context(settings: Settings, *names: str) -> SqlContext:
    """The context of the first of `names` that is a configured connection, else of `default`."""
    for name in (*names, "default"):
        if name in settings.connections:
            return _context(settings.connections[name], _convention(settings))
    return SqlContext(convention=_convention(settings), tree=TREES.read, told=LISTENER.get())


def naming_of(settings: Settings) -> Naming:
    """The naming rules of the settings, as the engine takes them."""
    return Naming(
        default_namespace=settings.naming.default_namespace,
        namespaces=settings.naming.namespaces,
        datasets=settings.naming.datasets,
    )


def code_context(settings: Settings, default: SqlContext) -> CodeContext:
    """What code may find behind the names of connections."""
    convention = _convention(settings)
    connections = {
        name: replace(_context(below, convention), told=default.told)
        for name, below in settings.connections.items()
    }
    return CodeContext(connections, default, default.parameters)


def _convention(settings: Settings) -> Convention:
    counted = settings.lineage
    return Convention(
        schema_changes_write=counted.schema_changes_write,
        deletes_write=counted.deletes_write,
        intermediate_tables=counted.intermediate_tables,
        views_read=counted.views_read,
    )


def _context(connection: SqlConnection, convention: Convention) -> SqlContext:
    return SqlContext(
        dialect=connection.dialect,
        namespace=connection.namespace,
        default_catalog=connection.default_catalog,
        default_schema=connection.default_schema,
        convention=convention,
        tree=TREES.read,
        told=LISTENER.get(),
    )

"""A catalog file: the views of a warehouse, JSON Lines, one view a line.

The SQL is the view's SELECT or its whole CREATE VIEW statement; the view's name is always the
line's own. Bare table names in it are taken to lie beside the view unless the line says otherwise.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.contexts import sql_context
from swarm.connectors.files import Chunk, FileConnector, file_state, path_of
from swarm.connectors.jsonlines import Line, LineModel, Name, Problems, broken, read_lines
from swarm.connectors.programs import stated_dataset
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Unresolved, View, ViewInventory
from swarm.model.pipelines import Inventory

_VIEWS_PER_CHUNK = 50


class ViewLine(LineModel):
    """One line of a catalog."""

    name: Name
    sql: str
    dialect: str = ""
    default_catalog: str = ""
    default_schema: str = ""
    namespace: str = ""


def connect(source: Source, settings: Settings) -> FileConnector:
    """The connector to the catalog at `source.path`."""
    path = path_of(source)

    def read(now_s: float) -> Iterator[Chunk]:
        del now_s  # a view is what it is, whenever it was seen
        return read_catalog(path, source.instance, settings)

    return FileConnector(source, lambda: file_state(path, settings), read, SystemClock())


def read_catalog(path: Path, instance: str, settings: Settings) -> Iterator[Chunk]:
    """All views, in chunks, and at the end what they are, unless a line could not be read.

    Of two lines with one name the first counts, the second is reported.

    Raises `Unavailable` when the file cannot be read.
    """
    base = sql_context(settings, instance)
    problems = Problems(instance)
    places: dict[DatasetKey, str] = {}
    stated: set[DatasetKey] = set()
    lost = False  # a line without a name may be that of any view
    chunk: list[Item] = []
    for number, line in enumerate(read_lines(path, ViewLine), start=1):
        if isinstance(line, Unresolved):
            problems.add(line)
            lost = True
        else:
            found = [*line.unknown, *_view_items(line, base, places)]
            for item in found:
                if isinstance(item, Unresolved):
                    problems.add(item)
                else:
                    chunk.append(item)
            if found:  # a view that is not understood now is none that is gone
                stated.add(stated_dataset(line.value.name, _context(line.value, base)))
        if number % _VIEWS_PER_CHUNK == 0 and chunk:
            yield tuple(chunk)
            chunk = []
    listing = () if lost else (ViewInventory(tuple(sorted(stated))),)
    # A catalog has no pipelines; its empty inventory says that all its problems are here.
    yield (*chunk, *problems.items(), *listing, Inventory(instance, ()))


def _view_items(
    line: Line[ViewLine], base: SqlContext, places: dict[DatasetKey, str]
) -> Iterator[View | Unresolved]:
    value = line.value
    context = _context(value, base)
    dataset = stated_dataset(value.name, context)
    first = places.setdefault(dataset, line.place)
    if first != line.place:
        detail = f"View `{value.name}` is defined at {first} already; this line is not used."
        yield broken(line.place, detail)
        return
    found = extract_sql(value.sql, context, line.place)
    reads = [touch.dataset for touch in found.touches if touch.access is Access.READ]
    reads += [read for view in found.views for read in view.reads]
    others = tuple(dict.fromkeys(read for read in reads if read != dataset))
    if others:
        yield View(dataset, others, line.place, f"view {value.name}")
    for unresolved in found.unresolved:
        yield replace(unresolved, detail=f"view {value.name}: {unresolved.detail}")


def _context(value: ViewLine, base: SqlContext) -> SqlContext:
    beside = [part.strip('`"[]') for part in value.name.split(".")[:-1]]
    catalog, schema = ["", "", *beside][-2:]
    return replace(
        base,
        dialect=value.dialect or base.dialect,
        namespace=value.namespace or base.namespace,
        default_catalog=value.default_catalog or catalog or base.default_catalog,
        default_schema=value.default_schema or schema or base.default_schema,
    )

"""The datasets that an event names: what its task reads and writes.

Rules
1. Inputs are reads and outputs are writes. So is each table that a catalog knows a path by
   (`symlinks`); a location is not told as well, as it may be that of many tables.
2. An output that was dropped is not written (`lifecycleStateChange`). One that was renamed is
   written, and its old name is read.
3. A dataset whose columns went into an output is read, whether the inputs list it or not.
"""

from collections.abc import Iterator

from swarm.lineage.openlineage.columns import columns_of, datasets_read
from swarm.lineage.openlineage.fields import (
    NAME_MAX,
    Fields,
    dataset_of,
    kind_of,
    object_at,
    text_of,
)
from swarm.model.columns import ColumnLineage
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Unresolved, UnresolvedReason

_SIDES = (("inputs", Access.READ), ("outputs", Access.WRITE))


def accesses_of(fields: Fields, task: TaskKey) -> Iterator[tuple[Access, DatasetKey] | Unresolved]:
    """The accesses that an event tells, and the datasets that are broken."""
    for field, access in _SIDES:
        for place, dataset in _listed(fields, field):
            key = dataset_of(dataset)
            if key is None:
                yield _broken(task, fields.get(field), place)
            else:
                yield from _touched(dataset, key, access)


def event_columns(
    fields: Fields, task: TaskKey, job: str, at_s: float
) -> Iterator[ColumnLineage | Unresolved]:
    """The column lineage of an event's datasets. Who made an input, its reader does not tell."""
    for field, access in _SIDES:
        writer = task if access is Access.WRITE else None
        for place, dataset in _listed(fields, field):
            yield from columns_of(dataset, place, at_s, writer, job if writer else "")


def _listed(fields: Fields, field: str) -> Iterator[tuple[str, Fields]]:
    listed = fields.get(field)
    if isinstance(listed, list | tuple):
        yield from ((f"$.{field}[{index}]", object_at(one)) for index, one in enumerate(listed))
    elif listed is not None:
        yield f"$.{field}", {}


def _touched(
    dataset: Fields, key: DatasetKey, access: Access
) -> Iterator[tuple[Access, DatasetKey]]:
    change = object_at(dataset, "facets", "lifecycleStateChange")
    state = text_of(change.get("lifecycleStateChange")).upper() if access is Access.WRITE else ""
    if state == "DROP":
        return
    yield access, key
    yield from ((access, table) for table in _tables_of(dataset))
    before = dataset_of(object_at(change, "previousIdentifier"))
    if state == "RENAME" and before is not None:
        yield Access.READ, before
    if access is Access.WRITE:
        for lineage in columns_of(dataset, "", 0.0, None):
            if isinstance(lineage, ColumnLineage):
                yield from ((Access.READ, used) for used in datasets_read(lineage))


def _tables_of(dataset: Fields) -> Iterator[DatasetKey]:
    """The tables that a catalog knows a path by."""
    listed = object_at(dataset, "facets", "symlinks").get("identifiers")
    for one in listed if isinstance(listed, list | tuple) else ():
        known = object_at(one)
        key = dataset_of(known)
        if key is not None and text_of(known.get("type")).upper() == "TABLE":
            yield key


def _broken(task: TaskKey, listed: object, place: str) -> Unresolved:
    detail = f"a dataset needs the texts `namespace` and `name`, {NAME_MAX:,} characters at most"
    if not isinstance(listed, list | tuple):
        detail = f"{place.removeprefix('$.')} is {kind_of(listed)} and not a list"
    return Unresolved(str(task), UnresolvedReason.MALFORMED, place, detail)

"""The chains of calls by which spark reads and writes, and its likes."""

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, RunsSql, TouchesPath, TouchesTable, chain
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import Atom, Made, Member, Value, const, of
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE


_FORMATS = {"csv", "parquet", "json", "orc", "text", "avro", "delta", "xml"}
_SIDES = {"read", "readStream", "write", "writeStream"}
_NEW_TABLE = {"append", "create", "createOrReplace", "replace", "overwrite", "overwritePartitions"}


def of_reader_or_writer(call: Call) -> tuple[Effect, ...] | None:
    """`spark.read.….parquet(path)`, `df.write.….saveAsTable(name)`, `df.writeTo(t).append()`."""
    if not isinstance(call.function, Member):
        return None
    links = chain(call.function.owner)
    names = [link.name for link in links if isinstance(link, Member)]
    if call.name in _NEW_TABLE and "writeTo" in names:
        return _of_write_to(links)
    nearest = next((name for name in names if name in _SIDES), "")
    if nearest.startswith("read"):
        return _of_reader(call, links)
    return _of_writer(call, links) if nearest else None


def _of_write_to(links: list[Atom]) -> tuple[Effect, ...]:
    for link in links:
        maker = link.maker if isinstance(link, Made) else None
        if isinstance(maker, Member) and isinstance(link, Made) and maker.name == "writeTo":
            return tuple(TouchesTable(WRITE, name, of(links[-1])) for name in link.args[:1])
    return ()


def _options(links: list[Atom]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for link in links:
        if isinstance(link, Made) and isinstance(link.maker, Member):
            if link.maker.name == "options":
                found.update({k.lower(): v for k, v in link.kwargs.items()})
            elif link.maker.name in {"option", "format"}:
                key = plain(link.args[0]) if len(link.args) == 2 else link.maker.name
                found.setdefault((key or "").lower(), (link.args or (const(""),))[-1])
    return found


def _of_reader(call: Call, links: list[Atom]) -> tuple[Effect, ...] | None:
    options = _options(links)
    where = of(links[-1])
    first = call.argument(0, "path", "paths", "tableName")
    if call.name == "table" and first is not None:
        return (TouchesTable(READ, first, where),)
    if call.name == "jdbc" or (call.name == "load" and "dbtable" in options):
        name = call.argument(1, "table") or options.get("dbtable")
        server = call.argument(0, "url") or options.get("url")
        return () if name is None else (RunsSql(name, server or where, False, True),)
    if call.name == "load" and "query" in options:
        return (RunsSql(options["query"], options.get("url", where)),)
    path = first or options.get("path")
    if call.name in _FORMATS | {"load"} and path is not None:
        return (TouchesPath(READ, path),)
    return None


def _of_writer(call: Call, links: list[Atom]) -> tuple[Effect, ...] | None:
    options = _options(links)
    where = of(links[-1])
    first = call.argument(0, "path", "name", "tableName")
    if call.name in {"saveAsTable", "insertInto", "toTable"} and first is not None:
        return (TouchesTable(WRITE, first, where),)
    if call.name == "jdbc" or (call.name == "save" and "dbtable" in options):
        name = call.argument(1, "table") or options.get("dbtable")
        server = call.argument(0, "url") or options.get("url") or where
        return () if name is None else (TouchesTable(WRITE, name, server),)
    path = first or options.get("path")
    if call.name in _FORMATS | {"save", "start"} and path is not None:
        return (TouchesPath(WRITE, path),)
    return None

"""Where the I/O manager of an asset stores and finds what functions return and are given."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from swarm.lineage.code.effects import TouchesTable
from swarm.lineage.code.interpreter import Interpreter
from swarm.lineage.code.marks import last_name
from swarm.lineage.code.recorder import Recorder
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import (
    Atom,
    Class,
    DictOf,
    Function,
    Instance,
    ListOf,
    Made,
    Scope,
    Value,
    const,
    of,
    only,
    unknown,
)
from swarm.model.lineage import Access

_DATABASES = ("DuckDB", "Snowflake", "BigQuery", "Postgres", "Redshift", "DeltaLake", "Iceberg")
_CATALOGS = {"Snowflake": "database", "BigQuery": "project"}
_NO_INPUTS = frozenset({"context", "config", "self"})


def manager_of(scopes: Sequence[Scope], key: str) -> Value | None:
    """The resource that the definitions of the program have under the key of an I/O manager."""
    for scope in scopes:
        for value in list(scope.names.values()):
            for atom in value.atoms:
                if not isinstance(atom, Made) or last_name(atom) not in {
                    "Definitions",
                    "repository",
                }:
                    continue
                resources = atom.kwargs.get("resources")
                named = only(resources) if resources is not None else None
                if isinstance(named, DictOf) and key in named.items:
                    return named.items[key]
    return None


def input_keys(function: Function, options: Mapping[str, Value]) -> Iterator[tuple[str, ...]]:
    """The keys of the assets that a function is given: by `ins`, else by the parameter's name.

    A parameter with a type is an asset only when that is a table of data: else it is a resource.
    """
    ins = only(options["ins"]) if "ins" in options else None
    told = ins.items if isinstance(ins, DictOf) else {}
    spec = function.node.args
    for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        if arg.arg in told:
            yield _key_of_input(told[arg.arg], arg.arg)
        elif arg.arg not in _NO_INPUTS and _is_data(arg.annotation):
            yield (arg.arg,)


def _is_data(annotation: ast.expr | None) -> bool:
    return annotation is None or "DataFrame" in ast.unparse(annotation)


def _key_of_input(value: Value, name: str) -> tuple[str, ...]:
    atom = only(value)
    given = atom.kwargs if isinstance(atom, Made) else {}
    if "key" in given:
        return steps(given["key"])
    prefix = steps(given["key_prefix"]) if "key_prefix" in given else ()
    return (*prefix, name)


def steps(value: Value) -> tuple[str, ...]:
    """The parts of an asset key: a text, a list of texts or `AssetKey(...)`."""
    atom = only(value)
    if isinstance(atom, Made) and last_name(atom) == "AssetKey":
        inner = atom.kwargs.get("path") or (atom.args[0] if atom.args else None)
        return steps(inner) if inner is not None else ()
    if isinstance(atom, ListOf):
        return tuple(step for item in atom.items for step in steps(item))
    known = plain(value)
    return (known,) if known else ()


def record_storage(
    walk: Interpreter,
    recorder: Recorder,
    manager: Value,
    access: Access,
    key: tuple[str, ...],
    place: str,
) -> None:
    """Tells what the manager does to store (or load) the asset of that key."""
    for atom in manager.atoms:
        if isinstance(atom, Instance):
            name = "handle_output" if access is Access.WRITE else "load_input"
            _run_method(walk, atom, name, key)
        elif (table := _table(atom, key)) is not None:
            recorder.record(TouchesTable(access, const(table), manager), place)


def _run_method(walk: Interpreter, manager: Instance, name: str, key: tuple[str, ...]) -> None:
    found = next((one.members[name] for one in manager.of.family() if name in one.members), None)
    method = only(found) if found is not None else None
    if not isinstance(method, Function):
        return
    args = [_context(key)] if name == "load_input" else [_context(key), unknown("obj")]
    walk.run(replace(method, owner=manager), args, {})


def _context(key: tuple[str, ...]) -> Value:
    """What a method of an I/O manager is told of the asset."""
    path = of(ListOf([const(step) for step in key]))
    of_key = _object("AssetKey", {"path": path, "parts": path})
    return _object("Context", {"asset_key": of_key, "name": const(key[-1])})


def _object(name: str, members: dict[str, Value]) -> Value:
    return of(Instance(Class(name, Scope("", {}), (), {}), members))


def _table(manager: Atom, key: tuple[str, ...]) -> str | None:
    """`schema.table` by the key, as the managers of databases name what they store."""
    name = last_name(manager) if isinstance(manager, Made) else ""
    database = next((one for one in _DATABASES if name.startswith(one)), "")
    if not isinstance(manager, Made) or not database or not name.lower().endswith("manager"):
        return None
    given = manager.kwargs
    schema = (
        key[-2] if len(key) > 1 else (plain(given["schema"]) if "schema" in given else "public")
    )
    catalog = given.get(_CATALOGS.get(database, ""))
    known = plain(catalog) if catalog is not None else None
    return ".".join(part for part in (known, schema, key[-1]) if part)

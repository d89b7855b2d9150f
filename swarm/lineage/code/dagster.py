"""Which code belongs to which asset or op of Dagster."""

from collections.abc import Iterator, Mapping

from swarm.lineage.code.airflow_task import entry_of
from swarm.lineage.code.dagster_storage import input_keys, manager_of, record_storage, steps
from swarm.lineage.code.entry import entry_arguments, follow_scripts
from swarm.lineage.code.interpreter import Interpreter
from swarm.lineage.code.marks import last_name, mark_named, mark_values
from swarm.lineage.code.program import Program
from swarm.lineage.code.recorder import Recorder
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import Atom, DictOf, Function, ListOf, Made, Value, elements, only
from swarm.lineage.text import CodeContext
from swarm.model.lineage import Access, Extraction, Unresolved, UnresolvedReason

_TOO_DEEP = "the program is nested too deep to be read"

_ASSETS = {"asset", "multi_asset", "graph_asset", "graph_multi_asset", "observable_source_asset"}
_OPS = {"op", "solid"}


def dagster_entries(modules: Mapping[str, str]) -> Mapping[str, str]:
    """Find the functions behind assets and ops: asset key (`a/b`) or op name to entry.

    Entries of functions that a factory made cannot be walked on their own:
    `extract_dagster` finds those too.
    """
    return {name: entry_of(function) for name, function in _definitions(modules)[0].items()}


def extract_dagster(
    modules: Mapping[str, str], name: str, context: CodeContext
) -> Extraction | None:
    """Find what an asset or op reads and writes; `None` when its function is not there."""
    found, walk = _definitions(modules, context)
    function = found.get(name)
    if function is None:
        return None
    recorder = Recorder(walk.program, context)
    follow_scripts(walk, recorder, walk.program, context)
    before = len(walk.unresolved)
    walk.watch(recorder)
    try:
        walk.run(function, (), entry_arguments(function, context.parameters))
        _store(walk, recorder, function, name)
    except RecursionError:
        module = function.scope.module
        place = f"{module}:{function.node.lineno}"
        walk.unresolved.append(Unresolved(module, UnresolvedReason.TOO_LARGE, place, _TOO_DEEP))
    return recorder.findings.extraction("", walk.unresolved[before:])


def _store(walk: Interpreter, recorder: Recorder, function: Function, name: str) -> None:
    """What the I/O manager of an asset does around its function."""
    if mark_named(function, "dagster", {"asset"}) is None:
        return
    options = mark_values(function)
    scopes = [walk.module(path) for path in walk.program.sources if path.endswith(".py")]
    manager = manager_of(scopes, _text(options.get("io_manager_key")) or "io_manager")
    if manager is None:
        return
    place = f"{function.scope.module}:{function.node.lineno}"
    for key in input_keys(function, options):
        record_storage(walk, recorder, manager, Access.READ, key, place)
    record_storage(walk, recorder, manager, Access.WRITE, tuple(name.split("/")), place)


def _definitions(
    modules: Mapping[str, str], context: CodeContext | None = None
) -> tuple[dict[str, Function], Interpreter]:
    context = context or CodeContext()
    program = Program(modules)
    walk = Interpreter(program, context.parameters, Recorder(program, context))
    found: dict[str, Function] = {}
    for path in modules:
        if not path.endswith(".py"):
            continue
        try:
            scope = walk.module(path)
        except RecursionError:
            continue
        for value in list(scope.names.values()):
            for function in _functions_in(value, 0):
                for name in _dagster_names(function):
                    found.setdefault(name, function)
    return found, walk


def _functions_in(value: Value, depth: int) -> Iterator[Function]:
    """The functions a name of a module stands for, also inside lists and `Definitions(...)`."""
    if depth > 4:
        return
    for atom in value.atoms:
        if isinstance(atom, Function):
            yield atom
        for part in _parts(atom):
            yield from _functions_in(part, depth + 1)


def _parts(atom: Atom) -> list[Value]:
    match atom:
        case ListOf(items=items):
            return items
        case DictOf(items=named):
            return list(named.values())
        case Made(args=args, kwargs=kwargs):
            return [*args, *kwargs.values()]
        case _:
            return []


def _dagster_names(function: Function) -> list[str]:
    options = mark_values(function)
    name = _text(options.get("name")) or function.name
    if mark_named(function, "dagster", _OPS) is not None:
        return [name]
    mark = mark_named(function, "dagster", _ASSETS)
    if mark is None:
        return []
    if last_name(mark.atoms[0]) not in {"multi_asset", "graph_multi_asset"}:
        return [_key(options, name)]
    return [name, *_keys_of_many(options)]


def _key(options: Mapping[str, Value], name: str) -> str:
    key = options.get("key")
    if key is not None:
        return "/".join(steps(key)) or name
    prefix = options.get("key_prefix")
    return "/".join([*(steps(prefix) if prefix is not None else ()), name])


def _keys_of_many(options: Mapping[str, Value]) -> list[str]:
    """`specs=[AssetSpec("a")]`, `outs={"b": AssetOut(key_prefix="x")}` of a multi-asset."""
    found: list[str] = []
    specs = options.get("specs")
    for spec in (elements(specs) or []) if specs is not None else []:
        atom = only(spec)
        if isinstance(atom, Made):
            key = atom.kwargs.get("key") or (atom.args[0] if atom.args else None)
            found.extend(["/".join(steps(key))] if key is not None else [])
        else:
            found.append("/".join(steps(spec)))
    outs = only(options["outs"]) if "outs" in options else None
    for name, out in outs.items.items() if isinstance(outs, DictOf) else ():
        atom = only(out)
        found.append(_key(atom.kwargs if isinstance(atom, Made) else {}, str(name)))
    return [name for name in found if name]


def _text(value: Value | None) -> str:
    return (plain(value) if value is not None else None) or ""

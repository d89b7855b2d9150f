"""Which code belongs to which task of a Prefect flow."""

from collections.abc import Mapping, Sequence

from swarm.lineage.code.entry import entry_arguments, find_function, follow_scripts
from swarm.lineage.code.interpreter import Interpreter
from swarm.lineage.code.marks import last_name, mark_named, mark_values
from swarm.lineage.code.program import Program
from swarm.lineage.code.recorder import Recorder
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import Function, Made, Value, elements, only
from swarm.lineage.naming import dataset_from_url
from swarm.lineage.text import CodeContext
from swarm.model.lineage import Access, Extraction, Unresolved, UnresolvedReason

_TOO_DEEP = "the program is nested too deep to be read"


class _FlowRecorder(Recorder):
    """Records under the name of the task or flow that is being walked."""

    def __init__(self, program: Program, context: CodeContext) -> None:
        super().__init__(program, context)
        self.seen: dict[str, None] = {}
        self._outer: list[str] = []

    def entered(
        self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> Value | None:
        self._outer.append(self.findings.task)
        name = prefect_name(function)
        if name is not None:
            self.findings.task = name
            self.seen.setdefault(name)
            self._assets(function)
        return super().entered(function, args, kwargs)

    def _assets(self, function: Function) -> None:
        """`@materialize(url, asset_deps=[url])`: what the task itself says of its data."""
        mark = mark_named(function, "prefect", {"materialize"})
        made = only(mark) if mark is not None else None
        if not isinstance(made, Made):
            return
        place = f"{function.scope.module}:{function.node.lineno}"
        deps = made.kwargs.get("asset_deps")
        for access, values in (
            (Access.WRITE, made.args),
            (Access.READ, (elements(deps) or []) if deps is not None else []),
        ):
            for value in values:
                url = _asset_key(value)
                if url is not None:
                    self.findings.touch(access, dataset_from_url(url), place, url)

    def left(self, function: Function) -> None:
        self.findings.task = self._outer.pop()


def prefect_entry(
    modules: Mapping[str, str], entry: str, context: CodeContext
) -> Mapping[str, Extraction]:
    """Find what a flow reads and writes, by the names of its tasks. Never raises.

    `entry` is `path.py:flow_function`. What the body of the flow does itself stands under the
    flow's name. A task that touches nothing has an empty extraction; one the flow does not reach
    is not there.
    """
    path, _, name = entry.partition(".py:")
    path = f"{path}.py"
    program = Program(modules)
    recorder = _FlowRecorder(program, context)
    walk = Interpreter(program, context.parameters, recorder)
    follow_scripts(walk, recorder, program, context)
    flow = name
    try:
        function = find_function(walk.module(path), name)
        if function is None:
            if not walk.unresolved:
                detail = f"there is no flow function `{name}` in the file"
                recorder.findings.task = flow
                recorder.findings.fail(UnresolvedReason.MISSING_SOURCE, f"{path}:1", detail)
        else:
            flow = prefect_name(function) or name
            recorder.findings.task = flow
            walk.run(function, (), entry_arguments(function, context.parameters))
    except RecursionError:
        walk.unresolved.append(Unresolved(path, UnresolvedReason.TOO_LARGE, f"{path}:1", _TOO_DEEP))
    names = dict.fromkeys([flow, *recorder.seen, *recorder.findings.tasks()])
    return {
        one: recorder.findings.extraction(one, walk.unresolved if one == flow else ())
        for one in names
    }


def prefect_name(function: Function) -> str | None:
    """The name Prefect gives a decorated function; `None` for any other function."""
    mark = mark_named(function, "prefect", {"task", "materialize", "flow"})
    if mark is None:
        return None
    given = mark_values(function).get("name")
    known = plain(given) if given is not None else None
    if known is not None:
        return known
    is_flow = last_name(mark.atoms[0]) == "flow"
    return function.name.replace("_", "-") if is_flow else function.name


def _asset_key(value: Value) -> str | None:
    """The URL of an asset: a text, or `Asset(key=...)`."""
    atom = only(value)
    if isinstance(atom, Made) and last_name(atom.maker) == "Asset":
        key = atom.kwargs.get("key") or (atom.args[0] if atom.args else None)
        return plain(key) if key is not None else None
    return plain(value)

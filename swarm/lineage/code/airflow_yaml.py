"""DAGs that the library dag-factory makes of YAML: `{dag: {default_args, tasks: {name: {...}}}}`.

A task is `operator`, the dotted name of its class, and the arguments of that; a function is named
by `python_callable`, or by its name and its file. `default` at the top holds for all DAGs.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from swarm.lineage.code.call import Call
from swarm.lineage.code.configuration import tree_value
from swarm.lineage.code.listing import below
from swarm.lineage.code.program import Program
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import External, Made, Member, Value, const, elements, of
from swarm.lineage.configs.formats import Tree, read_as

_NOT_GIVEN = frozenset({
    "operator", "decorator", "dependencies", "task_group_name", "python_callable_name",
    "python_callable_file", "python_callable_module", "python_callable",
})  # fmt: skip
_SUFFIXES = (".dag.yaml", ".dag.yml", ".yaml", ".yml")

Functions = Callable[[str, str], Value | None]
"""A function by its file or its dotted module, and its name."""


@dataclass(frozen=True, slots=True)
class YamlTask:
    """A task as a file has it: the class of its operator and what that is given, at `place`."""

    operator: str
    given: Mapping[str, Value]
    place: str


def yaml_tasks(call: Call, program: Program, functions: Functions) -> Iterator[YamlTask]:
    """The tasks that a call to dag-factory makes; none for other calls."""
    for path in _paths(call, program):
        text = program.read(path)
        tree = read_as("yaml", text)
        if isinstance(tree, dict):
            yield from _of_tree(tree, path, text, functions)


def _paths(call: Call, program: Program) -> Iterator[str]:
    function = call.function
    if isinstance(function, External) and function.name == "dagfactory.load_yaml_dags":
        folder = plain(call.kwargs["dags_folder"]) if "dags_folder" in call.kwargs else "."
        listed = elements(call.kwargs["suffix"]) if "suffix" in call.kwargs else None
        ends = tuple(known for one in listed or () if (known := plain(one))) or _SUFFIXES
        home = program.find_folder(folder, call.module) if folder is not None else None
        for path in below(folder, call, program):
            if path.endswith(ends):
                yield f"{home}/{path}" if home else path
        return
    owner = function.owner if isinstance(function, Member) else None
    if call.name != "generate_dags" or not isinstance(owner, Made):
        return
    if owner.maker not in (
        External("dagfactory.DagFactory"),
        External("dagfactory.dagfactory.DagFactory"),
    ):
        return
    first = owner.args[0] if owner.args else owner.kwargs.get("config_filepath")
    known = plain(first) if first is not None else None
    found = program.find_file(known, call.module, program.folder) if known is not None else None
    if found is not None:
        yield found


def _of_tree(
    tree: Mapping[str, Tree], path: str, text: str, functions: Functions
) -> Iterator[YamlTask]:
    usual = tree.get("default")
    shared = usual if isinstance(usual, dict) else {}
    for name, conf in tree.items():
        if name == "default" or not isinstance(conf, dict):
            continue
        defaults = {**_object(shared, "default_args"), **_object(conf, "default_args")}
        options = {**conf, "dag_id": name, "default_args": defaults}
        known = {key: tree_value(options[key]) for key in _OF_DAG if key in options}
        dag = of(Made(External("DAG"), (), known))
        for task, given in _tasks(conf.get("tasks")):
            line = max(text.find(task), 0)
            place = f"{path}:{text.count(chr(10), 0, line) + 1}"
            yield _task(task, given, dag, place, functions)


_OF_DAG = ("dag_id", "default_args", "params")


def _object(tree: Mapping[str, Tree], name: str) -> Mapping[str, Tree]:
    value = tree.get(name)
    return value if isinstance(value, dict) else {}


def _tasks(tree: Tree) -> Iterator[tuple[str, Mapping[str, Tree]]]:
    if isinstance(tree, dict):
        yield from ((str(name), one) for name, one in tree.items() if isinstance(one, dict))
    for one in tree if isinstance(tree, list) else ():
        if isinstance(one, dict) and isinstance(one.get("task_id"), str):
            yield str(one["task_id"]), one


def _task(
    name: str, conf: Mapping[str, Tree], dag: Value, place: str, functions: Functions
) -> YamlTask:
    given = {key: tree_value(value) for key, value in conf.items() if key not in _NOT_GIVEN}
    operator = str(conf.get("operator") or "PythonOperator").rpartition(".")[2]
    if "decorator" in conf:
        given = {"op_kwargs": tree_value({k: v for k, v in conf.items() if k not in _NOT_GIVEN})}
    given |= {"task_id": const(name), "dag": dag}
    group = conf.get("task_group_name")
    if isinstance(group, str):
        given["task_group"] = of(Made(External("TaskGroup"), (), {"group_id": const(group)}))
    home, function = _function(conf)
    found = functions(home, function) if function else None
    if function:
        given["python_callable"] = (
            found if found is not None else of(External(f"{home}.{function}"))
        )
    return YamlTask(operator, given, place)


def _function(conf: Mapping[str, Tree]) -> tuple[str, str]:
    name = conf.get("python_callable_name")
    home = conf.get("python_callable_file") or conf.get("python_callable_module")
    if isinstance(name, str) and isinstance(home, str):
        return home, name
    dotted = conf.get("python_callable")
    if not isinstance(dotted, str):
        return "", ""
    module, _, last = dotted.rpartition(".")
    return module, last

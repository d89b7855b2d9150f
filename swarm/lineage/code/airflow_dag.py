"""Finds the tasks of a DAG file while it is walked.

What would make a DAG or a task in Airflow makes an entry here, so loops, factories, helpers in
other files and task groups need no special treatment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarm.lineage.code.airflow_task import (
    AirflowTask,
    Job,
    argument_of,
    conn_ids_of,
    entry_of,
    parameters_of,
    params_of,
    sql_of,
    texts_in,
    with_datasets,
)
from swarm.lineage.code.airflow_yaml import yaml_tasks
from swarm.lineage.code.call import Call
from swarm.lineage.code.given_files import content
from swarm.lineage.code.interpreter import Interpreter
from swarm.lineage.code.marks import last_name, mark_named, mark_values
from swarm.lineage.code.texts import fill, plain, texts
from swarm.lineage.code.values import (
    Bound,
    Const,
    DictOf,
    External,
    Function,
    Instance,
    Made,
    Member,
    Value,
    const,
    elements,
    of,
    only,
)

OPERATOR_ENDS = ("Operator", "Sensor", "OperatorAsync", "SensorAsync", "Transfer")
_GROUPS = {"TaskGroup", "task_group"}


class DagWatcher:
    """Turns what a DAG file calls into tasks."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.jobs: dict[tuple[str, str], Job] = {}
        self.walk: Interpreter | None = None
        self._around: list[Value] = []  # `@dag` and `@task_group` functions being walked
        self._given_up: dict[int, Mapping[str, Value]] = {}

    def entered(
        self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> Value | None:
        mark = mark_named(function, "airflow", {"dag", "task_group"})
        if mark is not None:
            self._around.append(_as_context(function, mark))
            return None
        mark = _task_mark(function)
        if mark is None or self._dag() is None:
            return None
        self._add_function(function, mark, args, kwargs)
        return of(Made(function, tuple(args), kwargs))

    def left(self, function: Function) -> None:
        if mark_named(function, "airflow", {"dag", "task_group"}) is not None:
            self._around.pop()

    def created(self, instance: Instance, kwargs: Mapping[str, Value], place: str) -> None:
        names = {last_name(base) for one in instance.of.family() for base in one.bases}
        if not any(name.endswith(OPERATOR_ENDS) for name in names):
            return
        given = {**kwargs, **self._given_up.pop(id(instance), {})}
        method = next(
            (one.members["execute"] for one in instance.of.family() if "execute" in one.members),
            None,
        )
        function = only(method) if method is not None else None
        bound = None
        if isinstance(function, Function):
            bound = of(replace(function, owner=instance))
        self._add_operator(instance.of.name, (), given, place, bound)

    def content(self, call: Call) -> Value | None:
        return content(call, self.walk.program) if self.walk is not None else None

    def called(self, call: Call) -> Value | None:
        if call.name == "__init__" and isinstance(call.function, Member):
            if isinstance(call.function.owner, Instance):
                self._given_up[id(call.function.owner)] = call.kwargs
        elif isinstance(call.function, External) and call.name.endswith(OPERATOR_ENDS):
            self._add_operator(call.name, call.args, call.kwargs, call.place)
        elif call.name in {"expand", "expand_kwargs"} and isinstance(call.function, Member):
            self._add_mapped(call, call.function)
        elif self.walk is not None and call.name in {"generate_dags", "load_yaml_dags"}:
            for task in yaml_tasks(call, self.walk.program, self._function):
                self._add_operator(task.operator, (), task.given, task.place)
        return None

    def _function(self, home: str, name: str) -> Value | None:
        """A function of the program by its file or its module."""
        if self.walk is None:
            return None
        program = self.walk.program
        is_file = home.endswith(".py")
        path = (
            program.find_file(home, self.file) if is_file else program.find_module(home, self.file)
        )
        return self.walk.module(path).names.get(name) if path is not None else None

    def _add_mapped(self, call: Call, function: Member) -> None:
        """`SomeOperator.partial(task_id=..., ...).expand(sql=[...])`."""
        partial = function.owner
        if not isinstance(partial, Made) or not isinstance(partial.maker, External):
            return
        operator, _, last = partial.maker.name.rpartition(".")
        name = operator.rpartition(".")[2]
        if last == "partial" and name.endswith(OPERATOR_ENDS):
            given = {**partial.kwargs, **call.kwargs}
            self._add_operator(name, partial.args, given, call.place)

    # --- where ---

    def _contexts(self) -> list[Value]:
        return [*self._around, *(self.walk.contexts if self.walk is not None else [])]

    def _dag(self, given: Value | None = None) -> Made | None:
        for value in [*self._contexts(), *([given] if given is not None else [])][::-1]:
            for atom in value.atoms:
                if isinstance(atom, Made) and last_name(atom.maker) == "DAG":
                    return atom
        return None

    def _options_of_dag(self, given: Mapping[str, Value]) -> Mapping[str, Value]:
        dag = self._dag(given.get("dag"))
        return dag.kwargs if dag is not None else {}

    def _prefix(self, given: Value | None) -> str | None:
        """The groups around a task; `None` when one of them has no known name."""
        parts: list[str] = []
        for value in [*self._contexts(), *([given] if given is not None else [])]:
            atom = value.atoms[0]
            if not isinstance(atom, Made) or last_name(atom.maker) not in _GROUPS:
                continue
            hidden = atom.kwargs.get("prefix_group_id")
            if hidden is not None and only(hidden) == Const(False):
                continue
            name = argument_of(atom.args, atom.kwargs, 0, "group_id")
            known = plain(name) if name is not None else None
            if known is None:
                return None
            parts.append(known)
        return "".join(f"{part}." for part in parts)

    def _key(self, name: str | None, kwargs: Mapping[str, Value]) -> tuple[str, str] | None:
        dag = self._dag(kwargs.get("dag"))
        dag_name = argument_of(dag.args, dag.kwargs, 0, "dag_id") if dag is not None else None
        dag_id = plain(dag_name) if dag_name is not None else None
        prefix = self._prefix(kwargs.get("task_group"))
        if dag_id is None or prefix is None or name is None:
            return None
        return dag_id, prefix + name

    # --- what ---

    def _add_function(
        self, function: Function, mark: Value, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> None:
        options = mark_values(function)
        name = options.get("task_id")
        key = self._key(plain(name) if name is not None else function.name, options)
        if key is None:
            return
        key = self._free(key)
        kind = last_name(mark.atoms[0])
        task = self._task(key, f"@task.{kind}" if kind != "task" else "@task", options, function)
        returns = {"bash": "command", "sql": "sql"}.get(kind, "")
        dag = self._options_of_dag(options)
        given = {**_context_for(function, dag, options), **kwargs}
        self.jobs[key] = Job(task, of(function), args, given, returns, parameters_of(dag, options))

    def _free(self, key: tuple[str, str]) -> tuple[str, str]:
        """Airflow numbers the further calls of a task function: `f`, `f__1`, `f__2`."""
        found, number = key, 0
        while found in self.jobs:
            number += 1
            found = (key[0], f"{key[1]}__{number}")
        return found

    def _task(
        self, key: tuple[str, str], operator: str, given: Mapping[str, Value], function: Function
    ) -> AirflowTask:
        where = f"{function.scope.module}:{function.node.lineno}"
        task = AirflowTask(self.file, *key, operator, where, entry=entry_of(function))
        return replace(with_datasets(task, given), conn_ids=conn_ids_of(given))

    def add_asset(self, function: Function) -> None:
        """`@asset` makes a DAG and a task of the function's name."""
        if mark_named(function, "airflow", {"asset"}) is not None:
            key = (function.name, function.name)
            task = self._task(key, "@asset", mark_values(function), function)
            self.jobs.setdefault(key, Job(task, of(function)))

    def _add_operator(
        self,
        operator: str,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        place: str,
        method: Value | None = None,
    ) -> None:
        name = argument_of(args, kwargs, 0, "task_id")
        key = self._key(plain(name) if name is not None else None, kwargs)
        if key is None or key in self.jobs:
            return
        given = {**self._defaults(kwargs), **kwargs}
        task = AirflowTask(self.file, *key, operator, place, conn_ids=conn_ids_of(given))
        task = with_datasets(task, given)
        callable_ = given.get("python_callable") or method
        if callable_ is not None:
            self._add_callable(key, task, callable_, given)
            return
        sql = sql_of(given)
        shown = tuple(fill(t) for v in sql for t in texts_in(v))
        command = given.get("bash_command") or given.get("command")
        text = fill(texts(command)[0]) if command is not None else ""
        parameters = parameters_of(self._options_of_dag(kwargs), given)
        self.jobs[key] = Job(
            replace(task, sql=shown, command=text), kwargs=given, parameters=parameters
        )

    def _defaults(self, kwargs: Mapping[str, Value]) -> dict[str, Value]:
        dag = self._dag(kwargs.get("dag"))
        found: dict[str, Value] = {}
        for holder in (dag.kwargs if dag is not None else {}, kwargs):
            atom = only(holder["default_args"]) if "default_args" in holder else None
            if isinstance(atom, DictOf):
                found.update({str(key): value for key, value in atom.items.items()})
        return found

    def _add_callable(
        self, key: tuple[str, str], task: AirflowTask, function: Value, given: Mapping[str, Value]
    ) -> None:
        args = elements(given["op_args"]) if "op_args" in given else []
        named = only(given["op_kwargs"]) if "op_kwargs" in given else None
        kwargs = {str(k): v for k, v in named.items.items()} if isinstance(named, DictOf) else {}
        atom = only(function)
        while isinstance(atom, Bound):
            atom = only(atom.function)
        entry = entry_of(atom) if isinstance(atom, Function) else ""
        dag = self._options_of_dag(given)
        if isinstance(atom, Function):
            kwargs = {**_context_for(atom, dag, given), **kwargs}
        parameters = parameters_of(dag, given)
        self.jobs[key] = Job(
            replace(task, entry=entry), function, args or [], kwargs, parameters=parameters
        )


def _context_for(
    function: Function, dag: Mapping[str, Value], given: Mapping[str, Value]
) -> dict[str, Value]:
    """What Airflow hands to a function besides its arguments, if it takes it."""
    spec = function.node.args
    names = {argument.arg for argument in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)}
    context = {"params": of(DictOf(params_of(dag, given)))}
    if "templates_dict" in given:
        context["templates_dict"] = given["templates_dict"]
    return {name: value for name, value in context.items() if spec.kwarg or name in names}


def _task_mark(function: Function) -> Value | None:
    """The decorator that makes a function a task: `@task`, `@task(...)`, `@task.bash`."""
    for mark in function.decorators:
        atom = mark.atoms[0]
        maker = atom.maker if isinstance(atom, Made) else atom
        if isinstance(maker, External) and maker.name.startswith("airflow."):
            parts = maker.name.split(".")
            if "task" in parts[-2:]:
                return of(maker)
    return None


def _as_context(function: Function, mark: Value) -> Value:
    """The DAG or group that a decorated function makes, named like the function by default."""
    options = mark_values(function)
    is_dag = last_name(mark.atoms[0]) == "dag"
    field_name = "dag_id" if is_dag else "group_id"
    if field_name not in options:
        atom = mark.atoms[0]
        first = atom.args[0] if isinstance(atom, Made) and atom.args else const(function.name)
        options = {**options, field_name: first}
    return of(Made(External("DAG" if is_dag else "task_group"), (), options))

"""Which code or SQL belongs to which task of an Airflow DAG file.

The file is walked like any program. What would make a DAG or a task in Airflow makes an entry
here, so loops, factories, helpers in other files and task groups need no special treatment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from swarm.lineage.code import entry_arguments, follow_scripts
from swarm.lineage.code_found import RunsCommand, RunsSql, TouchesTable
from swarm.lineage.code_interpreter import Interpreter
from swarm.lineage.code_library import Call
from swarm.lineage.code_marks import last_name, mark_named, mark_values
from swarm.lineage.code_program import Program
from swarm.lineage.code_recorder import Recorder
from swarm.lineage.code_values import (
    Bound,
    Const,
    DictOf,
    External,
    Function,
    Instance,
    ListOf,
    Made,
    Member,
    Value,
    const,
    elements,
    fill,
    holes,
    of,
    only,
    plain,
    texts,
)
from swarm.lineage.naming import dataset_from_url
from swarm.lineage.text import CodeContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, Unresolved, UnresolvedReason

_OPERATOR_ENDS = ("Operator", "Sensor", "OperatorAsync", "SensorAsync")
_WITHOUT_DATA = (
    *("EmptyOperator", "DummyOperator", "EmailOperator", "TriggerDagRunOperator", "SmoothOperator"),
    *("ExternalTaskSensor", "ExternalTaskMarker", "TimeSensor", "TimeDeltaSensor"),
    *("DateTimeSensor", "DayOfWeekSensor", "LatestOnlyOperator", "BranchDayOfWeekOperator"),
    *("BranchDateTimeOperator", "SlackAPIPostOperator", "SlackWebhookOperator", "BashSensor"),
    *("DateTimeSensorAsync", "TimeDeltaSensorAsync", "FileSensor", "HITLOperator"),
)
_GROUPS = {"TaskGroup", "task_group"}


@dataclass(frozen=True, slots=True)
class AirflowTask:
    """What a task runs: a Python function (`entry` is `file:function`), SQL or a shell command.

    `sql` are the texts as they stand in the source, unknown parts written as templates;
    `conn_ids` the connections the operator names; `operator` its class. `inlets` and `outlets`
    are those given as constants.
    """

    file: str
    dag_id: str
    task_id: str
    operator: str
    place: str
    entry: str = ""
    sql: tuple[str, ...] = ()
    command: str = ""
    conn_ids: tuple[str, ...] = ()
    inlets: tuple[DatasetKey, ...] = ()
    outlets: tuple[DatasetKey, ...] = ()


@dataclass(slots=True)
class _Job:
    """A task with the values behind it."""

    task: AirflowTask
    function: Value | None = None
    args: Sequence[Value] = ()
    kwargs: Mapping[str, Value] = field(default_factory=dict)
    returns: str = ""  # what the function's result is: "sql" or "command"


def airflow_tasks(modules: Mapping[str, str], file: str) -> Mapping[tuple[str, str], AirflowTask]:
    """Find the tasks of all DAGs that `file` makes, by `(dag_id, task_id)`. Never raises.

    A task whose id or DAG is only known at run time is left out.
    """
    jobs, _ = _walk(modules, file, CodeContext())
    return {key: job.task for key, job in jobs.items()}


def extract_airflow_task(
    task: AirflowTask, modules: Mapping[str, str], context: CodeContext
) -> Extraction:
    """Find what one task of `airflow_tasks` reads and writes. Never raises."""
    jobs, walk = _walk(modules, task.file, context)
    job = jobs.get((task.dag_id, task.task_id))
    if job is None:
        detail = f"task `{task.task_id}` of DAG `{task.dag_id}` is not in the file"
        return Extraction(
            unresolved=(Unresolved(task.file, UnresolvedReason.MISSING_SOURCE, task.place, detail),)
        )
    return _extract(job, walk, context)


def extract_airflow_file(
    modules: Mapping[str, str], file: str, context: CodeContext
) -> Mapping[tuple[str, str], Extraction]:
    """`extract_airflow_task` for every task of a file, in one walk."""
    jobs, walk = _walk(modules, file, context)
    return {key: _extract(job, walk, context) for key, job in jobs.items()}


def _walk(
    modules: Mapping[str, str], file: str, context: CodeContext
) -> tuple[dict[tuple[str, str], _Job], Interpreter]:
    program = Program(modules)
    watcher = _DagWatcher(file)
    walk = Interpreter(program, context.parameters, watcher)
    watcher.walk = walk
    try:
        scope = walk.module(file, main=True)
    except RecursionError:
        return watcher.jobs, walk
    for value in list(scope.names.values()):
        for atom in value.atoms:
            if isinstance(atom, Function):
                watcher.add_asset(atom)
    return watcher.jobs, walk


# --- finding the tasks -----------------------------------------------------------------------


class _DagWatcher:
    """Turns what a DAG file calls into tasks."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.jobs: dict[tuple[str, str], _Job] = {}
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
        if not any(name.endswith(_OPERATOR_ENDS) for name in names):
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

    def called(self, call: Call) -> Value | None:
        if call.name == "__init__" and isinstance(call.function, Member):
            if isinstance(call.function.owner, Instance):
                self._given_up[id(call.function.owner)] = call.kwargs
        elif isinstance(call.function, External) and call.name.endswith(_OPERATOR_ENDS):
            self._add_operator(call.name, call.args, call.kwargs, call.place)
        elif call.name in {"expand", "expand_kwargs"} and isinstance(call.function, Member):
            self._add_mapped(call, call.function)
        return None

    def _add_mapped(self, call: Call, function: Member) -> None:
        """`SomeOperator.partial(task_id=..., ...).expand(sql=[...])`."""
        partial = function.owner
        if not isinstance(partial, Made) or not isinstance(partial.maker, External):
            return
        operator, _, last = partial.maker.name.rpartition(".")
        name = operator.rpartition(".")[2]
        if last == "partial" and name.endswith(_OPERATOR_ENDS):
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
            name = _argument(atom.args, atom.kwargs, 0, "group_id")
            known = plain(name) if name is not None else None
            if known is None:
                return None
            parts.append(known)
        return "".join(f"{part}." for part in parts)

    def _key(self, name: str | None, kwargs: Mapping[str, Value]) -> tuple[str, str] | None:
        dag = self._dag(kwargs.get("dag"))
        dag_name = _argument(dag.args, dag.kwargs, 0, "dag_id") if dag is not None else None
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
        self.jobs[key] = _Job(task, of(function), args, kwargs, returns)

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
        return replace(_with_datasets(task, given), conn_ids=_conn_ids(given))

    def add_asset(self, function: Function) -> None:
        """`@asset` makes a DAG and a task of the function's name."""
        if mark_named(function, "airflow", {"asset"}) is not None:
            key = (function.name, function.name)
            task = self._task(key, "@asset", mark_values(function), function)
            self.jobs.setdefault(key, _Job(task, of(function)))

    def _add_operator(
        self,
        operator: str,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        place: str,
        method: Value | None = None,
    ) -> None:
        name = _argument(args, kwargs, 0, "task_id")
        key = self._key(plain(name) if name is not None else None, kwargs)
        if key is None or key in self.jobs:
            return
        given = {**self._defaults(kwargs), **kwargs}
        task = AirflowTask(self.file, *key, operator, place, conn_ids=_conn_ids(given))
        task = _with_datasets(task, given)
        callable_ = given.get("python_callable") or method
        if callable_ is not None:
            self._add_callable(key, task, callable_, given)
            return
        sql = _sql_of(given)
        shown = tuple(fill(t) for v in sql for t in _texts_in(v))
        command = given.get("bash_command") or given.get("command")
        text = fill(texts(command)[0]) if command is not None else ""
        self.jobs[key] = _Job(replace(task, sql=shown, command=text), kwargs=given)

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
        self.jobs[key] = _Job(replace(task, entry=entry), function, args or [], kwargs)


def entry_of(function: Function) -> str:
    """`file.py:function` or `file.py:Class.method`."""
    home = f"{function.home.name}." if function.home is not None else ""
    return f"{function.scope.module}:{home}{function.name}"


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


def _argument(
    args: Sequence[Value], kwargs: Mapping[str, Value], position: int, name: str
) -> Value | None:
    if name in kwargs:
        return kwargs[name]
    return args[position] if position < len(args) else None


def _conn_ids(given: Mapping[str, Value]) -> tuple[str, ...]:
    names = [name for name in given if name == "conn_id" or name.endswith("_conn_id")]
    return tuple(known for name in names if (known := plain(given[name])) is not None)


def _with_datasets(task: AirflowTask, given: Mapping[str, Value]) -> AirflowTask:
    inlets, outlets = (_datasets(given.get(side)) for side in ("inlets", "outlets"))
    return replace(task, inlets=inlets, outlets=outlets)


def _datasets(given: Value | None) -> tuple[DatasetKey, ...]:
    listed = (elements(given) if given is not None else None) or []
    return tuple(dataset_from_url(url) for one in listed if (url := _url(one)) is not None)


def _url(value: Value) -> str | None:
    """The URL of an `Asset` or `Dataset`; a name alone is no place."""
    atom = only(value)
    if not isinstance(atom, Made) or last_name(atom.maker) not in {"Asset", "Dataset"}:
        return None
    uri = atom.kwargs.get("uri") or (atom.args[-1] if atom.args else None)
    known = plain(uri) if uri is not None else None
    return known if known is not None and "://" in known else None


def _sql_of(given: Mapping[str, Value]) -> list[Value]:
    """The SQL of an operator: `sql=`, `query=`, or the job configuration of BigQuery."""
    found = [given[name] for name in ("sql", "query", "hql") if name in given]
    value = given.get("configuration")
    for step in ("query", "query"):
        atom = only(value) if value is not None else None
        value = atom.items.get(step) if isinstance(atom, DictOf) else None
    return [*found, value] if value is not None else found


def _texts_in(value: Value) -> list[str]:
    found: list[str] = []
    for atom in value.atoms:
        if isinstance(atom, ListOf):
            found.extend(text for item in atom.items for text in _texts_in(item))
        else:
            found.extend(texts(Value((atom,), value.names)))
    return found


# --- reading a task --------------------------------------------------------------------------


def _extract(job: _Job, walk: Interpreter, context: CodeContext) -> Extraction:
    """What the task does, told by a recorder that watches the same walk go on."""
    task = job.task
    parameters = {**context.parameters, **_parameters(job.kwargs)}
    recorder = Recorder(walk.program, replace(context, parameters=parameters))
    follow_scripts(walk, recorder, walk.program, context)
    before = len(walk.unresolved)
    walk.watch(recorder)
    try:
        if job.function is not None:
            _run(job, walk, recorder, context)
        else:
            _run_operator(job, walk.program, recorder)
    except RecursionError:
        detail = "the program is nested too deep to be read"
        walk.unresolved.append(
            Unresolved(task.file, UnresolvedReason.TOO_LARGE, task.place, detail)
        )
    return recorder.extraction("", walk.unresolved[before:])


def _run(job: _Job, walk: Interpreter, recorder: Recorder, context: CodeContext) -> None:
    function = only(job.function) if job.function is not None else None
    named = dict(job.kwargs)
    if isinstance(function, Function):
        named = {**entry_arguments(function, context.parameters, len(job.args)), **named}
    answer = walk.call_entry(job.function or of(Const(None)), job.args, named)
    if answer is None:
        detail = f"the function of task `{job.task.task_id}` is not in the files given"
        recorder.fail(UnresolvedReason.MISSING_SOURCE, job.task.place, detail)
    elif job.returns == "command":
        recorder.record(RunsCommand(answer), job.task.place)
    elif job.returns == "sql":
        recorder.record(RunsSql(answer, _server(job.task)), job.task.place)


def _run_operator(job: _Job, program: Program, recorder: Recorder) -> None:
    task, given = job.task, job.kwargs
    sql = _sql_of(given)
    for value in sql:
        recorder.record(RunsSql(_from_files(value, task, program), _server(task)), task.place)
    command = given.get("bash_command") or given.get("command")
    if command is not None:
        recorder.record(RunsCommand(command), task.place)
    table = given.get("table")
    if table is not None and "Check" in task.operator:
        recorder.record(TouchesTable(Access.READ, table, _server(task)), task.place)
    elif not sql and command is None and task.operator not in _WITHOUT_DATA:
        detail = f"what `{task.operator}` reads and writes is not known"
        recorder.fail(UnresolvedReason.MISSING_SOURCE, task.place, detail)


def _from_files(value: Value, task: AirflowTask, program: Program) -> Value:
    """Airflow takes `sql="load.sql"` for the name of a file."""
    found: list[Value] = []
    for text in _texts_in(value):
        given = None
        if text.strip().endswith((".sql", ".hql")) and not holes(text):
            given = program.find_file(text.strip(), task.file) or program.find_named(text.strip())
        found.append(const(program.sources[given]) if given is not None else const(text))
    return of(ListOf(found))


def _server(task: AirflowTask) -> Value:
    return of(ListOf([const(name) for name in task.conn_ids]))


def _parameters(given: Mapping[str, Value]) -> dict[str, str]:
    """`params` of an operator are `{{ params.name }}` in its texts."""
    atom = only(given["params"]) if "params" in given else None
    if not isinstance(atom, DictOf):
        return {}
    return {
        f"params.{key!s}": known
        for key, value in atom.items.items()
        if (known := plain(value)) is not None
    }

"""Which code or SQL belongs to which task of an Airflow DAG file, and what that touches."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from swarm.lineage.code.airflow_dag import DagWatcher
from swarm.lineage.code.airflow_operators import (
    commands_of,
    places_of,
    target_of_query,
    variables_of,
)
from swarm.lineage.code.airflow_task import AirflowTask, Job, sql_of, texts_in
from swarm.lineage.code.effects import Effect, RunsCommand, RunsSql, TouchesTable
from swarm.lineage.code.entry import Reading, entry_arguments, follow_scripts
from swarm.lineage.code.interpreter import Interpreter
from swarm.lineage.code.program import Program
from swarm.lineage.code.recorder import Recorder
from swarm.lineage.code.texts import holes
from swarm.lineage.code.values import Const, Function, ListOf, Value, const, of, only
from swarm.lineage.text import CodeContext
from swarm.model.lineage import Access, Extraction, Unresolved, UnresolvedReason

_WITHOUT_DATA = (
    *("EmptyOperator", "DummyOperator", "EmailOperator", "TriggerDagRunOperator", "SmoothOperator"),
    *("ExternalTaskSensor", "ExternalTaskMarker", "TimeSensor", "TimeDeltaSensor"),
    *("DateTimeSensor", "DayOfWeekSensor", "LatestOnlyOperator", "BranchDayOfWeekOperator"),
    *("BranchDateTimeOperator", "SlackAPIPostOperator", "SlackWebhookOperator", "BashSensor"),
    *("DateTimeSensorAsync", "TimeDeltaSensorAsync", "FileSensor", "HITLOperator"),
)


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


def read_airflow(
    modules: Mapping[str, str], context: CodeContext, dag: str, task: str
) -> Reading | None:
    """What `task` of `dag` does when a file among `modules` makes such a DAG, else `None`.

    The operators with that name count, in a DAG of that name if there is one; a name that no
    operator has stands for all of them. Never raises.
    """
    best: tuple[int, list[Job], Interpreter] | None = None
    for file, text in modules.items():
        if file.endswith(".py") and "airflow" in text:
            jobs, walk = _walk(modules, file, context)
            rank, chosen = _chosen(jobs, dag, task)
            if chosen and (best is None or rank < best[0]):
                best = rank, chosen, walk
    if best is None:
        return None
    found = [_extract(job, best[2], context) for job in best[1]]
    touches = tuple(touch for each in found for touch in each.touches)
    unresolved = tuple(problem for each in found for problem in each.unresolved)
    return Reading(Extraction(touches, (), unresolved), _used(modules, best[1], bool(touches)))


def _used(modules: Mapping[str, str], jobs: list[Job], is_understood: bool) -> frozenset[str]:
    """The files that do not also run by themselves: all, but SQL that an operator which is not
    understood may run because its file names it."""
    if is_understood:
        return frozenset(modules)
    texts = [modules.get(job.task.file, "") for job in jobs]
    return frozenset(
        path for path in modules if not any(PurePosixPath(path).name in text for text in texts)
    )


def _chosen(jobs: Mapping[tuple[str, str], Job], dag: str, task: str) -> tuple[int, list[Job]]:
    """The jobs that a task of a scheduler means, and how loosely: 0 is by both names."""
    ways: tuple[Callable[[str, str], bool], ...] = (
        lambda d, t: (d, t) == (dag, task),
        lambda d, t: d == dag and t.endswith(f".{task}"),
        lambda _, t: t == task or t.endswith(f".{task}"),
        lambda d, _: d == dag,
        lambda *_: True,
    )
    for rank, way in enumerate(ways):
        found = [job for key, job in jobs.items() if way(*key)]
        if found:
            return rank, found
    return len(ways), []


def _walk(
    modules: Mapping[str, str], file: str, context: CodeContext
) -> tuple[dict[tuple[str, str], Job], Interpreter]:
    program = Program(modules)
    watcher = DagWatcher(file)
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


def _extract(job: Job, walk: Interpreter, context: CodeContext) -> Extraction:
    """What the task does, told by a recorder that watches the same walk go on."""
    task = job.task
    parameters = {**context.parameters, **job.parameters, **variables_of(job.kwargs)}
    context = replace(context, parameters=parameters)
    recorder = Recorder(walk.program, context)
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
    return recorder.findings.extraction("", walk.unresolved[before:])


def _run(job: Job, walk: Interpreter, recorder: Recorder, context: CodeContext) -> None:
    function = only(job.function) if job.function is not None else None
    named = dict(job.kwargs)
    if isinstance(function, Function):
        named = {**entry_arguments(function, context.parameters, len(job.args)), **named}
    answer = walk.call_entry(job.function or of(Const(None)), job.args, named)
    if answer is None:
        detail = f"the function of task `{job.task.task_id}` is not in the files given"
        recorder.findings.fail(UnresolvedReason.MISSING_SOURCE, job.task.place, detail)
    elif job.returns == "command":
        recorder.record(RunsCommand(answer), job.task.place)
    elif job.returns == "sql":
        recorder.record(RunsSql(answer, _server(job.task)), job.task.place)


def _run_operator(job: Job, program: Program, recorder: Recorder) -> None:
    task, given = job.task, job.kwargs
    sql = sql_of(given)
    for value in sql:
        recorder.record(RunsSql(_from_files(value, task, program), _server(task)), task.place)
    command = given.get("bash_command") or given.get("command")
    commands = [RunsCommand(command)] if command is not None else []
    commands += commands_of(task.operator, given)
    effects: list[Effect] = [*commands, *places_of(task.operator, given, _server(task))]
    target = target_of_query(given.get("configuration"))
    if target is not None:
        effects.append(TouchesTable(Access.WRITE, target, _server(task)))
    table = given.get("table")
    if table is not None and "Check" in task.operator:
        effects.append(TouchesTable(Access.READ, table, _server(task)))
    for effect in effects:
        recorder.record(effect, task.place)
    if not sql and not effects and task.operator not in _WITHOUT_DATA:
        detail = f"what `{task.operator}` reads and writes is not known"
        recorder.findings.fail(UnresolvedReason.MISSING_SOURCE, task.place, detail)


def _from_files(value: Value, task: AirflowTask, program: Program) -> Value:
    """Airflow takes `sql="load.sql"` for the name of a file."""
    found: list[Value] = []
    for text in texts_in(value):
        given = None
        if text.strip().endswith((".sql", ".hql")) and not holes(text):
            given = program.find_file(text.strip(), task.file) or program.find_named(text.strip())
        found.append(const(program.sources[given]) if given is not None else const(text))
    return of(ListOf(found))


def _server(task: AirflowTask) -> Value:
    return of(ListOf([const(name) for name in task.conn_ids]))

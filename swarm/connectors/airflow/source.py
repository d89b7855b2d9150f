"""What the source of a DAG file says about its tasks, also about those that never ran."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from swarm.config import Settings
from swarm.connectors.airflow.mapping import Dag, TaskList
from swarm.connectors.airflow.rendered import connection_of, context_of, links_of
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.contexts import code_context, sql_context
from swarm.connectors.sighting import covered, sighted
from swarm.lineage.code.airflow import (
    airflow_tasks,
    extract_airflow_file,
    extract_airflow_task,
)
from swarm.lineage.code.airflow_task import AirflowTask
from swarm.model.connectors import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Evidence,
    Extraction,
    Unresolved,
    UnresolvedReason,
)
from swarm.model.pipelines import DeclaredEdge, Task

_REMEMBERED_FILES = 500
_WITHOUT_DATA = frozenset(
    {"DummyOperator", "EmptyOperator", "ExternalTaskSensor", "LatestOnlyOperator"}
    | {"TriggerDagRunOperator"}
)
_LINKING = ("ExternalTaskSensor", "TriggerDagRunOperator")


@dataclass(frozen=True, slots=True)
class File:
    """What one DAG file says: its tasks, what each touches, and the links they name.

    `links` are the constant arguments of sensors and triggers, by task id; a task id that the
    file uses for several of them is not in it.
    """

    path: str
    content: str
    tasks: Mapping[tuple[str, str], AirflowTask]
    found: Mapping[tuple[str, str], Extraction]
    links: Mapping[str, Mapping[str, object]]


class Sources:
    """Reads DAG files, with the team's code beside them as far as settings allow.

    `ran` are the tasks whose SQL was seen as it ran: their SQL in the source has nothing to add.
    """

    def __init__(self, settings: Settings, folders: CodeFolders) -> None:
        self._settings = settings
        self._folders = folders
        self._context = code_context(settings, sql_context(settings))
        self._texts: Mapping[str, str] = {}
        self._files: dict[str, File] = {}
        self.ran: set[TaskKey] = set()

    def refresh(self) -> None:
        """Look at the folders again; files are read with what they held then."""
        texts = self._folders.texts()
        if texts is not self._texts:
            self._texts = texts
            self._files.clear()

    def read(self, dag: Dag, content: str | None) -> File | None:
        """The file of `dag`; `content` as Airflow gives it, else from the team's code."""
        if content is None:
            content = self._beside(dag.file)
        if content is None:
            return None
        known = self._files.pop(dag.file, None)
        if known is None or known.content != content:
            modules = {**self._texts, dag.file: content}
            known = File(
                dag.file,
                content,
                airflow_tasks(modules, dag.file),
                extract_airflow_file(modules, dag.file, self._context),
                _constants(content),
            )
        self._files[dag.file] = known
        if len(self._files) > _REMEMBERED_FILES:
            del self._files[next(iter(self._files))]
        return known

    def _beside(self, file: str) -> str | None:
        """The same file in the team's code: the only one with that name in a folder like that."""
        if file in self._texts:
            return self._texts[file]
        tail = "/".join(("", *PurePosixPath(file).parts[-2:]))
        found = [path for path in self._texts if path.endswith(tail)]
        return self._texts[found[0]] if len(found) == 1 else None

    def items(self, dag: Dag, tasks: TaskList, file: File | None, now_s: float) -> tuple[Item, ...]:
        """What the source says of the tasks of `dag`; without `file` there is none."""
        if file is None:
            detail = "neither Airflow nor the `code` folders of the settings have the source"
            return tuple(self._missing(dag, tasks.tasks, detail))
        items: list[Item] = []
        for task in tasks.tasks:
            source = file.tasks.get((dag.dag_id, task.key.task))
            if source is None:
                detail = "the source does not show how this task is made"
                items += self._missing(dag, (task,), detail)
            else:
                items += self._task_items(file, task.key, source, now_s)
        return tuple(items)

    def _missing(self, dag: Dag, tasks: tuple[Task, ...], detail: str) -> Iterator[Item]:
        for task in tasks:
            if task.key not in self.ran and task.kind not in _WITHOUT_DATA:
                yield Unresolved(str(task.key), UnresolvedReason.MISSING_SOURCE, dag.file, detail)

    def _task_items(
        self, file: File, key: TaskKey, source: AirflowTask, now_s: float
    ) -> Iterator[Item]:
        is_code = bool(source.entry or source.command)
        if key in self.ran and not is_code:
            return
        found = self._extraction(file, source)
        channel = Channel.CODE if is_code else Channel.SQL_SOURCE
        yield from sighted(key, found, channel, now_s)
        yield from covered(key, found, channel, now_s)

    def _extraction(self, file: File, source: AirflowTask) -> Extraction:
        """What the task touches; SQL for a server that nobody configured is read once more, in
        the dialect that its operator is for."""
        connection = connection_of({"conn_id": next(iter(source.conn_ids), "")})
        context = context_of(self._settings, source.operator, connection)
        guessed = connection not in self._settings.connections
        if guessed and source.sql and context.dialect != self._context.default.dialect:
            modules = {**self._texts, file.path: file.content}
            return extract_airflow_task(source, modules, replace(self._context, default=context))
        return file.found[source.dag_id, source.task_id]


def links_in(file: File, tasks: TaskList) -> Iterator[tuple[TaskKey, tuple[DeclaredEdge, ...]]]:
    """The sensors and triggers among `tasks`, with the links that the source names."""
    for task in tasks.tasks:
        values = file.links.get(task.key.task.rpartition(".")[2], {})
        if links := links_of(task.key, values):
            yield task.key, links


def declared_reads(file: File, tasks: TaskList, now_s: float) -> Iterator[Evidence]:
    """The inlets of tasks, which the REST API of Airflow 2 does not list."""
    for task in tasks.tasks:
        source = file.tasks.get((task.key.pipeline, task.key.task))
        if source is not None:
            for dataset in source.inlets:
                yield Evidence(
                    task.key, Access.READ, dataset, Channel.DECLARED, now_s, source.place
                )


def _constants(content: str) -> Mapping[str, Mapping[str, object]]:
    """The constant arguments of the calls that make sensors and triggers, by task id."""
    found: dict[str, Mapping[str, object]] = {}
    twice: set[str] = set()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func).endswith(_LINKING):
            values = {k.arg: _constant(k.value) for k in node.keywords if k.arg}
            task_id = str(values.get("task_id"))
            if task_id in found:
                twice.add(task_id)
            found[task_id] = values
    return {task_id: values for task_id, values in found.items() if task_id not in twice}


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _constant(value: ast.expr) -> object:
    try:
        return ast.literal_eval(value)
    except (ValueError, RecursionError):
        return None

"""Whom an OpenLineage event is about: which task of which pipeline, in which run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from swarm.errors import InputError
from swarm.lineage.openlineage.fields import NAME_MAX, Fields, object_at, text_of
from swarm.model.keys import TaskKey

# The pipeline at the root may have triggered the one that the job belongs to.
_ROOT_ALONE = 0.8

_QUERY = re.compile(r"\.(?:manual_)?query\.(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an event is about.

    `is_child`: a part of the task and not the task itself. `query` counts the queries of a task
    from 1; it is 0 for anything else. `certainty` is how sure it is that it is this task.
    """

    task: TaskKey
    run_id: str
    attempt: int = 1
    is_pipeline: bool = False
    is_child: bool = False
    query: int = 0
    certainty: float = 1.0


def subject_of(job: Fields, run: Fields, orchestrators: Mapping[str, str]) -> Subject:
    """Whom the job and run of an event mean; `orchestrators` names instances by namespace."""
    name = text_of(job.get("name"))
    run_id = text_of(run.get("runId"))
    orchestrator = _orchestrator(job, orchestrators)
    airflow = object_at(run, "facets", "airflow")
    dag_id = text_of(object_at(airflow, "dag").get("dag_id"))
    task_id = text_of(object_at(airflow, "task").get("task_id"))
    if dag_id and task_id:
        attempt = object_at(airflow, "taskInstance").get("try_number")
        return Subject(
            TaskKey(orchestrator, dag_id, task_id),
            text_of(object_at(airflow, "dagRun").get("run_id")) or parent_run_of(run) or run_id,
            attempt if isinstance(attempt, int) else 1,
            # Airflow's facet is copied into the query children of newer providers
            is_child=_query(name) > 0 and name != f"{dag_id}.{task_id}",
            query=_query(name),
        )
    if _is_pipeline(job, run):
        dag_run = object_at(run, "facets", "airflowDagRun")
        pipeline = text_of(object_at(dag_run, "dag").get("dag_id")) or name
        known = text_of(object_at(dag_run, "dagRun").get("run_id")) or run_id
        return Subject(TaskKey(orchestrator, pipeline, ""), known, is_pipeline=True)
    return _by_parent(name, run, run_id, orchestrator, orchestrators)


def bounded(subject: Subject) -> Subject:
    """That subject; `InputError` where a name of it is too long to be told on."""
    task = subject.task
    parts = {
        "job": str(task.pipeline_key),
        "task": task.task,
        "run": subject.run_id,
    }
    for what, name in parts.items():
        if len(name) > NAME_MAX:
            raise InputError(
                f"the name of its {what} has {len(name):,} characters: {NAME_MAX:,} at most"
            )
    return subject


def below_of(job: Fields, subject: Subject) -> str:
    """The name of the job below the task that an event is about; empty for the task's own."""
    return text_of(job.get("name")) if subject.is_child else ""


def _query(job_name: str) -> int:
    match = _QUERY.search(job_name)
    return int(match.group(1)) if match else 0


def _orchestrator(job: Fields, orchestrators: Mapping[str, str]) -> str:
    namespace = text_of(job.get("namespace"))
    return orchestrators.get(namespace, namespace)


def parent_run_of(run: Fields) -> str:
    """The id of the run above; empty where there is none."""
    return text_of(object_at(run, "facets", "parent", "run").get("runId"))


def _is_pipeline(job: Fields, run: Fields) -> bool:
    kind = text_of(object_at(job, "facets", "jobType").get("jobType")).upper()
    return kind == "DAG" or is_of_airflow(run)


def is_of_airflow(run: Fields) -> bool:
    """Whether it is the run of a DAG of Airflow, whose tasks tell what they access."""
    facets = object_at(run, "facets")
    return "airflowDagRun" in facets or "airflowState" in facets


def _by_parent(
    name: str, run: Fields, run_id: str, orchestrator: str, orchestrators: Mapping[str, str]
) -> Subject:
    """The parent facet names the pipeline, or the task when a root stands above it."""
    facet = object_at(run, "facets", "parent")
    parent_job = object_at(facet, "job")
    parent = text_of(parent_job.get("name"))
    if not parent:
        return Subject(TaskKey(orchestrator, name, name), run_id)
    owner = _orchestrator(parent_job, orchestrators) or orchestrator
    root = text_of(object_at(facet, "root", "job").get("name"))
    if root and parent.startswith(f"{root}."):
        task = TaskKey(owner, root, parent.removeprefix(f"{root}."))
        root_run = text_of(object_at(facet, "root", "run").get("runId"))
        return Subject(
            task, root_run or parent_run_of(run) or run_id, is_child=True, query=_query(name)
        )
    if _query(name) and name.startswith(f"{parent}.") and "." in parent:
        pipeline, _, task_name = parent.partition(".")
        task = TaskKey(owner, pipeline, task_name)
        return Subject(task, parent_run_of(run), is_child=True, query=_query(name))
    known = text_of(parent_job.get("namespace")) in orchestrators
    if root and root != parent and not (known and name.startswith(f"{parent}.")):
        return _below_root(facet, owner, orchestrators)
    task = TaskKey(owner, parent, name.removeprefix(f"{parent}."))
    return Subject(task, parent_run_of(run) or run_id)


def _below_root(facet: Fields, owner: str, orchestrators: Mapping[str, str]) -> Subject:
    """A job whose parent is not a task of the root's pipeline.

    Where the parent is a job of a known orchestrator, the root triggered that one's pipeline. Else
    more jobs stand between the task and this one (a query of a Spark application that a task
    started): nobody tells which task it was, so it belongs to the root's pipeline as a whole.
    """
    parent_job = object_at(facet, "job")
    pipeline, dot, task = text_of(parent_job.get("name")).partition(".")
    if dot and text_of(parent_job.get("namespace")) in orchestrators:
        run_id = text_of(object_at(facet, "run").get("runId"))
        return Subject(TaskKey(owner, pipeline, task), run_id, is_child=True)
    root_job = object_at(facet, "root", "job")
    root_run = text_of(object_at(facet, "root", "run").get("runId"))
    above = _orchestrator(root_job, orchestrators) or owner
    whole = TaskKey(above, text_of(root_job.get("name")), "")
    return Subject(whole, root_run, is_child=True, certainty=_ROOT_ALONE)

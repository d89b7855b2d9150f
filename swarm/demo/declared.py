"""Which order the orchestrators themselves declare, asked of them without swarm's connectors."""

from collections.abc import Iterable, Mapping

from swarm.demo import http
from swarm.demo.airflow_server import Airflow
from swarm.demo.dagster_server import Dagster
from swarm.model.keys import TaskKey

Edge = tuple[TaskKey, TaskKey]

_ASSETS = "{assetNodes{assetKey{path} jobNames dependencyKeys{path}}}"
_OPS = """{repositoriesOrError{... on RepositoryConnection{nodes{jobs{name
  solidHandles{handleID solid{inputs{dependsOn{solid{name}}}}}}}}}}"""


def airflow_edges(airflow: Airflow, instance: str) -> set[Edge]:
    """Task order within a DAG, and DAGs that an asset's producer starts."""
    edges = set()
    for dag in http.call("GET", f"{airflow.api}/dags?limit=100")["dags"]:
        name = dag["dag_id"]
        for task in http.call("GET", f"{airflow.api}/dags/{name}/tasks")["tasks"]:
            for below in task["downstream_task_ids"]:
                upstream = TaskKey(instance, name, task["task_id"])
                edges.add((upstream, TaskKey(instance, name, below)))
    for asset in http.call("GET", f"{airflow.api}/assets?limit=100")["assets"]:
        for producer in asset["producing_tasks"]:
            upstream = TaskKey(instance, producer["dag_id"], producer["task_id"])
            edges |= {
                (upstream, TaskKey(instance, scheduled["dag_id"], ""))
                for scheduled in asset["scheduled_dags"]
            }
    return edges


def dagster_edges(dagster: Dagster, instance: str) -> set[Edge]:
    """Dependencies between assets, and between the ops of a job."""
    edges = set()
    nodes = http.graphql(dagster.graphql, _ASSETS)["assetNodes"]
    jobs = {
        "/".join(node["assetKey"]["path"]): [j for j in node["jobNames"] if not j.startswith("__")]
        for node in nodes
    }
    for node in nodes:
        name = "/".join(node["assetKey"]["path"])
        for dependency in node["dependencyKeys"]:
            above = "/".join(dependency["path"])
            edges |= {
                (TaskKey(instance, upper, above), TaskKey(instance, lower, name))
                for upper in jobs.get(above, ())
                for lower in jobs[name]
            }
    for repository in http.graphql(dagster.graphql, _OPS)["repositoriesOrError"]["nodes"]:
        for job in repository["jobs"]:
            for handle in job["solidHandles"]:
                edges |= {
                    (
                        TaskKey(instance, job["name"], source["solid"]["name"]),
                        TaskKey(instance, job["name"], handle["handleID"]),
                    )
                    for wired in handle["solid"]["inputs"]
                    for source in wired["dependsOn"]
                }
    return edges


def reachable(
    edges: Iterable[Edge], tasks: Iterable[TaskKey]
) -> Mapping[TaskKey, frozenset[TaskKey]]:
    """For each of the tasks, all tasks that run after it by what is declared.

    A key without a task stands for its pipeline: for the end of it where it is upstream, for
    the start where it is downstream.
    """
    after: dict[tuple[TaskKey, str], set[tuple[TaskKey, str]]] = {}
    for task in tasks:
        pipeline = TaskKey(task.orchestrator, task.pipeline, "")
        after.setdefault((pipeline, "start"), set()).add((task, ""))
        after.setdefault((task, ""), set()).add((pipeline, "end"))
    for upstream, downstream in edges:
        source = (upstream, "" if upstream.task else "end")
        target = (downstream, "" if downstream.task else "start")
        after.setdefault(source, set()).add(target)
    return {
        node[0]: frozenset(key for key, part in _closure(after, node) if not part)
        for node in after
        if not node[1]
    }


def _closure(
    after: Mapping[tuple[TaskKey, str], set[tuple[TaskKey, str]]], start: tuple[TaskKey, str]
) -> set[tuple[TaskKey, str]]:
    found: set[tuple[TaskKey, str]] = set()
    todo = [start]
    while todo:
        for node in after.get(todo.pop(), ()):
            if node not in found:
                found.add(node)
                todo.append(node)
    return found

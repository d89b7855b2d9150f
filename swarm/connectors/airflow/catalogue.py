"""What is known of an Airflow's DAGs, put together from answers that come one by one. Pure.

A `Pipeline` holds every declared edge into it, and those are told by others: an asset by the task
that writes it, a trigger by the DAG that has it. So a pipeline is put together anew whenever one
of its parts changes, and given out when that made a difference.
"""

from collections.abc import Iterable, Iterator, Set

from swarm.connectors.airflow.deadlines import Alert, not_promised, promised
from swarm.connectors.airflow.mapping import Assets, Dag, TaskList
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence
from swarm.model.pipelines import DeclaredEdge, Inventory, Pipeline


class Catalogue:
    """The DAGs of one Airflow, as far as they have been read."""

    def __init__(self, orchestrator: str) -> None:
        self._orchestrator = orchestrator
        self._dags: dict[str, Dag] = {}
        self._tasks: dict[str, TaskList] = {}
        self._assets = Assets()
        self._inlets: dict[str, tuple[Evidence, ...]] = {}
        self._accesses: dict[str, list[Evidence]] = {}
        self._links_of: dict[TaskKey, frozenset[DeclaredEdge]] = {}
        self._links_into: dict[str, set[DeclaredEdge]] = {}
        self._alerts: dict[str, tuple[Alert, ...]] = {}
        self._given: dict[str, Pipeline] = {}
        self._changed: set[str] = set()

    def dag(self, dag_id: str) -> Dag | None:
        return self._dags.get(dag_id)

    def replace_dags(self, dags: Iterable[Dag]) -> list[str]:
        """Take in the whole list of DAGs; the answer is those that are new or moved."""
        new = {dag.dag_id: dag for dag in dags}
        self._changed |= {dag_id for dag_id, dag in new.items() if dag != self._dags.get(dag_id)}
        unread = [
            dag_id
            for dag_id, dag in new.items()
            if dag_id not in self._dags or self._dags[dag_id].file != dag.file
        ]
        gone = self._dags.keys() - new.keys()
        for dag_id in gone:
            self._tasks.pop(dag_id, None)
            self._inlets.pop(dag_id, None)
            self._alerts.pop(dag_id, None)
            self._given.pop(dag_id, None)
        for task in [task for task in self._links_of if gone and task.pipeline in gone]:
            self.replace_links(task, ())
        self._changed -= gone
        self._dags = new
        return unread

    def put_dag(self, dag: Dag) -> None:
        """Take in one DAG that is new since the last list of all."""
        self._dags[dag.dag_id] = dag
        self._changed.add(dag.dag_id)

    def has(self, dag_id: str) -> bool:
        return dag_id in self._dags

    def names(self) -> list[str]:
        """All DAGs, in order."""
        return sorted(self._dags)

    def was_read(self, dag_id: str) -> bool:
        return dag_id in self._tasks

    def repeat(self, dag_id: str) -> None:
        """Give out this pipeline again, even if nothing changed."""
        self._given.pop(dag_id, None)
        self._changed.add(dag_id)

    def replace_tasks(self, dag_id: str, tasks: TaskList) -> None:
        """Take in the tasks of one DAG."""
        if self._tasks.get(dag_id) != tasks:
            self._tasks[dag_id] = tasks
            self._changed.add(dag_id)

    def tasks(self, dag_id: str) -> TaskList:
        return self._tasks.get(dag_id, TaskList())

    def replace_assets(self, assets: Assets) -> set[str]:
        """Take in what assets declare; the answer is the DAGs of whose tasks it is news."""
        old, self._assets = self._assets, assets
        for dag_id in old.edges.keys() | assets.edges.keys():
            if old.edges.get(dag_id) != assets.edges.get(dag_id):
                self._changed.add(dag_id)
        self._accesses = {}
        for evidence in assets.evidence:
            self._accesses.setdefault(evidence.task.pipeline, []).append(evidence)
        return {task.pipeline for task, _, _ in _said(old) ^ _said(assets)}

    def replace_inlets(self, dag_id: str, inlets: tuple[Evidence, ...]) -> None:
        """Take in what only the source of a DAG declares; none where Airflow lists it all."""
        self._inlets[dag_id] = inlets

    def replace_alerts(self, dag_id: str, alerts: tuple[Alert, ...]) -> tuple[str, ...]:
        """Take in the deadline alerts of a DAG; the answer is why some are no SLAs."""
        if self._alerts.get(dag_id, ()) != alerts:
            self._alerts[dag_id] = alerts
            self.repeat(dag_id)  # which takes back what was said of those before
        dag = self._dags.get(dag_id)
        return () if dag is None else not_promised(self._key(dag_id), dag, alerts)

    def declaring(self) -> set[str]:
        """The DAGs whose tasks declare what they read or write."""
        return self._accesses.keys() & self._dags.keys()

    def writes_by_alias(self, seen: Evidence) -> bool:
        """Whether a write that happened is one that its task does not list."""
        known = (seen.task, seen.access, seen.dataset)
        return seen.dataset in self._assets.aliased and known not in _said(self._assets)

    def declared(
        self, dag_id: str, now_s: float, aliased: Set[TaskKey]
    ) -> Iterator[Evidence | Coverage]:
        """What the tasks of a DAG declare. The coverage takes back what they no longer do; there
        is none of tasks in `aliased`, which write what they do not list."""
        found = (*self._accesses.get(dag_id, ()), *self._inlets.get(dag_id, ()))
        yield from found
        if self._assets.complete and dag_id in self._inlets:
            below = (task.key for task in self.tasks(dag_id).tasks)
            for task in dict.fromkeys((*below, *(one.task for one in found))):
                if task not in aliased:
                    yield Coverage(task, Channel.DECLARED, now_s)

    def replace_links(self, task: TaskKey, links: Iterable[DeclaredEdge]) -> None:
        """Take in which other DAGs `task`, a sensor or a trigger, waits for or starts."""
        old, new = self._links_of.get(task, frozenset()), frozenset(links)
        if old == new:
            return
        self._links_of[task] = new
        for edge in old - new:
            self._links_into[edge.downstream.pipeline].discard(edge)
        for edge in new - old:
            self._links_into.setdefault(edge.downstream.pipeline, set()).add(edge)
        self._changed |= {edge.downstream.pipeline for edge in old ^ new}

    def inventory(self) -> Inventory:
        return Inventory(self._orchestrator, tuple(sorted(self._dags)))

    def take_changed(self) -> list[Pipeline]:
        """The pipelines that differ from how they were given out before."""
        changed = [
            self._assemble(self._dags[dag_id])
            for dag_id in sorted(self._changed & self._tasks.keys() & self._dags.keys())
        ]
        news = [pipeline for pipeline in changed if pipeline != self._given.get(pipeline.key.name)]
        self._given |= {pipeline.key.name: pipeline for pipeline in news}
        self._changed -= {pipeline.key.name for pipeline in changed}
        return news

    def _assemble(self, dag: Dag) -> Pipeline:
        key, below = self._key(dag.dag_id), self._tasks[dag.dag_id]
        edges = {
            *below.order,
            *self._assets.edges.get(dag.dag_id, ()),
            *self._links_into.get(dag.dag_id, ()),
        }
        return Pipeline(
            key=key,
            tasks=tuple(sorted(below.tasks, key=lambda task: task.key)),
            declared=tuple(sorted(edges, key=lambda e: (e.upstream, e.downstream, e.how))),
            schedule=dag.schedule,
            owner=dag.owner,
            tags=dag.tags,
            paused=dag.paused,
            place=dag.file,
            slas=promised(key, dag, self._alerts.get(dag.dag_id, ())),
            crons=dag.crons,
        )

    def _key(self, dag_id: str) -> PipelineKey:
        return PipelineKey(self._orchestrator, dag_id)


def _said(assets: Assets) -> set[tuple[TaskKey, Access, DatasetKey]]:
    return {(e.task, e.access, e.dataset) for e in assets.evidence}

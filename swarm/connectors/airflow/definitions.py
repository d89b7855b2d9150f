"""Reads the tasks and the source of single DAGs of an Airflow.

What goes wrong with one DAG is said of it and left, if the server is well otherwise.
"""

import asyncio
from collections.abc import Set

from swarm.clock import Clock
from swarm.connectors.airflow import mapping as mapping
from swarm.connectors.airflow.deadlines import read_alerts
from swarm.connectors.airflow.http import AirflowHttp, quoted
from swarm.connectors.airflow.known import Known
from swarm.connectors.airflow.source import declared_reads, links_in
from swarm.connectors.http_answers import Forbidden, NotFound
from swarm.connectors.payloads import STRANGE, Payloads
from swarm.errors import MalformedResponse, Unavailable
from swarm.model.connectors import Item
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason

_PARALLEL = 4  # requests at a time
# Only a DAG whose file has this word is asked for its alerts: it is a request a DAG.
_DEADLINE = "deadline"


class Definitions:
    """Reads what DAGs are into what is known. Raises `Unavailable`, `Unauthorized` or
    `MalformedResponse` when it is the server that is not well."""

    def __init__(self, known: Known, http: AirflowHttp, clock: Clock, payloads: Payloads) -> None:
        self._known, self._http, self._clock, self._payloads = known, http, clock, payloads

    async def read(self, dag_ids: list[str], aliased: Set[TaskKey]) -> tuple[Item, ...]:
        """The pipelines of some DAGs, what they declare and what their code says.

        `aliased` are tasks that write what they do not list.
        """
        known = self._known
        limit = asyncio.Semaphore(_PARALLEL)
        problems = await asyncio.gather(*(self._tasks(dag_id, limit) for dag_id in dag_ids))
        dags = [
            dag
            for dag in map(known.catalogue.dag, dag_ids)
            if dag and dag.dag_id not in known.broken
        ]
        files = {dag.file: dag for dag in dags}  # a file may hold hundreds of DAGs
        texts = await asyncio.gather(*(self._source_text(dag, limit) for dag in files.values()))
        content = dict(zip(files, texts, strict=True))
        alerts = await asyncio.gather(*(self._alerts(d, content[d.file], limit) for d in dags))
        said: list[Item] = [problem for problem in problems if problem is not None]
        said += [problem for about in alerts for problem in about]
        for dag in dags:
            said += await asyncio.to_thread(self._said_by_source, dag, content[dag.file])
            said += known.catalogue.declared(dag.dag_id, self._clock.now_s(), aliased)
            known.undeclared.discard(dag.dag_id)
        for dag_id in dag_ids:
            known.unread.pop(dag_id, None)
        return (*known.catalogue.take_changed(), *said)

    def _said_by_source(self, dag: mapping.Dag, content: str | None) -> tuple[Item, ...]:
        known, now_s = self._known, self._clock.now_s()
        tasks = known.catalogue.tasks(dag.dag_id)
        try:
            file = known.sources.read(dag, content)
            items = known.sources.items(dag, tasks, file, now_s)
        except STRANGE as error:
            return (
                self._unresolved(dag.dag_id, UnresolvedReason.MALFORMED, dag.file, repr(error)),
            )
        if file is not None:
            for task, links in links_in(file, tasks):
                known.catalogue.replace_links(task, links)
        if self._http.major >= 3:
            known.catalogue.replace_inlets(dag.dag_id, ())
        elif file is not None:  # the API of Airflow 2 does not list inlets
            inlets = tuple(declared_reads(file, tasks, now_s))
            known.catalogue.replace_inlets(dag.dag_id, inlets)
        return items

    async def _tasks(self, dag_id: str, limit: asyncio.Semaphore) -> Unresolved | None:
        """Read the tasks of one DAG; one that the server cannot show is said so and left."""
        known, path = self._known, f"/dags/{quoted(dag_id)}/tasks"
        try:
            async with limit:
                page = await asyncio.to_thread(self._http.get, path)
            name = self._payloads.instance
            tasks = self._payloads.whole(mapping.read_tasks, name, dag_id, page)
        except NotFound:
            return None  # deleted since it was listed
        except (Unavailable, MalformedResponse) as error:
            await self._probe()
            known.broken.add(dag_id)
            known.catalogue.replace_tasks(dag_id, known.catalogue.tasks(dag_id))
            is_strange = isinstance(error, MalformedResponse)
            reason = UnresolvedReason.MALFORMED if is_strange else UnresolvedReason.UNREACHABLE
            return self._unresolved(dag_id, reason, self._http.address(path), str(error))
        known.catalogue.replace_tasks(dag_id, tasks)
        if dag_id in known.broken:
            known.broken.discard(dag_id)
            known.catalogue.repeat(dag_id)  # which takes back what was said of it
        return None

    async def _alerts(
        self, dag: mapping.Dag, content: str | None, limit: asyncio.Semaphore
    ) -> tuple[Unresolved, ...]:
        """Read the deadline alerts of a DAG whose file speaks of deadlines; Airflow 2 has none."""
        if self._http.major < 3 or content is None:
            return ()
        if _DEADLINE not in content.lower():
            self._known.catalogue.replace_alerts(dag.dag_id, ())
            return ()
        path = f"/dags/{quoted(dag.dag_id)}/deadlineAlerts"
        try:
            async with limit:
                page = await asyncio.to_thread(self._http.get_ui, path)
            alerts = self._payloads.whole(read_alerts, page)
        except (NotFound, Forbidden, Unavailable, MalformedResponse) as error:
            await self._probe()
            reason = UnresolvedReason.UNREACHABLE
            return (self._unresolved(dag.dag_id, reason, dag.file, f"deadline alerts: {error}"),)
        none = self._known.catalogue.replace_alerts(dag.dag_id, alerts)
        reason = UnresolvedReason.DYNAMIC
        return tuple(self._unresolved(dag.dag_id, reason, dag.file, why) for why in none)

    def _unresolved(
        self, dag_id: str, reason: UnresolvedReason, place: str, detail: str
    ) -> Unresolved:
        return Unresolved(str(PipelineKey(self._payloads.instance, dag_id)), reason, place, detail)

    async def _source_text(self, dag: mapping.Dag, limit: asyncio.Semaphore) -> str | None:
        """The text of the DAG's file, if Airflow gives it."""
        path = f"/dagSources/{quoted(dag.source_id)}"
        try:
            async with limit:
                page = await asyncio.to_thread(self._http.get, path)
        except (NotFound, Forbidden):
            return None
        except (Unavailable, MalformedResponse):
            await self._probe()
            return None
        return str(page.get("content") or "") or None

    async def _probe(self) -> None:
        """Raise unless the server is well: then what failed is the matter of one DAG alone."""
        await asyncio.to_thread(self._http.get, "/dags", {"limit": 1})

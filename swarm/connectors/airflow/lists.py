"""Reads the lists of an Airflow that change slowly, a request at a time.

A reading is an iterator that may rest between two passes: each step asks for one page at most, so
that the reader decides how many requests a pass may cost.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from swarm.clock import Clock
from swarm.connectors.airflow import mapping as mapping
from swarm.connectors.airflow.http import AirflowHttp, quoted
from swarm.connectors.airflow.known import Known
from swarm.connectors.airflow.pages import Pages, dag_of
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.http_answers import NotFound
from swarm.connectors.payloads import Payload
from swarm.errors import MalformedResponse
from swarm.model.connectors import Item

SWEEP_S = 300.0
REREAD = 100
_VERSION_PAGES = 5  # of DAGs with a new version; of more any may have one
_ARRIVED = 10  # DAGs that are asked for one by one
_BACKFILLED = 20  # DAGs a reading

Items = tuple[Item, ...]


class Lists:
    """Reads into what is known; the steps are what is news. Raises as `AirflowHttp` does."""

    def __init__(
        self, known: Known, http: AirflowHttp, pages: Pages, clock: Clock, folders: CodeFolders
    ) -> None:
        self._known, self._http, self._pages = known, http, pages
        self._clock, self._folders = clock, folders

    async def read(self, major: int, sweep: bool) -> AsyncIterator[Items]:
        """One reading; with `sweep` the list of all DAGs is part of it."""
        known = self._known
        if sweep:
            async for _ in self._sweep():
                yield ()
        errors = await self._pages.all("/importErrors", "import_errors", mapping.read_import_errors)
        errors += self._folders.left_out(known.orchestrator)
        if sweep or errors != known.errors:
            known.errors = errors
            yield (*(() if known.nameless else (known.catalogue.inventory(),)), *errors)
        else:
            yield ()
        async for _ in self._assets(major, sweep):
            yield ()
        pools = await self._pages.all("/pools", "pools", mapping.read_pools)
        yield tuple(pool for pool in pools if known.is_other(pool.name, pool))
        if major >= 3:
            async for items in self._backfills():
                yield items

    async def _sweep(self) -> AsyncIterator[None]:
        """Read the list of all DAGs. One that changed between its pages may miss some."""
        known = self._known
        known.forget_strange()
        for _ in range(3):
            pages = []
            async for page in self._pages.each("/dags", "dags", {"order_by": "dag_id"}):
                pages.append(page)
                yield
            rows = [row for page in pages for row in page["dags"]]
            names = {name for name in map(dag_of, rows) if name}
            if len(names) == pages[-1]["total_entries"]:
                break
        if rows and not names:
            address = self._http.address("/dags")
            raise MalformedResponse(f"{address} answered a list in which nothing has a `dag_id`.")
        known.nameless = not all(map(dag_of, rows))
        sound = [self._pages.sound("/dags", "dags", page, mapping.read_dags) for page in pages]
        dags = {dag.dag_id: dag for page in sound for dag in mapping.read_dags(page)}
        unsound = names - dags.keys()
        for dag_id in known.unsound - unsound:
            known.catalogue.repeat(dag_id)  # which takes back what was said of it
        known.unsound = unsound
        for dag_id in unsound:
            dags[dag_id] = known.catalogue.dag(dag_id) or mapping.bare_dag(dag_id)
        unread = known.catalogue.replace_dags(dags.values())
        if not unread and not known.in_turn:
            turn = [name for name in known.catalogue.names() if name > known.reread_after][:REREAD]
            known.in_turn = dict.fromkeys(turn)
            known.reread_after = turn[-1] if len(turn) == REREAD else ""
        wanted = dict.fromkeys((*known.unread, *unread, *sorted(known.broken)))
        known.unread = {dag_id: None for dag_id in wanted if dag_id in dags}
        known.broken &= dags.keys()
        known.sweep_at_s = self._clock.monotonic_s() + SWEEP_S

    async def _assets(self, major: int, sweep: bool) -> AsyncIterator[None]:
        known, key = self._known, "assets" if major >= 3 else "datasets"
        now_s = self._clock.now_s()

        def read(page: Payload) -> tuple[mapping.Assets]:
            return (mapping.read_assets(known.orchestrator, [page], now_s),)

        found = []
        async for page in self._pages.each(f"/{key}", key):
            found.append(page)
            yield
        sound = [self._pages.sound(f"/{key}", key, page, read) for page in found]
        complete = all(len(a[key]) == len(b[key]) for a, b in zip(found, sound, strict=True))
        assets = mapping.read_assets(known.orchestrator, sound, now_s)
        news = known.catalogue.replace_assets(replace(assets, complete=complete))
        known.undeclared |= news | (known.catalogue.declaring() if sweep else set())

    async def changed(self) -> None:
        """Find the DAGs that are new or have a new version; ids of versions grow with time."""
        known, newest, path = self._known, "", "/dags/~/dagVersions"
        asked: dict[str, str | int] = {"order_by": "-id"}
        if known.version:
            newest_only = await asyncio.to_thread(self._http.get, path, asked | {"limit": 1})
            if known.version in map(version_of, newest_only.get("dag_versions") or ()):
                return
        pages = self._pages.each(path, "dag_versions", asked)
        changed: dict[str, None] = {}
        for _ in range(_VERSION_PAGES):
            page = await anext(pages, None)
            if page is None:
                break
            sound = self._pages.sound(path, "dag_versions", page, mapping.read_versions)
            versions = tuple(mapping.read_versions(sound))
            newest = newest or max((version for version, _ in versions), default="")
            later = [dag_id for version, dag_id in versions if version > known.version]
            if known.version:
                changed |= dict.fromkeys(later)
            if len(later) < len(versions) or not known.version:
                break
        else:
            changed = dict.fromkeys(known.catalogue.names())
            known.sweep_soon()
        known.version = newest or known.version
        known.unread |= dict.fromkeys(dag for dag in changed if known.catalogue.has(dag))
        await self._arrived([dag for dag in changed if not known.catalogue.has(dag)])

    async def _arrived(self, dag_ids: list[str]) -> None:
        """Take in DAGs that are new since the last sweep; of many the sweep tells."""
        known = self._known
        if len(dag_ids) > _ARRIVED:
            known.sweep_soon()
            return
        for dag_id in dag_ids:
            path = f"/dags/{quoted(dag_id)}"
            try:
                row = await asyncio.to_thread(self._http.get, path)
            except NotFound:
                continue  # deleted since
            page = self._pages.sound(path, "dags", {"dags": [row]}, mapping.read_dags)
            for dag in mapping.read_dags(page):
                known.catalogue.put_dag(dag)
                known.unread[dag.dag_id] = None

    async def _backfills(self) -> AsyncIterator[Items]:
        """Airflow lists the backfills of one DAG at a time: ask for those that have such runs."""
        known = self._known
        for dag_id in list(known.backfilled)[:_BACKFILLED]:
            asked = {"dag_id": dag_id}
            backfills = await self._pages.all(
                "/backfills", "backfills", mapping.read_backfills, asked
            )
            del known.backfilled[dag_id]
            if any(backfill.state != "completed" for backfill in backfills):
                known.backfilled[dag_id] = None  # behind the others
            yield tuple(b for b in backfills if known.is_other(b.backfill_id, b))


def version_of(row: object) -> str:
    """The id of a version's row, as far as it tells."""
    return str(row.get("id")) if isinstance(row, Mapping) else ""

"""Reads an Airflow, 3.x (REST v2) or 2.x (REST v1), and changes nothing in it.

What a pass asks for
1. Every pass: the runs and the tries of tasks that changed, by their time of change.
2. Every `LISTS_S`: assets, pools, files that cannot be loaded, new versions of DAGs.
3. Every `SWEEP_S`: the list of all DAGs, a hundred a request.
4. Tasks and source of a DAG only when it is new or has a new version. Airflow does not always make
   a version of a change, so after each sweep `REREAD` DAGs are read again, all of them in turn and
   some with each reading of the lists.
A new process knows no DAG and reads them all in its first pass; runs it follows by cursor. Later
no pass reads more than `KNOWN_PER_PASS` DAGs that are known: many that change at once take several.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors import airflow_mapping as mapping
from swarm.connectors.airflow_definitions import Definitions
from swarm.connectors.airflow_http import AirflowHttp
from swarm.connectors.airflow_known import Known
from swarm.connectors.airflow_pages import Pages, dag_of
from swarm.connectors.airflow_position import Feed, Position, read_position
from swarm.connectors.airflow_rendered import links_of, run_items
from swarm.connectors.airflow_source import Sources
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.payloads import STRANGE, Payload, Payloads
from swarm.errors import MalformedResponse
from swarm.model.journal import Batch, Item
from swarm.model.keys import TaskKey

LISTS_S = 30.0
SWEEP_S = 300.0
REREAD = 100
KNOWN_PER_PASS = 100
DEFINITIONS_PER_BATCH = 20
_REREAD_PER_PASS = 12  # times the readings of the lists between two sweeps: a little over `REREAD`
_VERSION_PAGES = 5  # of DAGs with a new version; of more any may have one
_BACKFILLED_PER_PASS = 20

Step = tuple[tuple[Item, ...], Position]


def connect(source: Source, settings: Settings) -> "AirflowConnector":
    """The connector of one Airflow; nothing is asked yet. Raises `ConfigError`."""
    clock = SystemClock()
    return AirflowConnector(source, settings, AirflowHttp(source, clock), clock)


class AirflowConnector:
    """One Airflow instance. A pass sends its requests from threads, the event loop stays free."""

    def __init__(self, source: Source, settings: Settings, http: AirflowHttp, clock: Clock) -> None:
        self._source, self._settings = source, settings
        self._http, self._clock = http, clock
        self._payloads = Payloads(source.instance, "Airflow 2.11")
        self._pages = Pages(http, self._payloads, lambda strange: self._known.note(strange))
        self._cursor: str | None = None
        self._offered = False
        self._closed = asyncio.Event()
        self._folders = CodeFolders(settings.code)
        self._known = self._nothing()

    @property
    def name(self) -> str:
        return self._source.instance

    @property
    def kind(self) -> str:
        return self._source.kind

    async def observe(self, cursor: str | None) -> AsyncIterator[Batch]:
        # What was offered and not taken, or is asked for again, must be told again.
        if self._offered or cursor is None or cursor != self._cursor:
            self._known = self._nothing()
        at = read_position(cursor)
        async for items, position in self._pass(at):
            if not items and position == at:
                continue
            at = position
            self._offered = True
            yield Batch(self.name, at.write(), items)
            self._offered, self._cursor = False, at.write()

    async def wait(self, timeout_s: float) -> None:
        """Airflow has no push: news is found by the next pass."""
        try:
            await asyncio.wait_for(self._closed.wait(), timeout_s)
        except TimeoutError:
            return

    async def close(self) -> None:
        self._closed.set()
        await asyncio.to_thread(self._http.close)

    def _nothing(self) -> Known:
        return Known(self.name, Sources(self._settings, self._folders))

    # --- one pass --------------------------------------------------------------------------------

    async def _pass(self, position: Position) -> AsyncIterator[Step]:
        known, now_s = self._known, self._clock.monotonic_s()
        major = await asyncio.to_thread(lambda: self._http.major)
        lists_due = now_s >= known.lists_at_s
        if lists_due:
            await asyncio.to_thread(known.sources.refresh)
            async for items in self._lists(major, sweep=now_s >= known.sweep_at_s):
                yield items, position
        async for step in self._runs(position):
            yield step
            position = step[1]
        async for step in self._tries(position):
            yield step
            position = step[1]
        if lists_due and major >= 3:
            async for step in self._asset_events(position):
                yield step
                position = step[1]
        async for items in self._definitions(position):
            yield items, position
        changed: tuple[Item, ...] = (*known.catalogue.take_changed(), *known.take_strange())
        if lists_due:
            known.lists_at_s = now_s + LISTS_S
        yield changed, position

    async def _definitions(self, position: Position) -> AsyncIterator[tuple[Item, ...]]:
        """What is unread, and then what DAGs declare that need not be read for it."""
        known = self._known
        aliased = {TaskKey(self.name, *names) for names in position.aliased}
        definitions = Definitions(known, self._http, self._clock, self._payloads)
        wanted = known.next_unread(KNOWN_PER_PASS)
        for at in range(0, len(wanted), DEFINITIONS_PER_BATCH):
            yield await definitions.read(wanted[at : at + DEFINITIONS_PER_BATCH], aliased)
        declaring, known.undeclared = sorted(known.undeclared), set()
        now_s = self._clock.now_s()
        yield tuple(
            item
            for dag_id in declaring
            for item in known.catalogue.declared(dag_id, now_s, aliased)
        )

    # --- lists that change slowly ----------------------------------------------------------------

    async def _lists(self, major: int, sweep: bool) -> AsyncIterator[tuple[Item, ...]]:
        known = self._known
        if sweep:
            await self._sweep()
        else:
            turn = list(known.in_turn)[:_REREAD_PER_PASS]
            known.unread |= {dag_id: None for dag_id in turn if known.catalogue.has(dag_id)}
            for dag_id in turn:
                del known.in_turn[dag_id]
        errors = await self._pages.all("/importErrors", "import_errors", mapping.read_import_errors)
        errors += self._folders.left_out(self.name)
        if sweep or errors != known.errors:
            known.errors = errors
            yield (*(() if known.nameless else (known.catalogue.inventory(),)), *errors)
        await self._assets(major, sweep)
        pools = await self._pages.all("/pools", "pools", mapping.read_pools)
        yield tuple(pool for pool in pools if known.is_other(pool.name, pool))
        if major >= 3:
            await self._versions()
            yield await self._backfills()

    async def _sweep(self) -> None:
        """Read the list of all DAGs. One that changed between its pages may miss some."""
        known = self._known
        known.forget_strange()
        for _ in range(3):
            pages = await self._pages.of("/dags", "dags", {"order_by": "dag_id"})
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

    async def _assets(self, major: int, sweep: bool) -> None:
        known, key = self._known, "assets" if major >= 3 else "datasets"
        now_s = self._clock.now_s()

        def read(page: Payload) -> tuple[mapping.Assets]:
            return (mapping.read_assets(self.name, [page], now_s),)

        found = await self._pages.of(f"/{key}", key)
        sound = [self._pages.sound(f"/{key}", key, page, read) for page in found]
        complete = all(len(a[key]) == len(b[key]) for a, b in zip(found, sound, strict=True))
        assets = mapping.read_assets(self.name, sound, now_s)
        news = known.catalogue.replace_assets(replace(assets, complete=complete))
        known.undeclared |= news | (known.catalogue.declaring() if sweep else set())

    async def _versions(self) -> None:
        """Find the DAGs that have a new version; ids of versions grow with time."""
        known, newest, path = self._known, "", "/dags/~/dagVersions"
        pages = self._http.pages(path, "dag_versions", {"order_by": "-id"})
        for _ in range(_VERSION_PAGES):
            page = await asyncio.to_thread(next, pages, None)
            if page is None:
                break
            sound = self._pages.sound(path, "dag_versions", page, mapping.read_versions)
            versions = tuple(mapping.read_versions(sound))
            newest = newest or max((version for version, _ in versions), default="")
            later = [dag_id for version, dag_id in versions if version > known.version]
            if known.version:
                known.unread |= dict.fromkeys(d for d in later if known.catalogue.has(d))
            if len(later) < len(versions) or not known.version:
                break
        else:
            known.unread |= dict.fromkeys(known.catalogue.names())
        known.version = newest or known.version

    async def _backfills(self) -> tuple[Item, ...]:
        """Airflow lists the backfills of one DAG at a time: ask for those that have such runs."""
        known = self._known
        news: list[Item] = []
        for dag_id in list(known.backfilled)[:_BACKFILLED_PER_PASS]:
            asked = {"dag_id": dag_id}
            backfills = await self._pages.all(
                "/backfills", "backfills", mapping.read_backfills, asked
            )
            news += (b for b in backfills if known.is_other(b.backfill_id, b))
            del known.backfilled[dag_id]
            if any(backfill.state != "completed" for backfill in backfills):
                known.backfilled[dag_id] = None  # behind the others
        return tuple(news)

    # --- what happens ----------------------------------------------------------------------------

    async def _runs(self, position: Position) -> AsyncIterator[Step]:
        path, known = "/dags/~/dagRuns", self._known
        async for page, feed in self._follow_changes(path, "dag_runs", position.runs):
            sound = self._pages.sound(path, "dag_runs", page, self._read_runs)
            runs = tuple(mapping.read_runs(self.name, sound))
            known.backfilled |= dict.fromkeys(sorted(mapping.backfilled_dags(sound)))
            position = replace(position, runs=feed)
            yield tuple(run for run in runs if known.is_new(run)), position

    def _read_runs(self, page: Payload) -> tuple[object, ...]:
        return (*mapping.read_runs(self.name, page), mapping.backfilled_dags(page))

    async def _tries(self, position: Position) -> AsyncIterator[Step]:
        path = "/dags/~/dagRuns/~/taskInstances"
        async for page, feed in self._follow_changes(path, "task_instances", position.tasks):
            read = partial(mapping.read_tries, self.name)
            tries = tuple(read(self._pages.sound(path, "task_instances", page, read)))
            position = replace(position, tasks=feed)
            yield await asyncio.to_thread(self._news_of, tries), position

    def _news_of(self, tries: Iterable[mapping.TaskTry]) -> tuple[Item, ...]:
        known = self._known
        news: list[Item] = []
        for attempt in tries:
            if known.is_new(attempt.run):
                news.append(attempt.run)
            if not attempt.rendered or not known.is_new((attempt.run, "rendered")):
                continue
            task = attempt.run.task
            try:
                links = links_of(task, attempt.rendered)
                items = tuple(run_items(attempt, self._settings))
            except STRANGE as error:
                known.note([self._payloads.unresolved(task.pipeline, "rendered_fields", error)])
                continue
            if links:
                known.catalogue.replace_links(task, links)
            if items:
                known.sources.ran.add(task)
            news += items
        return tuple(news)

    async def _asset_events(self, position: Position) -> AsyncIterator[Step]:
        path, known = "/assets/events", self._known
        started = position.events.started(self._server_now_s())
        parameters = {"timestamp_gte": started.since, "order_by": "timestamp"}
        read = partial(mapping.read_asset_events, self.name)
        async for page, feed in self._pages.follow(path, "asset_events", parameters, started):
            events = tuple(read(self._pages.sound(path, "asset_events", page, read)))
            by_alias = {e.task for e in events if known.catalogue.writes_by_alias(e)}
            aliased = {*position.aliased, *((task.pipeline, task.task) for task in by_alias)}
            still = sorted(names for names in aliased if known.catalogue.has(names[0]))
            position = replace(position, events=feed, aliased=tuple(still))
            yield tuple(event for event in events if known.is_new(event)), position

    async def _follow_changes(
        self, path: str, key: str, feed: Feed
    ) -> AsyncIterator[tuple[Payload, Feed]]:
        feed = feed.started(self._server_now_s())
        parameters = {"updated_at_gte": feed.since}
        if self._http.major >= 3:
            parameters |= {"order_by": "id", "cursor": feed.page}
        async for step in self._pages.follow(path, key, parameters, feed):
            yield step

    # --- reading ---------------------------------------------------------------------------------

    def _server_now_s(self) -> float:
        """Times of change are the server's, and its clock may be wrong."""
        return self._clock.now_s() + self._http.clock_skew_s

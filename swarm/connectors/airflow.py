"""Reads an Airflow, 3.x (REST v2) or 2.x (REST v1), and changes nothing in it.

What a pass asks for
1. Every pass: the runs and the tries of tasks that changed, by their time of change.
2. Every `LISTS_S`: assets, pools, files that cannot be loaded, new versions of DAGs.
3. Every `SWEEP_S`: the list of all DAGs, a hundred a request.
4. Tasks and source of a DAG only when it is new or has a new version. Airflow does not always make
   a version of a change, so each sweep also reads `REREAD` DAGs again, all of them in turn.
A new process knows no DAG and reads them all in its first pass; runs it follows by cursor.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors import airflow_mapping as mapping
from swarm.connectors.airflow_catalogue import Catalogue
from swarm.connectors.airflow_http import AirflowHttp, Parameters, Payload, quoted
from swarm.connectors.airflow_position import Feed, Position, read_position
from swarm.connectors.airflow_rendered import links_of, run_items
from swarm.connectors.airflow_source import Sources, declared_reads, links_in
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.http_answers import Forbidden, NotFound
from swarm.errors import MalformedResponse, Unavailable
from swarm.model.journal import Batch, Item
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Unresolved, UnresolvedReason

LISTS_S = 30.0
SWEEP_S = 300.0
REREAD = 100
DEFINITIONS_PER_BATCH = 20
_PARALLEL = 4  # requests for definitions at a time
_REMEMBERED = 20_000  # runs and tries; only those of the overlap come twice

Step = tuple[tuple[Item, ...], Position]


def connect(source: Source, settings: Settings) -> "AirflowConnector":
    """The connector of one Airflow; nothing is asked yet. Raises `ConfigError`."""
    clock = SystemClock()
    return AirflowConnector(source, settings, AirflowHttp(source, clock), clock)


class Known:
    """What earlier passes of this process have seen; without it everything is told again."""

    def __init__(self, orchestrator: str, sources: Sources) -> None:
        self.catalogue = Catalogue(orchestrator)
        self.sources = sources
        self.unread: dict[str, None] = {}  # DAGs whose definition has to be read
        self.reread_after = ""
        self.version = ""  # id of the newest version of a DAG
        self.seen: dict[object, None] = {}
        self.last: dict[str, object] = {}
        self.errors: list[Unresolved] | None = None
        self.backfilled: set[str] = set()
        self.broken: set[str] = set()
        self.lists_at_s = 0.0
        self.sweep_at_s = 0.0

    def is_new(self, thing: object) -> bool:
        """Whether `thing` was not seen before; now it is."""
        if thing in self.seen:
            return False
        self.seen[thing] = None
        if len(self.seen) > _REMEMBERED:
            del self.seen[next(iter(self.seen))]
        return True

    def is_other(self, name: str, thing: object) -> bool:
        """Whether `thing` differs from the last one of that name."""
        last, self.last[name] = self.last.get(name), thing
        return thing != last


class AirflowConnector:
    """One Airflow instance. A pass sends its requests from threads, the event loop stays free."""

    def __init__(self, source: Source, settings: Settings, http: AirflowHttp, clock: Clock) -> None:
        self._source, self._settings = source, settings
        self._http, self._clock = http, clock
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
        while chunk := list(known.unread)[:DEFINITIONS_PER_BATCH]:
            yield await self._definitions(chunk), position
        changed = tuple(known.catalogue.take_changed())
        if lists_due:
            known.lists_at_s = now_s + LISTS_S
        yield changed, position

    # --- lists that change slowly ----------------------------------------------------------------

    async def _lists(self, major: int, sweep: bool) -> AsyncIterator[tuple[Item, ...]]:
        known = self._known
        if sweep:
            await self._sweep()
        pages = await self._pages("/importErrors", "import_errors")
        with self._understanding("/importErrors"):
            errors = [e for p in pages for e in mapping.read_import_errors(self.name, p)]
        errors += self._folders.left_out(self.name)
        if sweep or errors != known.errors:
            known.errors = errors
            yield (known.catalogue.inventory(), *errors)
        yield await self._assets(major, sweep)
        pages = await self._pages("/pools", "pools")
        with self._understanding("/pools"):
            pools = [pool for page in pages for pool in mapping.read_pools(self.name, page)]
        yield tuple(pool for pool in pools if known.is_other(pool.name, pool))
        if major >= 3:
            await self._versions()
            yield await self._backfills()

    async def _sweep(self) -> None:
        """Read the list of all DAGs. One that changed between its pages may miss some."""
        known = self._known
        for _ in range(3):
            pages = await self._pages("/dags", "dags", {"order_by": "dag_id"})
            with self._understanding("/dags"):
                dags = {dag.dag_id: dag for page in pages for dag in mapping.read_dags(page)}
            if len(dags) == pages[-1]["total_entries"]:
                break
        unread = known.catalogue.replace_dags(dags.values())
        if not unread:
            unread = sorted(name for name in dags if name > known.reread_after)[:REREAD]
            known.reread_after = unread[-1] if len(unread) == REREAD else ""
        wanted = dict.fromkeys((*known.unread, *unread))
        known.unread = {dag_id: None for dag_id in wanted if dag_id in dags}
        known.sweep_at_s = self._clock.monotonic_s() + SWEEP_S

    async def _assets(self, major: int, sweep: bool) -> tuple[Item, ...]:
        path = "assets" if major >= 3 else "datasets"
        pages = await self._pages(f"/{path}", path)
        with self._understanding(f"/{path}"):
            assets = mapping.read_assets(self.name, pages, self._clock.now_s())
        news = self._known.catalogue.replace_assets(assets)
        return assets.evidence if news or sweep else ()

    async def _versions(self) -> None:
        """Find the DAGs that have a new version; ids of versions grow with time."""
        known, newest = self._known, ""
        parameters: Parameters = {"order_by": "-id"}
        pages = self._http.pages("/dags/~/dagVersions", "dag_versions", parameters)
        while (page := await asyncio.to_thread(next, pages, None)) is not None:
            with self._understanding("/dags/~/dagVersions"):
                versions = tuple(mapping.read_versions(page))
            newest = newest or max((version for version, _ in versions), default="")
            later = [dag_id for version, dag_id in versions if version > known.version]
            if known.version:
                known.unread |= dict.fromkeys(d for d in later if known.catalogue.has(d))
            if len(later) < len(versions) or not known.version:
                break
        known.version = newest or known.version

    async def _backfills(self) -> tuple[Item, ...]:
        """Airflow lists the backfills of one DAG at a time: ask for those that have such runs."""
        known = self._known
        news: list[Item] = []
        for dag_id in sorted(known.backfilled):
            pages = await self._pages("/backfills", "backfills", {"dag_id": dag_id})
            with self._understanding("/backfills"):
                backfills = [b for p in pages for b in mapping.read_backfills(self.name, p)]
            news += (b for b in backfills if known.is_other(b.backfill_id, b))
            if all(backfill.state == "completed" for backfill in backfills):
                known.backfilled.discard(dag_id)
        return tuple(news)

    # --- what happens ----------------------------------------------------------------------------

    async def _runs(self, position: Position) -> AsyncIterator[Step]:
        path = "/dags/~/dagRuns"
        async for page, feed in self._follow_changes(path, "dag_runs", position.runs):
            with self._understanding(path):
                runs = tuple(mapping.read_runs(self.name, page))
                self._known.backfilled |= mapping.backfilled_dags(page)
            position = replace(position, runs=feed)
            yield tuple(run for run in runs if self._known.is_new(run)), position

    async def _tries(self, position: Position) -> AsyncIterator[Step]:
        path = "/dags/~/dagRuns/~/taskInstances"
        async for page, feed in self._follow_changes(path, "task_instances", position.tasks):
            with self._understanding(path):
                tries = tuple(mapping.read_tries(self.name, page))
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
            links = links_of(attempt.run.task, attempt.rendered)
            if links:
                known.catalogue.replace_links(attempt.run.task, links)
            items = tuple(run_items(attempt, self._settings))
            if items:
                known.sources.ran.add(attempt.run.task)
            news += items
        return tuple(news)

    async def _asset_events(self, position: Position) -> AsyncIterator[Step]:
        path = "/assets/events"
        started = position.events.started(self._server_now_s())
        parameters = {"timestamp_gte": started.since, "order_by": "timestamp"}
        async for page, feed in self._follow(path, "asset_events", parameters, started):
            with self._understanding(path):
                events = tuple(mapping.read_asset_events(self.name, page))
            position = replace(position, events=feed)
            yield tuple(event for event in events if self._known.is_new(event)), position

    async def _follow_changes(
        self, path: str, key: str, feed: Feed
    ) -> AsyncIterator[tuple[Payload, Feed]]:
        feed = feed.started(self._server_now_s())
        parameters = {"updated_at_gte": feed.since}
        if self._http.major >= 3:
            parameters |= {"order_by": "id", "cursor": feed.page}
        async for step in self._follow(path, key, parameters, feed):
            yield step

    async def _follow(
        self, path: str, key: str, parameters: Parameters, feed: Feed
    ) -> AsyncIterator[tuple[Payload, Feed]]:
        """A list page by page, with the feed as it is after each page."""
        pages = self._http.pages(path, key, parameters)
        page = await asyncio.to_thread(next, pages, None)
        while page is not None:
            following = await asyncio.to_thread(next, pages, None)
            yield page, feed.at(page.get("next_cursor") or "") if following else feed.finished()
            page = following

    # --- definitions -----------------------------------------------------------------------------

    async def _definitions(self, dag_ids: list[str]) -> tuple[Item, ...]:
        """Read tasks and source of some DAGs: their pipelines and what their code says."""
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
        said: list[Item] = [problem for problem in problems if problem is not None]
        for dag in dags:
            said += await asyncio.to_thread(self._said_by_source, dag, content[dag.file])
        for dag_id in dag_ids:
            known.unread.pop(dag_id, None)
        return (*known.catalogue.take_changed(), *said)

    def _said_by_source(self, dag: mapping.Dag, content: str | None) -> tuple[Item, ...]:
        known, now_s = self._known, self._clock.now_s()
        tasks = known.catalogue.tasks(dag.dag_id)
        file = known.sources.read(dag, content)
        declared: tuple[Item, ...] = ()
        if file is not None:
            for task, links in links_in(file, tasks):
                known.catalogue.replace_links(task, links)
            if self._http.major < 3:
                declared = tuple(declared_reads(file, tasks, now_s))
        return (*declared, *known.sources.items(dag, tasks, file, now_s))

    async def _tasks(self, dag_id: str, limit: asyncio.Semaphore) -> Unresolved | None:
        """Read the tasks of one DAG; one that the server cannot show is said so and left."""
        known, path = self._known, f"/dags/{quoted(dag_id)}/tasks"
        try:
            async with limit:
                page = await asyncio.to_thread(self._http.get, path)
            with self._understanding(path):
                tasks = mapping.read_tasks(self.name, dag_id, page)
        except NotFound:
            return None  # deleted since it was listed
        except (Unavailable, MalformedResponse) as error:
            await self._probe()
            known.broken.add(dag_id)
            known.catalogue.replace_tasks(dag_id, known.catalogue.tasks(dag_id))
            subject, where = str(PipelineKey(self.name, dag_id)), self._http.address(path)
            return Unresolved(subject, UnresolvedReason.UNREACHABLE, where, str(error))
        known.catalogue.replace_tasks(dag_id, tasks)
        if dag_id in known.broken:
            known.broken.discard(dag_id)
            known.catalogue.repeat(dag_id)  # which takes back what was said of it
        return None

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

    # --- reading ---------------------------------------------------------------------------------

    def _server_now_s(self) -> float:
        """Times of change are the server's, and its clock may be wrong."""
        return self._clock.now_s() + self._http.clock_skew_s

    async def _pages(
        self, path: str, key: str, parameters: Parameters | None = None
    ) -> list[Payload]:
        return await asyncio.to_thread(lambda: list(self._http.pages(path, key, parameters)))

    @contextmanager
    def _understanding(self, path: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedResponse(
                f"{self._http.address(path)} answered something that Airflow does not: {error!r}"
            ) from error

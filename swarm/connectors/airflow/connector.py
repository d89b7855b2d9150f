"""Reads an Airflow, 3.x (REST v2) or 2.x (REST v1), and changes nothing in it.

What a pass asks for
1. Every pass: the runs and the tries of tasks that changed, by their time of change, at most
   `PAGES_PER_PASS` of each: the next pass goes on there. And whether a DAG is new or has a new
   version, which Airflow 2 does not tell.
2. Every `LISTS_S`: assets, pools, files that cannot be loaded, asset events.
   Every `SWEEP_S`: the list of all DAGs, a hundred a request. A pass does `STEPS_PER_PASS`
   requests of such a reading, the next ones go on with it.
3. Tasks and source of a DAG only when it is new or has a new version. Airflow does not always make
   a version of a change, so after each sweep `REREAD` DAGs are read again, in turn, a few a pass.
   The deadline alerts of a DAG only if its file speaks of deadlines.
   Every `WORKERS_S`: the jobs of Airflow's own processes, in passes that read no list. Whether
   tries send heartbeats is seen in what changed.
4. What ran before the first contact is read behind all that, `BACK_PAGES` a pass: the runs of
   `history_days`, then their tries. Of the SQL of these, only what is the first of its task counts,
   and of each task no more tries are told than are kept.
5. So where nothing happens no pass sends more than 6 requests at the default `poll_s`.
A new process knows no DAG and reads all there is in its first pass; runs it follows by cursor,
and looks at them in between. Later no pass reads more than `KNOWN_PER_PASS` DAGs that are
known: many that change at once take several.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial
from math import ceil

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.airflow import mapping as mapping
from swarm.connectors.airflow.definitions import Definitions
from swarm.connectors.airflow.http import AirflowHttp
from swarm.connectors.airflow.known import Known
from swarm.connectors.airflow.lists import Lists
from swarm.connectors.airflow.pages import Pages
from swarm.connectors.airflow.position import Feed, Position, iso, read_position
from swarm.connectors.airflow.rendered import links_of, run_items
from swarm.connectors.airflow.source import Sources
from swarm.connectors.airflow.workers import read_health, read_jobs
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.cursors import BACK_PAGES, EVENTS_S, Back
from swarm.connectors.http_answers import NotFound
from swarm.connectors.payloads import STRANGE, Payload, Payloads
from swarm.errors import Unauthorized
from swarm.model.connectors import Batch, Item
from swarm.model.foreign import ForeignWorker
from swarm.model.keys import TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason

LISTS_S = 30.0
WORKERS_S = 5.0
REFUSED_S = 300.0
STEPS_PER_PASS = 3
PAGES_PER_PASS = 10
KNOWN_PER_PASS = 100
DEFINITIONS_PER_BATCH = 20
_REREAD_EVERY_S = 2.0  # two requests each: a little more often than `SWEEP_S` over `REREAD`

_RUNS = "/dags/~/dagRuns", "dag_runs"
_TRIES = "/dags/~/dagRuns/~/taskInstances", "task_instances"

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
        known = self._known
        major = await asyncio.to_thread(lambda: self._http.major)
        is_listing = False
        async for items in self._lists(major):
            is_listing = True
            yield items, position
        if major >= 3:
            await self._lists_of(known).changed()
        async for step in self._happenings(position):
            yield step
            position = step[1]
        if known.events_due and known.reading is None and major >= 3:
            async for step in self._asset_events(position):
                yield step
                position = step[1]
            known.events_due = False
        if not (is_listing or position.tasks.page):
            yield await self._workers(major), position
        known.is_followed = True
        async for step in self._behind(position):
            yield step

    async def _behind(self, position: Position) -> AsyncIterator[Step]:
        """What can wait for what happens, which is looked at in between."""
        known = self._known
        looked_s = self._clock.monotonic_s()
        async for items in self._definitions(position):
            yield items, position
            if self._clock.monotonic_s() > looked_s + self._source.poll_s:
                async for step in self._happenings(position):
                    yield step
                    position = step[1]
                looked_s = self._clock.monotonic_s()
        yield (*known.catalogue.take_changed(), *known.take_strange()), position
        async for step in self._before(position):
            yield step

    async def _lists(self, major: int) -> AsyncIterator[tuple[Item, ...]]:
        """Go on with the reading of the lists, or begin one; the first is read to its end."""
        known, now_s = self._known, self._clock.monotonic_s()
        reading, known.reading = known.reading, None  # one that fails begins anew
        if reading is None:
            if now_s < known.lists_at_s:
                known.read_in_turn(ceil(self._source.poll_s / _REREAD_EVERY_S))
                return
            await asyncio.to_thread(known.sources.refresh)
            reading = self._lists_of(known).read(major, sweep=now_s >= known.sweep_at_s)
        steps = 0
        async for items in reading:
            yield items
            steps += 1
            if steps == STEPS_PER_PASS and known.is_listed:
                known.reading = reading
                return
        known.lists_at_s = now_s + LISTS_S
        known.events_due = known.is_listed = True

    def _lists_of(self, known: Known) -> Lists:
        return Lists(known, self._http, self._pages, self._clock, self._folders)

    async def _happenings(self, position: Position) -> AsyncIterator[Step]:
        """What ran since it was last asked."""
        async for step in self._runs(position):
            yield step
            position = step[1]
        async for step in self._tries(position):
            yield step
            position = step[1]

    async def _workers(self, major: int) -> tuple[Item, ...]:
        """What is news of Airflow's own processes and of running tries, when it is time."""
        known, at_s = self._known, self._clock.monotonic_s()
        if at_s < known.workers_at_s:
            return ()
        known.workers_at_s = at_s + WORKERS_S
        try:
            found = await (self._jobs() if major >= 3 else self._health())
        except (
            Unauthorized,
            NotFound,
        ) as error:  # a right of its own, which the rest can go without
            known.workers_at_s = at_s + REFUSED_S
            detail = f"Airflow does not tell of its own processes: {error}"
            known.note([Unresolved(self.name, UnresolvedReason.MISSING_SOURCE, "workers", detail)])
            return ()
        return known.attendance.news(found, self._server_now_s())

    async def _jobs(self) -> list[ForeignWorker]:
        path, attempts = "/jobs", self._known.attempts
        asked: dict[str, str | int] = {"order_by": "-latest_heartbeat"}
        page = await anext(self._pages.each(path, "jobs", asked))
        now_s = self._server_now_s()
        read = partial(read_jobs, self.name, now_s=now_s, attempts=attempts)
        jobs = read(self._pages.sound(path, "jobs", page, read))
        return [*jobs, *attempts.silent(now_s)]

    async def _health(self) -> list[ForeignWorker]:
        told = await asyncio.to_thread(self._http.get, "/health")
        return self._payloads.whole(read_health, self.name, told, self._server_now_s())

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

    # --- what happens ----------------------------------------------------------------------------

    async def _runs(self, position: Position) -> AsyncIterator[Step]:
        async for page, feed in self._follow_changes(_RUNS, position.runs):
            position = replace(position, runs=feed)
            yield self._runs_in(page), position

    def _runs_in(self, page: Payload) -> tuple[Item, ...]:
        known = self._known
        sound = self._pages.sound(*_RUNS, page, self._read_runs)
        known.backfilled |= dict.fromkeys(sorted(mapping.backfilled_dags(sound)))
        return tuple(run for run in mapping.read_runs(self.name, sound) if known.is_new(run))

    def _read_runs(self, page: Payload) -> tuple[object, ...]:
        return (*mapping.read_runs(self.name, page), mapping.backfilled_dags(page))

    async def _tries(self, position: Position) -> AsyncIterator[Step]:
        async for page, feed in self._follow_changes(_TRIES, position.tasks):
            position = replace(position, tasks=feed)
            yield await asyncio.to_thread(self._tries_in, page), position

    def _tries_in(self, page: Payload, *, is_past: bool = False) -> tuple[Item, ...]:
        """Of past tries the SQL of a task that ran since tells nothing."""
        known, read = self._known, partial(mapping.read_tries, self.name)
        tries = tuple(read(self._pages.sound(*_TRIES, page, read)))
        now_s = self._server_now_s()
        for one in tries:
            known.attempts.saw(one.run, now_s)
        if is_past:
            ran = known.sources.ran
            tries = tuple(replace(t, rendered={}) if t.run.task in ran else t for t in tries)
        return self._news_of(tries, is_past=is_past)

    async def _before(self, position: Position) -> AsyncIterator[Step]:
        """Some pages of what ran before the first contact."""
        if position.runs.page or position.tasks.page:
            return
        days, now_s = self._source.history_days, self._server_now_s()
        runs, tries = position.runs_back.begun(now_s), position.tasks_back.begun(now_s)
        for _ in range(BACK_PAGES):
            items: tuple[Item, ...] = ()
            if (window := runs.window(days)) is not None:
                page, runs = await self._page_of(_RUNS, runs, window)
                items = self._runs_in(page)
            elif (window := tries.window(days)) is not None:
                page, tries = await self._page_of(_TRIES, tries, window)
                items = await asyncio.to_thread(self._tries_in, page, is_past=True)
            position = replace(position, runs_back=runs, tasks_back=tries)
            yield items, position
            if window is None:
                return

    async def _page_of(
        self, listed: tuple[str, str], back: Back, window: tuple[float, float]
    ) -> tuple[Payload, Back]:
        from_s, to_s = window
        parameters: dict[str, str | int] = {
            "updated_at_gte": iso(from_s),
            "updated_at_lte": iso(to_s),
        }
        if self._http.major >= 3:
            parameters |= {"order_by": "id", "cursor": ""}
        page, following = await asyncio.to_thread(self._http.page, *listed, parameters, back.page)
        return page, back.after(following, from_s)

    def _news_of(self, tries: Iterable[mapping.TaskTry], *, is_past: bool) -> tuple[Item, ...]:
        known = self._known
        news: list[Item] = []
        for attempt in tries:
            run = attempt.run
            if known.is_new(run) and (not is_past or known.is_wanted(run.task)):
                news.append(run)
            if not attempt.rendered or not known.is_new((run, "rendered")):
                continue
            task = run.task
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
        started = position.events.started(self._server_now_s(), EVENTS_S)
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
        self, listed: tuple[str, str], feed: Feed
    ) -> AsyncIterator[tuple[Payload, Feed]]:
        feed = feed.started(self._server_now_s())
        parameters = {"updated_at_gte": feed.since}
        if self._http.major >= 3:
            parameters |= {"order_by": "id", "cursor": feed.page}
        pages = 0
        async for page, reached in self._pages.follow(*listed, parameters, feed):
            yield page, reached
            pages += 1
            if pages == PAGES_PER_PASS and reached.page and self._known.is_followed:
                return

    # --- reading ---------------------------------------------------------------------------------

    def _server_now_s(self) -> float:
        """Times of change are the server's, and its clock may be wrong."""
        return self._clock.now_s() + self._http.clock_skew_s

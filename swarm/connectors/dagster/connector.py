"""The connector to a Dagster instance, through its GraphQL API. It only asks.

An idle pass is one request: runs that changed or are live, limits, backfills, daemons, and the
versions of the code locations. Definitions are read again when a version moved and every
`_REREAD_S` (what is switched on or off does not move a version): two requests, and one for each
repository with ops.

The cursor holds the newest update time of a run that was seen, by the server's clock, and digests
of what was sent, so that a pass sends only news. What ran before the first contact, `history_days`
back, is read behind all that, the newest first, a few requests a pass: all runs, and after them the
steps of those that are wanted (`past_steps.py`).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors import cursors
from swarm.connectors.attendance import Attendance
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.contexts import code_context, sql_context
from swarm.connectors.dagster.answers import (
    Asset,
    Location,
    OpGraph,
    RepositoryId,
    read_assets,
    read_locations,
    read_op_graphs,
)
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.code import DagsterCode
from swarm.connectors.dagster.daemons import read_daemons
from swarm.connectors.dagster.mapping import Definitions, define, load_failures, too_large
from swarm.connectors.dagster.past_steps import PastSteps
from swarm.connectors.dagster.queries import (
    ASSETS,
    ASSETS_BEFORE_FRESHNESS,
    MORE_RUNS,
    OPS,
    PAST_RUNS,
    TICK,
    WORKSPACE,
)
from swarm.connectors.dagster.runs import RunRow, map_capacity, map_run, read_runs
from swarm.connectors.http_answers import TooLarge
from swarm.connectors.payloads import STRANGE, Payload, Payloads
from swarm.connectors.sighting import batches, digest_of
from swarm.lineage.naming import dataset_from_table, dataset_from_url
from swarm.model.connectors import Batch, Item
from swarm.model.keys import DatasetKey, PipelineKey
from swarm.model.lineage import Unresolved
from swarm.model.pipelines import Inventory

_OVERLAP_S = 30.0  # a run is stamped by the machine it runs on, whose clock may be behind
_REREAD_S = 60.0
_RESEND_S = 3600.0  # so that what still holds shows as seen lately
_RUNS_PER_PAGE = 50
_PAST_PER_PAGE = 200
_NOTHING_INSIDE: Payload = {"stepStats": (), "assetMaterializations": ()}


def connect(source: Source, settings: Settings) -> "DagsterConnector":
    """Make the connector; imports Dagster's client but does not talk to the server yet."""
    return DagsterConnector(source, settings, DagsterClient(source), SystemClock())


@dataclass(frozen=True, slots=True)
class _Cursor:
    """`runs` holds the digests of live runs and of those in the overlap."""

    updated_after_s: float
    definitions: str = ""
    capacity: str = ""
    runs: dict[str, str] = field(default_factory=dict)
    back: cursors.Back = field(default_factory=cursors.Back)
    steps_back: cursors.Back = field(default_factory=cursors.Back)

    def __str__(self) -> str:
        return cursors.write(self)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the server defines, as read at `at_s`, and the items that say so."""

    at_s: float
    versions: str
    digest: str
    definitions: Definitions
    groups: tuple[tuple[Item, ...], ...]


class DagsterConnector:
    """Reads one Dagster instance; see the port in `swarm.connectors.base`."""

    def __init__(
        self, source: Source, settings: Settings, client: DagsterClient, clock: Clock
    ) -> None:
        self._source = source
        self._settings = settings
        self._client = client
        self._clock = clock
        self._code = CodeFolders(settings.code)
        self._sql = sql_context(settings)
        self._programs = DagsterCode(self._code, code_context(settings, self._sql))
        self._payloads = Payloads(source.instance, "Dagster 1.9")
        self._whole = self._payloads.whole
        self._past_steps = PastSteps(client, self._payloads)
        self._read: _Read | None = None
        self._attendance = Attendance()
        # The last good state of each code location: one that breaks keeps what it had.
        self._locations: dict[str, Location] = {}
        self._assets: dict[str, tuple[Asset, ...]] = {}
        self._too_large: set[RepositoryId] = set()
        self._graphs: dict[tuple[RepositoryId, str], OpGraph] = {}

    @property
    def name(self) -> str:
        return self._source.instance

    @property
    def kind(self) -> str:
        return "dagster"

    async def observe(self, cursor: str | None) -> AsyncIterator[Batch]:
        now_s = self._clock.now_s()
        at = cursors.read(_Cursor, cursor) or _Cursor(now_s - cursors.FIRST_S)
        since_s = cursors.resumed(at.updated_after_s, self._client.server_s)
        at = replace(at, updated_after_s=since_s)
        tick = await self._client.ask(
            TICK, updatedAfter=at.updated_after_s - _OVERLAP_S, limit=_RUNS_PER_PAGE, cursor=None
        )
        read = await self._definitions(self._whole(_versions, tick), now_s)
        if at.definitions != read.digest:
            for items in batches(read.groups):
                yield Batch(self.name, str(at), items)
            at = replace(at, definitions=read.digest)
        async for items, moved in self._runs(at, tick, read.definitions):
            at = moved
            if items:
                yield Batch(self.name, str(at), items)
        capacity = self._whole(map_capacity, read.definitions, tick, self._payloads)
        daemons_s = self._client.server_s or now_s
        daemons = self._whole(read_daemons, self.name, tick, daemons_s)
        news = () if at.capacity == digest_of(capacity) else capacity
        news += self._attendance.news(daemons, daemons_s)
        at = replace(at, capacity=digest_of(capacity))
        if news or str(at) != cursor:
            yield Batch(self.name, str(at), news)
        async for items, moved in self._before(at, read.definitions):
            if items or moved != at:
                at = moved
                yield Batch(self.name, str(at), items)

    async def wait(self, timeout_s: float) -> None:
        """Dagster has no push for all its runs: news is found by the next pass."""
        await asyncio.sleep(timeout_s)

    async def close(self) -> None:
        """Nothing is held open between two requests."""

    async def _definitions(self, versions: str, now_s: float) -> _Read:
        read = self._read
        if read and read.versions == versions and now_s - read.at_s < _REREAD_S:
            return read
        workspace = await self._client.ask(WORKSPACE)
        knows_freshness = bool(workspace.get("cronPolicy"))
        asset_graph = await self._client.ask(ASSETS if knows_freshness else ASSETS_BEFORE_FRESHNESS)
        answers: list[Payload] = [workspace, asset_graph]
        locations, strange = self._whole(read_locations, workspace, self._payloads)
        assets, odd = self._whole(read_assets, asset_graph, self._payloads)
        strange += odd
        for location in locations:
            if location.loaded:
                self._locations[location.name] = location
                self._assets[location.name] = tuple(
                    asset for asset in assets if asset.repository[0] == location.name
                )
                answers += [answer async for answer in self._op_graphs(location, strange)]
        for gone in self._locations.keys() - {location.name for location in locations}:
            del self._locations[gone], self._assets[gone]
        code_state = await asyncio.to_thread(self._code.state)
        hour = int(now_s // _RESEND_S)
        digest = digest_of((json.dumps(answers), code_state, self._settings.connections, hour))
        if read is None or read.digest != digest:
            found, groups = await asyncio.to_thread(self._define, locations, strange, now_s)
            read = _Read(now_s, versions, digest, found, groups)
        self._read = replace(read, at_s=now_s, versions=versions)
        return self._read

    async def _op_graphs(
        self, location: Location, strange: list[Unresolved]
    ) -> AsyncIterator[Payload]:
        with_ops = {job.repository for job in location.jobs if not job.is_asset_job}
        for where in sorted(with_ops):
            self._too_large.discard(where)
            try:
                answer = await self._client.ask(OPS, location=where[0], repository=where[1])
            except TooLarge:
                self._too_large.add(where)  # its jobs are shown without their ops
                continue
            graphs, odd = self._whole(read_op_graphs, answer, self._payloads)
            strange += odd
            for job, graph in graphs.items():
                self._graphs[where, job] = graph
            yield answer

    def _define(
        self, locations: Iterable[Location], strange: Iterable[Unresolved], now_s: float
    ) -> tuple[Definitions, tuple[tuple[Item, ...], ...]]:
        found = define(
            self.name,
            self._locations.values(),
            [asset for assets in self._assets.values() for asset in assets],
            self._graphs,
            self._dataset_of,
            now_s,
        )
        self._programs.refresh()
        told: dict[PipelineKey, list[Item]] = {}
        for target in found.targets:
            key = target.task.pipeline_key
            told.setdefault(key, []).extend(self._programs.items(target, now_s))
        groups: list[tuple[Item, ...]] = [
            (pipeline, *found.stated.get(pipeline.key, ()), *told.get(pipeline.key, ()))
            for pipeline in found.pipelines
        ]
        last: tuple[Item, ...] = (
            *load_failures(self.name, locations),
            *too_large(self.name, self._too_large),
            *self._code.left_out(self.name),
            *strange,
        )
        if not strange and all(location.name in self._locations for location in locations):
            # Else what a location has that could not be read would count as gone.
            last = (Inventory(self.name, tuple(p.key.name for p in found.pipelines)), *last)
        return found, (*groups, last)

    def _dataset_of(self, table: str) -> DatasetKey:
        if "://" in table:
            return dataset_from_url(table)
        return dataset_from_table(table, self._sql)

    async def _runs(
        self, at: _Cursor, tick: Payload, found: Definitions
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """What is new of runs, page by page; only the last one moves the cursor."""
        live = self._whole(read_runs, tick, "live")
        page = self._whole(read_runs, tick, "changed")
        # Of the first page alone: what changes while later pages are read must be seen again.
        newest_s = max([at.updated_after_s, *(run.updated_s for run in page)])
        # A machine whose clock is ahead must not hide what others do until then.
        newest_s = min(newest_s, self._client.server_s or newest_s)
        seen = {run.run_id: float("inf") for run in live}
        digests: dict[str, str] = {}
        fresh = [*live, *page]
        while True:
            items: list[Item] = []
            for run in fresh:
                about = self._about(found, run.row)
                digests[run.run_id] = digest_of(about)
                seen[run.run_id] = max(run.updated_s, seen.get(run.run_id, 0.0))
                if at.runs.get(run.run_id) != digests[run.run_id]:
                    items += about
            if len(page) < _RUNS_PER_PAGE:
                break
            yield tuple(items), at
            asked = {"updatedAfter": at.updated_after_s - _OVERLAP_S, "cursor": page[-1].run_id}
            answer = await self._client.ask(MORE_RUNS, limit=_RUNS_PER_PAGE, **asked)
            fresh = page = self._whole(read_runs, answer, "changed")
        kept = {key: digests[key] for key, s in seen.items() if s > newest_s - _OVERLAP_S}
        yield tuple(dict.fromkeys(items)), replace(at, updated_after_s=newest_s, runs=kept)

    async def _before(
        self, at: _Cursor, found: Definitions
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """Some of what ran before the first contact: the runs, then the tries of their tasks."""
        days = self._source.history_days
        back = at.back.begun(self._client.server_s or self._clock.now_s())
        steps = at.steps_back.begun(back.begun_s)
        left = cursors.BACK_PAGES
        while left > 0:
            left -= 1
            items: tuple[Item, ...] = ()
            if (window := back.window(days)) is not None:
                page, back = await self._page_of(back, window)
                said = (self._about(found, {**run.row, **_NOTHING_INSIDE}) for run in page)
                items = tuple(item for about in said for item in about)
            elif (window := steps.window(days)) is not None:
                page, steps = await self._page_of(steps, window)
                items, asked = await self._past_steps.of(found, page)
                left -= asked
            else:
                break
            yield items, replace(at, back=back, steps_back=steps)
        yield (), replace(at, back=back, steps_back=steps)

    async def _page_of(
        self, back: cursors.Back, window: tuple[float, float]
    ) -> tuple[list[RunRow], cursors.Back]:
        asked = {"from": window[0] - 1.0, "to": window[1], "cursor": back.page or None}
        answer = await self._client.ask(PAST_RUNS, limit=_PAST_PER_PAGE, **asked)
        page = self._whole(read_runs, answer, "past")
        following = page[-1].run_id if len(page) == _PAST_PER_PAGE else ""
        return page, back.after(following, window[0])

    def _about(self, found: Definitions, run: Payload) -> tuple[Item, ...]:
        """What a run says; of one that cannot be read, that."""
        try:
            return map_run(found, run, self._sql)
        except STRANGE as error:
            return (self._payloads.unresolved(run.get("jobName"), "runs", error),)


def _versions(tick: Payload) -> str:
    entries = tick["locationStatusesOrError"]["entries"]
    return json.dumps([[e["name"], e["loadStatus"], e["versionKey"]] for e in entries])

"""The connector to a Prefect server, through its Python client. It only reads, but for `recover`.

Prefect has no filter for "changed since", so a pass asks for the flow runs that are live or ended
since, and for their task runs; a task run is stored a little after it happened, hence the overlap.
An idle pass is two requests: flow runs and asset events. Deployments, flows, pools and queues are
read again every `_REREAD_S`, the workers of a pool every `_WORKERS_S`, of one pool a pass.

Runs end by the server's clock, which its answers tell; our own does not count. Asset events carry
the time of the machine the flow ran on: one that is ahead of the server hides nothing, one that is
behind by more than the overlap does.

What ended before the first contact, `history_days` back, is read behind all that, the newest first:
a few pages a pass, two requests each and more where flow runs have many tasks. Task runs are read
of no more runs of a deployment than are kept of a task.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors import cursors
from swarm.connectors.attendance import Attendance
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.contexts import code_context, sql_context
from swarm.connectors.payloads import Payload, Payloads
from swarm.connectors.prefect.client import PAGE, PrefectClient
from swarm.connectors.prefect.code import PrefectCode
from swarm.connectors.prefect.events import Wake
from swarm.connectors.prefect.mapping import (
    Definitions,
    map_capacity,
    read_asset_event,
    read_definitions,
)
from swarm.connectors.prefect.runs import (
    FETCHED_S,
    ByHand,
    Homes,
    UnderWay,
    backfills,
    ended_between,
    live_or_ended,
    of_flow_runs,
)
from swarm.connectors.prefect.workers import (
    going_on,
    has_workers,
    read_workers,
    was_refused,
    why_not,
    with_runs,
)
from swarm.connectors.sighting import batches, digest_of
from swarm.model.connectors import Batch, Item
from swarm.model.foreign import ForeignWorker
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Unresolved
from swarm.model.pipelines import Inventory, Pool
from swarm.model.recovery import Recovered, Recovery
from swarm.model.runs import Run

_OVERLAP_S = 30.0
_EVENT_OVERLAP_S = 60.0
_REREAD_S = 60.0
_WORKERS_S = 10.0
_RESEND_S = 3600.0  # so that what still holds shows as seen lately
_EVENTS_PER_PAGE = 50  # the server's own limit


def connect(source: Source, settings: Settings) -> "PrefectConnector":
    """Make the connector; imports Prefect but does not talk to the server yet."""
    client = PrefectClient(source, settings.state_dir / "prefect")
    return PrefectConnector(source, settings, client, SystemClock())


@dataclass(frozen=True, slots=True)
class _Cursor:
    """`runs` holds the digests of flow runs that are live or in the overlap, `events` the asset
    events in the overlap; `backfilled` is `UnderWay` by the pipeline's name."""

    ended_after_s: float
    events_after_s: float
    definitions: str = ""
    pools: str = ""
    runs: dict[str, str] = field(default_factory=dict)
    backfilled: dict[str, tuple[float, int]] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)
    back: cursors.Back = field(default_factory=cursors.Back)

    def __str__(self) -> str:
        return cursors.write(self)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the server defines, as read at `at_s`, and the items that say so."""

    at_s: float
    digest: str
    definitions: Definitions
    groups: tuple[tuple[Item, ...], ...]
    pools: tuple[Pool | Unresolved, ...]
    served: tuple[str, ...]  # the pools that have workers


class PrefectConnector:
    """Reads one Prefect server; see the port in `swarm.connectors.base`."""

    def __init__(
        self, source: Source, settings: Settings, client: PrefectClient, clock: Clock
    ) -> None:
        self._source = source
        self._settings = settings
        self._client = client
        self._clock = clock
        self._code = CodeFolders(settings.code)
        self._programs = PrefectCode(self._code, code_context(settings, sql_context(settings)))
        self._wake = Wake(client)
        self._payloads = Payloads(source.instance, "Prefect 3")
        self._whole = self._payloads.whole
        self._read: _Read | None = None
        self._attendance: dict[str, Attendance] = {}
        self._asked_s: dict[str, float] = {}  # when each pool was asked for its workers
        self._tried: Counter[PipelineKey] = Counter()  # past runs whose task runs were read
        self._live: dict[str, list[Run]] = {}  # what goes on, by group of workers

    @property
    def name(self) -> str:
        return self._source.instance

    @property
    def kind(self) -> str:
        return "prefect"

    async def observe(self, cursor: str | None) -> AsyncIterator[Batch]:
        now_s = self._clock.now_s()
        begin_s = now_s - cursors.FIRST_S
        at = cursors.read(_Cursor, cursor) or _Cursor(begin_s, now_s - cursors.EVENTS_S)
        read = await self._definitions(now_s)
        if at.definitions != read.digest:
            for items in batches(read.groups):
                yield Batch(self.name, str(at), items)
            at = replace(at, definitions=read.digest)
        if at.pools != digest_of(read.pools):
            at = replace(at, pools=digest_of(read.pools))
            yield Batch(self.name, str(at), read.pools)
        homes = Homes(read.definitions, self._payloads)
        async for items, moved in self._runs(at, homes):
            at = moved
            if items:
                yield Batch(self.name, str(at), items)
        async for items, moved in self._events(at, homes):
            at = moved
            yield Batch(self.name, str(at), items)
        if workers := await self._workers(read.served, now_s):
            yield Batch(self.name, str(at), workers)
        async for items, moved in self._before(at, homes):
            if items or moved != at:
                at = moved
                yield Batch(self.name, str(at), items)

    async def _workers(self, pools: tuple[str, ...], now_s: float) -> tuple[ForeignWorker, ...]:
        """What is news of the workers of the pool that was not asked for the longest, when it is
        time; a pool that is gone takes its workers with it."""
        gone: list[ForeignWorker] = []
        for pool in self._attendance.keys() - set(pools):
            gone += self._attendance.pop(pool).news((), now_s)
        if not pools:
            return tuple(gone)
        pool = min(pools, key=lambda name: self._asked_s.get(name, 0.0))
        if now_s - self._asked_s.get(pool, 0.0) < _WORKERS_S:
            return tuple(gone)
        self._asked_s[pool] = now_s
        rows = await self._all(f"/work_pools/{quote(pool, safe='')}/workers/filter", {})
        server_s = self._client.server_s
        found = self._whole(read_workers, self.name, pool, rows, server_s)
        attendance = self._attendance.setdefault(pool, Attendance())
        return (*gone, *attendance.news(with_runs(found, self._live), server_s))

    async def recover(self, recovery: Recovery) -> tuple[Recovered, str]:
        """Have a flow run run again under its id, if it is still in the process that is dead."""
        row = await self._client.flow_run(recovery.run_id)
        if why := self._whole(why_not, recovery, row):
            return Recovered.NOT_NEEDED, why
        message = f"swarm: its process {recovery.process} died with its worker"
        answer = await self._client.reschedule(recovery.run_id, message)
        refused = self._whole(was_refused, answer)
        return (Recovered.REFUSED, refused) if refused else (Recovered.DONE, "")

    async def wait(self, timeout_s: float) -> None:
        """Returns soon after the server's event stream tells of a run or an asset."""
        await self._wake.wait(timeout_s)

    async def close(self) -> None:
        await self._wake.close()
        await self._client.close()

    async def _definitions(self, now_s: float) -> _Read:
        read = self._read
        if read and now_s - read.at_s < _REREAD_S:
            return read
        flows = await self._all("/flows/filter", {"sort": "NAME_ASC"})
        rows = await self._all("/deployments/filter", {"sort": "NAME_ASC"})
        pools = await self._all("/work_pools/filter", {})
        queues = await self._all("/work_queues/filter", {})
        rows.sort(key=lambda row: str(row.get("id")))  # the order is no news
        found, strange = self._whole(read_definitions, self._payloads, flows, rows)
        code_state = await asyncio.to_thread(self._code.state)
        hour = int(now_s // _RESEND_S)
        digest = digest_of((found, strange, code_state, self._settings.connections, hour))
        groups = read.groups if read else ()
        if read is None or read.digest != digest:
            groups = await asyncio.to_thread(self._groups, found, strange, now_s)
        capacity = self._whole(map_capacity, self._payloads, pools, queues)
        served = tuple(sorted(str(row["name"]) for row in pools if has_workers(row)))
        self._read = _Read(now_s, digest, found, groups, capacity, served)
        return self._read

    async def _all(self, path: str, body: Mapping[str, object]) -> list[Payload]:
        return [row async for page in self._client.pages(path, body) for row in page]

    def _groups(
        self, found: Definitions, strange: list[Unresolved], now_s: float
    ) -> tuple[tuple[Item, ...], ...]:
        self._programs.refresh()
        deployments = found.deployments.values()
        names = tuple(deployment.pipeline.key.name for deployment in deployments)
        groups = [
            (
                replace(deployment.pipeline, tasks=self._programs.tasks(deployment)),
                *self._programs.items(deployment, now_s),
            )
            for deployment in deployments
        ]
        # What could not be read is still there.
        inventory = () if strange else (Inventory(self.name, names),)
        return (*groups, (*inventory, *strange, *self._code.left_out(self.name)))

    async def _runs(
        self, at: _Cursor, homes: Homes
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """What is new of runs, page by page; fills in where runs and tasks belong."""
        kept: dict[str, str] = {}
        live: dict[str, list[Run]] = {}
        by_hand: list[ByHand] = []
        begun_s: float | None = None
        items: list[Item] = []
        ended_after = _iso(at.ended_after_s - _OVERLAP_S)
        wanted = live_or_ended(ended_after, _iso(self._client.now_s() + FETCHED_S))
        async for page in self._client.pages("/flow_runs/filter", wanted):
            # What ends while later pages are read is asked for again.
            begun_s = self._client.server_s if begun_s is None else begun_s
            if items:
                yield tuple(items), at
                items = []
            rows, strange = homes.sound_runs(page)
            below = await self._all("/task_runs/filter", of_flow_runs(rows)) if rows else []
            tasks, odd = homes.name_tasks(below)
            groups = homes.groups(rows, tasks)
            by_hand += homes.by_hand(rows)
            for group, run in going_on(rows, groups):
                live.setdefault(group, []).append(run)
            strange += odd
            for run_id, about in (*groups, *((digest_of(one), (one,)) for one in strange)):
                kept[run_id] = digest_of(about)
                if at.runs.get(run_id) != kept[run_id]:
                    items += about
        self._live = live
        since_s = at.ended_after_s if begun_s is None else begun_s
        open_ = {PipelineKey(self.name, key): UnderWay(*one) for key, one in at.backfilled.items()}
        going, news = backfills(by_hand, open_, since_s)
        if cursors.resumed(at.ended_after_s - _OVERLAP_S, begun_s) < at.ended_after_s - _OVERLAP_S:
            since_s -= cursors.SET_BACK_S
        at = replace(at, backfilled={key.name: one for key, one in going.items()})
        yield (*items, *news), replace(at, ended_after_s=since_s, runs=kept)

    async def _before(
        self, at: _Cursor, homes: Homes
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """Some pages of what ran before the first contact."""
        back = at.back.begun(self._client.server_s)
        for _ in range(cursors.BACK_PAGES):
            window = back.window(self._source.history_days)
            if window is None:
                break
            wanted = ended_between(*map(_iso, window))
            offset = int(back.page or 0)
            page = await self._client.page("/flow_runs/filter", wanted, offset)
            rows, strange = homes.sound_runs(page)
            tried = self._tried.copy()
            ran = homes.wanted(rows, tried)
            below = await self._all("/task_runs/filter", of_flow_runs(ran)) if ran else []
            self._tried = tried
            tasks, odd = homes.name_tasks(below)
            items = [item for _, about in homes.groups(rows, tasks) for item in about]
            following = str(offset + len(page)) if len(page) == PAGE else ""
            back = back.after(following, window[0])
            yield (*items, *strange, *odd), replace(at, back=back)
        yield (), replace(at, back=back)

    async def _events(
        self, at: _Cursor, homes: Homes
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """What asset events say that were not seen yet, page by page."""
        page = await self._client.read("/events/filter", _asset_events(at))
        while True:
            rows, odd = self._payloads.sift(
                self._whole(_events_of, page), read_asset_event, "asset events"
            )
            events = [
                event
                for event in map(read_asset_event, rows)
                if event and event.event_id not in at.events
            ]
            if ids := homes.unnamed(events):
                body = {"task_runs": {"id": {"any_": ids}}}
                odd += homes.name_tasks(await self._all("/task_runs/filter", body))[1]
            strange = [one for one in odd if digest_of(one) not in at.events]
            items = (*dict.fromkeys(homes.said(events)), *dict.fromkeys(strange))
            newest_s = max([at.events_after_s, *(event.occurred_at_s for event in events)])
            newest_s = min(newest_s, self._client.server_s)
            seen = {**at.events, **{event.event_id: event.occurred_at_s for event in events}}
            seen |= {digest_of(one): newest_s for one in odd}
            kept = {key: s for key, s in seen.items() if s > newest_s - _EVENT_OVERLAP_S}
            at = replace(at, events_after_s=newest_s, events=kept)
            yield items, at
            following = self._whole(_next_page, page)
            if not following:
                return
            page = await self._client.next_events(following)


def _asset_events(at: _Cursor) -> dict[str, object]:
    return {
        "filter": {
            "event": {"prefix": ["prefect.asset."]},
            "occurred": {"since": _iso(at.events_after_s - _EVENT_OVERLAP_S)},
            "order": "ASC",
        },
        "limit": _EVENTS_PER_PAGE,
    }


def _events_of(page: Payload) -> list[Payload]:
    return list(page["events"])


def _next_page(page: Payload) -> str:
    return str(page["next_page"] or "")


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()

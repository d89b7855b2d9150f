"""The connector to a Prefect server, through its Python client. It only reads.

Prefect has no filter for "changed since", so a pass asks for the flow runs that are live or ended
since, and for their task runs; a task run is stored a little after it happened, hence the overlap.
An idle pass is two requests: flow runs and asset events. Deployments, flows, pools and queues are
read again every `_REREAD_S`.

Runs end by the server's clock, which its answers tell; our own does not count. Asset events carry
the time of the machine the flow ran on: one that is ahead of the server hides nothing, one that is
behind by more than the overlap does.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.prefect_client import PrefectClient
from swarm.connectors.prefect_code import PrefectCode
from swarm.connectors.prefect_events import Wake
from swarm.connectors.prefect_mapping import (
    AssetEvent,
    Definitions,
    Deployment,
    Payload,
    define,
    map_asset_event,
    map_pools,
    map_run,
    map_task_run,
    read_asset_event,
    task_name,
)
from swarm.connectors.programs import code_context, sql_context
from swarm.connectors.sighting import batches, digest_of
from swarm.errors import MalformedResponse
from swarm.model.journal import Batch, Item
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.pipelines import Inventory, Pool

_HISTORY_S = 7 * 86400.0
_OVERLAP_S = 30.0
_EVENT_OVERLAP_S = 60.0
_MAX_DEPTH = 20  # of flows that call flows
_REREAD_S = 60.0
_RESEND_S = 3600.0  # so that what still holds shows as seen lately
_EVENTS_PER_PAGE = 50  # the server's own limit

T = TypeVar("T")


def connect(source: Source, settings: Settings) -> "PrefectConnector":
    """Make the connector; imports Prefect but does not talk to the server yet."""
    client = PrefectClient(source, settings.state_dir / "prefect")
    return PrefectConnector(source, settings, client, SystemClock())


@dataclass(frozen=True, slots=True)
class _Cursor:
    """`runs` holds the digests of flow runs that are live or in the overlap, `events` the asset
    events in the overlap."""

    ended_after_s: float
    events_after_s: float
    definitions: str = ""
    pools: str = ""
    runs: dict[str, str] = field(default_factory=dict)
    events: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Read:
    """What the server defines, as read at `at_s`, and the items that say so."""

    at_s: float
    digest: str
    definitions: Definitions
    groups: tuple[tuple[Item, ...], ...]
    pools: tuple[Pool, ...]


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
        self._read: _Read | None = None

    @property
    def name(self) -> str:
        return self._source.instance

    @property
    def kind(self) -> str:
        return "prefect"

    async def observe(self, cursor: str | None) -> AsyncIterator[Batch]:
        now_s = self._clock.now_s()
        at = _parse(cursor) or _Cursor(now_s - _HISTORY_S, now_s - _HISTORY_S)
        read = await self._definitions(now_s)
        if at.definitions != read.digest:
            for items in batches(read.groups):
                yield Batch(self.name, str(at), items)
            at = replace(at, definitions=read.digest)
        if at.pools != digest_of(read.pools):
            at = replace(at, pools=digest_of(read.pools))
            yield Batch(self.name, str(at), read.pools)
        homes: dict[str, Deployment] = {}
        tasks: dict[str, str] = {}
        async for items, moved in self._runs(at, read.definitions, homes, tasks):
            at = moved
            if items:
                yield Batch(self.name, str(at), items)
        async for items, moved in self._events(at, read.definitions, homes, tasks):
            at = moved
            yield Batch(self.name, str(at), items)

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
        found = _shaped(define, self.name, flows, rows)
        code_state = await asyncio.to_thread(self._code.state)
        hour = int(now_s // _RESEND_S)
        digest = digest_of((found, code_state, self._settings.connections, hour))
        groups = read.groups if read else ()
        if read is None or read.digest != digest:
            groups = await asyncio.to_thread(self._groups, found, now_s)
        self._read = _Read(
            now_s, digest, found, groups, _shaped(map_pools, self.name, pools, queues)
        )
        return self._read

    async def _all(self, path: str, body: Mapping[str, object]) -> list[Payload]:
        return [row async for page in self._client.pages(path, body) for row in page]

    def _groups(self, found: Definitions, now_s: float) -> tuple[tuple[Item, ...], ...]:
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
        return (*groups, (Inventory(self.name, names), *self._code.left_out(self.name)))

    async def _runs(
        self,
        at: _Cursor,
        found: Definitions,
        homes: dict[str, Deployment],
        tasks: dict[str, str],
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """What is new of runs, page by page; fills in where runs and tasks belong."""
        kept: dict[str, str] = {}
        begun_s: float | None = None
        items: list[Item] = []
        wanted = _live_or_ended(at.ended_after_s - _OVERLAP_S)
        async for page in self._client.pages("/flow_runs/filter", wanted):
            # What ends while later pages are read is asked for again.
            begun_s = self._client.server_s if begun_s is None else begun_s
            if items:
                yield tuple(items), at
                items = []
            ids = [str(row["id"]) for row in page]
            below = await self._all("/task_runs/filter", _of_flow_runs(ids)) if ids else []
            for run_id, about in _shaped(_group_runs, found, page, below, homes, tasks):
                kept[run_id] = digest_of(about)
                if at.runs.get(run_id) != kept[run_id]:
                    items += about
        yield tuple(items), replace(at, ended_after_s=begun_s or at.ended_after_s, runs=kept)

    async def _events(
        self,
        at: _Cursor,
        found: Definitions,
        homes: dict[str, Deployment],
        tasks: dict[str, str],
    ) -> AsyncIterator[tuple[tuple[Item, ...], _Cursor]]:
        """What asset events say that were not seen yet, page by page."""
        page = await self._client.read("/events/filter", _asset_events(at))
        while True:
            events = [
                event for event in _shaped(_asset_rows, page) if event.event_id not in at.events
            ]
            await self._name_tasks(events, tasks)
            items = tuple(dict.fromkeys(_said(found, events, homes, tasks)))
            newest_s = max([at.events_after_s, *(event.occurred_at_s for event in events)])
            newest_s = min(newest_s, self._client.server_s)
            seen = {**at.events, **{event.event_id: event.occurred_at_s for event in events}}
            kept = {key: s for key, s in seen.items() if s > newest_s - _EVENT_OVERLAP_S}
            at = replace(at, events_after_s=newest_s, events=kept)
            yield items, at
            following = _shaped(_next_page, page)
            if not following:
                return
            page = await self._client.next_events(following)

    async def _name_tasks(self, events: Iterable[AssetEvent], tasks: dict[str, str]) -> None:
        ids = sorted({event.task_run_id for event in events if event.task_run_id} - tasks.keys())
        if ids:
            body = {"task_runs": {"id": {"any_": ids}}}
            for row in await self._all("/task_runs/filter", body):
                tasks[str(row["id"])] = _shaped(task_name, row)


def _said(
    found: Definitions,
    events: Iterable[AssetEvent],
    homes: Mapping[str, Deployment],
    tasks: Mapping[str, str],
) -> Iterator[Item]:
    for event in events:
        deployment = homes.get(event.flow_run_id) or found.deployment_of(
            event.deployment_id or None, event.flow_id
        )
        if deployment is not None:
            yield from map_asset_event(deployment, event, tasks.get(event.task_run_id, ""))
        else:
            flow = found.flows.get(event.flow_id, event.flow_id)
            yield Unresolved(
                subject=f"{found.instance}/{flow}",
                reason=UnresolvedReason.AMBIGUOUS,
                place=f"asset {event.asset}",
                detail="the run that touched it belongs to no deployment, or its flow has several",
            )


def _group_runs(
    found: Definitions,
    rows: Iterable[Payload],
    below: Iterable[Payload],
    homes: dict[str, Deployment],
    tasks: dict[str, str],
) -> list[tuple[str, tuple[Item, ...]]]:
    """The items of each flow run that belongs to a deployment. A subflow belongs to the one of the
    run that called it, where that is on the same page."""
    callers = {str(row["id"]): str(row["flow_run_id"]) for row in below}
    by_id = {str(row["id"]): row for row in rows}
    groups: dict[str, list[Item]] = {}
    for run_id, row in by_id.items():
        root, steps = row, 0
        while root.get("parent_task_run_id") and steps < _MAX_DEPTH:
            root = by_id.get(callers.get(str(root["parent_task_run_id"]), ""), {})
            steps += 1
        if root:
            deployment = found.deployment_of(root["deployment_id"], root["flow_id"])
            if deployment is not None:
                homes[run_id] = deployment
                run = map_run(found, row)
                groups[run_id] = [] if run is None else [run]
    for row in below:
        tasks[str(row["id"])] = task_name(row)
        home = homes.get(str(row["flow_run_id"]))
        if home is not None:
            groups[str(row["flow_run_id"])].append(map_task_run(home.pipeline.key, row))
    return [(run_id, tuple(items)) for run_id, items in groups.items()]


def _live_or_ended(since_s: float) -> dict[str, object]:
    live = {
        "operator": "or_",
        "type": {"any_": ["PENDING", "RUNNING", "CANCELLING", "PAUSED"]},
        "name": {"any_": ["Late", "AwaitingRetry", "AwaitingConcurrencySlot"]},
    }
    ended = {"after_": _iso(since_s)}
    return {"flow_runs": {"operator": "or_", "state": live, "end_time": ended}, "sort": "ID_DESC"}


def _of_flow_runs(ids: list[str]) -> dict[str, object]:
    return {"flow_runs": {"id": {"any_": ids}}, "sort": "ID_DESC"}


def _asset_events(at: _Cursor) -> dict[str, object]:
    return {
        "filter": {
            "event": {"prefix": ["prefect.asset."]},
            "occurred": {"since": _iso(at.events_after_s - _EVENT_OVERLAP_S)},
            "order": "ASC",
        },
        "limit": _EVENTS_PER_PAGE,
    }


def _asset_rows(page: Payload) -> list[AssetEvent]:
    return [found for event in page["events"] if (found := read_asset_event(event)) is not None]


def _next_page(page: Payload) -> str:
    return str(page["next_page"] or "")


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _parse(cursor: str | None) -> _Cursor | None:
    """A cursor that cannot be read is one of another version: everything is sent again."""
    try:
        return _Cursor(**json.loads(cursor or "null"))
    except (TypeError, ValueError):
        return None


def _shaped(read: Callable[..., T], *arguments: object) -> T:
    """Call a mapping; an answer that it cannot follow is not Prefect's."""
    try:
        return read(*arguments)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedResponse(
            f"Prefect's answer has not the known form ({read.__name__}: {error!r}); "
            "is its version 3 or later?"
        ) from error

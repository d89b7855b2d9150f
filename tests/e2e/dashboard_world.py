"""A world for the dashboard, of real records, served by the real API without Ray.

The engines of the graph, the dispatcher and the sequencer decide in this process and write real
journals; a projector follows them; uvicorn serves the app.
"""

import asyncio
import contextlib
import random
import socket
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvicorn

from swarm.actors.connector import Position
from swarm.actors.journaled import Journaled
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.dispatch.events import Acquire, Register, Renew, WorkerLost
from swarm.model.connectors import Batch, ConnectorChanged, ConnectorState
from swarm.model.dispatch import Ended, Granted, Submitted, WorkerGone, WorkerJoined
from swarm.model.findings import Finding, FindingKind, Hazard, finding_id
from swarm.model.graph import DependencyChanged, FindingChanged, PipelineSeen
from swarm.model.intents import Act, Intent
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Dependency, DependencyKey, Evidence, Level
from swarm.model.pipelines import DeclaredEdge, Pipeline, Task
from swarm.model.runs import Run, RunState
from swarm.model.sequencing import IntentMade, SlaChanged
from swarm.model.sla import Sla, SlaState, Standing
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Offer,
    Outcome,
    Resources,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.placement.prices import PoolPrice, PriceBook
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projections import open_projections
from swarm.store.projector import open_projector
from tests.unit.api.conftest import LocalDispatch, LocalGraph, LocalOutputs, LocalSequencer

TOKEN = "dashboard-token"
HOSTILE = '<img src=x onerror="globalThis.pwned=1">\u202e"&\'{{7*7}}'
MINUTE_S = 60.0
BOOK = PriceBook(
    {
        "": PoolPrice("m5.2xlarge", "us-east-1", spot_usd_per_h=0.12),
        "cheap": PoolPrice("m5.xlarge", "us-east-1", spot_usd_per_h=0.06),
    }
)
_READY_S = 300.0

# (orchestrator, pipeline, team, schedule, what it reads)
PIPELINES = [
    ("airflow", "crm_export", "sales", "0 2 * * *", ""),
    ("airflow", "web_events", "web", "*/15 * * * *", ""),
    ("airflow", "fx_rates", "finance", "30 1 * * *", ""),
    ("airflow", "orders_clean", "sales", "0 3 * * *", "crm_export"),
    ("airflow", "sessions", "web", "0 * * * *", "web_events"),
    ("airflow", "returns", "sales", "15 3 * * *", "crm_export orders_clean"),
    ("dagster", "customer_360", "data", "0 4 * * *", "orders_clean sessions returns"),
    ("dagster", "finance_close", "finance", "0 5 * * *", "orders_clean fx_rates"),
    ("dagster", "inventory", "supply", "0 4 * * *", "orders_clean"),
    ("dagster", "attribution", "web", "0 6 * * *", "sessions customer_360"),
    ("prefect", "churn_features", "ml", "0 5 * * *", "customer_360 sessions"),
    ("prefect", "churn_model", "ml", "0 6 * * *", "churn_features"),
    ("prefect", "board_deck", "finance", "0 7 * * *", "finance_close inventory"),
    ("prefect", "crm_sync", "sales", "30 6 * * *", "churn_model attribution"),
    ("crontab", "regulator_report", "finance", "0 7 * * 1", "finance_close"),
    ("crontab", "price_scraper", "supply", "*/30 * * * *", ""),
    ("crontab", "replenishment", "supply", "0 8 * * *", "inventory price_scraper"),
]
DECLARED = {("crm_export", "orders_clean"), ("churn_features", "churn_model")}
WHERE = {name: orchestrator for orchestrator, name, *_ in PIPELINES}


def key(name: str) -> PipelineKey:
    return PipelineKey(WHERE.get(name, "airflow"), name)


def task(name: str) -> TaskKey:
    return TaskKey(WHERE.get(name, "airflow"), name, "load")


@dataclass(frozen=True)
class Served:
    """The API at `url`, and the parts of the world behind it."""

    url: str
    folder: Path
    loop: asyncio.AbstractEventLoop
    deps: Deps

    def offer(self, *items: Any) -> None:
        """Have a source tell of `items`."""
        told = self.deps.graph.offer(Batch("test", "", items), "cause")
        _within(self.loop, told)

    def hand_in(self, tasks: tuple[Submission, ...]) -> None:
        """Have somebody hand in tasks that wait, since no worker asks for more."""
        handing = self.deps.dispatch.submit(tasks, {one.task: "{}" for one in tasks}, "cause")
        _within(self.loop, handing)


@contextlib.contextmanager
def served(folder: Path, pipelines: int = 0, *, hostile: bool = True) -> Iterator[Served]:
    """The world above, so many `pipelines` more, and one with `hostile` names; on a free port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    settings = Settings(state_dir=folder)
    deps = _within(loop, _made(settings, pipelines, hostile=hostile))
    projecting = asyncio.run_coroutine_threadsafe(_project(settings), loop)
    config = uvicorn.Config(create_app(deps), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.run_coroutine_threadsafe(server.serve([listening]), loop)
        until_s = time.monotonic() + _READY_S
        while not deps.model.caught_up and time.monotonic() < until_s:
            time.sleep(0.01)
        try:
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", folder, loop, deps)
        finally:
            server.should_exit = True
            serving.result(60)
            projecting.cancel()
            _within(loop, loop.shutdown_default_executor())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(60)
            loop.close()
            deps.projections.close()


def _within(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(work, loop).result(600)


async def _made(settings: Settings, pipelines: int, *, hostile: bool) -> Deps:
    deps = _deps(settings)
    await _fill(deps, settings)
    if hostile:
        await deps.graph.offer(Batch("test", "", tuple(_hostile(deps.clock.now_s()))), "cause")
    if pipelines:
        await _crowd(deps, pipelines)
    await asyncio.to_thread(_follower(settings).catch_up)
    return deps


def _deps(settings: Settings) -> Deps:
    clock: Any = SystemClock()
    open_projector("", settings.state_dir)
    return Deps(
        token=TOKEN,
        graph=LocalGraph(settings, clock),
        dispatch=LocalDispatch(settings, clock),
        outputs=LocalOutputs(settings),
        sequencer=LocalSequencer(settings, clock),
        projections=open_projections("", settings.state_dir),
        clock=clock,
        prices=lambda now_s, spot: (BOOK, ()),
    )


def _follower(settings: Settings) -> Follower:
    folder = settings.state_dir
    return Follower(open_journal("", folder), open_projector("", folder))


async def _project(settings: Settings) -> None:
    """What the projector actor does."""
    follower = _follower(settings)
    while True:
        if not await asyncio.to_thread(follower.step):
            await asyncio.to_thread(follower.wait, 0.5)


async def _fill(deps: Deps, settings: Settings) -> None:
    now_s = deps.clock.now_s()
    await deps.graph.offer(Batch("test", "", tuple(_definitions(now_s))), "cause")
    await deps.graph.offer(Batch("test", "", tuple(_runs(now_s))), "cause")
    await _held_before(deps, now_s)
    await deps.sequencer.write([*_promises(now_s), *_hazards(now_s), *_holds(now_s)])
    source = Journaled(settings, "connector", Position(), snapshot_every=1_000)
    states = {"airflow": "", "dagster": "", "prefect": "", "crontab": "", "query_history": "late"}
    await source.append(
        [
            ConnectorChanged(
                name,
                name,
                ConnectorState.UNAVAILABLE if state else ConnectorState.OK,
                "connection refused by 10.0.3.7:443" if state else "",
            )
            for name, state in states.items()
        ],
        now_s - 14 * MINUTE_S,
        "cause",
    )
    await _past_days(deps, now_s)
    await _last_hour(deps, now_s)
    await _work(deps, now_s)


def _definitions(now_s: float) -> Iterable[Any]:
    for orchestrator, name, team, schedule, reads in PIPELINES:
        declared = tuple(
            DeclaredEdge(task(one), task(name), "task order")
            for one in reads.split()
            if (one, name) in DECLARED
        )
        yield Pipeline(
            PipelineKey(orchestrator, name),
            (Task(task(name), "sql"),),
            declared,
            schedule,
            team,
            ("sla",) if name in ("finance_close", "board_deck") else (),
            paused=name == "price_scraper",
            place=f"dags/{name}.py",
        )
        yield _access(name, "write", f"dwh.{name}", Channel.SQL_SOURCE, now_s)
        for one in reads.split():
            yield _access(name, "read", f"dwh.{one}", Channel.SQL_SOURCE, now_s)
            if len(one) % 2:
                yield _access(name, "read", f"dwh.{one}", Channel.SQL_RUN, now_s)


def _hostile(now_s: float) -> Iterable[Any]:
    yield Pipeline(PipelineKey("airflow", HOSTILE), owner=HOSTILE, tags=(HOSTILE,))
    evil = TaskKey("airflow", HOSTILE, HOSTILE)
    for access, table in ((Access.READ, "dwh.orders_clean"), (Access.WRITE, f"dwh.{HOSTILE}")):
        yield Evidence(
            evil, access, DatasetKey("", table), Channel.SQL_SOURCE, now_s, HOSTILE, HOSTILE
        )


def _access(name: str, access: str, table: str, channel: Channel, now_s: float) -> Evidence:
    sql = {
        "read": f"SELECT customer_id, sum(amount)\nFROM {table}\nGROUP BY 1",
        "write": f"INSERT INTO {table}\nSELECT * FROM staging",
    }[access]
    place = f"sql/{name}.sql:12" if channel is Channel.SQL_SOURCE else f"query:{abs(hash(name))}"
    at_s = now_s - 40 * MINUTE_S
    return Evidence(task(name), Access(access), DatasetKey("", table), channel, at_s, place, sql)


def _runs(now_s: float) -> Iterable[Run]:
    dice = random.Random(7)
    for at, (orchestrator, name, *_) in enumerate(PIPELINES):
        every_s = (25 + 11 * (at % 7)) * MINUTE_S
        for back in range(12):
            began_s = now_s - back * every_s - (3 + 5 * (at % 5)) * MINUTE_S
            took_s = (4 + 3 * (at % 6)) * MINUTE_S * dice.uniform(0.8, 1.3)
            ended_s = began_s + took_s
            failed = (name in ("returns", "replenishment") and back == 0) or dice.random() < 0.03
            if name in ("returns", "replenishment") and back == 0:
                ended_s = now_s - (6 + at) * MINUTE_S
                began_s = ended_s - took_s
            state = RunState.FAILED if failed else RunState.SUCCEEDED
            if ended_s > now_s:
                state, ended = RunState.RUNNING, None
            else:
                ended = ended_s
            run_id = f"scheduled__{int(began_s)}"
            yield Run(PipelineKey(orchestrator, name), run_id, state, began_s, began_s, ended)


def _promises(now_s: float) -> Iterable[SlaChanged]:
    def state(name: str, due_min: float, standing: Standing, **more: Any) -> SlaChanged:
        due_s = now_s + due_min * MINUTE_S
        sla = Sla(key(name), due_s % 86_400 // 60 * 60)
        return SlaChanged(SlaState(sla, due_s, standing, **more))

    yield state(
        "finance_close",
        46,
        Standing.AT_RISK,
        chance=0.68,
        expected_s=now_s + 60 * MINUTE_S,
        path=(key("crm_export"), key("orders_clean"), key("finance_close")),
        late=key("crm_export"),
        warned_at_s=now_s - 9 * MINUTE_S,
    )
    yield state(
        "board_deck",
        95,
        Standing.AT_RISK,
        chance=0.38,
        expected_s=now_s + 88 * MINUTE_S,
        path=tuple(map(key, ("crm_export", "orders_clean", "finance_close", "board_deck"))),
        late=key("crm_export"),
        warned_at_s=now_s - 9 * MINUTE_S,
    )
    for name in ("churn_model", "crm_sync", "regulator_report", "inventory"):
        done_s = now_s + 70 * MINUTE_S
        yield state(name, 140, Standing.ON_TRACK, chance=0.02, expected_s=done_s, path=(key(name),))


def _hazards(now_s: float) -> Iterable[FindingChanged]:
    told = [
        (
            FindingKind.STALE_READ,
            ("sessions", "attribution"),
            Hazard(3, 7, 30, now_s - 3_000, 0.22, (40.0, 900.0)),
        ),
        (
            FindingKind.RACE,
            ("fx_rates", "finance_close"),
            Hazard(3, 0, 28, now_s - 9_000, 0.06, (120.0, 1_500.0)),
        ),
        (FindingKind.PAUSED_WRITER, ("price_scraper", "replenishment"), Hazard(1, 4, 4, now_s)),
        (
            FindingKind.CADENCE_MISMATCH,
            ("web_events", "sessions"),
            Hazard(5, 20, 20, now_s, 0.0, None, (900.0, 3_600.0)),
        ),
    ]
    for kind, (writer, reader), hazard in told:
        edge = DependencyKey(task(writer), task(reader), DatasetKey("warehouse", f"dwh.{writer}"))
        yield FindingChanged(
            Finding(
                finding_id(kind, writer, reader),
                kind,
                (key(writer), key(reader)),
                (edge,),
                Level.WARN,
                now_s - 26 * 3_600,
                now_s - 3_600,
                hazard=hazard,
            )
        )


async def _held_before(deps: Deps, now_s: float) -> None:
    """The start of an hour ago waited for half of it."""
    hold = Intent(
        key("attribution"),
        1,
        Act.HOLD,
        "waits for sessions",
        now_s,
        due_s=(now_s - 60 * MINUTE_S,),
        waits_for=(key("sessions"),),
    )
    release = replace(hold, number=2, act=Act.RELEASE, reason="sessions is there")
    for before_min, intent in ((62, hold), (30, release)):
        at_s = now_s - before_min * MINUTE_S
        await deps.sequencer._journaled.append([IntentMade(intent)], at_s, "cause")


def _holds(now_s: float) -> Iterable[IntentMade]:
    yield IntentMade(
        Intent(
            key("finance_close"),
            1,
            Act.HOLD,
            "waits for data that is being made",
            now_s + 26 * MINUTE_S,
            due_s=(now_s + 5 * MINUTE_S,),
            waits_for=(key("orders_clean"),),
        )
    )


async def _past_days(deps: Deps, now_s: float) -> None:
    """On each of the last days two nodes for three hours, one of them without a price."""
    journaled = deps.dispatch._journaled
    for day in range(5, 0, -1):
        from_s = now_s - day * 1_440 * MINUTE_S
        workers = [(WorkerId(f"past-{day}-{pool}"), pool) for pool in ("cheap", "new")]
        for worker, pool in workers:
            room = Resources(cpu=4.0)
            spot = Offer(worker, f"of-{worker}", 4, room, capacity=CapacityClass.SPOT, pool=pool)
            await journaled.append([WorkerJoined(spot)], from_s, "cause")
        for name, team in (("finance_close", "finance"), ("attribution", "web")):
            id_ = TaskId(f"past-{day}-{name}")
            part = {"pipeline": key(name), "run": f"r{day}"}
            records = [
                Submitted(Submission(id_, team, "d", from_s, **part)),
                Granted(Token(id_, 1), workers[0][0], 1),
            ]
            await journaled.append(records, from_s, "cause")
        ends = (("attribution", 60, Outcome.FAILED), ("finance_close", 120, Outcome.SUCCEEDED))
        for name, after_min, outcome in ends:
            ended = Ended(Token(TaskId(f"past-{day}-{name}"), 1), outcome)
            await journaled.append([ended], from_s + after_min * MINUTE_S, "cause")
        gone = [WorkerGone(worker, LossCause.NODE_GONE) for worker, _ in workers]
        await journaled.append(gone, from_s + 180 * MINUTE_S, "cause")


async def _last_hour(deps: Deps, now_s: float) -> None:
    """One node of eight slots for 52 minutes, a second one for the middle 21 of them; tasks of
    seven minutes hold more and more of their slots."""
    journaled = deps.dispatch._journaled
    room = Resources(cpu=8.0)
    stays = [(WorkerId("early-0"), "first", 52, 0), (WorkerId("early-1"), "second", 38, 17)]
    told: list[tuple[float, Any]] = []
    for worker, node, from_min, until_min in stays:
        joined = WorkerJoined(Offer(worker, node, 8, room, capacity=CapacityClass.DEDICATED))
        told.append((from_min, joined))
        for at, ago_min in enumerate(range(from_min, until_min + 7, -7)):
            for number in range(min(7, 3 + at)):
                token = Token(TaskId(f"{worker}-{at}-{number}"), 1)
                part = {"pipeline": key("orders_clean"), "run": f"r{at}"}
                work = Submission(token.task, "sales", "d", now_s - ago_min * MINUTE_S, **part)
                told += [(ago_min, Submitted(work)), (ago_min, Granted(token, worker, 1))]
                told.append((ago_min - 7, Ended(token, Outcome.SUCCEEDED)))
        told.append((until_min, WorkerGone(worker, LossCause.NODE_GONE)))
    for ago_min, record in sorted(told, key=lambda one: -one[0]):
        await journaled.append([record], now_s - ago_min * MINUTE_S, "cause")


async def _work(deps: Deps, now_s: float) -> None:
    """Three workers, of which one has died with its tasks."""
    for number, capacity in enumerate((CapacityClass.DEDICATED, CapacityClass.SPOT) * 2):
        offer = Offer(
            WorkerId(f"worker-{number}"),
            f"node-{number % 3}",
            8,
            Resources(cpu=8.0),
            capacity=capacity,
        )
        await deps.dispatch.tell(Register(offer), "cause")
    tasks = tuple(
        Submission(TaskId(f"load-{at}"), "sales", "d", now_s - at, effects=Effects.IDEMPOTENT)
        for at in range(20)
    )
    await deps.dispatch.submit(tasks, {one.task: "{}" for one in tasks}, "cause")
    for number in range(3):
        worker = WorkerId(f"worker-{number}")
        answer = await deps.dispatch.tell(Acquire(worker, 1), "cause")
        tokens = getattr(answer.reply, "tokens", ())
        await deps.dispatch.tell(Renew(worker, 1, tuple(tokens), tuple(tokens)), "cause")
    await deps.dispatch.tell(WorkerLost(WorkerId("worker-1"), LossCause.PROCESS_EXIT), "cause")
    await deps.dispatch.tell(Acquire(WorkerId("worker-3"), 1), "cause")


async def _crowd(deps: Deps, count: int) -> None:
    """`count` pipelines more, in layers as organisations have them, as records of the graph."""
    dice = random.Random(3)
    records: list[Any] = []
    names = [
        f"{('load', 'clean', 'mart', 'report')[at * 4 // count]}_{at:05}" for at in range(count)
    ]
    for at, name in enumerate(names):
        orchestrator = ("airflow", "dagster", "prefect")[at % 3]
        one = Pipeline(PipelineKey(orchestrator, name), owner=f"team-{at % 40:02}")
        records.append(PipelineSeen(one))
    for at in range(count // 10, count):
        for _ in range(dice.choice((1, 1, 2))):
            other = dice.randrange(max(0, at - count // 4), at - count // 20)
            ends = [
                TaskKey(("airflow", "dagster", "prefect")[n % 3], names[n], "t")
                for n in (other, at)
            ]
            edge = DependencyKey(ends[0], ends[1], DatasetKey("warehouse", f"dwh.{names[other]}"))
            confidence = dice.choice((0.6, 0.8, 0.95, 0.99))
            records.append(
                DependencyChanged(len(records), Dependency(edge, at % 3 == 0, confidence, ()))
            )
    journaled = deps.graph._journaled
    for first in range(0, len(records), 2_000):
        await journaled.append(records[first : first + 2_000], deps.clock.now_s(), "cause")

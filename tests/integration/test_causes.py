"""One id from where something enters swarm to the last thing that follows from it.

Real actors in this process: a real journal, real programs, a real receiver of alerts.
"""

import contextlib
import json
import sys
from pathlib import Path

from swarm.actors.alerts import AlertsActor
from swarm.actors.connector import ConnectorActor
from swarm.actors.graph import GraphActor
from swarm.actors.projector import ProjectorActor
from swarm.actors.sequencer import SequencerActor
from swarm.api.deps import CAUSE_HEADER
from swarm.api.read_model import ReadModel
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.dispatch.events import Register, WorkerLost
from swarm.model.alerts import AlertComposed, AlertEnded, AlertHeard
from swarm.model.causes import entered_at_s, id_of
from swarm.model.connectors import Batch, CursorMoved, IntentEnded
from swarm.model.dispatch import WorkerGone
from swarm.model.findings import FindingKind
from swarm.model.graph import EvidenceSeen, FindingChanged
from swarm.model.intents import Carried
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.sequencing import IntentMade
from swarm.model.work import LossCause, Offer, Resources, WorkerId
from swarm.store.journal import open_journal
from tests.actors.places import a_dispatcher, a_worker
from tests.integration.alerts.receivers import an_http_receiver
from tests.integration.here import an_actor, until
from tests.unit.api.conftest import client_of, local_deps
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, depends, listed, ran

TABLES = [
    {"pipeline": "load", "task": "t", "writes": ["raw.orders"]},
    {"pipeline": "sums", "task": "t", "reads": ["raw.orders"]},
]


class World:
    """Settings with a manifest and somebody who is told, and what is in the journal."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.manifest = folder / "m.jsonl"
        self.manifest.write_text("".join(json.dumps(line) + "\n" for line in TABLES))
        told = {"state_dir": folder / "state", "min_confidence": 0.1}
        told["sources"] = [{"kind": "manifest", "path": self.manifest, "poll_s": 0.5}]
        if url:
            (folder / "url").write_text(url)
            target = {"name": "chat", "kind": "webhook", "address_file": folder / "url"}
            told["alerts"] = {"targets": [{**target, "at_least": "show"}], "group_s": 0}
        self.settings = Settings.model_validate(told)
        self.journal = open_journal("", self.settings.state_dir)

    def ids(self, stream: str, kind: type) -> set[str]:
        return {id_of(entry.cause_id) for entry in self.entries(stream, kind)}

    def entries(self, stream, kind=object):
        found = self.journal.read(stream, 0, 10_000)
        return [entry for entry in found if isinstance(entry.record, kind)]


async def test_from_a_request_to_the_end_of_what_it_ran(tmp_path):
    world = World(tmp_path)
    deps = local_deps(world.settings, SystemClock())  # first: each stream has one writer
    async with a_dispatcher(world.settings.state_dir) as dispatcher:
        deps.dispatch = dispatcher
        async with client_of(deps) as http, a_worker(dispatcher, tmp_path):
            tasks = [{"id": "a", "team": "data", "argv": [sys.executable, "-c", "pass"]}]
            before_s = deps.clock.now_s()
            answer = await http.post("tasks", json={"tasks": tasks})
            assert answer.status_code == 201, answer.text
            said = answer.headers[CAUSE_HEADER]
            await until(lambda: "Ended" in told_of("a", world))
    assert before_s - 1 <= entered_at_s(said) <= deps.clock.now_s()
    told = told_of("a", world)
    assert {"Submitted", "Granted", "Ended"} <= set(told)
    assert all(ids == {said} for ids in told.values()), told
    causes = [e.cause_id for e in world.entries("dispatch") if id_of(e.cause_id) == said]
    first, *rest = [cause.split(":")[0] for cause in causes]
    assert (first, set(rest)) == ("by", {"of"})
    assert len(deps.audit.rows(10)) == 1, "nobody asked for a grant or an end"


def told_of(task: str, world: World) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in world.entries("dispatch"):
        record = entry.record
        of = getattr(getattr(record, "token", getattr(record, "submission", None)), "task", None)
        if of == task:
            found.setdefault(type(record).__name__, set()).add(id_of(entry.cause_id))
    return found


async def test_from_a_pass_to_the_alert(tmp_path):
    with an_http_receiver() as receiver:
        world = World(tmp_path, f"http://127.0.0.1:{receiver.port}/")
        settings = world.settings
        async with contextlib.AsyncExitStack() as stack:
            graph, sequencer = await all_of(stack, settings)
            alerts = await stack.enter_async_context(an_actor(AlertsActor, settings))
            # What is there before anybody listens has no cause that could still be read.
            await graph.offer(Batch("test", "", (Pipeline(PipelineKey("x", "x")),)), "before")
            await until(lambda: alerts._read_to > 0)
            connector = (ConnectorActor, settings.sources[0], settings, graph, sequencer)
            await stack.enter_async_context(an_actor(*connector))
            await until(lambda: bool(world.entries("alerts", AlertEnded)))
            await until(lambda: bool(world.entries("connector:manifest", CursorMoved)))
    (said,) = world.ids("graph", EvidenceSeen)
    assert said, "a pass has an id"
    for stream, kind in (
        ("graph", FindingChanged),
        ("connector:manifest", CursorMoved),
        ("alerts", AlertHeard),
        ("alerts", AlertComposed),
        ("alerts", AlertEnded),
    ):
        assert world.ids(stream, kind) == {said}, kind


async def test_from_a_request_to_what_came_of_it_in_an_orchestrator(tmp_path):
    world = World(tmp_path)
    settings = world.settings
    deps = local_deps(settings, SystemClock())  # first: each stream has one writer
    async with contextlib.AsyncExitStack() as stack:
        graph, sequencer = await all_of(stack, settings)
        connector = (ConnectorActor, settings.sources[0], settings, graph, sequencer)
        await stack.enter_async_context(an_actor(*connector))
        deps.sequencer = sequencer
        http = await stack.enter_async_context(client_of(deps))
        load = PipelineKey("manifest", "load")
        await until(lambda: load in sequencer._state._world.graph.pipelines)
        await until(lambda: len(deps.projections.pipelines(2)) == 2)
        deps.model = ReadModel.load(deps.projections)
        body = {"pipeline": str(load), "for_s": 60, "by": "ann"}
        answer = await http.post("decisions/hold", json=body)
        assert answer.status_code == 201, answer.text
        said = answer.headers[CAUSE_HEADER]
        await until(lambda: bool(world.entries("connector:manifest", IntentEnded)))
    assert world.ids("sequencing", IntentMade) == {said}
    (ended,) = world.entries("connector:manifest", IntentEnded)
    assert (id_of(ended.cause_id), ended.record.outcome) == (said, Carried.REFUSED)
    (row,) = (row for row in deps.audit.rows(10) if row.stream == "sequencing")
    assert row.types == "IntentMade"
    assert [row.stream for row in deps.audit.rows(10)] == ["sequencing"], "nobody asked the hand"


async def test_a_hazard_has_the_cause_of_the_news_that_showed_it(tmp_path):
    settings = World(tmp_path).settings
    journal = open_journal("", settings.state_dir)
    graph = journal.open("graph")
    export, close = PipelineKey("air", "export"), PipelineKey("dag", "close")
    runs = []
    today = int(SystemClock().now_s() // DAY_S)
    for day in range(today - 31, today - 1):
        late_s = 2 * HOUR_S if day == today - 29 else 0.0
        runs.append(ran(export, day * DAY_S + 5 * HOUR_S, 1_800 + late_s))
        runs.append(ran(close, day * DAY_S + 6 * HOUR_S))
    graph.append([listed(export), listed(close), *runs], 1.0, "of:a:b:" + "1" * 32)
    async with contextlib.AsyncExitStack() as stack:
        dispatcher = await stack.enter_async_context(a_dispatcher(settings.state_dir))
        await stack.enter_async_context(an_actor(SequencerActor, settings, dispatcher))
        graph.append([depends(export, close)], 2.0, "by:ann:POST /verdicts:" + "2" * 32)
        graph.append([listed(PipelineKey("air", "else"))], 3.0, "of:a:b:" + "3" * 32)
        await until(lambda: FindingKind.STALE_READ in {kind for kind, _ in found(journal)})
    assert {cause for _, cause in found(journal)} == {"of:ann:POST /verdicts:" + "2" * 32}


async def test_each_death_is_a_cause_of_its_own(tmp_path):
    async with a_dispatcher(tmp_path) as dispatcher:
        for name in ("v", "w"):
            offer = Offer(WorkerId(name), "n", 1, Resources(cpu=1.0))
            await dispatcher.tell(Register(offer), name)
            await dispatcher._watches._tell(WorkerLost(offer.worker, LossCause.PROCESS_EXIT), "x")
    entries = open_journal("", tmp_path).read("dispatch", 0, 100)
    gone = [id_of(entry.cause_id) for entry in entries if isinstance(entry.record, WorkerGone)]
    assert len(set(gone)) == 2
    assert "" not in gone


def found(journal):
    entries = journal.read("sequencing", 0, 100)
    return [
        (entry.record.finding.kind, entry.cause_id)
        for entry in entries
        if isinstance(entry.record, FindingChanged)
    ]


async def all_of(stack, settings):
    """A graph, a projector and a sequencer with its dispatcher."""
    graph = await stack.enter_async_context(an_actor(GraphActor, settings))
    await stack.enter_async_context(an_actor(ProjectorActor, settings))
    dispatcher = await stack.enter_async_context(a_dispatcher(settings.state_dir))
    sequencer = an_actor(SequencerActor, settings, dispatcher)
    return graph, await stack.enter_async_context(sequencer)

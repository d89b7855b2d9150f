"""The API over a real journal and real projections, in one process and without Ray."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from swarm.actors.graph import AskQuestions, Conclusions, MuteFinding
from swarm.actors.journaled import Journaled
from swarm.actors.ports import Answer
from swarm.actors.sequencer import Sequencing
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.api.read_model import ReadModel
from swarm.config import Settings
from swarm.dispatch.detector import Detection
from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import Event, Grants, Now, Rearm, Submit
from swarm.dispatch.explanation import Explanation
from swarm.errors import Rejected, UnknownKey
from swarm.graph.beats import Beats, HostBeat
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch
from swarm.model.findings import Mute
from swarm.model.graph import GraphRecord, QuestionAsked
from swarm.model.intents import Intent
from swarm.model.keys import PipelineKey
from swarm.model.links import Awaited, Link
from swarm.model.outputs import Output, Part
from swarm.model.sequencing import (
    IntentMade,
    LinkGone,
    RuleScored,
    SequencingRecord,
    SlaAccepted,
    SlaDeclined,
)
from swarm.model.sla import Sla, Terms
from swarm.model.work import TaskId
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.outputs import open_outputs
from swarm.store.projections import open_projections
from swarm.store.projector import open_projector
from tests.unit.migrated import lay_out

TOKEN = "token"


class TestClock:
    """Stands where a test puts it."""

    __test__ = False
    at_s = 1_000.0

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s


class LocalGraph:
    """The graph actor's work, done at once."""

    def __init__(self, settings: Settings, clock: TestClock) -> None:
        self._state = Conclusions(Naming(), settings.min_confidence)
        self._journaled = Journaled(settings, "graph", self._state, snapshot_every=1_000)
        self._clock = clock
        self._beats = Beats()

    async def offer(self, event: Any, cause_id: str) -> int:
        now_s = self._clock.now_s()
        return await self._state.take(self._journaled, event, now_s, cause_id)

    judge = offer

    async def write(self, records: Sequence[GraphRecord], cause_id: str = "cause") -> None:
        await self._journaled.append(records, self._clock.now_s(), cause_id)

    async def hear(self, told: HostBeat, cause_id: str) -> None:
        workers = self._beats.hear(told, self._clock.monotonic_s(), self._clock.now_s())
        await self.offer(Batch("beats", "", workers), cause_id)
        self._beats.took(workers, self._clock.monotonic_s())

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        await self.offer(MuteFinding(finding, mute), cause_id)

    async def ask(self, cause_id: str) -> list[QuestionAsked]:
        await self.offer(AskQuestions(), cause_id)
        return self._state.questions(self._clock.now_s())


class LocalDispatch:
    """The dispatcher actor's work, done at once."""

    def __init__(self, settings: Settings, clock: TestClock) -> None:
        self._dispatcher = Dispatcher(Policy(weights={"data": 2.0}))
        self._journaled = Journaled(settings, "dispatch", self._dispatcher, snapshot_every=1_000)
        self.bodies: dict[TaskId, str] = {}
        self._clock = clock

    async def submit(self, submissions: Any, bodies: Mapping[TaskId, str], cause_id: str) -> Answer:
        answer = await self.tell(Submit(tuple(submissions)), cause_id)
        self.bodies |= bodies
        return answer

    async def rearm(self, event: Rearm, fields: str, cause_id: str) -> Answer:
        if self._dispatcher.floor.is_newest(event.token):
            task = event.token.task
            self.bodies[task] = json.dumps(json.loads(self.bodies[task]) | json.loads(fields))
        return await self.tell(event, cause_id)

    async def detection(self) -> Detection:
        return self._dispatcher.detector.detection(0.0)

    async def explain(self, task: TaskId) -> Explanation:
        now_s = self._clock.now_s()
        return self._dispatcher.explain(task, Now(now_s, now_s))

    async def tell_all(self, events: Sequence[Event], cause_id: str) -> list[Answer | Rejected]:
        answers: list[Answer | Rejected] = []
        for event in events:
            try:
                answers.append(await self.tell(event, cause_id))
            except Rejected as refusal:
                answers.append(refusal)
        return answers

    async def tell(self, event: Event, cause_id: str) -> Answer:
        now_s = self._clock.now_s()
        decision = self._dispatcher.decide(event, Now(now_s, now_s))
        await self._journaled.append(decision.records, now_s, cause_id)
        granted = decision.reply.tokens if isinstance(decision.reply, Grants) else ()
        bodies = {token.task: self.bodies[token.task] for token in granted}
        return Answer(self._journaled.epoch, decision.reply, bodies)


class LocalSequencer:
    """The sequencer actor's work, done at once."""

    def __init__(self, settings: Settings, clock: TestClock) -> None:
        self.state = Sequencing(settings)
        self._journaled = Journaled(settings, "sequencing", self.state, snapshot_every=1_000)
        self._clock = clock

    async def intents(self, orchestrator: str) -> list[Intent]:
        now_s = self._clock.now_s()
        triggers = self.state.links.triggers(orchestrator, now_s)
        return [*self.state.decisions.intents(orchestrator, now_s, 60.0), *triggers]

    async def rate(self, finding_id: str, by: str, is_right: bool, cause_id: str) -> None:
        said = self.state.hazards.rated(finding_id, by, is_right=is_right)
        if said is not None:
            await self._journaled.append([said], self._clock.now_s(), cause_id)

    async def mute(self, finding: str, mute: Mute | None, cause_id: str) -> None:
        await self.write([self.state.muted(finding, mute, self._clock.now_s())], cause_id)

    async def hold(self, target: PipelineKey, by: str, for_s: float, cause_id: str) -> Intent:
        return await self._made(self.state.hold(target, by, for_s, self._clock.now_s()), cause_id)

    async def release(self, target: PipelineKey, by: str, cause_id: str) -> Intent:
        return await self._made(self.state.release(target, by, self._clock.now_s()), cause_id)

    async def link(self, link: Link, cause_id: str) -> None:
        await self.write([self.state.links.made(link)], cause_id)

    async def unlink(self, downstream: PipelineKey, by: str, cause_id: str) -> None:
        if self.state.links.of(downstream) is None:
            raise UnknownKey(f"nothing links {downstream} to others")
        await self.write([LinkGone(downstream, by)], cause_id)

    async def links(self) -> list[Awaited]:
        return self.state.links.awaited()

    async def accept(self, sla: Sla, by: str, cause_id: str) -> None:
        await self.write([SlaAccepted(sla, by, self._clock.now_s())], cause_id)

    async def decline(self, pipeline: PipelineKey, by: str, cause_id: str) -> None:
        await self.write([SlaDeclined(pipeline, by, self._clock.now_s())], cause_id)

    async def rules(self) -> list[RuleScored]:
        return list(self.state.hazards.rules.records())

    async def terms(self) -> Terms:
        return self.state.promises.terms

    async def write(self, records: Sequence[SequencingRecord], cause_id: str = "cause") -> None:
        await self._journaled.append(records, self._clock.now_s(), cause_id)

    async def _made(self, made: IntentMade, cause_id: str) -> Intent:
        await self._journaled.append([made], self._clock.now_s(), cause_id)
        return made.intent


class LocalOutputs:
    """The outputs actor's work, done at once."""

    def __init__(self, settings: Settings) -> None:
        self.store = open_outputs("", settings.state_dir)

    async def put(self, parts: Sequence[Part]) -> dict[Output, int]:
        return self.store.put(parts, 0.0)


@dataclass
class Api:
    """A client of the app; `see` brings what was written to the readers."""

    http: httpx.AsyncClient
    clock: TestClock
    deps: Deps
    settings: Settings

    async def happens(self, event: Event) -> None:
        """What a worker tells the dispatcher."""
        await self.deps.dispatch.tell(event, "worker")
        self.see()

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        return self._body(await self.http.get(path, params=params), status)

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = self._body(await self.http.post(path, json=body), status)
        self.see()
        return answer

    async def offer(self, *items: Any) -> None:
        await self.deps.graph.offer(Batch("test", "", items), "cause")
        self.see()

    def see(self) -> None:
        journal = open_journal("", self.settings.state_dir)
        Follower(journal, open_projector("", self.settings.state_dir)).catch_up()
        self.deps.model = ReadModel.load(self.deps.projections)

    @staticmethod
    def _body(answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json()


def local_deps(settings: Settings, clock: TestClock) -> Deps:
    """All that the routes ask, in this process; `folder` of the settings is new."""
    folder = settings.state_dir
    lay_out(folder, "graph", "dispatch", "sequencing", "keys")
    journal = open_journal("", folder)
    return Deps(
        token=TOKEN,
        graph=LocalGraph(settings, clock),
        dispatch=LocalDispatch(settings, clock),
        outputs=LocalOutputs(settings),
        sequencer=LocalSequencer(settings, clock),
        projections=open_projections("", folder),
        clock=clock,
        lineage_namespaces={"prod": "airflow"},
        keys=journal.keys(),
        audit=journal.audit(),
    )


def client_of(deps: Deps, app: FastAPI | None = None) -> httpx.AsyncClient:
    """One that may do everything, of an app of its own or of that one."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app or create_app(deps)),
        base_url="http://swarm/api/v1/",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )


@pytest.fixture
async def api(tmp_path) -> AsyncIterator[Api]:
    settings, clock = Settings(state_dir=tmp_path), TestClock()
    deps = local_deps(settings, clock)
    async with client_of(deps) as http:
        yield Api(http, clock, deps, settings)

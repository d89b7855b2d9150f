"""An orchestrator in memory, and its knobs: it makes a run at each tick unless it is paused."""

import json
from collections import Counter
from collections.abc import Callable

from swarm.connectors.knobs import Look
from swarm.errors import Unavailable
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey


class Killed(BaseException):
    """The process of the hand ends here, as by SIGKILL."""


class HandClock:
    """Both clocks of a machine; only a test moves them."""

    def __init__(self) -> None:
        self.at_s = 1_000_000.0

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s


class Pipeline:
    """A pipeline with planned starts."""

    def __init__(self, *ticks: float) -> None:
        self.ticks, self.paused, self.exists = list(ticks), False, True
        self.runs: Counter[float] = Counter()
        self.triggered: Counter[str] = Counter()
        self.turns = 0


class FakeOrchestrator:
    """Pipelines by name. `down` makes each call fail; `on_call` is called with the name of the
    call, before and after it did what it does."""

    def __init__(self, clock: HandClock) -> None:
        self.clock, self.down = clock, False
        self.pipelines: dict[str, Pipeline] = {}
        self.on_call: Callable[[str], None] = lambda call: None

    def advance(self, to_s: float) -> None:
        """Time passes; what is due begins."""
        before, self.clock.at_s = self.clock.at_s, to_s
        for pipeline in self.pipelines.values():
            for tick in pipeline.ticks:
                if before < tick <= to_s and not pipeline.paused:
                    pipeline.runs[tick] += 1


class FakeKnobs:
    """See the port in `swarm.connectors.knobs`."""

    acts = frozenset({Act.HOLD, Act.TRIGGER})

    def __init__(self, orchestrator: FakeOrchestrator) -> None:
        self._all = orchestrator

    async def look(self, intent: Intent, mark: str, turned: bool) -> Look:
        pipeline = self._called("look", intent.target)
        if pipeline is None:
            return Look(mark, Carried.GONE, "gone")
        if intent.act is Act.TRIGGER:
            return Look("trigger")
        if turned and not pipeline.paused:
            return Look(mark, Carried.OVERRULED, "a person unpaused it")
        if not mark and pipeline.paused:
            return Look("", Carried.NOT_NEEDED, "it is paused already")
        kept = set(json.loads(mark)) if mark else set()
        until_s, now_s = intent.valid_until_s, self._all.clock.now_s()
        gone = {tick for tick in kept if tick < intent.from_s}
        kept -= {t for t in gone if pipeline.runs[t] or intent.leaves_out(t, now_s)}
        ticks = kept | {tick for tick in pipeline.ticks if now_s < tick <= until_s}
        if not ticks:
            return Look("", Carried.NOT_NEEDED, "no tick falls into it")
        return Look(json.dumps(sorted(ticks)))

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        pipeline = self._called("turn", intent.target)
        if pipeline is None:
            return Carried.GONE, "gone"
        pipeline.turns += 1
        if intent.act is Act.TRIGGER:
            pipeline.triggered[intent.id] = 1
        else:
            pipeline.paused = True
            self._make(pipeline, intent, mark, intent.from_s)
        self._all.on_call("turned")
        return Carried.DONE, "paused"

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        pipeline = self._called("undo", intent.target)
        if pipeline is None:
            return Carried.GONE, "gone"
        was_paused, pipeline.paused = pipeline.paused, False
        self._all.on_call("unpaused")
        self._make(pipeline, intent, mark, float("inf"))
        self._all.on_call("undone")
        if turned and not was_paused:
            return Carried.OVERRULED, "a person unpaused it"
        return Carried.DONE, "unpaused"

    async def close(self) -> None:
        return

    def _make(self, pipeline: Pipeline, intent: Intent, mark: str, until_s: float) -> None:
        """The runs of the ticks before then that have none and are not left out."""
        now_s = self._all.clock.now_s()
        for tick in json.loads(mark):
            is_due = tick < until_s and tick <= now_s and not intent.leaves_out(tick, now_s)
            if is_due and not pipeline.runs[tick]:
                pipeline.runs[tick] += 1

    def _called(self, call: str, target: PipelineKey) -> Pipeline | None:
        self._all.on_call(call)
        if self._all.down:
            raise Unavailable("the orchestrator does not answer")
        pipeline = self._all.pipelines.get(target.name)
        return pipeline if pipeline and pipeline.exists else None

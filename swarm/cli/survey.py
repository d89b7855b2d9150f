"""One pass over all sources into one ledger, in this process: what `swarm scan` is made of."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from swarm.cli.hearing import Hearing, Kept
from swarm.cli.report import Reading
from swarm.clock import Clock, SystemClock
from swarm.config import Settings
from swarm.connectors.base import Connector, LearnsRuns
from swarm.connectors.contexts import LISTENER, naming_of
from swarm.connectors.cursors import FIRST_S
from swarm.connectors.registry import open_connectors
from swarm.errors import ConnectorError
from swarm.lineage.ledger import SETTLE, Ledger
from swarm.model.connectors import Batch
from swarm.model.lineage import Dependency, Unresolved, UnresolvedReason
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run, TaskRun

_TELL_EVERY_S = 2.0
_HISTORY_S = 60.0  # so long the past of a source is read on


@dataclass(frozen=True, slots=True)
class Findings:
    """What all sources said together; `failures` are the sources that could not be read,
    `unattributed` how many statements of each query history no task could be found for, `texts`
    how each SQL text was read (statements of histories left out), `ran` the runs of pipelines,
    `ledger` what they were concluded from."""

    pipelines: tuple[Pipeline, ...]
    dependencies: tuple[Dependency, ...]
    unresolved: tuple[Unresolved, ...]
    failures: tuple[str, ...]
    unattributed: Mapping[str, int]
    texts: tuple[Reading, ...]
    ran: tuple[Run, ...]
    ledger: Ledger


@dataclass(slots=True)
class _Survey:
    ledger: Ledger
    clock: Clock
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    items: dict[str, int] = field(default_factory=dict)
    failed: list[Unresolved] = field(default_factory=list)
    runs: list[TaskRun] = field(default_factory=list)
    ran: list[Run] = field(default_factory=list)
    unattributed: Counter[str] = field(default_factory=Counter)
    hearing: Hearing = field(default_factory=Hearing)

    async def read(self, connector: Connector) -> None:
        """Take in all of one source, pass after pass while that brings runs of earlier days; what
        was read before a failure is kept."""
        self.items[connector.name] = 0
        cursor: str | None = None
        until_s = self.clock.monotonic_s() + _HISTORY_S
        is_past = True
        try:
            while is_past and self.clock.monotonic_s() < until_s:
                is_past = False
                async for batch in connector.observe(cursor):
                    async with self.lock:
                        await asyncio.to_thread(self._take, batch)
                    cursor = batch.cursor
                    is_past |= self._tells_of_past(batch)
                    self.items[connector.name] += len(batch.items)
                    if batch.unattributed:
                        self.unattributed[connector.name] += batch.unattributed
        except ConnectorError as error:
            name = connector.name
            reason = UnresolvedReason.UNREACHABLE
            self.failed.append(Unresolved(name, reason, connector.kind, str(error)))
        finally:
            del self.items[connector.name]
            await connector.close()

    async def tell(self, say: Callable[[str], None]) -> None:
        """Every two seconds, what is still being read."""
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            reading = (f"{name} ({count:,} facts)" for name, count in self.items.items())
            say(f"reading {', '.join(reading)} ...")

    def settle(self) -> None:
        """Weigh everything by what was learned of the channels in the end."""
        while not self.ledger.settled:
            self._take(SETTLE)

    def _take(self, batch: Batch) -> None:
        for record in self.ledger.decide(batch, self.clock.now_s()):
            self.ledger.apply(record)
        self.runs += (item for item in batch.items if isinstance(item, TaskRun))
        self.ran += (item for item in batch.items if isinstance(item, Run))

    def _tells_of_past(self, batch: Batch) -> bool:
        before_s = self.clock.now_s() - FIRST_S
        runs = (item for item in batch.items if isinstance(item, Run | TaskRun))
        return any(run.started_at_s is not None and run.started_at_s < before_s for run in runs)

    def runs_between(self, from_s: float, to_s: float) -> list[TaskRun]:
        """Those that began before `to_s` and did not end before `from_s`."""
        return [
            run
            for run in self.runs
            if run.started_at_s is not None
            and run.started_at_s <= to_s
            and (run.ended_at_s is None or run.ended_at_s >= from_s)
        ]


async def survey(
    settings: Settings, say: Callable[[str], None], keep: Kept | None = None
) -> Findings:
    """Read every source of `settings` once, all at the same time, and conclude.

    `say` gets a line for a person every two seconds. A source that fails is in `failures` and,
    as unreachable, in `unresolved`. The texts that are read go to `keep`. Raises
    `ConfigError` for sources that cannot be opened.
    """
    ledger = Ledger(naming_of(settings))
    state = _Survey(ledger, SystemClock(), hearing=Hearing(kept=keep))
    LISTENER.set(state.hearing)
    connectors = open_connectors(settings)
    telling = asyncio.create_task(state.tell(say))
    try:
        learning = [one for one in connectors if isinstance(one, LearnsRuns)]
        await asyncio.gather(*(state.read(one) for one in connectors if one not in learning))
        for connector in learning:  # what ran is known now
            connector.learn_runs(state.runs_between, 0.0)
        await asyncio.gather(*(state.read(one) for one in connectors if one in learning))
        await asyncio.to_thread(state.settle)
    finally:
        telling.cancel()
    return Findings(
        pipelines=tuple(ledger.pipelines.values()),
        dependencies=tuple(ledger.dependencies.values()),
        unresolved=(*ledger.unresolved, *state.failed),
        failures=tuple(f"{failure.subject}: {failure.detail}" for failure in state.failed),
        unattributed=state.unattributed,
        texts=tuple(sorted(state.hearing.texts, key=lambda text: (text.place, text.task))),
        ran=tuple(state.ran),
        ledger=ledger,
    )

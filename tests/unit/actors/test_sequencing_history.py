"""What sequencing knew of the past before a restart it knows after, through its own snapshot.

The close reads what the export writes. Once in seventy days it read what was old, on the third.
"""

import pytest

from swarm.actors.journaled import Journaled
from swarm.actors.sequencer import Sequencing
from swarm.config import Settings
from swarm.lineage.run_history import RUNS_KEPT
from swarm.model.findings import FindingKind
from swarm.model.graph import FindingChanged, GraphRecord, RunSeen, RunsKept
from swarm.model.keys import PipelineKey
from swarm.model.past_runs import ran_of
from swarm.model.runs import Ran, Run
from swarm.model.sequencing import HistoryKept
from tests.unit.migrated import lay_out
from tests.unit.sequencing.mornings import DAY_S, HOUR_S, depends, listed, ran

EXPORT, CLOSE = PipelineKey("air", "export"), PipelineKey("dag", "close")
DAYS = 70
FIRST = 20_003


@pytest.fixture
def settings(tmp_path) -> Settings:
    lay_out(tmp_path, "sequencing")
    return Settings(state_dir=tmp_path)


def opened(settings: Settings) -> tuple[Sequencing, Journaled]:
    state = Sequencing(settings)
    return state, Journaled(settings, "sequencing", state, snapshot_every=5_000)


def runs(days: int = DAYS) -> list[GraphRecord]:
    found = []
    for day in range(days):
        day_s = (FIRST + day) * DAY_S
        late_s = 2 * HOUR_S if day == 2 else 0.0
        found += [ran(EXPORT, day_s + 5 * HOUR_S, 1_800 + late_s), ran(CLOSE, day_s + 6 * HOUR_S)]
    return found


def graph_snapshot(seen: list[GraphRecord]) -> list[GraphRecord]:
    """What the graph tells a sequencer that begins anew: the newest runs alone."""
    kept: dict[PipelineKey, list[Ran]] = {EXPORT: [], CLOSE: []}
    for record in seen:
        if isinstance(record, RunSeen) and isinstance(record.run, Run):
            one = ran_of(record.run)
            kept[record.run.pipeline] += [one] if one else []
    newest = [RunsKept(key, tuple(of[-RUNS_KEPT:])) for key, of in kept.items()]
    return [listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE), *newest]


def known(state: Sequencing) -> dict[PipelineKey, tuple[Ran, ...]]:
    return {one.pipeline: one.runs for one in state.records() if isinstance(one, RunsKept)}


async def follow(state: Sequencing, journaled: Journaled, records: list[GraphRecord]) -> None:
    for record in records:
        state.apply(record)
    news = state.decide((FIRST + DAYS) * DAY_S)
    if news:
        await journaled.append(news, 1.0, "cause")


async def test_a_restart_forgets_no_run_that_is_kept(settings):
    state, journaled = opened(settings)
    await follow(state, journaled, [listed(EXPORT), listed(CLOSE), depends(EXPORT, CLOSE)])
    await follow(state, journaled, runs())
    before = known(state)
    assert {len(of) for of in before.values()} == {DAYS}
    await journaled.append(state.history_due(5_000), 2.0, "history", snapshot=True)

    again, reopened = opened(settings)
    await follow(again, reopened, graph_snapshot(runs()))
    assert known(again) == before


async def test_what_was_found_in_the_past_is_still_found(settings):
    state, journaled = opened(settings)
    await follow(state, journaled, [*graph_snapshot([]), *runs()])
    await journaled.append(state.history_due(5_000), 2.0, "history", snapshot=True)
    again, _ = opened(settings)
    for record in graph_snapshot(runs()):
        again.apply(record)
    assert again.decide((FIRST + DAYS) * DAY_S) == []
    [stale] = [one.finding for one in again.records() if isinstance(one, FindingChanged)]
    assert stale.kind is FindingKind.STALE_READ
    assert stale.hazard is not None
    assert (stale.hazard.seen, stale.hazard.of) == (1, DAYS)


async def test_runs_since_the_snapshot_are_those_of_the_graph(settings):
    state, journaled = opened(settings)
    await follow(state, journaled, [*graph_snapshot([]), *runs(DAYS - 5)])
    await journaled.append(state.history_due(5_000), 2.0, "history", snapshot=True)
    again, reopened = opened(settings)
    await follow(again, reopened, graph_snapshot(runs()))
    assert {len(of) for of in known(again).values()} == {DAYS}


async def test_history_is_kept_once_in_so_many_records(settings):
    state, journaled = opened(settings)
    assert state.history_due(4_999) == []
    due = state.history_due(6_000)
    assert due == [HistoryKept(6_000)]
    await journaled.append(due, 1.0, "history", snapshot=True)
    again, _ = opened(settings)
    assert [again.history_due(seq) for seq in (6_000, 10_999)] == [[], []]
    assert again.history_due(11_000) == [HistoryKept(11_000)]


async def test_it_is_bounded_by_days(settings):
    state, _ = opened(settings)
    for record in runs(300):
        state.apply(record)
    newest_s = (FIRST + 299) * DAY_S + 6 * HOUR_S
    for of in known(state).values():
        assert len(of) in (100, 101)
        assert of[0].started_at_s >= newest_s - 100 * DAY_S
    long_gone = ran(PipelineKey("air", "gone"), (FIRST + 150) * DAY_S)
    state.apply(long_gone)
    assert PipelineKey("air", "gone") not in known(state)

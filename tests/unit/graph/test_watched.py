"""When a worker of an orchestrator is missing, what ran on it, and when it is back."""

from dataclasses import replace

import pytest

from swarm.graph.watched import Watched
from swarm.model.connectors import Batch, Item
from swarm.model.findings import Finding, FindingKind, Mute, muted
from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy
from swarm.model.graph import FindingChanged, GraphRecord, RunSeen
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level
from swarm.model.runs import Run, RunState

LOAD = PipelineKey("pf", "load/lab")
ON_SERVER = ForeignWorker(
    "pf",
    "pool/one",
    Role.WORKER,
    SeenBy.SERVER,
    Presence.ALIVE,
    heard_s=100.0,
    started_s=10.0,
    every_s=30.0,
    group="pool pool",
)
BY_BEAT = replace(ON_SERVER, seen_by=SeenBy.BEAT, every_s=1.0)


class Journal:
    """Items in their order, and what follows from them."""

    def __init__(self) -> None:
        self.watched = Watched()
        self.written: list[GraphRecord] = []
        self.now_s = 0.0

    def __call__(self, *items: Item) -> list[Finding]:
        self.now_s += 1.0
        seen = self.watched.decide(Batch("x", "", items))
        seen_and_ran: list[GraphRecord] = [
            *seen,
            *(RunSeen(item) for item in items if isinstance(item, Run)),
        ]
        for record in seen_and_ran:
            self.watched.apply(record)
        news = self.watched.findings(self.now_s)
        for told in news:
            self.watched.apply(told)
        self.written += [*seen_and_ran, *news]
        assert self.watched.findings(self.now_s + 0.5) == []
        return [told.finding for told in news]


@pytest.fixture
def journal() -> Journal:
    return Journal()


def silent(worker: ForeignWorker, *runs: RanOn) -> ForeignWorker:
    return replace(worker, presence=Presence.SILENT, runs=runs)


def dead(worker: ForeignWorker, at_s: float, *processes: str) -> ForeignWorker:
    return replace(worker, presence=Presence.DEAD, heard_s=at_s, processes=processes)


def a_run(state: RunState = RunState.RUNNING, process: str = "host:7", name: str = "r1") -> Run:
    return Run(LOAD, name, state, process=process)


def test_a_living_worker_is_journaled_once_and_beats_never(journal: Journal) -> None:
    assert journal(ON_SERVER) == []
    assert len(journal.written) == 1
    journal(replace(ON_SERVER, heard_s=200.0))
    assert len(journal.written) == 1


def test_silence_is_a_finding_that_closes_when_the_worker_is_back(journal: Journal) -> None:
    journal(ON_SERVER)
    (opened,) = journal(silent(ON_SERVER, RanOn(LOAD, "r1")))
    assert (opened.kind, opened.level) == (FindingKind.MISSING_WORKER, Level.WARN)
    assert opened.pipelines == (LOAD,)
    assert opened.worker is not None
    assert opened.worker.runs == (RanOn(LOAD, "r1"),)
    assert str(opened) == "pf/pool/one is silent, 1 run on it"
    (closed,) = journal(replace(ON_SERVER, heard_s=300.0))
    assert (closed.id, closed.closed_at_s) == (opened.id, 3.0)
    assert journal.watched.workers == [replace(ON_SERVER, heard_s=300.0)]


def test_what_a_person_muted_stays_so_until_the_worker_is_back(journal: Journal) -> None:
    journal(ON_SERVER, BY_BEAT)
    (opened,) = journal(silent(ON_SERVER))
    journal.watched.apply(FindingChanged(muted([opened], Mute("ann"), 2.0)))
    (worse,) = journal(dead(BY_BEAT, 120.0))
    assert (worse.level, worse.mute) == (Level.GATE, Mute("ann"))
    journal(replace(ON_SERVER, heard_s=300.0), replace(BY_BEAT, heard_s=300.0))
    (again,) = journal(silent(replace(ON_SERVER, heard_s=400.0)))
    assert again.mute is None


def test_proof_of_death_is_surer_and_names_what_ran_in_its_processes(journal: Journal) -> None:
    journal(ON_SERVER, BY_BEAT, a_run(), a_run(name="r2", process="host:8"))
    (opened,) = journal(dead(BY_BEAT, 120.0, "host:7"))
    assert opened.level is Level.GATE
    assert opened.worker is not None
    assert opened.worker.runs == (RanOn(LOAD, "r1"),)
    # The server still shows it as heard a moment before it died, and later as silent.
    assert journal(replace(ON_SERVER, heard_s=119.0)) == []
    assert journal(silent(replace(ON_SERVER, heard_s=119.0))) == []
    # A new process of the same name beats; the server hears of it when it next asks.
    (closed,) = journal(replace(BY_BEAT, started_s=130.0, heard_s=131.0))
    assert closed.closed_at_s is not None
    assert journal(replace(ON_SERVER, heard_s=140.0)) == []


def test_a_later_sign_of_life_at_the_server_outweighs_a_death(journal: Journal) -> None:
    journal(ON_SERVER, BY_BEAT)
    assert journal(dead(BY_BEAT, 120.0))
    assert journal(replace(ON_SERVER, heard_s=140.0)) == []  # perhaps sent before it died
    (closed,) = journal(replace(ON_SERVER, heard_s=151.0))
    assert closed.closed_at_s is not None


def test_a_successor_stands_in_once_nothing_is_left_unfinished(journal: Journal) -> None:
    journal(ON_SERVER, BY_BEAT, a_run())
    journal(dead(BY_BEAT, 120.0, "host:7"))
    successor = replace(ON_SERVER, name="pool/two", started_s=130.0, heard_s=131.0)
    assert journal(successor) == []
    (closed,) = journal(a_run(RunState.SUCCEEDED, process=""))
    assert closed.closed_at_s is not None


def test_a_peer_that_was_there_before_does_not_stand_in(journal: Journal) -> None:
    journal(ON_SERVER, replace(ON_SERVER, name="pool/two", started_s=11.0))
    assert [f.closed_at_s for f in journal(silent(ON_SERVER))] == [None]


def test_a_worker_that_was_gone_before_anyone_looked_is_history(journal: Journal) -> None:
    peer = replace(ON_SERVER, name="pool/two")
    assert journal(peer) == []
    assert journal(silent(ON_SERVER)) == []
    assert journal.watched.workers == [peer]


def test_the_only_one_is_missed_although_nobody_saw_it_alive(journal: Journal) -> None:
    assert journal(silent(ON_SERVER))


def test_stopping_is_no_finding_and_forgets(journal: Journal) -> None:
    journal(ON_SERVER)
    assert journal(replace(ON_SERVER, presence=Presence.STOPPED)) == []
    assert journal.watched.workers == []
    journal(replace(ON_SERVER, presence=Presence.STOPPED))
    assert len(journal.written) == 2


def test_replay_and_snapshot_give_the_same(journal: Journal) -> None:
    journal(ON_SERVER, BY_BEAT, a_run())
    journal(dead(BY_BEAT, 120.0, "host:7"))
    for records in (journal.written, list(journal.watched.records())):
        again = Watched()
        for record in records:
            again.apply(record)
        assert again.findings(99.0) == []
        assert list(again.records()) == list(journal.watched.records())

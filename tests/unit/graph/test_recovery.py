"""Which runs that died with a worker are to go on, and that one loss is answered once."""

from dataclasses import replace

from swarm.graph.recovery import VALID_S, Recoveries
from swarm.model.findings import Finding, FindingKind
from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy
from swarm.model.graph import FindingChanged, RecoveryIntended
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level

LOAD = PipelineKey("pf", "load/lab")
RAN = RanOn(LOAD, "r1")
WORKER = ForeignWorker(
    "pf",
    "pool/one",
    Role.WORKER,
    SeenBy.BEAT,
    Presence.DEAD,
    heard_s=100.0,
    processes=("host:6", "host:7"),
    runs=(RAN,),
)
RUNS_IN = {RAN: "host:7"}


def found(worker: ForeignWorker = WORKER, closed_at_s: float | None = None) -> list[FindingChanged]:
    kind = FindingKind.MISSING_WORKER
    finding = Finding("id", kind, (LOAD,), (), Level.GATE, 1.0, 1.0, closed_at_s, worker)
    return [FindingChanged(finding)]


def recovering() -> Recoveries:
    return Recoveries(["pf"])


def test_a_run_whose_process_is_proven_dead_with_its_worker_is_to_go_on() -> None:
    recoveries = recovering()
    (intent,) = recoveries.decide(found(), RUNS_IN, 10.0)
    recovery = intent.recovery
    assert (recovery.pipeline, recovery.run_id, recovery.process) == (LOAD, "r1", "host:7")
    assert recovery.valid_until_s == 10.0 + VALID_S
    recoveries.apply(intent)
    assert recoveries.open("pf", 11.0) == [recovery]
    assert recoveries.open("other", 11.0) == []
    assert recoveries.open("pf", recovery.valid_until_s) == []


def test_one_loss_is_answered_once_and_the_next_again() -> None:
    recoveries = recovering()
    for intent in recoveries.decide(found(), RUNS_IN, 10.0):
        recoveries.apply(intent)
    assert recoveries.decide(found(), RUNS_IN, 10_000.0) == []
    again = Recoveries(["pf"])
    for record in recoveries.records():
        again.apply(record)
    assert again.decide(found(), RUNS_IN, 20.0) == []
    elsewhere = replace(WORKER, processes=("host:9",))
    assert len(again.decide(found(elsewhere), {RAN: "host:9"}, 20.0)) == 1


def test_nothing_is_done_without_proof_or_against_the_settings() -> None:
    cases: list[list[RecoveryIntended]] = [
        Recoveries([]).decide(found(), RUNS_IN, 10.0),
        recovering().decide(found(replace(WORKER, presence=Presence.SILENT)), RUNS_IN, 10.0),
        recovering().decide(found(replace(WORKER, seen_by=SeenBy.SERVER)), RUNS_IN, 10.0),
        recovering().decide(found(closed_at_s=2.0), RUNS_IN, 10.0),
        recovering().decide(found(replace(WORKER, processes=("host:6",))), RUNS_IN, 10.0),
        recovering().decide(found(), {}, 10.0),  # it has ended
        recovering().decide(found(), {RAN: "host:8"}, 10.0),  # it is elsewhere
    ]
    assert cases == [[]] * len(cases)

"""What channels teach of each other, and when what they taught is used."""

import random
from collections.abc import Iterable, Iterator

import pytest

from swarm.lineage.agreement import ENOUGH, Case, Knows, learn
from swarm.lineage.channels import RELIABILITY
from swarm.lineage.ledger import SETTLE, Ledger
from swarm.lineage.naming import Naming
from swarm.lineage.reliance import SLICE
from swarm.model.connectors import Batch, Item
from swarm.model.graph import CalibrationChanged, DependencyChanged, GraphRecord
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, DependencyKey, Evidence

DAYS = 0b11111
AT_S = 5 * 86_400.0
CODE, RUN, EVENTS = Channel.CODE, Channel.SQL_RUN, Channel.OPENLINEAGE
WHOLE, NOT = Knows.WHOLE, Knows.NOT


def task(number: int) -> TaskKey:
    return TaskKey("a", f"p{number}", "t")


def table(name: object) -> DatasetKey:
    return DatasetKey("pg://w", f"db.s.t{name}")


def seen(number: int, access: Access, name: object, channel: Channel) -> Evidence:
    days = 1 if channel is CODE else DAYS
    return Evidence(task(number), access, table(name), channel, AT_S, "f:1", days=days)


def said(number: int, *, missed: bool = False, made_up: bool = False) -> Batch:
    """A task that writes its own table and reads the one before and a lookup table, as program
    text and two run-time channels have it; program text may make up a read, and run events may miss
    the lookup table."""
    items: list[Item] = []
    for channel in (CODE, RUN, EVENTS):
        reads: list[object] = [number - 1, "lookup"]
        if missed and channel is EVENTS:
            reads.remove("lookup")
        if made_up and channel is CODE:
            reads.append(number + 7)
        items += [seen(number, Access.READ, name, channel) for name in reads]
        items.append(seen(number, Access.WRITE, number, channel))
        items.append(Coverage(task(number), channel, AT_S, 1 if channel is CODE else DAYS))
    return Batch("s", str(number), tuple(items))


def take(ledger: Ledger, event: Batch) -> list[GraphRecord]:
    records = ledger.decide(event, AT_S)
    for record in records:
        ledger.apply(record)
    return records


def settle(ledger: Ledger) -> Iterator[list[GraphRecord]]:
    while not ledger.settled:
        yield take(ledger, SETTLE)


def fed(batches: Iterable[Batch]) -> tuple[Ledger, list[GraphRecord]]:
    ledger, records = Ledger(Naming()), list[GraphRecord]()
    for batch in batches:
        records += take(ledger, batch)
    for more in settle(ledger):
        records += more
    ledger.check()
    return ledger, records


def reliability(ledger: Ledger) -> dict[Channel, tuple[float, ...]]:
    told = [record for record in ledger.records() if isinstance(record, CalibrationChanged)]
    return {channel: has for one in told for channel, *has in one.reliability}


def confidence(ledger: Ledger, up: int, down: int) -> float:
    found = ledger.dependencies.get(DependencyKey(task(up), task(down), table(up)))
    return found.confidence if found else 0.0


def test_who_names_what_nobody_else_sees_is_believed_less() -> None:
    honest, _ = fed(said(n, made_up=n == 1) for n in range(60))
    careless, _ = fed(said(n, made_up=n % 3 == 1) for n in range(60))
    assert confidence(careless, 8, 1) < confidence(honest, 8, 1) - 0.15
    assert confidence(careless, 2, 3) == pytest.approx(confidence(honest, 2, 3), abs=0.01)


def test_who_often_misses_what_others_see_says_little_by_its_silence() -> None:
    blind, _ = fed(said(n, missed=True) for n in range(60))
    sees, _, _ = reliability(blind)[EVENTS]
    assert sees < RELIABILITY[EVENTS].sees - 0.15
    sharp, _ = fed(said(n) for n in range(60))
    assert reliability(sharp).get(EVENTS, (1.0,))[0] >= RELIABILITY[EVENTS].sees


def test_its_silence_and_what_was_learned_of_it_is_said_in_words() -> None:
    blind, _ = fed(said(n, missed=True) for n in range(60))
    take(blind, Batch("s", "w", (seen(99, Access.WRITE, "lookup", RUN),)))
    found_silent = [
        proof
        for dependency in blind.dependencies.values()
        for proof in dependency.proofs
        if proof.silent and proof.channel is EVENTS
    ]
    assert found_silent
    assert all("here it misses" in proof.excerpt for proof in found_silent)


def test_a_few_cases_teach_nothing() -> None:
    few = {Case(((CODE, WHOLE),), ((RUN, WHOLE),)): ENOUGH // 2}
    assert learn(few) == dict(RELIABILITY)
    many = {Case(((CODE, WHOLE), (RUN, WHOLE)), ()): 200, **few}
    assert learn(many)[CODE].for_it != RELIABILITY[CODE].for_it


def test_what_nobody_else_can_judge_teaches_nothing() -> None:
    """Each program is known to one channel alone, or is reported by two of which neither knows
    the task otherwise."""
    assert learn({Case(((CODE, NOT), (RUN, NOT)), ()): 500}) == dict(RELIABILITY)


def test_agreement_within_the_same_text_is_no_confirmation() -> None:
    source = Channel.SQL_SOURCE
    wrong = {Case(((CODE, WHOLE),), ((RUN, WHOLE), (EVENTS, WHOLE))): 40}
    twins = learn({Case(((source, WHOLE), (RUN, WHOLE)), ((CODE, WHOLE),)): 200, **wrong})
    apart = learn({Case(((CODE, WHOLE), (RUN, WHOLE)), ((source, WHOLE),)): 200, **wrong})
    assert twins[RUN].for_it <= apart[RUN].for_it


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_batches_and_their_repetition_do_not_matter(seed: int) -> None:
    batches = [said(n, missed=n % 2 == 0, made_up=n % 3 == 1) for n in range(40)]
    again = [*batches, *batches[:10]]
    random.Random(seed).shuffle(again)
    here, _ = fed(batches)
    there, _ = fed(again)
    assert reliability(here)
    assert reliability(here) == reliability(there)
    assert dict(here.dependencies) == dict(there.dependencies)


def test_what_moves_is_weighed_some_at_a_time_and_in_the_end_all_of_it() -> None:
    count = 6 * SLICE
    ledger = Ledger(Naming())
    whole = Batch("s", "", tuple(item for n in range(count) for item in said(n).items))
    take(ledger, whole)
    for _ in settle(ledger):
        pass
    wrong = [item for n in range(0, count, 3) for item in said(n, made_up=True).items]
    take(ledger, Batch("s", "", tuple(wrong)))
    assert not ledger.settled
    slices = list(settle(ledger))
    assert len(slices) > 1
    for records in slices:
        changed = [record for record in records if isinstance(record, DependencyChanged)]
        ends = {record.dependency.key.upstream for record in changed}
        assert len(ends) <= 2 * SLICE
    ledger.check()


def test_replay_and_snapshot_know_the_same_and_have_no_news() -> None:
    ledger, records = fed(said(n, missed=True) for n in range(60))
    replayed, restored = Ledger(Naming()), Ledger(Naming())
    for record in records:
        replayed.apply(record)
    for record in ledger.records():
        restored.apply(record)
    for other in (replayed, restored):
        assert [record for more in settle(other) for record in more] == []
        other.check()
        assert set(other.records()) == set(ledger.records())


def test_a_journal_of_before_learns_when_it_goes_on() -> None:
    _, records = fed(said(n, missed=True) for n in range(60))
    old = Ledger(Naming())
    for record in records:
        if not isinstance(record, CalibrationChanged):
            old.apply(record)
    told = [record for more in settle(old) for record in more]
    assert [record for record in told if isinstance(record, CalibrationChanged)]
    old.check()

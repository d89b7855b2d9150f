"""Which agents are started and ended, by what the journal tells."""

from swarm.actors.keeper import Keeper
from swarm.model.dispatch import AgentsWanted, CapacityWanted, WorkerGone
from swarm.model.work import LossCause, WorkerId

TWO = AgentsWanted("checks:Checker", 2)


def filled(keeper: Keeper, now_s: float, *names: str) -> list[str]:
    """Start what is missing under these names; what was started."""
    missing = keeper.missing(now_s)
    for name, wanted in zip(names, missing, strict=True):
        keeper.started(name, wanted, now_s)
    return list(names)


def gone(name: str) -> WorkerGone:
    return WorkerGone(WorkerId(f"{name}~1"), LossCause.OUT_OF_MEMORY)


def test_one_that_is_gone_is_replaced_once() -> None:
    keeper = Keeper([TWO])
    filled(keeper, 0.0, "a", "b")
    assert keeper.missing(1.0) == []
    for record in (gone("a"), CapacityWanted("quality-check", 4)):
        keeper.take(record, 20.0)
    keeper.died("a", 20.1)  # Ray tells of it too
    assert keeper.missing(20.1) == [TWO]
    keeper.started("c", TWO, 20.1)
    assert keeper.missing(20.2) == []


def test_others_workers_are_not_ours_to_replace() -> None:
    keeper = Keeper([TWO])
    filled(keeper, 0.0, "a", "b")
    for record in (gone("outside"), CapacityWanted("quality-check", 4)):
        keeper.take(record, 1.0)
    assert keeper.missing(1.0) == []


def test_one_that_dies_young_is_started_ever_more_slowly() -> None:
    keeper = Keeper([AgentsWanted("checks:Broken", 1)])
    now_s, pauses = 0.0, []
    for number in range(8):
        filled(keeper, now_s, f"n{number}")
        keeper.died(f"n{number}", now_s)
        began_s = now_s
        while not keeper.missing(now_s):
            now_s += 0.5
        keeper._look = True
        pauses.append(now_s - began_s)
    assert pauses == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_what_is_wanted_changes() -> None:
    keeper = Keeper([TWO])
    filled(keeper, 0.0, "a", "b")
    keeper.take(AgentsWanted("checks:Checker", 1), 1.0)
    assert keeper.surplus() == ["b"]
    keeper.ended("b")
    keeper.take(AgentsWanted("checks:Checker", 1, memory_bytes=10), 2.0)
    assert keeper.surplus() == ["a"], "it has another limit"
    keeper.ended("a")
    (fresh,) = keeper.missing(2.0)
    assert fresh.memory_bytes == 10
    keeper.take(AgentsWanted("checks:Checker", 0), 3.0)
    assert keeper.missing(30.0) == []


def test_ends_on_purpose_and_a_new_word_slow_nothing_down() -> None:
    keeper = Keeper([])
    for number in range(5):
        now_s = float(number)
        keeper.take(AgentsWanted("checks:Checker", 1), now_s)
        filled(keeper, now_s, f"n{number}")
        keeper.died(f"n{number}", now_s)
        filled(keeper, now_s, f"m{number}")
        keeper.take(AgentsWanted("checks:Checker", 0), now_s)
        for name in keeper.surplus():
            keeper.ended(name)
    assert keeper.surplus() == []

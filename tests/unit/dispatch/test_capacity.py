"""What nobody could ever run is refused with what to change, unless it wants to wait."""

from dataclasses import replace

import pytest

from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import WorkerLost
from swarm.errors import NoCapacity
from swarm.model.work import CapacityClass, LossCause, Needs, Offer, Resources, WorkerId
from tests.unit.dispatch.builders import Desk, a_task

GPU = Needs(resources=Resources(gpu=1))


def impatient(name: str, needs: Needs):
    return replace(a_task(name), needs=needs, wait_for_capacity=False)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.worker("w", cpu=4.0)
    desk.worker("v", cpu=8.0, pool="etl", capabilities=("", "spark"), capacity=CapacityClass.SPOT)
    return desk


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (
            Needs("quality"),
            "no worker has the capability 'quality'; set `capability` to '' or 'spa",
        ),
        (Needs(pool="ml"), "is in the pool 'ml'; set `pool` to '' or 'etl'"),
        (Needs("spark", CapacityClass.DEDICATED), "set it to 'spot', or set `wait_for_capacity"),
        (Needs(resources=Resources(cpu=9)), "as large as 9 CPU; the largest has `cpu` 8"),
        (Needs(pool="etl", resources=Resources(memory_bytes=1 << 30)), "`memory_bytes` 0 and"),
        (GPU, "as large as 1 GPU"),
    ],
)
def test_the_refusal_says_what_to_change(desk: Desk, needs: Needs, words: str) -> None:
    before = len(desk.journal)
    with pytest.raises(NoCapacity) as refused:
        desk.submit(a_task("fits"), impatient("a", needs))
    assert words in str(refused.value)
    assert str(refused.value).startswith("task a: ")
    assert len(desk.journal) == before, "all or none"


def test_what_waits_for_capacity_is_taken(desk: Desk) -> None:
    desk.submit(replace(impatient("a", GPU), wait_for_capacity=True))
    assert len(desk.dispatcher.floor.tasks) == 1


def test_a_worker_that_was_there_may_come_back(desk: Desk) -> None:
    large = Needs(resources=Resources(cpu=8))
    desk.tell(WorkerLost(WorkerId("v"), LossCause.PROCESS_EXIT))
    desk.submit(impatient("a", large))
    restarted = Dispatcher(Policy())
    for record in desk.journal:
        restarted.apply(record)
    desk.dispatcher = restarted
    desk.submit(impatient("b", large))


def test_before_the_first_worker_nobody_can_tell() -> None:
    Desk().submit(impatient("a", GPU))


@pytest.fixture
def renting() -> Desk:
    """Nothing stands; a worker on spot can be had, and one with a GPU."""
    spot = Offer(WorkerId(""), "", 2, Resources(2.0), pool="spot", capacity=CapacityClass.SPOT)
    large = Offer(WorkerId(""), "", 8, Resources(8.0, gpu=1.0), pool="large")
    return Desk(Policy(rentable=(spot, large)))


def test_what_could_be_rented_is_waited_for(renting: Desk) -> None:
    renting.worker("w", cpu=1.0)
    renting.submit(
        impatient("a", GPU),
        impatient("b", Needs(pool="spot")),
        impatient("c", Needs(capacity=CapacityClass.SPOT)),
    )
    assert len(renting.dispatcher.floor.tasks) == 3


def test_what_nothing_that_can_be_had_could_run_is_said_at_once(renting: Desk) -> None:
    with pytest.raises(NoCapacity, match="the largest has `cpu` 8"):
        renting.submit(impatient("a", Needs(resources=Resources(cpu=9))))
    with pytest.raises(NoCapacity, match="set `pool` to '' or 'large' or 'spot'"):
        renting.submit(impatient("a", Needs(pool="small")))


def test_of_agents_nobody_can_tell_before_the_first_worker(renting: Desk) -> None:
    renting.submit(impatient("a", Needs("quality")))
    renting.worker("w")
    with pytest.raises(NoCapacity, match="the capability 'quality'"):
        renting.submit(impatient("b", Needs("quality")))


def test_handing_in_again_is_answered_as_before(desk: Desk) -> None:
    known = impatient("a", Needs(resources=Resources(cpu=8)))
    desk.submit(known)
    desk.dispatcher._capacity._kinds.clear()
    desk.worker("small", cpu=1.0)
    desk.submit(known)

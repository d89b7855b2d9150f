"""`GET /cost`: from what the dispatcher's journal says of workers and grants to the receipt."""

from dataclasses import replace

import pytest

from swarm.dispatch.events import Acquire, Finish, Register, Renew, WorkerLost
from swarm.model.work import CapacityClass, LossCause, Offer, Outcome, Resources, TaskId, WorkerId
from swarm.model.work import Token as Grant
from swarm.placement.prices import PoolPrice, PriceBook

HOUR_S, DAY_S = 3_600.0, 86_400.0
BEGIN_S = 20_000 * DAY_S
BOOK = PriceBook(
    {
        "cheap": PoolPrice("m5.large", "us-east-1", spot_usd_per_h=0.024),
        "sure": PoolPrice("m5.large", "us-east-1"),
    }
)
SPOT, SURE = WorkerId("spot"), WorkerId("sure")


def joins(worker: WorkerId, pool: str, capacity: CapacityClass) -> Register:
    node = f"node of {worker}"
    return Register(Offer(worker, node, 2, Resources(cpu=2.0), capacity=capacity, pool=pool))


async def hand_in(api, name: str, team: str, **more) -> None:
    await api.post("tasks", {"tasks": [{"id": name, "argv": ["x"], "team": team, **more}]})


@pytest.fixture
async def evening(api):
    """Four hours of a spot node and two of a dedicated one. A pipeline holds a slot for an hour,
    loses it with the spot node after another, and ends on the other node; somebody else runs half
    an hour of no pipeline."""
    api.deps.prices = lambda now_s, spot: (BOOK, ())
    clock = api.clock
    clock.at_s = BEGIN_S + 22 * HOUR_S  # the last two hours are of the next day
    part = {"pipeline": "prefect/nightly/main", "run": "r1", "effects": "idempotent"}
    await api.happens(joins(SPOT, "cheap", CapacityClass.SPOT))
    await hand_in(api, "load", "data", **part)
    await api.happens(Acquire(SPOT, 1))
    await api.happens(Renew(SPOT, 1, (Grant(TaskId("load"), 1),), (Grant(TaskId("load"), 1),)))
    clock.at_s += HOUR_S
    await api.happens(Finish(Grant(TaskId("load"), 1), Outcome.SUCCEEDED, ""))
    await hand_in(api, "sums", "data", **part)
    await api.happens(Renew(SPOT, 1, (), ()))  # it lives
    await api.happens(Acquire(SPOT, 2))
    clock.at_s += HOUR_S
    await api.happens(joins(SURE, "sure", CapacityClass.DEDICATED))
    await api.happens(WorkerLost(SPOT, LossCause.NODE_GONE))
    await api.happens(Acquire(SURE, 1))
    await hand_in(api, "adhoc", "science")
    await api.happens(Acquire(SURE, 2))
    clock.at_s += HOUR_S / 2
    await api.happens(Finish(Grant(TaskId("adhoc"), 1), Outcome.FAILED, "exit code 1"))
    clock.at_s += HOUR_S / 2
    await api.happens(Finish(Grant(TaskId("sums"), 2), Outcome.SUCCEEDED, ""))
    clock.at_s += HOUR_S
    return api


def usd(found) -> dict[str, float]:
    return {row["name"]: row["usd"] for row in found["rows"]}


async def test_whose_it_was(evening) -> None:
    found = await evening.get("cost")
    # A slot is half a node: two hours on spot, one on the dedicated node.
    load = 0.024 / 2 * 2 + 0.096 / 2
    assert usd(found) == pytest.approx({"prefect/nightly/main": load, "": 0.096 / 4})
    assert found["bill_usd"] == pytest.approx(2 * 0.024 + 2 * 0.096)
    assert sum(usd(found).values()) + found["idle_usd"] == pytest.approx(found["bill_usd"])
    assert found["utilisation"] == pytest.approx(1.75 / 4)
    assert found["kinds"] == [
        {"type": "m5.large", "capacity": "on-demand", "node_h": 2.0, "usd": 0.192},
        {"type": "m5.large", "capacity": "spot", "node_h": 2.0, "usd": 0.048},
    ]


async def test_what_was_lost_or_failed_is_told_apart(evening) -> None:
    rows = {row["name"]: row for row in (await evening.get("cost"))["rows"]}
    assert rows["prefect/nightly/main"]["retry_usd"] == pytest.approx(0.024 / 2)
    assert rows[""]["retry_usd"] == rows[""]["usd"]


async def test_by_team_by_day_and_by_run(evening) -> None:
    assert list(usd(await evening.get("cost", by="team"))) == ["data", "science"]
    by_day = await evening.get("cost", by="day")
    assert usd(by_day) == pytest.approx(
        {"2024-10-04": 0.024, "2024-10-05": 0.096 * 3 / 4},
    )
    assert [(day["day"], day["bill_usd"]) for day in by_day["days"]] == [
        ("2024-10-04", 0.048),
        ("2024-10-05", 0.192),
    ]
    assert list(usd(await evening.get("cost", by="run"))) == ["prefect/nightly/main r1", ""]


async def test_beside_it_what_it_would_have_cost_elsewise(evening) -> None:
    found = await evening.get("cost")
    assert found["ondemand_usd"] == pytest.approx(4 * 0.096)
    assert found["spot_saving_usd"] == pytest.approx(2 * (0.096 - 0.024))
    # Both nodes were never there together: one for four hours.
    assert found["static_usd"] == pytest.approx(4 * 0.096)


async def test_a_span_and_a_limit(evening) -> None:
    from_s = BEGIN_S + DAY_S
    found = await evening.get("cost", from_s=from_s, until_s=from_s + HOUR_S, limit=1)
    assert (found["from_s"], found["until_s"]) == (from_s, from_s + HOUR_S)
    assert usd(found) == pytest.approx({"prefect/nightly/main": 0.048})
    assert (found["left_out"], found["left_out_usd"]) == (1, pytest.approx(0.024))
    refused = await evening.get("cost", 409, from_s=from_s, until_s=1.0)
    assert "swap them" in refused["detail"]


async def test_nodes_without_a_price_are_named(evening) -> None:
    evening.deps.prices = lambda now_s, spot: (PriceBook(), (f"asked for {sorted(spot)}",))
    found = await evening.get("cost")
    assert (found["bill_usd"], found["utilisation"]) == (0.0, pytest.approx(1.75 / 4))
    assert found["unpriced"] == [
        {"pool": "cheap", "capacity": "spot", "node_h": 2.0},
        {"pool": "sure", "capacity": "on-demand", "node_h": 2.0},
    ]
    assert found["notes"] == ["asked for ['cheap']"]


async def test_what_the_nodes_that_are_there_cost_now(evening) -> None:
    now_s = evening.clock.at_s
    found = await evening.get("cost", from_s=now_s, until_s=now_s)
    assert found["now"] == {"nodes": 1, "usd_per_h": pytest.approx(0.096), "unpriced": 0}
    for worker, pool, capacity in (
        ("one", "cheap", CapacityClass.SPOT),
        ("two", "cheap", CapacityClass.SPOT),
        ("new", "unheard-of", CapacityClass.DEDICATED),
    ):
        await evening.happens(joins(WorkerId(worker), pool, capacity))
    joined = Offer(WorkerId("beside"), "node of one", 1, Resources(), pool="cheap")
    await evening.happens(Register(replace(joined, capacity=CapacityClass.SPOT)))
    found = await evening.get("cost", from_s=now_s, until_s=now_s)
    usd_per_h = pytest.approx(0.096 + 2 * 0.024)
    assert found["now"] == {"nodes": 4, "usd_per_h": usd_per_h, "unpriced": 1}


async def test_nothing_ran(api) -> None:
    found = await api.get("cost")
    assert found["now"] == {"nodes": 0, "usd_per_h": 0.0, "unpriced": 0}
    assert (found["bill_usd"], found["rows"], found["days"]) == (0.0, [], [])


async def test_the_last_hour_by_the_minute(evening) -> None:
    """Of the dedicated node: its second slot is held for half of an hour, its first one for the
    whole of it; the hour after that is idle."""
    evening.clock.at_s -= HOUR_S - 90.0  # a minute and a half after the last end
    found = await evening.get("cost/minutes")
    end_s = evening.clock.at_s - 30.0
    assert [one["at_s"] for one in found] == [end_s - 60.0 * at for at in range(60, 0, -1)]
    assert [one["held"] for one in found] == [2.0] * 29 + [1.0] * 30 + [0.0]
    assert {one["nodes"] for one in found} == {1.0}
    evening.clock.at_s += HOUR_S - 90.0
    idle = {"nodes": 1.0, "slots": 2.0, "held": 0.0, "usd_per_h": 0.096, "unpriced": 0.0}
    found = await evening.get("cost/minutes")
    assert all({name: one[name] for name in idle} == idle for one in found)

"""`GET /losses`: who was lost, how that was seen, where the work went, and how soon."""

from swarm.dispatch.events import Acquire, Finish, Register, WorkerLost
from swarm.model.work import LossCause, Offer, Outcome, Resources, TaskId, Token, WorkerId

V, W = WorkerId("v"), WorkerId("w")


def offer(worker: WorkerId) -> Register:
    return Register(Offer(worker, "node", 2, Resources(cpu=2.0)))


async def test_where_nothing_was_lost_nothing_is_told(api) -> None:
    told = await api.get("losses")
    assert told["redistributions"] == []
    assert (told["detection"]["count"], told["redistribution"]["count"]) == (0, 0)
    assert (told["false_alarms"], told["false_alarms_per_1000_h"]) == (0, None)


async def test_a_death_is_a_story(api) -> None:
    body = {"tasks": [{"id": name, "argv": ["true"], "team": "data"} for name in ("a", "b")]}
    await api.post("tasks", body)
    for event in (offer(W), Acquire(W, 1)):
        await api.happens(event)
    api.clock.at_s += 0.25
    await api.happens(WorkerLost(W, LossCause.OUT_OF_MEMORY))
    waits = await api.get("losses")
    assert {one["to"] for one in waits["redistributions"][0]["tasks"]} == {None}
    api.clock.at_s += 1.5
    for event in (offer(V), Acquire(V, 1), Acquire(V, 2)):
        await api.happens(event)
    told = await api.get("losses")
    (one,) = told["redistributions"]
    assert (one["worker"], one["cause"], one["took_s"]) == ("w", "out_of_memory", 1.5)
    assert one["unheard_s"] == 0.25
    assert told["detection"]["max_s"] == 0.25
    moved = [task["task"] for task in one["tasks"] if task["to"] == "v"]
    assert told["redistribution"]["count"] == len(moved) == len(one["tasks"]) >= 1
    await api.happens(Finish(Token(TaskId(moved[0]), 2), Outcome.SUCCEEDED))
    told = await api.get("losses")
    outcomes = {task["task"]: task["outcome"] for task in told["redistributions"][0]["tasks"]}
    assert outcomes[moved[0]] == "succeeded"


async def test_as_many_as_are_asked_for_are_told_and_all_are_counted(api) -> None:
    for number in range(3):
        worker = WorkerId(f"w{number}")
        await api.post("tasks", {"tasks": [{"id": f"t{number}", "argv": ["x"], "team": "d"}]})
        for event in (offer(worker), Acquire(worker, 1)):
            await api.happens(event)
        api.clock.at_s += 1.0
        await api.happens(WorkerLost(worker, LossCause.NODE_GONE))
    told = await api.get("losses", limit=1)
    assert [one["worker"] for one in told["redistributions"]] == ["w2"]
    assert told["detection"]["count"] == 3
    await api.get("losses", status=422, limit=0)

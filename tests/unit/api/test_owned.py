"""What an owner of tasks, an orchestrator's plug-in, hears and says."""

import json
from math import inf

from swarm.dispatch.events import Acquire, Guide, LeftOut, Register, Renew, WorkerLost
from swarm.model.keys import PipelineKey
from swarm.model.work import LossCause, Offer, Resources, TaskId, Token, WorkerId

W = WorkerId("w")
FIRST, SECOND = Token(TaskId("a"), 1), Token(TaskId("a"), 2)


def a_task(name, **more):
    body = {"id": name, "argv": ["run", "{SWARM_FILES}/job"], "files": {"job": "old"}}
    return {"tasks": [body | {"owner": "airflow", "rearm": "owner", "subject": "dag.t"} | more]}


async def moved(api, after="", owner="airflow"):
    told = await api.get("tasks/changes", owner=owner, after=after)
    return told["cursor"], [(row["id"], row["state"], row["grant"]) for row in told["tasks"]]


async def test_an_owner_hears_what_moved_and_only_that(api) -> None:
    await api.post("tasks", a_task("a"))
    await api.post("tasks", a_task("b", owner="dagster"))
    cursor, rows = await moved(api)
    assert rows == [("a", "queued", 0)]
    assert await moved(api, cursor) == (cursor, [])
    for event in (Register(Offer(W, "n", 1, Resources(cpu=1.0))), Acquire(W, 1)):
        await api.happens(event)
    await api.happens(Renew(W, 1, (FIRST,), (FIRST,)))
    cursor, rows = await moved(api, cursor)
    assert rows == [("a", "running", 1)]
    await api.happens(WorkerLost(W, LossCause.OUT_OF_MEMORY))
    told = await api.get("tasks/changes", owner="airflow", after=cursor)
    [row] = told["tasks"]
    assert (row["state"], row["detail"], row["worker"]) == ("lost", "out_of_memory", "w")
    assert (row["subject"], told["complete"]) == ("dag.t", False)


async def test_a_lost_task_waits_for_its_owner_and_takes_its_new_payload(api) -> None:
    await api.post("tasks", a_task("a", env={"X": "1"}))
    fresh = {"grant": 0, "files": {"job": "fresh"}}
    assert await api.post("tasks/a/rearm", fresh, 200) == {"receipt": "done"}
    for event in (Register(Offer(W, "n", 1, Resources(cpu=1.0))), Acquire(W, 1)):
        await api.happens(event)
    assert await api.post("tasks/a/rearm", fresh, 200) == {"receipt": "stale"}
    await api.happens(WorkerLost(W, LossCause.PROCESS_EXIT))
    assert await api.post("tasks/a/rearm", fresh, 200) == {"receipt": "stale"}
    newer = {"grant": 1, "files": {"job": "newer"}}
    assert await api.post("tasks/a/rearm", newer, 200) == {"receipt": "done"}
    _, rows = await moved(api)
    assert rows == [("a", "queued", 1)]
    kept = json.loads(api.deps.dispatch.bodies["a"])
    assert (kept["files"], kept["env"]) == ({"job": "newer"}, {"X": "1"})


async def test_an_owner_tells_how_a_lost_task_has_ended(api) -> None:
    await api.post("tasks", a_task("a"))
    for event in (Register(Offer(W, "n", 1, Resources(cpu=1.0))), Acquire(W, 1)):
        await api.happens(event)
    await api.happens(WorkerLost(W, LossCause.PROCESS_EXIT))
    await api.post("tasks/a/rearm", {"grant": 1, "outcome": "succeeded", "detail": "there"}, 200)
    assert await api.post("tasks/a/rearm", {"grant": 1}, 200) == {"receipt": "stale"}
    [row] = (await api.get("tasks/changes", owner="airflow"))["tasks"]
    assert (row["state"], row["grant"], row["detail"]) == ("succeeded", 1, "there")


async def test_a_plug_in_that_is_too_old_to_skip_cancels(api) -> None:
    await api.post("tasks", a_task("a", pipeline="airflow/dag", run="monday"))
    left_out = LeftOut(PipelineKey("airflow", "dag"), inf, "its latest start has come")
    await api.happens(Guide(left_out=(left_out,)))
    for skips, state in ((True, "skipped"), (False, "cancelled")):
        [row] = (await api.get("tasks/changes", owner="airflow", skips=skips))["tasks"]
        assert (row["state"], row["detail"]) == (state, "its latest start has come")


async def test_a_cursor_of_another_log_gives_all_again(api) -> None:
    await api.post("tasks", a_task("a"))
    told = await api.get("tasks/changes", owner="airflow", after="1000000")
    assert (told["complete"], len(told["tasks"])) == (True, 1)
    assert (await api.get("tasks/changes", 400, owner="a", after="x"))["code"] == "bad-input"


async def test_files_have_plain_names(api) -> None:
    for name in ("../x", "a/b", ".hidden", ""):
        refused = await api.post("tasks", a_task("a", files={name: "x"}), 422)
        assert refused["code"] == "invalid-request"


async def test_a_newer_token_in_a_file_makes_no_other_task(api) -> None:
    await api.post("tasks", a_task("a"))
    await api.post("tasks", a_task("a", files={"job": "with a newer token"}))
    refused = await api.post("tasks", a_task("a", argv=["other"]), 409)
    assert refused["code"] == "different-body"

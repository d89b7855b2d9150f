"""The workers of orchestrators over HTTP: the list, and the finding about one that is missing."""

from dataclasses import replace

from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.runs import RunState, TaskRun

SCHEDULER = ForeignWorker(
    "af", "scheduler@node", Role.SCHEDULER, SeenBy.SERVER, Presence.ALIVE, 900.0, host="node"
)
GONE = replace(
    SCHEDULER,
    presence=Presence.SILENT,
    runs=(RanOn(PipelineKey("af", "sales"), "r1", "load"),),
)


async def test_a_missing_worker_is_listed_and_found_until_it_is_back(api):
    await api.offer(SCHEDULER)
    [row] = await api.get("foreign-workers")
    assert (row["name"], row["presence"], row["advice"]) == ("scheduler@node", "alive", "")
    await api.offer(GONE)
    [row] = await api.get("foreign-workers")
    ran = {"pipeline": "af/sales", "run_id": "r1", "task": "load"}
    assert (row["presence"], row["runs"]) == ("silent", [ran])
    assert "start it" in row["advice"]
    [finding] = (await api.get("findings"))["items"]
    assert (finding["kind"], finding["orchestrators"]) == ("missing_worker", ["af"])
    assert finding["subject"] == "af/scheduler@node is silent, 1 run on it"
    assert finding["worker"] == row
    await api.offer(replace(SCHEDULER, heard_s=950.0))
    assert (await api.get("findings"))["items"] == []
    [closed] = (await api.get("findings", since_s=0.0))["items"]
    assert closed["closed_at_s"] is not None
    await api.offer(replace(SCHEDULER, presence=Presence.STOPPED))
    assert await api.get("foreign-workers") == []


def a_beat(presence="alive", **other):
    worker = {
        "orchestrator": "af",
        "role": "scheduler",
        "name": "scheduler@node",
        "started_s": 5.0,
        "presence": presence,
    }
    return {"host": "node", "every_s": 1.0, "workers": [worker | other]}


async def test_a_death_that_a_beat_tells_of_names_what_ran_in_its_processes(api):
    ran = TaskRun(TaskKey("af", "sales", "load"), "r1", 1, RunState.RUNNING, process="node:7")
    await api.offer(SCHEDULER, ran)
    await api.post("beats", a_beat(), status=200)
    assert [row["seen_by"] for row in await api.get("foreign-workers")] == ["beat", "server"]
    written = (await api.get("status"))["seq"]
    await api.post("beats", a_beat(), status=200)
    assert (await api.get("status"))["seq"] == written  # beats are not journaled
    killed = a_beat("dead", ended=[{"pid": 7}], detail="killed by signal 9")
    for _ in range(2):
        await api.post("beats", killed, status=200)
    [finding] = (await api.get("findings"))["items"]
    assert (finding["level"], finding["worker"]["detail"]) == ("gate", "killed by signal 9")
    assert [ran["task"] for ran in finding["worker"]["runs"]] == ["load"]
    await api.post("beats", a_beat(started_s=6.0), status=200)
    await api.post("beats", killed, status=200)  # late, of the process before
    assert (await api.get("findings"))["items"] == []


async def test_a_beat_that_is_none_is_refused_by_the_field(api):
    answer = await api.post("beats", a_beat("sleepy"), status=422)
    assert "presence" in str(answer)
    answer = await api.post("beats", a_beat() | {"every_s": 0}, status=422)
    assert "every_s" in str(answer)

"""The workers of orchestrators over HTTP: the list, and the finding about one that is missing."""

from dataclasses import replace

from swarm.model.foreign import ForeignWorker, Presence, RanOn, Role, SeenBy
from swarm.model.keys import PipelineKey

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

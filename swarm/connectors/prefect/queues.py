"""The priority of a work queue, for a deployment that has the queue for itself.

The priorities of a pool's queues are a sequence: to give a queue one shifts the others. So what is
kept for the way back is the order, which queues came before it, not the number.
"""

import json
from collections.abc import Sequence
from urllib.parse import quote

from swarm.connectors.http_answers import NotFound
from swarm.connectors.knobs import Look
from swarm.connectors.payloads import Payload
from swarm.connectors.prefect.client import PrefectClient
from swarm.model.intents import Act, Carried, Intent


class Queues:
    """Promotes and yields; the calls are those of the port in `swarm.connectors.knobs`."""

    def __init__(self, client: PrefectClient) -> None:
        self._client = client

    async def look(self, intent: Intent, deployment: Payload, mark: str, turned: bool) -> Look:
        pool, name = deployment.get("work_pool_name"), deployment.get("work_queue_name")
        if not pool or not name:
            return Look("", Carried.REFUSED, "it has no queue of a work pool")
        queues = await self._queues(str(pool))
        if mark:
            if turned and not _is_as_left(intent, queues, str(name)):
                return Look(mark, Carried.OVERRULED, "a person gave its queue another priority")
            return Look(mark)
        own = next((queue for queue in queues if queue["name"] == name), None)
        if own is None:
            return Look("", Carried.GONE, f"its queue {pool}/{name} is gone")
        sharing = await self._client.read(
            "/deployments/count", {"work_pool_queues": {"id": {"any_": [own["id"]]}}}
        )
        if sharing != 1:
            why = f"its queue {pool}/{name} is that of {sharing} deployments: give it its own"
            return Look("", Carried.REFUSED, why)
        if _is_as_left(intent, queues, str(name)):
            return Look("", Carried.NOT_NEEDED, f"its queue is {_place(intent)} already")
        before = [queue["name"] for queue in queues if queue["priority"] < own["priority"]]
        return Look(json.dumps({"pool": pool, "queue": name, "before": before}))

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        kept = json.loads(mark)
        queues = await self._queues(kept["pool"])
        if _is_as_left(intent, queues, kept["queue"]):
            return Carried.DONE, f"its queue is {_place(intent)}"
        last = max((int(queue["priority"]) for queue in queues), default=0)
        await self._set(kept, 1 if intent.act is Act.PROMOTE else last + 1)
        return Carried.DONE, f"its queue is {_place(intent)}"

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        if not mark:
            return Carried.DONE, ""
        kept = json.loads(mark)
        try:
            queues = await self._queues(kept["pool"])
            if not _is_as_left(intent, queues, kept["queue"]):
                why = "a person gave its queue another priority"
                return (Carried.OVERRULED, why) if turned else (Carried.DONE, "")
            ahead = [int(q["priority"]) for q in queues if q["name"] in kept["before"]]
            await self._set(kept, max(ahead, default=0) + 1)
        except NotFound:
            return Carried.GONE, "its queue is gone"
        return Carried.DONE, "its queue is where it was"

    async def _queues(self, pool: str) -> Sequence[Payload]:
        path = f"/work_pools/{quote(pool, safe='')}/queues/filter"
        return [queue async for page in self._client.pages(path, {}) for queue in page]

    async def _set(self, kept: Payload, priority: int) -> None:
        pool, name = quote(kept["pool"], safe=""), quote(kept["queue"], safe="")
        path = f"/work_pools/{pool}/queues/{name}"
        await self._client.write("PATCH", path, {"priority": priority})


def _is_as_left(intent: Intent, queues: Sequence[Payload], name: str) -> bool:
    """Whether the queue is the first, or the last, of its pool."""
    end = min if intent.act is Act.PROMOTE else max
    return bool(queues) and end(queues, key=lambda queue: int(queue["priority"]))["name"] == name


def _place(intent: Intent) -> str:
    return "the first of its pool" if intent.act is Act.PROMOTE else "the last of its pool"

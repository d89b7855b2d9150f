"""Launches of runs that must not be there twice.

Dagster takes no key under which a run is launched once: a run is looked for by its tags before, and
after it doubles that have not begun are ended, all but the first.
"""

from collections.abc import Mapping, Sequence

from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.mutations import EVALUATE, LAUNCH, PARTITION, RUNS, TERMINATE
from swarm.connectors.payloads import Payload
from swarm.errors import Unavailable

_NOT_BEGUN = frozenset({"QUEUED", "NOT_STARTED"})

Tags = Mapping[str, str]


class Launches:
    """What of Dagster's runs a hand makes."""

    def __init__(self, client: DagsterClient) -> None:
        self._client = client

    async def tick(
        self, schedule: Tags, job: str, tags: Tags, tick_s: float, intent_id: str
    ) -> int:
        """Launch what a schedule asks for at a tick, unless it was; how many runs. `schedule`
        selects it, `tags` are those of the tick's runs. A tick that it skips has none."""
        answer = await self._client.change(EVALUATE, selector=schedule, at=tick_s)
        dry = answer["scheduleDryRun"]
        result = dry.get("evaluationResult")
        if not result or result["error"]:
            why = dry.get("message") or (result or {}).get("error")
            raise Unavailable(f"Dagster cannot evaluate {schedule['scheduleName']}: {why}"[:500])
        launched = 0
        for number, request in enumerate(result["runRequests"] or ()):
            if number and not request["runKey"]:
                continue  # of those without a key its own scheduler launches one
            own = dict(tags)
            if request["runKey"]:
                own["dagster/run_key"] = request["runKey"]
            selector: dict[str, object] = {
                "repositoryLocationName": schedule["repositoryLocationName"],
                "repositoryName": schedule["repositoryName"],
                "jobName": request["jobName"] or job,
            }
            if request["assetSelection"]:
                selector["assetSelection"] = request["assetSelection"]
            beside = {tag["key"]: tag["value"] for tag in request["tags"]}
            beside["swarm/held_by"] = intent_id
            launched += bool(await self.once(own, selector, beside, request["runConfigYaml"]))
        return launched

    async def once(
        self, own: Tags, selector: Mapping[str, object], beside: Tags, config: str
    ) -> str:
        """Launch a run with the tags `own`, by which it is known, and `beside`, if there is none;
        its id, empty when there was one."""
        if await self.of(own, selector):
            return ""
        tags = [{"key": key, "value": value} for key, value in {**beside, **own}.items()]
        params = {
            "selector": selector,
            "runConfigData": config,
            "executionMetadata": {"tags": tags},
        }
        launched = (await self._client.change(LAUNCH, params=params))["launchRun"]
        if launched["__typename"] != "LaunchRunSuccess":
            why = launched.get("message") or launched.get("errors") or launched["__typename"]
            raise Unavailable(f"Dagster did not launch {selector['jobName']}: {why}"[:500])
        first, *doubles = await self.of(own, selector) or [launched["run"]]
        for double in doubles:
            if double["status"] in _NOT_BEGUN:
                await self._client.change(TERMINATE, id=double["runId"])
        return str(first["runId"])

    async def partition(
        self, selector: Mapping[str, str], keys: Sequence[str]
    ) -> tuple[Tags, str] | None:
        """The tags and the run config of the first of these partitions that a job has."""
        job = {**selector, "pipelineName": selector["jobName"]}
        del job["jobName"]
        for key in keys:
            answer = (await self._client.ask(PARTITION, selector=job, key=key))["pipelineOrError"]
            found = answer.get("partition") or {}
            config, tags = found.get("runConfigOrError", {}), found.get("tagsOrError", {})
            if "yaml" in config and "results" in tags:
                own = {row["key"]: row["value"] for row in tags["results"]}
                return {**own, "dagster/partition": key}, str(config["yaml"])
        return None

    async def of(self, tags: Tags, selector: Mapping[str, object]) -> Sequence[Payload]:
        """The runs with these tags of the selected repository, the first first; one that a person
        ended was there too."""
        asked = [{"key": key, "value": value} for key, value in tags.items()]
        rows = (await self._client.ask(RUNS, tags=asked))["runsOrError"]["results"]
        where = (selector["repositoryLocationName"], selector["repositoryName"])
        return sorted(
            (row for row in rows if _origin(row) in (None, where)),
            key=lambda row: float(row["creationTime"]),
        )


def _origin(row: Payload) -> tuple[str, str] | None:
    origin = row["repositoryOrigin"]
    return origin and (origin["repositoryLocationName"], origin["repositoryName"])

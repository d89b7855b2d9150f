"""Dagster's GraphQL answers, read into typed values. Pure.

Every function here reads untyped answers and may raise `KeyError`, `TypeError`, `AttributeError`
or `ValueError` when an answer is not shaped like Dagster's; the caller turns these into one error.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarm.connectors.payloads import STRANGE, Payload, Payloads
from swarm.model.lineage import Unresolved
from swarm.model.pipelines import Cron
from swarm.sequencing.crons import cron

_QUOTED = re.compile(r"'([^']*)'")

RepositoryId = tuple[str, str]
"""Code location and repository."""


@dataclass(frozen=True, slots=True)
class CodeReference:
    """Where the team says a task's function is; `line` counts from 1, 0 is not known."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """The freshness policy of an asset: new by each tick of `cron`, or no older than `window_s`."""

    cron: str = ""
    timezone: str = "UTC"
    window_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Asset:
    """A node of the asset graph; `ops` are the names its steps begin with."""

    key: str
    repository: RepositoryId
    jobs: tuple[str, ...]
    ops: tuple[str, ...]
    upstream: tuple[str, ...]
    table: str
    kinds: tuple[str, ...]
    owner: str
    automation: str
    code: tuple[CodeReference, ...]
    freshness: Freshness | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job with what starts it."""

    repository: RepositoryId
    name: str
    is_asset_job: bool
    tags: tuple[str, ...]
    owner: str
    schedule: str
    paused: bool
    crons: tuple[Cron, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetSensor:
    """A sensor that starts `job` when one of `assets` is materialized."""

    name: str
    repository: RepositoryId
    job: str
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """One code location; it is either loaded, or `error` says why not, or it is loading."""

    name: str
    loaded: bool
    error: str = ""
    jobs: tuple[Job, ...] = ()
    sensors: tuple[AssetSensor, ...] = ()


@dataclass(frozen=True, slots=True)
class OpGraph:
    """The ops of a job: handle to definition name, and handle pairs (upstream, downstream)."""

    definitions: Mapping[str, str]
    order: tuple[tuple[str, str], ...]


def read_locations(
    answer: Payload, payloads: Payloads
) -> tuple[tuple[Location, ...], list[Unresolved]]:
    """The code locations of a `workspaceOrError` answer, and what in them is strange.

    A location of which only the name can be read counts as one that is not loaded.
    """
    locations: list[Location] = []
    strange: list[Unresolved] = []
    for entry in answer["workspaceOrError"]["locationEntries"]:
        name = str(entry["name"])
        try:
            locations.append(_location(entry, payloads, strange))
        except STRANGE as error:
            locations.append(Location(name, loaded=False))
            strange.append(payloads.unresolved(None, f"code location {name}", error))
    return tuple(locations), strange


def _location(entry: Payload, payloads: Payloads, strange: list[Unresolved]) -> Location:
    name, loaded = str(entry["name"]), entry["locationOrLoadError"]
    if loaded is None:
        return Location(name, loaded=False)
    if loaded["__typename"] != "RepositoryLocation":
        return Location(name, loaded=False, error=str(loaded["message"]).strip())
    jobs: list[Job] = []
    sensors: list[AssetSensor] = []
    for raw in loaded["repositories"]:
        where = (name, str(raw["name"]))
        repository, odd = _sound(where, raw, payloads)
        strange += odd
        starts = _starts(repository)
        jobs += (_job(where, job, starts.get(str(job["name"]), ())) for job in repository["jobs"])
        sensors += _asset_sensors(where, repository["sensors"])
    return Location(name, loaded=True, jobs=tuple(jobs), sensors=tuple(sensors))


def _sound(
    where: RepositoryId, repository: Payload, payloads: Payloads
) -> tuple[Payload, list[Unresolved]]:
    """The repository without what cannot be read of its jobs, schedules and sensors."""
    nothing: Payload = {"schedules": (), "sensors": ()}
    readings: Mapping[str, Callable[[Payload], object]] = {
        "jobs": lambda row: _job(where, row, ()),
        "schedules": lambda row: _starts({**nothing, "schedules": [row]}),
        "sensors": lambda row: (
            _starts({**nothing, "sensors": [row]}),
            tuple(_asset_sensors(where, [row])),
        ),
    }
    sound: dict[str, object] = {"name": repository["name"]}
    strange: list[Unresolved] = []
    for key, read in readings.items():
        place = f"code location {where[0]}, repository {where[1]}, {key}"
        sound[key], odd = payloads.sift(
            repository[key], read, place, lambda row: row.get("pipelineName") or row.get("name")
        )
        strange += odd
    return sound, strange


@dataclass(frozen=True, slots=True)
class _Start:
    """What starts a job, and whether that is switched on. `crons` are a schedule's, None where it
    is no cron that can be read here; a sensor has none."""

    text: str
    running: bool
    crons: tuple[Cron, ...] | None = ()


def _starts(repository: Payload) -> dict[str, list[_Start]]:
    starts: dict[str, list[_Start]] = {}
    for schedule in repository["schedules"]:
        running = schedule["scheduleState"]["status"] == "RUNNING"
        zone = schedule.get("executionTimezone")
        place = f" {zone}" if zone and zone != "UTC" else ""
        start = _Start(f"{schedule['cronSchedule']}{place}", running, _crons(schedule))
        starts.setdefault(str(schedule["pipelineName"]), []).append(start)
    for sensor in repository["sensors"]:
        running = sensor["sensorState"]["status"] == "RUNNING"
        for target in sensor["targets"] or ():
            start = _Start(f"sensor {sensor['name']}", running)
            starts.setdefault(str(target["pipelineName"]), []).append(start)
    return starts


def _crons(schedule: Payload) -> tuple[Cron, ...] | None:
    """Several are told as the text of a Python list."""
    text, zone = str(schedule["cronSchedule"]), str(schedule.get("executionTimezone") or "UTC")
    made = [cron(one, zone) for one in _QUOTED.findall(text) or [text]]
    return tuple(one for one in made if one) if all(made) else None


def _job(where: RepositoryId, job: Payload, starts: Sequence[_Start]) -> Job:
    tags = {str(tag["key"]): str(tag["value"]) for tag in job["tags"]}
    crons = [start.crons for start in [s for s in starts if s.running] or starts]
    return Job(
        repository=where,
        name=str(job["name"]),
        is_asset_job=bool(job["isAssetJob"]),
        tags=tuple(sorted(f"{key}:{value}" for key, value in tags.items())),
        owner=tags.get("team", tags.get("owner", "")),
        schedule=", ".join(dict.fromkeys(start.text for start in starts)),
        paused=bool(starts) and not any(start.running for start in starts),
        crons=() if None in crons else tuple(one for told in crons for one in told or ()),
    )


def _asset_sensors(where: RepositoryId, sensors: Iterable[Payload]) -> Iterator[AssetSensor]:
    for sensor in sensors:
        assets = tuple(asset_key(key) for key in (sensor["metadata"] or {}).get("assetKeys") or ())
        for target in (sensor["targets"] or ()) if assets else ():
            yield AssetSensor(str(sensor["name"]), where, str(target["pipelineName"]), assets)


def read_assets(answer: Payload, payloads: Payloads) -> tuple[tuple[Asset, ...], list[Unresolved]]:
    """The asset graph of an `assetNodes` answer, and what in it is strange."""
    sound, strange = payloads.sift(answer["assetNodes"], _asset, "asset graph")
    return tuple(map(_asset, sound)), strange


def _asset(node: Payload) -> Asset:
    texts: dict[str, str] = {}
    code: list[CodeReference] = []
    for entry in node["metadataEntries"]:
        value = entry.get("text") or entry.get("url") or entry.get("path")
        if value:
            texts[str(entry["label"])] = str(value)
        for reference in entry.get("codeReferences") or ():
            path = reference.get("filePath") or reference.get("url") or ""
            code.append(CodeReference(str(path), int(reference.get("lineNumber") or 0)))
    owners = [str(owner.get("team") or owner.get("email")) for owner in node["owners"]]
    repository = node["repository"]
    graph = [str(node["graphName"])] if node["graphName"] else []
    return Asset(
        key=asset_key(node["assetKey"]),
        repository=(str(repository["location"]["name"]), str(repository["name"])),
        jobs=tuple(sorted(map(str, node["jobNames"]))) if node["isExecutable"] else (),
        ops=tuple(graph or map(str, node["opNames"])),
        upstream=tuple(asset_key(key) for key in node["dependencyKeys"]),
        table=texts.get("dagster/table_name") or texts.get("dagster/uri") or "",
        kinds=tuple(sorted(map(str, node["kinds"]))),
        owner=owners[0] if owners else "",
        automation=str((node["automationCondition"] or {}).get("label") or ""),
        code=tuple(code),
        freshness=_freshness(node.get("internalFreshnessPolicy")),
    )


def _freshness(policy: Payload | None) -> Freshness | None:
    if policy is None:
        return None
    if policy["__typename"] == "CronFreshnessPolicy":
        return Freshness(str(policy["deadlineCron"]), str(policy["timezone"]))
    return Freshness(window_s=float(policy["failWindowSeconds"]))


def asset_key(payload: Payload) -> str:
    return "/".join(payload["path"])


def read_op_graphs(
    answer: Payload, payloads: Payloads
) -> tuple[dict[str, OpGraph], list[Unresolved]]:
    """The op graph of each job of a `repositoryOrError` answer, and what in it is strange."""

    def read(job: Payload) -> tuple[str, OpGraph]:
        return str(job["name"]), _op_graph(job["solidHandles"])

    jobs = answer["repositoryOrError"]["jobs"]
    sound, strange = payloads.sift(jobs, read, "ops of jobs", lambda job: job.get("name"))
    return dict(map(read, sound)), strange


def _op_graph(handles: Iterable[Payload]) -> OpGraph:
    """Follow the mappings of nested graphs, so that the order is one of ops alone."""
    solids: dict[str, Payload] = {str(handle["handleID"]): handle["solid"] for handle in handles}

    def ends(handle: str, port: str, side: str) -> Iterator[str]:
        definition = solids[handle]["definition"]
        if definition["__typename"] != "CompositeSolidDefinition":
            yield handle
            return
        for mapping in definition[f"{side}Mappings"]:
            if mapping["definition"]["name"] == port:
                inner = mapping[f"mapped{side.title()}"]
                inside = f"{handle}.{inner['solid']['name']}"
                yield from ends(inside, str(inner["definition"]["name"]), side)

    order: set[tuple[str, str]] = set()
    for handle, solid in solids.items():
        around = handle.rpartition(".")[0]
        for port in solid["inputs"]:
            for source in port["dependsOn"]:
                name = str(source["solid"]["name"])
                before = f"{around}.{name}" if around else name
                order |= {
                    (upstream, downstream)
                    for upstream in ends(before, str(source["definition"]["name"]), "output")
                    for downstream in ends(handle, str(port["definition"]["name"]), "input")
                }
    definitions = {
        handle: str(solid["definition"]["name"])
        for handle, solid in solids.items()
        if solid["definition"]["__typename"] != "CompositeSolidDefinition"
    }
    return OpGraph(definitions, tuple(sorted(order)))

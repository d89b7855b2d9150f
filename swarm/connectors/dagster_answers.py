"""Dagster's GraphQL answers, read into typed values. Pure.

Every function here reads untyped answers and may raise `KeyError`, `TypeError`, `AttributeError`
or `ValueError` when an answer is not shaped like Dagster's; the caller turns these into one error.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]
RepositoryId = tuple[str, str]
"""Code location and repository."""


@dataclass(frozen=True, slots=True)
class CodeReference:
    """Where the team says a task's function is; `line` counts from 1, 0 is not known."""

    path: str
    line: int


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


def read_locations(answer: Payload) -> tuple[Location, ...]:
    """The code locations of a `workspaceOrError` answer."""
    entries = answer["workspaceOrError"]["locationEntries"]
    return tuple(_location(entry) for entry in entries)


def _location(entry: Payload) -> Location:
    name, loaded = str(entry["name"]), entry["locationOrLoadError"]
    if loaded is None:
        return Location(name, loaded=False)
    if loaded["__typename"] != "RepositoryLocation":
        return Location(name, loaded=False, error=str(loaded["message"]).strip())
    jobs: list[Job] = []
    sensors: list[AssetSensor] = []
    for repository in loaded["repositories"]:
        where = (name, str(repository["name"]))
        starts = _starts(repository)
        jobs += (_job(where, job, starts.get(str(job["name"]), ())) for job in repository["jobs"])
        sensors += _asset_sensors(where, repository["sensors"])
    return Location(name, loaded=True, jobs=tuple(jobs), sensors=tuple(sensors))


def _starts(repository: Payload) -> dict[str, list[tuple[str, bool]]]:
    """What starts each job, and whether that is switched on."""
    starts: dict[str, list[tuple[str, bool]]] = {}
    for schedule in repository["schedules"]:
        running = schedule["scheduleState"]["status"] == "RUNNING"
        start = (str(schedule["cronSchedule"]), running)
        starts.setdefault(str(schedule["pipelineName"]), []).append(start)
    for sensor in repository["sensors"]:
        running = sensor["sensorState"]["status"] == "RUNNING"
        for target in sensor["targets"] or ():
            start = (f"sensor {sensor['name']}", running)
            starts.setdefault(str(target["pipelineName"]), []).append(start)
    return starts


def _job(where: RepositoryId, job: Payload, starts: Sequence[tuple[str, bool]]) -> Job:
    tags = {str(tag["key"]): str(tag["value"]) for tag in job["tags"]}
    return Job(
        repository=where,
        name=str(job["name"]),
        is_asset_job=bool(job["isAssetJob"]),
        tags=tuple(sorted(f"{key}:{value}" for key, value in tags.items())),
        owner=tags.get("team", tags.get("owner", "")),
        schedule=", ".join(dict.fromkeys(text for text, _ in starts)),
        paused=bool(starts) and not any(running for _, running in starts),
    )


def _asset_sensors(where: RepositoryId, sensors: Iterable[Payload]) -> Iterator[AssetSensor]:
    for sensor in sensors:
        assets = tuple(asset_key(key) for key in (sensor["metadata"] or {}).get("assetKeys") or ())
        for target in (sensor["targets"] or ()) if assets else ():
            yield AssetSensor(str(sensor["name"]), where, str(target["pipelineName"]), assets)


def read_assets(answer: Payload) -> tuple[Asset, ...]:
    """The asset graph of an `assetNodes` answer."""
    return tuple(_asset(node) for node in answer["assetNodes"])


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
    )


def asset_key(payload: Payload) -> str:
    return "/".join(payload["path"])


def read_op_graphs(answer: Payload) -> dict[str, OpGraph]:
    """The op graph of each job of a `repositoryOrError` answer that is not an asset job."""
    jobs = answer["repositoryOrError"]["jobs"]
    return {str(job["name"]): _op_graph(job["solidHandles"]) for job in jobs}


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

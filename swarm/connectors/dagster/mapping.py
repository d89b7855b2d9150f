"""What Dagster's GraphQL answers mean, as values of swarm. Pure: answers in, values out.

A pipeline is a job. Where two code locations have a job of the same name, each is called
`location/job` (`location/repository/job` if that is still not enough). The implicit job
`__ASSET_JOB` is a pipeline only for the assets that no other job contains: they do run, but
nothing of the team's names them.

A task is an op by its handle (`graph.op` inside a nested graph, as Dagster names steps), in an
asset job an asset by its key, joined with `/`. An asset of several jobs is a task of each.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from swarm.connectors.dagster.answers import (
    Asset,
    AssetSensor,
    CodeReference,
    Job,
    Location,
    OpGraph,
    RepositoryId,
)
from swarm.connectors.dagster.freshness import promised
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    Evidence,
    Unresolved,
    UnresolvedReason,
)
from swarm.model.pipelines import DeclaredEdge, Pipeline, Task
from swarm.model.sla import Sla

IMPLICIT_JOB = "__ASSET_JOB"

Stated = Evidence | Coverage | Unresolved


@dataclass(frozen=True, slots=True)
class CodeTarget:
    """A task and what its function may be called in the team's code, the surest name first."""

    task: TaskKey
    names: tuple[str, ...]
    references: tuple[CodeReference, ...] = ()
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything the code locations define.

    `stated` is what the assets of a pipeline state of the data they touch, and which of their
    freshness policies are no SLAs of it, `names` finds a
    pipeline by repository and job, `steps` the tasks of a pipeline by the start of a step key,
    `homes` the pipelines of an asset, `by_op` the tasks of assets in all pipelines by the start of
    a step key.
    """

    instance: str
    pipelines: tuple[Pipeline, ...] = ()
    stated: Mapping[PipelineKey, tuple[Stated, ...]] = field(default_factory=dict)
    targets: tuple[CodeTarget, ...] = ()
    names: Mapping[tuple[RepositoryId, str], str] = field(default_factory=dict)
    steps: Mapping[tuple[str, str], tuple[TaskKey, ...]] = field(default_factory=dict)
    homes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_op: Mapping[str, tuple[TaskKey, ...]] = field(default_factory=dict)


def define(
    instance: str,
    locations: Iterable[Location],
    assets: Iterable[Asset],
    graphs: Mapping[tuple[RepositoryId, str], OpGraph],
    dataset_of: Callable[[str], DatasetKey],
    now_s: float,
) -> Definitions:
    """Put the answers together. `dataset_of` names the dataset of a table name or URI."""
    locations, assets = tuple(locations), tuple(assets)
    members = _members(assets)
    jobs = [
        job
        for location in locations
        for job in location.jobs
        if job.name != IMPLICIT_JOB or (job.repository, job.name) in members
    ]
    names = pipeline_names((job.repository, job.name) for job in jobs)
    homes: dict[str, tuple[str, ...]] = {}
    for where, inside in members.items():
        if where in names:
            for asset in inside:
                homes[asset.key] = (*homes.get(asset.key, ()), names[where])
    running = {names[job.repository, job.name] for job in jobs if job.schedule and not job.paused}
    builder = _Builder(instance, {a.key: a for a in assets}, homes, running, dataset_of, now_s)
    sensors: dict[tuple[RepositoryId, str], list[AssetSensor]] = {}
    for sensor in (sensor for location in locations for sensor in location.sensors):
        sensors.setdefault((sensor.repository, sensor.job), []).append(sensor)
    pipelines: list[Pipeline] = []
    for job in jobs:
        where = (job.repository, job.name)
        key = PipelineKey(instance, names[where])
        started_by = sensors.get(where, [])
        if job.is_asset_job:
            pipelines.append(builder.asset_pipeline(key, job, members.get(where, ()), started_by))
        else:
            graph = graphs.get(where, OpGraph({}, ()))
            pipelines.append(builder.op_pipeline(key, job, graph, started_by))
    return Definitions(
        instance,
        tuple(pipelines),
        {key: tuple(items) for key, items in builder.stated.items()},
        tuple(builder.targets),
        names,
        {at: tuple(tasks) for at, tasks in builder.steps.items()},
        homes,
        {op: tuple(tasks) for op, tasks in builder.by_op.items()},
    )


def _members(assets: Iterable[Asset]) -> dict[tuple[RepositoryId, str], list[Asset]]:
    members: dict[tuple[RepositoryId, str], list[Asset]] = {}
    for asset in assets:
        named = [name for name in asset.jobs if name != IMPLICIT_JOB]
        for name in named or asset.jobs:
            members.setdefault((asset.repository, name), []).append(asset)
    return members


def pipeline_names(
    jobs: Iterable[tuple[RepositoryId, str]],
) -> dict[tuple[RepositoryId, str], str]:
    """Give each job the shortest name that no other job has."""
    found = list(jobs)
    alone = Counter(name for _, name in found)
    in_location = Counter((where[0], name) for where, name in found)
    names: dict[tuple[RepositoryId, str], str] = {}
    for (location, repository), name in found:
        if alone[name] == 1:
            label = name
        elif in_location[location, name] == 1:
            label = f"{location}/{name}"
        else:
            label = f"{location}/{repository}/{name}"
        names[(location, repository), name] = label
    return names


class _Builder:
    """Collects what the pipelines have in common while they are made one by one."""

    def __init__(
        self,
        instance: str,
        assets: Mapping[str, Asset],
        homes: Mapping[str, tuple[str, ...]],
        running: Set[str],
        dataset_of: Callable[[str], DatasetKey],
        now_s: float,
    ) -> None:
        self._instance = instance
        self._assets = assets
        self._homes = homes
        self._running = running
        self._dataset_of = dataset_of
        self._now_s = now_s
        self.stated: dict[PipelineKey, list[Stated]] = {}
        self.targets: list[CodeTarget] = []
        self.steps: dict[tuple[str, str], list[TaskKey]] = {}
        self.by_op: dict[str, list[TaskKey]] = {}

    def asset_pipeline(
        self, key: PipelineKey, job: Job, assets: Iterable[Asset], sensors: Iterable[AssetSensor]
    ) -> Pipeline:
        tasks: list[Task] = []
        edges: list[DeclaredEdge] = []
        for asset in assets:
            task = TaskKey(self._instance, key.name, asset.key)
            tasks.append(Task(task, "asset" + "".join(f" {kind}" for kind in asset.kinds)))
            how = "asset dependency"
            if asset.automation:
                how = f"asset dependency, automation {asset.automation}"
            for upstream in asset.upstream:
                edges += (DeclaredEdge(before, task, how) for before in self._tasks_of(upstream))
            self._declare(task, asset)
            names = dict.fromkeys([asset.key, asset.key.rpartition("/")[2], *asset.ops])
            self.targets.append(CodeTarget(task, tuple(names), asset.code, bool(asset.table)))
            for op in asset.ops:
                self.steps.setdefault((key.name, op), []).append(task)
                self.by_op.setdefault(op, []).append(task)
        owner = job.owner or next((asset.owner for asset in assets if asset.owner), "")
        made = self._pipeline(key, job, owner, tasks, [*edges, *self._sensed(key, sensors)])
        return replace(made, slas=self._promised(key, assets))

    def _promised(self, key: PipelineKey, assets: Iterable[Asset]) -> tuple[Sla, ...]:
        """What the freshness policies of its assets promise. Of an asset of several pipelines,
        those promise that are started by a schedule or a sensor, if there are any."""
        found: dict[Sla, None] = {}
        for asset in assets:
            makers = set(self._homes.get(asset.key, ()))
            if key.name not in (makers & self._running or makers):
                continue
            slas, why = promised(key, asset)
            found |= dict.fromkeys(slas)
            if why:
                self.stated.setdefault(key, []).append(
                    Unresolved(str(key), UnresolvedReason.DYNAMIC, f"asset {asset.key}", why)
                )
        return tuple(found)

    def op_pipeline(
        self, key: PipelineKey, job: Job, graph: OpGraph, sensors: Iterable[AssetSensor]
    ) -> Pipeline:
        tasks = []
        for handle, definition in graph.definitions.items():
            task = TaskKey(self._instance, key.name, handle)
            tasks.append(Task(task, "op"))
            self.steps[key.name, handle] = [task]
            self.targets.append(CodeTarget(task, (definition,)))
        edges = [
            DeclaredEdge(
                TaskKey(self._instance, key.name, upstream),
                TaskKey(self._instance, key.name, downstream),
                "op order",
            )
            for upstream, downstream in graph.order
        ]
        return self._pipeline(key, job, job.owner, tasks, [*edges, *self._sensed(key, sensors)])

    def _pipeline(
        self,
        key: PipelineKey,
        job: Job,
        owner: str,
        tasks: Iterable[Task],
        edges: Iterable[DeclaredEdge],
    ) -> Pipeline:
        return Pipeline(
            key=key,
            tasks=tuple(tasks),
            declared=tuple(dict.fromkeys(edges)),
            schedule=job.schedule,
            owner=owner,
            tags=job.tags,
            paused=job.paused,
            place=f"location {job.repository[0]}",
            crons=job.crons,
        )

    def _sensed(self, key: PipelineKey, sensors: Iterable[AssetSensor]) -> Iterator[DeclaredEdge]:
        whole = TaskKey(self._instance, key.name, "")
        for sensor in sensors:
            for asset in sensor.assets:
                for before in self._tasks_of(asset):
                    yield DeclaredEdge(before, whole, f"asset sensor {sensor.name}")

    def _tasks_of(self, asset: str) -> Iterator[TaskKey]:
        for pipeline in self._homes.get(asset, ()):
            yield TaskKey(self._instance, pipeline, asset)

    def _declare(self, task: TaskKey, asset: Asset) -> None:
        """What the asset states; the coverage takes back what it no longer does."""
        upstream = [self._assets[key] for key in asset.upstream if key in self._assets]
        seen = [(Access.WRITE, asset), *((Access.READ, before) for before in upstream)]
        stated = self.stated.setdefault(task.pipeline_key, [])
        stated += [
            Evidence(
                task=task,
                access=access,
                dataset=self._dataset_of(touched.table),
                channel=Channel.DECLARED,
                observed_at_s=self._now_s,
                place=f"asset {touched.key}",
                excerpt=touched.table,
            )
            for access, touched in seen
            if touched.table
        ]
        stated.append(Coverage(task, Channel.DECLARED, self._now_s))


def load_failures(instance: str, locations: Iterable[Location]) -> tuple[Unresolved, ...]:
    """One item for each code location that its server cannot load."""
    return tuple(
        Unresolved(
            subject=instance,
            reason=UnresolvedReason.IMPORT_ERROR,
            place=f"code location {location.name}",
            detail=location.error[:1000],
        )
        for location in locations
        if location.error
    )


def too_large(instance: str, repositories: Iterable[RepositoryId]) -> tuple[Unresolved, ...]:
    """One item for each repository whose ops do not fit into one answer."""
    return tuple(
        Unresolved(
            subject=instance,
            reason=UnresolvedReason.TOO_LARGE,
            place=f"code location {location}, repository {repository}",
            detail="the ops of its jobs are too much for one answer: jobs are shown without them",
        )
        for location, repository in sorted(repositories)
    )

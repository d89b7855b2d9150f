"""Custom schedulers by file: a manifest of tasks, JSON Lines, one task a line.

A broken line becomes an `Unresolved` with its number and the rest is used. Of two lines with the
same pipeline and task the first counts and the second is reported: adding them up in silence
would hide a line that was copied and not changed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, model_validator

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.contexts import code_context, sql_context
from swarm.connectors.files import Chunk, FileConnector, file_state, path_of
from swarm.connectors.jsonlines import Line, LineModel, Name, Problems, broken, read_lines
from swarm.connectors.manifest_programs import (
    TaskFiles,
    code_of,
    jobs_of,
    scripts_of,
    sql_context_of,
    words_of,
)
from swarm.connectors.manifest_shared import SharedTables
from swarm.connectors.programs import Program, items_of, stated_dataset
from swarm.lineage.code.texts import holes, shown
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Unresolved, UnresolvedReason
from swarm.model.pipelines import Cron, DeclaredEdge, Inventory, Pipeline, Task
from swarm.model.runs import Run, RunState
from swarm.sequencing.crons import cron

_TASKS_PER_CHUNK = 50
_PIPELINES_PER_CHUNK = 500


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Upstream(BaseModel):
    """A task, or with no `task` a whole pipeline, that runs before."""

    pipeline: Name
    task: str = ""
    orchestrator: str = ""


class RanLine(BaseModel):
    """A run of the pipeline that has ended; times are seconds since the epoch."""

    started_at_s: float = Field(ge=0, allow_inf_nan=False)
    ended_at_s: float = Field(ge=0, allow_inf_nan=False)
    scheduled_for_s: float | None = Field(None, ge=0, allow_inf_nan=False)
    state: Literal["succeeded", "failed"] = "succeeded"
    run_id: str = ""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ended_at_s < self.started_at_s:
            raise ValueError(f"it ends ({self.ended_at_s}) before it starts ({self.started_at_s})")
        return self


class TaskLine(LineModel):
    """One line of a manifest. `runs` are those of its pipeline; one of its lines may tell them."""

    pipeline: Name
    task: Name
    schedule: str = ""
    timezone: str = ""
    kind: Annotated[Literal["sql", "python", "other", ""], BeforeValidator(_lower)] = ""
    dialect: str = ""
    default_catalog: str = ""
    default_schema: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    writes: tuple[Name, ...] | None = None
    reads: tuple[Name, ...] | None = None
    upstream: tuple[Upstream, ...] = ()
    expected_duration_s: float | None = Field(None, ge=0, allow_inf_nan=False)
    owner: str = ""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    arguments: str | tuple[JsonValue, ...] = ""
    runs: tuple[RanLine, ...] = ()


def connect(source: Source, settings: Settings) -> FileConnector:
    """The connector to the manifest at `source.path`."""
    path = path_of(source)

    def read(now_s: float) -> Iterator[Chunk]:
        return read_manifest(path, source.instance, settings, now_s)

    return FileConnector(source, lambda: file_state(path, settings), read, SystemClock())


def read_manifest(
    path: Path, orchestrator: str, settings: Settings, now_s: float
) -> Iterator[Chunk]:
    """Everything the manifest says, in chunks: evidence as the lines come, pipelines last.

    The inventory is only given when every line could be used: a file that is half written must
    not make pipelines disappear. Raises `Unavailable` when the file cannot be read.
    """
    definitions = _Definitions(orchestrator)
    problems = Problems(orchestrator)
    shared = SharedTables()
    chunk: list[Item] = []
    for number, line in enumerate(read_lines(path, TaskLine), start=1):
        if isinstance(line, Unresolved):
            problems.add(line)
        else:
            for unknown in line.unknown:
                problems.add(unknown, tolerated=True)
            key = TaskKey(orchestrator, line.value.pipeline, line.value.task)
            if repeated := definitions.add(key, line):
                problems.add(repeated, tolerated=True)
            else:
                items = tuple(_task_items(line, key, settings, now_s))
                chunk.extend(shared.taken(key, line.place, items))
                chunk.extend(_runs(key.pipeline_key, line.value.runs))
        if number % _TASKS_PER_CHUNK == 0 and chunk:
            yield tuple(chunk)
            chunk = []
    for pipeline in definitions.pipelines():
        chunk.append(pipeline)
        chunk.extend(definitions.unknown_upstreams(pipeline))
        if len(chunk) >= _PIPELINES_PER_CHUNK:
            yield tuple(chunk)
            chunk = []
    chunk.extend(shared.rest(now_s))
    # What is wrong with the file goes with the inventory: together they replace what was before.
    chunk.extend(problems.items())
    if not problems.lines_lost:
        chunk.append(definitions.inventory())
    yield tuple(chunk)


def _task_items(
    line: Line[TaskLine], key: TaskKey, settings: Settings, now_s: float
) -> Iterator[Item]:
    """What one line says of its task's data: what it states, and what its texts show."""
    value = line.value
    task = TaskFiles(
        key.pipeline,
        key.task,
        value.files,
        value.kind,
        words_of(value.arguments),
        value.parameters,
        line.place,
    )
    base = sql_context(settings, key.orchestrator).of(key)
    if base.told is not None:
        base.told.files(value.files)
    context = sql_context_of(task, _context(value, base))
    yield Coverage(key, Channel.MANIFEST, now_s)
    written: set[DatasetKey] = set()
    for access, names in ((Access.READ, value.reads), (Access.WRITE, value.writes)):
        for name in names or ():
            dataset = stated_dataset(name, context)
            if access is Access.WRITE:
                written.add(dataset)
            excerpt = f"{access}s: {name}"
            yield Evidence(key, access, dataset, Channel.MANIFEST, now_s, line.place, excerpt)
    program = Program(
        task=key,
        scripts=scripts_of(task, context),
        code=code_of(task, code_context(settings, context)),
        stated_writes=frozenset(written),
    )
    declared = list(_declared(task, key, context, now_s))
    yield from declared
    if program.scripts or program.code:
        yield from items_of(program, now_s)
    elif value.reads is None and value.writes is None and not declared:
        detail = "Nothing tells what the task touches; add `files`, or `reads` and `writes`."
        yield Unresolved(str(key), UnresolvedReason.MISSING_SOURCE, line.place, detail)


def _runs(pipeline: PipelineKey, runs: tuple[RanLine, ...]) -> Iterator[Run]:
    for ran in runs:
        yield Run(
            pipeline,
            ran.run_id or f"{ran.started_at_s:.3f}",
            RunState(ran.state),
            ran.scheduled_for_s,
            ran.started_at_s,
            ran.ended_at_s,
        )


def _declared(
    task: TaskFiles, key: TaskKey, context: SqlContext, now_s: float
) -> Iterator[Evidence | Unresolved]:
    """The data that the scheduler's own files declare."""
    for job in jobs_of(task):
        for access, names in ((Access.READ, job.reads), (Access.WRITE, job.writes)):
            for name in names:
                if holes(name):
                    detail = f"the place `{shown(name)}` of a dataset"
                    yield Unresolved(str(key), UnresolvedReason.TEMPLATE, job.place, detail)
                    continue
                dataset = stated_dataset(name, context)
                yield Evidence(key, access, dataset, Channel.DECLARED, now_s, job.place, name)


def _context(value: TaskLine, base: SqlContext) -> SqlContext:
    return replace(
        base,
        dialect=value.dialect or base.dialect,
        default_catalog=value.default_catalog or base.default_catalog,
        default_schema=value.default_schema or base.default_schema,
    )


def changed_pipelines(base: Path, head: Path) -> set[str]:
    """The names of the pipelines whose lines are not the same in two manifests. Raises
    `Unavailable` when a file cannot be read."""
    lines = [Counter(_stated(path)) for path in (base, head)]
    return {name for name, _ in (lines[0] | lines[1]) - (lines[0] & lines[1])}


def _stated(path: Path) -> Iterator[tuple[str, str]]:
    """The pipeline of each line that can be used, and what the line says of its task."""
    for line in read_lines(path, TaskLine):
        if isinstance(line, Line):
            yield line.value.pipeline, line.value.model_dump_json(exclude={"runs"})


@dataclass(slots=True)
class _Gathered:
    """What the lines so far say of one pipeline."""

    place: str
    durations_s: dict[str, float | None] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    declared: dict[DeclaredEdge, str] = field(default_factory=dict)
    schedules: dict[str, None] = field(default_factory=dict)
    zones: dict[str, None] = field(default_factory=dict)
    owners: dict[str, None] = field(default_factory=dict)


def _crons(gathered: _Gathered) -> tuple[Cron, ...]:
    """Its starts by the clock, where one `timezone` says by which."""
    if len(gathered.zones) != 1:
        return ()
    made = [cron(text, next(iter(gathered.zones))) for text in gathered.schedules]
    return tuple(one for one in made if one) if all(made) else ()


class _Definitions:
    """The pipelines that the lines so far define; holds names and places, never texts."""

    def __init__(self, orchestrator: str) -> None:
        self._orchestrator = orchestrator
        self._places: dict[TaskKey, str] = {}
        self._gathered: dict[str, _Gathered] = {}

    def add(self, key: TaskKey, line: Line[TaskLine]) -> Unresolved | None:
        """Take a line, or say where the task was defined before."""
        first = self._places.setdefault(key, line.place)
        if first != line.place:
            detail = (
                f"Task `{key.task}` of pipeline `{key.pipeline}` is defined at {first} already; "
                "this line is not used. Give it another `task` or make one line of the two."
            )
            return broken(line.place, detail)
        value = line.value
        gathered = self._gathered.setdefault(key.pipeline, _Gathered(line.place))
        gathered.kinds[key.task] = value.kind
        gathered.durations_s[key.task] = value.expected_duration_s
        for up in value.upstream:
            upstream = TaskKey(up.orchestrator or self._orchestrator, up.pipeline, up.task)
            gathered.declared.setdefault(DeclaredEdge(upstream, key, "upstream"), line.place)
        for said, kept in (
            (value.schedule, gathered.schedules),
            (value.timezone, gathered.zones),
            (value.owner, gathered.owners),
        ):
            if said:
                kept[said] = None
        return None

    def unknown_upstreams(self, pipeline: Pipeline) -> Iterator[Unresolved]:
        """Declared edges from a task or pipeline of this scheduler that no line defines."""
        gathered = self._gathered[pipeline.key.name]
        for edge, place in gathered.declared.items():
            up = edge.upstream
            known = up in self._places or (not up.task and up.pipeline in self._gathered)
            if up.orchestrator == self._orchestrator and not known:
                detail = (
                    f"`upstream` of {edge.downstream} names {up}, which no line defines; correct "
                    "the name, or give the `orchestrator` it belongs to."
                )
                yield Unresolved(str(pipeline.key), UnresolvedReason.MALFORMED, place, detail)

    def pipelines(self) -> Iterator[Pipeline]:
        """One per name, tasks in the order of their lines."""
        for name, gathered in self._gathered.items():
            yield Pipeline(
                key=PipelineKey(self._orchestrator, name),
                tasks=tuple(
                    Task(TaskKey(self._orchestrator, name, task), kind)
                    for task, kind in gathered.kinds.items()
                ),
                declared=tuple(gathered.declared),
                schedule="; ".join(gathered.schedules),
                owner=", ".join(gathered.owners),
                place=gathered.place,
                expected_duration_s=_longest_chain_s(gathered),
                crons=_crons(gathered),
            )

    def inventory(self) -> Inventory:
        return Inventory(self._orchestrator, tuple(self._gathered))


def _longest_chain_s(gathered: _Gathered) -> float | None:
    """How long the pipeline takes when tasks run as early as their order allows."""
    durations_s = gathered.durations_s
    if all(duration_s is None for duration_s in durations_s.values()):
        return None
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(durations_s, ()))
    before: dict[str, list[str]] = {}
    for edge in gathered.declared:
        up, down = edge.upstream, edge.downstream
        if up.pipeline_key == down.pipeline_key and up.task in durations_s:
            sorter.add(down.task, up.task)
            before.setdefault(down.task, []).append(up.task)
    ends_s: dict[str, float] = {}
    try:
        for task in sorter.static_order():
            start_s = max((ends_s[up] for up in before.get(task, ())), default=0.0)
            ends_s[task] = start_s + (durations_s[task] or 0.0)
    except CycleError:  # the graph reports it; here there is no length to give
        return None
    return max(ends_s.values())

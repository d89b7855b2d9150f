"""From a dbt project to a pipeline: its tasks, their order, the names of its relations, its runs.

Tasks are what dbt executes and what changes data: models, seeds, snapshots and the operations of
`on-run-start` and `on-run-end`. Ephemeral models are part of the nodes that refer to them; tests,
analyses and exposures are no tasks.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from sqlglot.dialects.dialect import Dialects

from swarm.connectors.dbt.artifacts import Invocation, Node, Project, Result, SourceTable
from swarm.connectors.programs import stated_dataset
from swarm.lineage.naming import dataset_from_table, split_name
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason, View
from swarm.model.pipelines import DeclaredEdge, Pipeline, Task
from swarm.model.runs import Run, RunState, TaskRun

_RELATIONS = frozenset({"model", "seed", "snapshot"})
_EXECUTED = _RELATIONS | {"operation"}
_EXPRESSION = re.compile(r"[(/]")  # a table function, or a file in place of a table

# Adapters that sqlglot has under another name, or whose server speaks another one's dialect.
_DIALECTS = {
    "sqlserver": "tsql",
    "synapse": "tsql",
    "fabricspark": "spark",
    "glue": "spark",
    "impala": "hive",
    "greenplum": "postgres",
    "alloydb": "postgres",
    "vertica": "postgres",
    "singlestore": "mysql",
}
_KNOWN_DIALECTS = frozenset(str(dialect.value) for dialect in Dialects)

_STATES = {
    "success": RunState.SUCCEEDED,
    "pass": RunState.SUCCEEDED,
    "warn": RunState.SUCCEEDED,
    "error": RunState.FAILED,
    "fail": RunState.FAILED,
    "runtime error": RunState.FAILED,
    "partial success": RunState.FAILED,
    "skipped": RunState.SKIPPED,
    "no-op": RunState.SKIPPED,
}


@dataclass(frozen=True)
class DbtProject:
    """Reads one project. `base` is what settings say of its server; the manifest completes it."""

    project: Project
    orchestrator: str
    base: SqlContext
    place: str = ""

    @property
    def key(self) -> PipelineKey:
        return PipelineKey(self.orchestrator, self.project.name)

    @cached_property
    def tasks(self) -> Mapping[str, TaskKey]:
        """The task of each executed node, by the node's id.

        A task is called like its node, with `.v2` for a version; nodes that share a name carry
        the name of their package as well, or where that is not enough are called by their id.
        """
        executed = [
            node
            for node in self.project.nodes.values()
            if node.resource_type in _EXECUTED and not node.is_ephemeral and not node.is_elsewhere
        ]
        names = [(_name(node), f"{node.package_name}.{_name(node)}") for node in executed]
        uses = Counter(name for both in names for name in both)
        tasks = {}
        for node, both in zip(executed, names, strict=True):
            name = next((name for name in both if uses[name] == 1), node.unique_id)
            tasks[node.unique_id] = TaskKey(self.orchestrator, self.project.name, name)
        return tasks

    @cached_property
    def context(self) -> SqlContext:
        """Where the project's SQL runs. Bare names lie where dbt puts what names no schema."""
        homes: Counter[tuple[str, str]] = Counter()
        for node in self.project.nodes.values():
            if not node.config.schema_ and not node.config.database and node.relation_name:
                catalog, schema = ("", "", *split_name(node.relation_name))[-3:-1]
                homes[catalog, schema] += 1
        catalog, schema = homes.most_common(1)[0][0] if homes else ("", "")
        adapter = self.project.adapter
        dialect = _DIALECTS.get(adapter, adapter if adapter in _KNOWN_DIALECTS else "")
        return replace(
            self.base,
            dialect=dialect or self.base.dialect,
            default_catalog=self.base.default_catalog or catalog,
            default_schema=self.base.default_schema or schema,
        )

    def pipeline(self) -> Pipeline:
        nodes = self.project.nodes
        owners = (self._owner(nodes[id_]) for id_ in self.tasks)
        tagged = (nodes[id_] for id_ in self.tasks if nodes[id_].resource_type != "operation")
        return Pipeline(
            key=self.key,
            tasks=tuple(Task(key, kind_of(nodes[id_])) for id_, key in self.tasks.items()),
            declared=tuple(dict.fromkeys((*self._refs(), *self._around()))),
            owner=", ".join(dict.fromkeys(owner for owner in owners if owner)),
            tags=tuple(sorted({tag for node in tagged for tag in node.tags})),
            place=self.place,
        )

    def _owner(self, node: Node) -> str:
        stated = node.meta.get("owner") or node.config.meta.get("owner")
        group = node.group or node.config.group
        return str(stated) if stated else self.project.owners.get(group, group)

    def _refs(self) -> Iterator[DeclaredEdge]:
        """The order of refs; those of operations do not decide when operations run."""
        for id_, key in self.tasks.items():
            node = self.project.nodes[id_]
            for above in self.above(node):
                if above in self.tasks and node.resource_type != "operation":
                    yield DeclaredEdge(self.tasks[above], key, "ref")

    def _around(self) -> Iterator[DeclaredEdge]:
        """dbt runs `on-run-start` before all other nodes, `on-run-end` after them, each in turn."""
        edges = list(self._refs())
        later = {edge.downstream for edge in edges}
        earlier = {edge.upstream for edge in edges}
        starts, ends = self._operations("on-run-start"), self._operations("on-run-end")
        hooks = {*starts, *ends}
        inner = [key for key in self.tasks.values() if key not in hooks]
        for how, chain in (("on-run-start", starts), ("on-run-end", ends)):
            for before, after in pairwise(chain):
                yield DeclaredEdge(before, after, how)
        for key in inner:
            if starts and key not in later:
                yield DeclaredEdge(starts[-1], key, "on-run-start")
            if ends and key not in earlier:
                yield DeclaredEdge(key, ends[0], "on-run-end")

    def _operations(self, tag: str) -> list[TaskKey]:
        found = [self.project.nodes[id_] for id_ in self.tasks]
        found = [node for node in found if node.resource_type == "operation" and tag in node.tags]
        ordered = sorted(found, key=lambda node: (node.index, node.unique_id))
        return [self.tasks[node.unique_id] for node in ordered]

    def above(self, node: Node) -> list[str]:
        """Ids of what stands before `node`, each once; ephemeral models give way to what they
        stand on, so these ids are of tasks, sources, other projects' models, or unknown."""
        return [id_ for id_ in self._ancestry(node) if not self._is_ephemeral(id_)]

    def inlined(self, node: Node) -> list[Node]:
        """The ephemeral models that become part of `node`."""
        return [self.project.nodes[id_] for id_ in self._ancestry(node) if self._is_ephemeral(id_)]

    def _ancestry(self, node: Node) -> dict[str, None]:
        seen: dict[str, None] = {}
        todo = list(node.depends_on.nodes)
        while todo:
            id_ = todo.pop(0)
            if id_ not in seen:
                seen[id_] = None
                if self._is_ephemeral(id_):
                    todo.extend(self.project.nodes[id_].depends_on.nodes)
        return seen

    def _is_ephemeral(self, id_: str) -> bool:
        return id_ in self.project.nodes and self.project.nodes[id_].is_ephemeral

    def relation(self, node: Node | SourceTable) -> DatasetKey | None:
        """The table a node or source stands for; None when it is none, or an expression."""
        text = relation_text(node)
        if not text or _EXPRESSION.search(text):
            return None
        return dataset_from_table(text, self.context)

    def datasets(self, node: Node | SourceTable) -> tuple[DatasetKey, ...]:
        """What is read by reading a node or source: its table, or the files in its place."""
        relation = self.relation(node)
        if relation is not None:
            return (relation,)
        text = relation_text(node)
        found = extract_sql(f"SELECT * FROM {text}", self.context, "").touches if text else ()
        return tuple(dict.fromkeys(touch.dataset for touch in found))

    def external_tables(self) -> Iterator[View | Unresolved]:
        """Reading an external table is reading the files it lies over, where that is understood."""
        for source in self.project.sources.values():
            location = source.external.location.strip().strip("'\"")
            if not location:
                continue
            place = source.original_file_path or source.unique_id
            table, below = self.relation(source), self._located(location)
            if table is not None and below is not None:
                yield View(table, (below,), place, f"external location {location}")
                continue
            detail = f"where the external table {relation_text(source)} lies: {location}"
            yield Unresolved(str(self.key), UnresolvedReason.DYNAMIC, place, detail)

    def _located(self, location: str) -> DatasetKey | None:
        if location.startswith("@"):  # a stage
            found = extract_sql(f"SELECT * FROM {location}", self.context, "").touches
            return found[0].dataset if found else None
        known = "/" in location and "{" not in location
        return stated_dataset(location, self.context) if known else None

    def run_items(self, invocation: Invocation) -> Iterator[Run | TaskRun]:
        """The run of the project, and of each task that dbt reports on."""
        states = []
        for result in invocation.results:
            state = state_of(result)
            states.append(state)
            if result.unique_id in self.tasks:
                yield TaskRun(
                    self.tasks[result.unique_id],
                    invocation.invocation_id,
                    1,
                    state,
                    *execution_of(result),
                )
        failed = RunState.FAILED in states
        yield Run(
            pipeline=self.key,
            run_id=invocation.invocation_id,
            state=RunState.FAILED if failed else RunState.SUCCEEDED,
            started_at_s=invocation.started_at_s,
            ended_at_s=invocation.ended_at_s,
        )


def state_of(result: Result) -> RunState:
    return _STATES.get(result.status.lower(), RunState.UNKNOWN)


def execution_of(result: Result) -> tuple[float | None, float | None]:
    """When the node began and ceased to execute, in seconds since the epoch."""
    for phase in result.timing:
        if phase.name == "execute":
            return _seconds(phase.started_at), _seconds(phase.completed_at)
    return None, None


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


def relation_text(node: Node | SourceTable) -> str:
    """The relation as dbt writes it in SQL; from its parts where the manifest does not say it."""
    if node.relation_name:
        return node.relation_name
    own = node.alias if isinstance(node, Node) else node.identifier
    is_table = isinstance(node, SourceTable) or node.resource_type in _RELATIONS
    parts = (node.database, node.schema_, own)
    return ".".join(f'"{part}"' for part in parts if part) if is_table and own else ""


def kind_of(node: Node) -> str:
    """`model/incremental`, `seed`, `snapshot`, `operation`."""
    if node.resource_type != "model":
        return node.resource_type
    return f"model/{node.config.materialized}".rstrip("/")


def _name(node: Node) -> str:
    return f"{node.name}.v{node.version}" if node.version else node.name

"""What a change of a manifest does to everybody: the values of `swarm diff`. Pure.

Dependencies below the least confidence are left out on both sides, so one that passes it is new.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median

from swarm.cli.report import Edge, Json, Report
from swarm.graph.diff import Diff, diff
from swarm.graph.index import DependencyGraph
from swarm.graph.review import PathChange, Ring, new_rings, path_change
from swarm.model.graph import DependencyChanged, PipelineSeen
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Dependency, Unresolved
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run
from swarm.sequencing.known import known_world

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two manifests says, with all that is read beside it."""

    report: Report
    dependencies: tuple[Dependency, ...]
    ran: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """A dependency that is new or gone, and the pipelines at its ends that the change leaves as
    they are, with their owners (empty: nobody is named): whom to ask."""

    edge: Edge
    ask: tuple[tuple[PipelineKey, str], ...]


@dataclass(frozen=True, slots=True)
class SlaChange:
    """What happens to the critical path of the SLA of this name."""

    name: str
    path: PathChange


@dataclass(frozen=True, slots=True)
class Change:
    """Everything a reviewer gets, in the order to read it in. `declared` are the dependencies that
    an orchestrator keeps in order now and did not before; `not_read` is new in the head."""

    rings: tuple[Ring, ...]
    slas: tuple[SlaChange, ...]
    new: tuple[EdgeChange, ...]
    gone: tuple[EdgeChange, ...]
    declared: tuple[Edge, ...]
    pipelines_new: tuple[PipelineKey, ...]
    pipelines_gone: tuple[PipelineKey, ...]
    not_read: tuple[Unresolved, ...]
    slas_known: int

    @property
    def is_empty(self) -> bool:
        pipelines = self.pipelines_new + self.pipelines_gone
        edges = (*self.new, *self.gone, *self.declared)
        return not (self.rings or self.slas or edges or pipelines or self.not_read)


def change(
    base: Side,
    head: Side,
    *,
    touched: Iterable[PipelineKey],
    promised: Mapping[str, PipelineKey],
    known_s: Mapping[PipelineKey, float],
    min_confidence: float,
) -> Change:
    """Compare. `touched` are the pipelines whose lines differ, `promised` whose the SLAs are, by
    name, `known_s` how long pipelines usually take where the manifests hold no runs of them."""
    old, new = _graph(base, min_confidence), _graph(head, min_confidence)
    found = diff(old, new)
    were, are = _edges(base.report), _edges(head.report)
    took = _durations(base, head, found, known_s)
    paths = (
        (name, path_change(old, new, pipeline, took, min_confidence))
        for name, pipeline in promised.items()
    )
    hands = frozenset(touched)
    return Change(
        rings=tuple(new_rings(old, new, min_confidence)),
        slas=tuple(SlaChange(name, path) for name, path in paths if path is not None),
        new=tuple(_asked(edge, new, hands) for key, edge in are.items() if key not in were),
        gone=tuple(_asked(edge, old, hands) for key, edge in were.items() if key not in are),
        declared=tuple(
            edge
            for key, edge in are.items()
            if edge.declared and key in were and not were[key].declared
        ),
        pipelines_new=tuple(pipeline.key for pipeline in found.pipelines_new),
        pipelines_gone=found.pipelines_gone,
        not_read=_not_read(base.report, head.report),
        slas_known=len(promised),
    )


def _graph(side: Side, min_confidence: float) -> DependencyGraph:
    """The place of a definition is left out: the two files need not be called the same."""
    listed = (replace(pipeline, place="") for pipeline in side.report.pipelines)
    shown = (found for found in side.dependencies if found.confidence >= min_confidence)
    return DependencyGraph(
        [*map(PipelineSeen, listed), *(DependencyChanged(0, found) for found in shown)]
    )


def _edges(report: Report) -> dict[tuple[TaskKey, TaskKey, str], Edge]:
    return {(edge.upstream, edge.downstream, edge.dataset): edge for edge in report.edges}


def _asked(edge: Edge, graph: DependencyGraph, touched: frozenset[PipelineKey]) -> EdgeChange:
    ends = dict.fromkeys((edge.upstream.pipeline_key, edge.downstream.pipeline_key))
    listed = (graph.pipelines.get(key, Pipeline(key)) for key in ends if key not in touched)
    return EdgeChange(edge, tuple((pipeline.key, pipeline.owner) for pipeline in listed))


def _durations(
    base: Side, head: Side, found: Diff, known_s: Mapping[PipelineKey, float]
) -> tuple[Mapping[PipelineKey, float], Mapping[PipelineKey, float]]:
    """How long pipelines take, before and after: what their runs show, else what a running swarm
    knows. Where the change says another expectation, that counts after it."""
    ran = (*base.ran, *head.ran)
    history = known_world((), (), ran).history
    took = dict(known_s)
    for key in {run.pipeline for run in ran}:
        if good := history.good_durations_s(key):
            took[key] = median(good)
    expected = {pipeline.key: pipeline.expected_duration_s for pipeline in base.report.pipelines}
    after = dict(took)
    for pipeline in found.pipelines_changed:
        now_s = pipeline.expected_duration_s
        if now_s is not None and now_s != expected[pipeline.key]:
            after[pipeline.key] = now_s
    return took, after


def _not_read(base: Report, head: Report) -> tuple[Unresolved, ...]:
    """What the head has that the base has not, wherever in the file it stands."""
    known = {(item.subject, item.reason, item.detail) for item in base.unresolved}
    return tuple(
        item for item in head.unresolved if (item.subject, item.reason, item.detail) not in known
    )


def as_json(found: Change) -> dict[str, Json]:
    """The change as a JSON tree; its shape changes only with `SCHEMA_VERSION`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "new_rings": [
            {
                "pipelines": [str(key) for key in ring.cycle.pipelines],
                "path": [str(edge.upstream) for edge in ring.path],
                "confidence": round(min(edge.confidence for edge in ring.path), 4),
            }
            for ring in found.rings
        ],
        "slas": [_sla_json(one) for one in found.slas],
        "slas_known": found.slas_known,
        "new_dependencies": [_edge_json(one) for one in found.new],
        "gone_dependencies": [_edge_json(one) for one in found.gone],
        "declared_dependencies": [_ends_json(edge) for edge in found.declared],
        "new_pipelines": [str(key) for key in found.pipelines_new],
        "gone_pipelines": [str(key) for key in found.pipelines_gone],
        "not_read": [
            {"subject": u.subject, "reason": u.reason.value, "place": u.place, "detail": u.detail}
            for u in found.not_read
        ],
    }


def _sla_json(one: SlaChange) -> Json:
    path = one.path
    return {
        "name": one.name,
        "pipeline": str(path.pipeline),
        "entered": [str(key) for key in path.entered],
        "left": [str(key) for key in path.left],
        "before_s": path.before.duration_s if path.before else None,
        "after_s": path.after.duration_s if path.after else None,
        "longer_s": path.longer_s,
        "duration_unknown": [str(key) for key in path.unknown],
    }


def _edge_json(one: EdgeChange) -> Json:
    edge = one.edge
    return _ends_json(edge) | {
        "declared": edge.declared,
        "confidence": round(edge.confidence, 4),
        "level": edge.level.value,
        "pipelines_behind": edge.pipelines_behind,
        "evidence": list(places(edge)),
        "ask": [{"pipeline": str(key), "owner": owner} for key, owner in one.ask],
    }


def _ends_json(edge: Edge) -> dict[str, Json]:
    return {
        "upstream": str(edge.upstream),
        "downstream": str(edge.downstream),
        "dataset": edge.dataset,
    }


def places(edge: Edge) -> Iterator[str]:
    """Where it is written that the one writes and the other reads: the strongest proof of each."""
    for task in (edge.upstream, edge.downstream):
        proofs = [proof for proof in edge.proofs if proof.task == task and proof.weight > 0]
        if proofs:
            best = max(proofs, key=lambda proof: proof.weight)
            place = f" at {best.place}" if best.place else ""
            yield f"{task} {best.access.value}s it: {best.channel.value}{place}"
    if edge.how:
        yield f"declared by {edge.how}"

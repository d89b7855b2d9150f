"""The graph against plain networkx, and against itself by another way."""

from itertools import pairwise
from math import prod

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.graph.critical_path import critical_path
from swarm.graph.cycles import cycles
from swarm.graph.diff import diff
from swarm.graph.findings import PAIRS_ALONE, Findings
from swarm.graph.index import DependencyGraph
from swarm.graph.query import ancestors, impact, rank
from swarm.model.findings import Finding, FindingKind
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import DeclaredEdge, Pipeline, Task

# How long an example takes depends on the machine's other work.
SLOW_IS_FINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

KEYS = [PipelineKey(o, n) for o in ("air", "dag") for n in ("p", "q", "r", "s")]
TASKS = [TaskKey(k.orchestrator, k.name, t) for k in KEYS for t in ("", "a", "b")]
DATASETS = [DatasetKey("pg", "t"), DatasetKey("pg", "u")]

tasks = st.sampled_from(TASKS)
pairs = st.tuples(tasks, tasks).filter(lambda p: p[0] != p[1])
keys = st.builds(lambda p, d: DependencyKey(*p, d), pairs, st.sampled_from(DATASETS))
dependencies = st.builds(
    Dependency, keys, st.booleans(), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]), st.just(())
)

# The same few again and again, so that edges rise and fall over the thresholds.
swaying = st.builds(
    Dependency,
    st.sampled_from([DependencyKey(TASKS[1], TASKS[n], DATASETS[0]) for n in (4, 13)]),
    st.booleans(),
    st.sampled_from([0.0, 0.3, 0.5, 0.9]),
    st.just(()),
)


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    key = draw(st.sampled_from(KEYS))
    own = [t for t in TASKS if t.pipeline_key == key]
    found = draw(st.lists(st.tuples(tasks, st.sampled_from(own)), max_size=3))
    declared = tuple(DeclaredEdge(up, down, "order") for up, down in found if up != down)
    return Pipeline(key, tuple(Task(t) for t in own if t.task), declared)


records = st.lists(
    st.one_of(
        st.builds(DependencyChanged, st.just(1), dependencies),
        st.builds(DependencyChanged, st.just(1), swaying),
        st.builds(PipelineSeen, pipelines()),
        st.builds(DependencyGone, st.just(1), keys),
        st.builds(PipelineGone, st.sampled_from(KEYS)),
    ),
    max_size=30,
)
thresholds = st.sampled_from([0.0, 0.4, 0.5, 0.95])


def reasons(graph: DependencyGraph, least: float) -> list[tuple[TaskKey, TaskKey]]:
    """Every edge between tasks, from the state alone."""
    found = [
        (d.key.upstream, d.key.downstream)
        for d in graph.dependencies.values()
        if d.confidence and d.confidence >= least
    ]
    found += [
        (edge.upstream, edge.downstream)
        for pipeline in graph.pipelines.values()
        for edge in pipeline.declared
    ]
    return found


def between_pipelines(graph: DependencyGraph, least: float) -> "nx.DiGraph[PipelineKey]":
    plain: nx.DiGraph[PipelineKey] = nx.DiGraph()
    plain.add_nodes_from(KEYS)
    for up, down in reasons(graph, least):
        if up.pipeline_key != down.pipeline_key:
            plain.add_edge(up.pipeline_key, down.pipeline_key)
    return plain


def between_tasks(graph: DependencyGraph, least: float) -> "nx.DiGraph[tuple[TaskKey, bool]]":
    """Starts are `(whole, False)`, ends `(whole, True)`; free steps have weight 0."""
    plain: nx.DiGraph[tuple[TaskKey, bool]] = nx.DiGraph()
    for up, down in reasons(graph, least):
        plain.add_edge((up, not up.task), (down, False), weight=1)
    for task in TASKS:
        start, end = (TaskKey(*_whole(task)), False), (TaskKey(*_whole(task)), True)
        plain.add_edge(start, end, weight=0)
        if task.task:
            plain.add_edge(start, (task, False), weight=0)
            plain.add_edge((task, False), end, weight=0)
    return plain


def _whole(task: TaskKey) -> tuple[str, str, str]:
    return task.orchestrator, task.pipeline, ""


def mention_all(graph: DependencyGraph) -> DependencyGraph:
    """Every pipeline and task is listed, so that each may be asked for."""
    for key in KEYS:
        if key not in graph.pipelines:
            own = tuple(Task(t) for t in TASKS if t.pipeline_key == key and t.task)
            graph.apply(PipelineSeen(Pipeline(key, own)))
    return graph


def grown(steps: list[GraphRecord], least: float) -> DependencyGraph:
    """A graph whose rows for `least` were prepared before the records came."""
    graph = mention_all(DependencyGraph())
    impact(graph, KEYS[0], least)
    impact(graph, TASKS[1], least)
    for step in steps:
        graph.apply(step)
    return mention_all(graph)


@settings(SLOW_IS_FINE, max_examples=150)
@given(records, thresholds, st.sampled_from(KEYS))
def test_impact_between_pipelines_is_what_networkx_reaches(
    steps: list[GraphRecord], least: float, start: PipelineKey
) -> None:
    graph = grown(steps, least)
    plain = between_pipelines(graph, least)
    for found, expected in (
        (impact(graph, start, least), nx.single_source_shortest_path_length(plain, start)),
        (
            ancestors(graph, start, least),
            nx.single_source_shortest_path_length(plain.reverse(), start),
        ),
    ):
        assert {hit.key: hit.distance for hit in found.hits} == {
            key: distance for key, distance in expected.items() if key != start
        }
        assert found.total == len(found.hits)
        assert all(0 < hit.confidence <= hit.cause.confidence <= 1 for hit in found.hits)
    for hit in impact(graph, start, least).hits:
        surest = max(
            prod(graph.edge(up, down).confidence for up, down in pairwise(way))
            for way in nx.all_shortest_paths(plain, start, hit.key)
        )
        assert hit.confidence == pytest.approx(surest)


@settings(SLOW_IS_FINE, max_examples=150)
@given(records, thresholds, tasks.filter(lambda task: bool(task.task)))
def test_impact_between_tasks_is_what_networkx_reaches(
    steps: list[GraphRecord], least: float, start: TaskKey
) -> None:
    graph = grown(steps, least)
    plain = between_tasks(graph, least)
    ahead = nx.single_source_dijkstra_path_length(plain, (start, False))
    found = impact(graph, start, least)
    assert {hit.key: hit.distance for hit in found.hits} == {
        key: distance for (key, ended), distance in ahead.items() if distance and not ended
    }
    behind = nx.single_source_dijkstra_path_length(plain.reverse(), (start, False))
    found = ancestors(graph, start, least)
    assert {hit.key: hit.distance for hit in found.hits} == {
        key: distance
        for (key, ended), distance in behind.items()
        if distance and (key.task or ended)
    }


@settings(SLOW_IS_FINE, max_examples=100)
@given(records, thresholds, st.sampled_from(KEYS), st.integers(1, 4))
def test_a_limit_only_cuts(
    steps: list[GraphRecord], least: float, start: PipelineKey, limit: int
) -> None:
    graph = grown(steps, least)
    whole = impact(graph, start, least)
    cut = impact(graph, start, least, limit)
    assert cut.hits == whole.hits[:limit]
    assert cut.total == whole.total


@settings(SLOW_IS_FINE, max_examples=150)
@given(records, records)
def test_a_diff_leads_from_one_to_the_other(
    before: list[GraphRecord], after: list[GraphRecord]
) -> None:
    old, new = DependencyGraph(before), DependencyGraph(after)
    step = diff(old, new)
    for record in step.records():
        old.apply(record)
    assert old == new
    assert set(old.edges()) == set(new.edges())
    assert not list(diff(old, new).records())


@settings(SLOW_IS_FINE, max_examples=150)
@given(records, thresholds)
def test_cycles_rank_and_critical_path_agree_with_networkx(
    steps: list[GraphRecord], least: float
) -> None:
    graph = grown(steps, least)
    plain = between_pipelines(graph, least)
    parts = {frozenset(part) for part in nx.strongly_connected_components(plain) if len(part) > 1}
    assert {frozenset(cycle.pipelines) for cycle in cycles(graph, least)} == parts
    for ranked in rank(graph, least):
        up, down = ranked.dependency.upstream, ranked.dependency.downstream
        behind = {down.pipeline_key} | nx.descendants(plain, down.pipeline_key)
        assert ranked.pipelines_behind == len(behind - {up.pipeline_key})
    took = {key: float(number + 1) for number, key in enumerate(KEYS)}
    folded = nx.condensation(plain)
    whole = {n: sum(took[k] for k in folded.nodes[n]["members"]) for n in folded}
    weighted: nx.DiGraph[int] = nx.DiGraph()
    for node in folded:
        weighted.add_edge(-1, node, weight=whole[node])
    for up_part, down_part in folded.edges:
        weighted.add_edge(up_part, down_part, weight=whole[down_part])
    path = critical_path(graph, took, least)
    assert path.duration_s == nx.dag_longest_path_length(weighted)
    assert path.duration_s == sum(step.duration_s for step in path.steps)
    for edge, here, there in zip(path.edges, path.steps[:-1], path.steps[1:], strict=True):
        assert edge.upstream in here.pipelines
        assert edge.downstream in there.pipelines


@settings(SLOW_IS_FINE, max_examples=200)
@given(st.lists(records.map(lambda some: some[: PAIRS_ALONE // 2]), max_size=8))
def test_rings_found_step_by_step_are_those_found_at_once(steps: list[list[GraphRecord]]) -> None:
    live, whole = Findings(), Findings()
    for step in steps:
        for record in step:
            live.apply(record)
            whole.apply(record)
        for told in live.decide(0.0):
            live.apply(told)
    assert open_rings(live) == {f.id: f for f in told_rings(whole)}


def told_rings(findings: Findings) -> list[Finding]:
    told = (record.finding for record in findings.decide(0.0))
    return [finding for finding in told if finding.kind is FindingKind.CYCLE]


def open_rings(findings: Findings) -> dict[str, Finding]:
    told = (record.finding for record in findings.records())
    return {f.id: f for f in told if f.kind is FindingKind.CYCLE}

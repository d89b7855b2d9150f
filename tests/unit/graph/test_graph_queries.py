"""What the graph answers, on graphs small enough to check by eye."""

import pytest

from swarm.errors import UnknownKey
from swarm.graph.critical_path import critical_path
from swarm.graph.cycles import cycles
from swarm.graph.diff import as_of, diff
from swarm.graph.index import DependencyGraph
from swarm.graph.query import Impact, ancestors, impact, rank
from swarm.graph.review import new_rings
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
)
from swarm.model.journal import Entry
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import DeclaredEdge, Pipeline, Task


def task(name: str) -> TaskKey:
    """`orchestrator/pipeline/task`."""
    return TaskKey(*name.split("/"))


def pipe(name: str) -> PipelineKey:
    return PipelineKey(*name.split("/"))


def key(up: str, down: str, table: str = "t") -> DependencyKey:
    return DependencyKey(task(up), task(down), DatasetKey("pg", table))


def depends(
    up: str, down: str, confidence: float = 0.9, table: str = "t", *, declared: bool = False
) -> DependencyChanged:
    return DependencyChanged(1, Dependency(key(up, down, table), declared, confidence, ()))


def listed(
    name: str, *tasks: str, declared: tuple[tuple[str, str], ...] = (), takes_s: float | None = None
) -> PipelineSeen:
    edges = tuple(DeclaredEdge(task(up), task(down), "order") for up, down in declared)
    own = tuple(Task(task(f"{name}/{t}")) for t in tasks)
    return PipelineSeen(Pipeline(pipe(name), own, edges, expected_duration_s=takes_s))


def told(found: Impact) -> list[tuple[str, int, float]]:
    return [(str(hit.key), hit.distance, round(hit.confidence, 4)) for hit in found.hits]


CHAIN = [
    depends("air/a/w", "dag/b/x", 0.9),
    depends("dag/b/x", "pre/c/x", 0.8),
    depends("air/a/w", "pre/d/x", 0.6),
    depends("pre/d/x", "pre/c/x", 1.0),
    depends("pre/c/x", "air/e/x", 0.3),
]


def test_impact_goes_nearest_first_and_names_the_cause() -> None:
    found = impact(DependencyGraph(CHAIN), pipe("air/a"))
    assert told(found) == [("dag/b", 1, 0.9), ("pre/d", 1, 0.6), ("pre/c", 2, 0.72)]
    cause = found.hits[2].cause
    assert (str(cause.upstream), str(cause.downstream)) == ("dag/b", "pre/c")
    assert cause.dependencies == (key("dag/b/x", "pre/c/x"),)
    assert not cause.declared
    assert (found.total, found.version) == (3, 1)


@pytest.mark.parametrize("chain", [CHAIN, CHAIN[::-1]])
def test_of_two_shortest_paths_the_surest_counts(chain: list[DependencyChanged]) -> None:
    found = impact(DependencyGraph(chain), pipe("air/a"))
    assert told(found)[-1] == ("pre/c", 2, 0.72)
    assert str(found.hits[-1].cause.upstream) == "dag/b"


def test_weaker_edges_are_followed_when_asked_for() -> None:
    graph = DependencyGraph(CHAIN)
    assert told(impact(graph, pipe("air/a"), 0.25))[-1] == ("air/e", 3, 0.216)
    assert told(impact(graph, pipe("air/a"), 0.7)) == [("dag/b", 1, 0.9), ("pre/c", 2, 0.72)]


def test_ancestors_go_the_other_way() -> None:
    found = ancestors(DependencyGraph(CHAIN), pipe("pre/c"))
    assert told(found) == [("pre/d", 1, 1.0), ("dag/b", 1, 0.8), ("air/a", 2, 0.72)]
    assert str(found.hits[0].cause.downstream) == "pre/c"


def test_a_limit_cuts_the_hits_and_not_the_count() -> None:
    found = impact(DependencyGraph(CHAIN), pipe("air/a"), limit=1)
    assert told(found) == [("dag/b", 1, 0.9)]
    assert found.total == 3


def test_what_nobody_knows_is_refused_by_name() -> None:
    graph = DependencyGraph(CHAIN)
    with pytest.raises(UnknownKey, match="air/nope"):
        impact(graph, pipe("air/nope"))
    with pytest.raises(UnknownKey, match="air/a/nope"):
        ancestors(graph, task("air/a/nope"))
    with pytest.raises(UnknownKey, match="pg/nope"):
        impact(graph, DatasetKey("pg", "nope"))


def test_a_listed_pipeline_without_edges_hits_nobody() -> None:
    found = impact(DependencyGraph([listed("air/a", "x")]), pipe("air/a"))
    assert (found.total, found.hits) == (0, ())


def test_a_rejected_dependency_is_no_edge_at_any_threshold() -> None:
    graph = DependencyGraph([depends("air/a/w", "dag/b/x", 0.0)])
    assert impact(graph, pipe("air/a"), 0.0).hits == ()
    assert not list(graph.edges())
    assert key("air/a/w", "dag/b/x") in graph.dependencies


def test_between_tasks_only_what_follows_the_task_is_hit() -> None:
    graph = DependencyGraph(
        [
            listed("air/a", "one", "two", declared=(("air/a/one", "air/a/two"),)),
            depends("air/a/one", "dag/b/x"),
            depends("air/a/two", "dag/c/x", table="u"),
        ]
    )
    assert told(impact(graph, task("air/a/two"))) == [("dag/c/x", 1, 0.9)]
    assert told(impact(graph, task("air/a/one"))) == [
        ("air/a/two", 1, 1.0),
        ("dag/b/x", 1, 0.9),
        ("dag/c/x", 2, 0.9),
    ]
    assert told(impact(graph, pipe("air/a"))) == [("dag/b", 1, 0.9), ("dag/c", 1, 0.9)]


def test_a_whole_pipeline_edge_leads_from_each_task_to_each_task() -> None:
    graph = DependencyGraph(
        [
            listed("air/a", "one", "two"),
            listed("air/b", "x", "y", declared=(("air/a/", "air/b/"),)),
            depends("air/b/y", "dag/c/x", 0.8),
        ]
    )
    found = impact(graph, task("air/a/one"))
    assert told(found) == [
        ("air/b", 1, 1.0),
        ("air/b/x", 1, 1.0),
        ("air/b/y", 1, 1.0),
        ("dag/c/x", 2, 0.8),
    ]
    assert found.hits[1].cause == found.hits[0].cause
    assert found.hits[0].cause.declared
    assert told(ancestors(graph, task("air/b/y"))) == [
        ("air/a", 1, 1.0),
        ("air/a/one", 1, 1.0),
        ("air/a/two", 1, 1.0),
    ]
    assert told(impact(graph, task("air/a/"))) == [("air/b", 1, 1.0), ("dag/c", 2, 0.8)]


def test_a_whole_pipeline_edge_holds_for_pipelines_without_tasks_and_for_later_ones() -> None:
    graph = DependencyGraph(
        [
            listed("air/mid", declared=(("air/a/", "air/mid/"),)),
            listed("air/z", declared=(("air/mid/", "air/z/"),)),
            listed("air/a", "late"),
        ]
    )
    assert told(impact(graph, task("air/a/late"))) == [("air/mid", 1, 1.0), ("air/z", 2, 1.0)]
    graph.apply(listed("air/z", "late", declared=(("air/mid/", "air/z/"),)))
    assert told(impact(graph, task("air/a/late")))[-1] == ("air/z/late", 2, 1.0)


def test_from_a_dataset_its_readers_are_hit_first() -> None:
    graph = DependencyGraph(
        [
            depends("air/a/w", "dag/b/x", 0.9, "t"),
            depends("air/z/w", "dag/b/x", 0.7, "t"),
            depends("dag/b/x", "pre/c/x", 0.8, "u"),
            depends("air/a/w", "pre/d/x", 0.9, "other"),
        ]
    )
    table = DatasetKey("pg", "t")
    found = impact(graph, table)
    assert told(found) == [("dag/b/x", 1, 0.9), ("pre/c/x", 2, 0.72)]
    assert str(found.hits[0].cause.upstream) == "air/a/w"
    assert told(ancestors(graph, table)) == [("air/a/w", 1, 0.9), ("air/z/w", 1, 0.7)]


def test_an_edge_that_weakens_below_the_threshold_is_no_longer_followed() -> None:
    graph = DependencyGraph([depends("air/a/w", "dag/b/x", 0.9)])
    assert told(impact(graph, pipe("air/a"))) == [("dag/b", 1, 0.9)]
    graph.apply(depends("air/a/w", "dag/b/x", 0.3))
    assert impact(graph, pipe("air/a")).hits == ()
    assert ancestors(graph, pipe("dag/b")).hits == ()
    graph.apply(depends("air/a/w", "dag/b/x", 0.6))
    assert told(impact(graph, pipe("air/a"))) == [("dag/b", 1, 0.6)]


def test_two_reasons_for_one_edge_go_one_at_a_time() -> None:
    graph = DependencyGraph(
        [
            depends("air/a/w", "dag/b/x", 0.9, "t"),
            depends("air/a/v", "dag/b/y", 0.6, "u"),
        ]
    )
    edge = graph.edge(pipe("air/a"), pipe("dag/b"))
    assert edge.confidence == 0.9
    assert [k.dataset.name for k in edge.dependencies] == ["t", "u"]
    graph.apply(DependencyGone(2, key("air/a/w", "dag/b/x", "t")))
    assert told(impact(graph, pipe("air/a"))) == [("dag/b", 1, 0.6)]
    graph.apply(DependencyGone(3, key("air/a/v", "dag/b/y", "u")))
    assert impact(graph, pipe("air/a")).hits == ()
    assert graph.version == 3


def test_an_edge_is_declared_when_listed_or_when_all_its_dependencies_are() -> None:
    graph = DependencyGraph(
        [
            depends("air/a/w", "dag/b/x", declared=True),
            depends("air/a/w", "dag/c/x", declared=True),
            depends("air/a/w", "dag/c/y", declared=False),
        ]
    )
    assert graph.edge(pipe("air/a"), pipe("dag/b")).declared
    assert not graph.edge(pipe("air/a"), pipe("dag/c")).declared
    graph.apply(listed("dag/c", "x", "y", declared=(("air/a/", "dag/c/"),)))
    assert graph.edge(pipe("air/a"), pipe("dag/c")).declared


def test_a_pipeline_that_is_gone_takes_its_declared_edges_along() -> None:
    graph = DependencyGraph([listed("air/a"), listed("air/b", declared=(("air/a/", "air/b/"),))])
    assert told(impact(graph, pipe("air/a"))) == [("air/b", 1, 1.0)]
    graph.apply(PipelineGone(pipe("air/b")))
    assert impact(graph, pipe("air/a")).hits == ()
    assert set(graph.pipelines) == {pipe("air/a")}


def test_a_redefined_pipeline_keeps_only_its_new_edges() -> None:
    graph = DependencyGraph([listed("air/c", declared=(("air/a/", "air/c/"),))])
    graph.apply(listed("air/c", declared=(("air/b/", "air/c/"),)))
    assert told(ancestors(graph, pipe("air/c"))) == [("air/b", 1, 1.0)]


def test_undeclared_dependencies_rank_by_what_hangs_on_them() -> None:
    graph = DependencyGraph([*CHAIN, depends("pre/c/x", "air/f/x", declared=True)])
    ranked = [
        (str(r.dependency.upstream), str(r.dependency.downstream), r.pipelines_behind)
        for r in rank(graph)
    ]
    assert ranked == [
        ("air/a/w", "dag/b/x", 3),
        ("air/a/w", "pre/d/x", 3),
        ("pre/d/x", "pre/c/x", 2),
        ("dag/b/x", "pre/c/x", 2),
    ]


def test_a_cycle_is_a_finding_with_its_edges() -> None:
    graph = DependencyGraph(
        [
            depends("air/a/w", "dag/b/x", 0.9),
            depends("dag/b/x", "air/a/w", 0.8, "u"),
            depends("dag/b/x", "pre/c/x", 0.9, "v"),
            depends("pre/c/one", "pre/c/two", 0.9),
            depends("pre/c/two", "pre/c/one", 0.9, "w"),
        ]
    )
    (cycle,) = cycles(graph)
    assert cycle.pipelines == (pipe("air/a"), pipe("dag/b"))
    assert cycle.orchestrators == ("air", "dag")
    assert [(str(e.upstream), str(e.downstream)) for e in cycle.edges] == [
        ("air/a", "dag/b"),
        ("dag/b", "air/a"),
    ]
    assert cycles(graph, 0.85) == []


def test_the_critical_path_takes_the_longest_and_folds_cycles() -> None:
    graph = DependencyGraph([*CHAIN, listed("pre/d", "x", takes_s=50.0)])
    took = {pipe("air/a"): 10.0, pipe("dag/b"): 20.0, pipe("pre/c"): 5.0}
    path = critical_path(graph, took)
    assert [step.pipelines for step in path.steps] == [
        (pipe("air/a"),),
        (pipe("pre/d"),),
        (pipe("pre/c"),),
    ]
    assert path.duration_s == 65.0
    assert [str(edge.downstream) for edge in path.edges] == ["pre/d", "pre/c"]
    graph.apply(depends("pre/c/x", "pre/d/x", 0.9, "back"))
    path = critical_path(graph, took)
    assert [len(step.pipelines) for step in path.steps] == [1, 1, 2]
    assert path.duration_s == 85.0


def test_no_pipelines_have_no_critical_path() -> None:
    path = critical_path(DependencyGraph(), {})
    assert (path.steps, path.edges, path.duration_s) == ((), (), 0.0)


def test_diff_tells_what_is_new_changed_and_gone() -> None:
    old = DependencyGraph(
        [listed("air/a"), listed("air/b"), depends("air/a/w", "air/b/x"), depends("x/y/z", "x/q/z")]
    )
    new = DependencyGraph(
        [
            listed("air/a", "w"),
            listed("air/c"),
            depends("air/a/w", "air/b/x", 0.5),
            DependencyChanged(7, Dependency(key("x/n/z", "x/q/z"), False, 0.9, ())),
        ]
    )
    step = diff(old, new)
    assert (step.from_version, step.to_version) == (1, 7)
    assert [str(p.key) for p in step.pipelines_new] == ["air/c"]
    assert [str(p.key) for p in step.pipelines_changed] == ["air/a"]
    assert [str(k) for k in step.pipelines_gone] == ["air/b"]
    assert [d.key for d in step.dependencies_new] == [key("x/n/z", "x/q/z")]
    assert [d.confidence for d in step.dependencies_changed] == [0.5]
    assert list(step.dependencies_gone) == [key("x/y/z", "x/q/z")]


def test_as_of_shows_the_graph_of_that_time() -> None:
    story: list[tuple[float, GraphRecord]] = [
        (10.0, depends("air/a/w", "dag/b/x")),
        (20.0, DependencyGone(2, key("air/a/w", "dag/b/x"))),
        (15.0, depends("air/a/w", "dag/c/x")),
    ]
    history = [Entry("graph", n, at_s, "c", r) for n, (at_s, r) in enumerate(story, 1)]
    assert not as_of(history, 9.0).dependencies
    assert set(as_of(history, 10.0).dependencies) == {key("air/a/w", "dag/b/x")}
    assert set(as_of(history, 16.0).dependencies) == {key("air/a/w", "dag/b/x")}
    assert set(as_of(history, 20.0).dependencies) == {key("air/a/w", "dag/c/x")}


def test_the_critical_path_to_a_pipeline_ends_there_however_long_others_are() -> None:
    graph = DependencyGraph([*CHAIN, listed("pre/d", "x", takes_s=5_000.0)])
    took = {pipe("air/a"): 10.0, pipe("pre/c"): 5.0}
    path = critical_path(graph, took, to=pipe("dag/b"))
    assert [step.pipelines for step in path.steps] == [(pipe("air/a"),), (pipe("dag/b"),)]
    assert path.duration_s == 10.0, "the last step takes no time, and is on the path all the same"
    with pytest.raises(UnknownKey, match="no/such"):
        critical_path(graph, took, to=pipe("no/such"))


def test_a_ring_is_new_unless_it_was_part_of_one() -> None:
    """A new edge makes the shortest way around; a ring that shrinks is no news."""
    chain = [depends("air/a/x", "dag/b/x"), depends("dag/b/x", "pre/c/x")]
    back, short = depends("pre/c/x", "air/a/x"), depends("dag/b/x", "air/a/x")
    (ring,) = new_rings(DependencyGraph(chain), DependencyGraph([*chain, back]))
    assert [str(edge.upstream) for edge in ring.path] == ["pre/c", "air/a", "dag/b"]
    assert new_rings(DependencyGraph([*chain, back]), DependencyGraph([chain[0], short])) == []
    (wider,) = new_rings(DependencyGraph([chain[0], short]), DependencyGraph([*chain, short, back]))
    assert wider.cycle.pipelines == (pipe("air/a"), pipe("dag/b"), pipe("pre/c"))
    assert [str(edge.upstream) for edge in wider.path] == ["dag/b", "pre/c", "air/a"]

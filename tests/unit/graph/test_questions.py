"""Whom to ask what, and how often."""

import pytest

from swarm.graph.index import DependencyGraph
from swarm.graph.questions import PER_TEAM, WEEK_S, Questions, worth
from swarm.model.graph import DependencyChanged, PipelineSeen, QuestionAsked
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey, Verdict
from swarm.model.pipelines import Pipeline


def key(up: str, down: str) -> DependencyKey:
    ends = (TaskKey("air", name, "t") for name in (up, down))
    return DependencyKey(*ends, DatasetKey("pg://w", up))


def put(
    graph: DependencyGraph,
    up: str,
    down: str,
    confidence: float,
    verdict: Verdict | None = None,
    declared: bool = False,
) -> None:
    found = Dependency(key(up, down), declared, confidence, (), verdict)
    graph.apply(DependencyChanged(1, found))


@pytest.fixture
def graph() -> DependencyGraph:
    """Six writers `w0` ... of readers of team `sales`, one of team `ops`."""
    graph = DependencyGraph()
    for number in range(6):
        reader = PipelineKey("air", f"r{number}")
        graph.apply(PipelineSeen(Pipeline(reader, owner="sales" if number < 5 else "ops")))
        put(graph, f"w{number}", f"r{number}", 0.9)
    return graph


def asked(questions: Questions, graph: DependencyGraph, now_s: float) -> list[QuestionAsked]:
    news = questions.decide(graph, now_s)
    for one in news:
        questions.apply(one)
    return news


def test_a_team_is_asked_three_questions_a_week_answered_or_not(graph: DependencyGraph) -> None:
    questions = Questions()
    first = asked(questions, graph, 0.0)
    assert [one.team for one in first].count("sales") == PER_TEAM
    assert [one.team for one in first].count("ops") == 1
    assert asked(questions, graph, WEEK_S - 1) == []
    answered = first[0].key
    put(graph, answered.upstream.pipeline, answered.downstream.pipeline, 1.0, Verdict.ACCEPTED)
    assert asked(questions, graph, WEEK_S - 1) == []
    assert answered not in {one.key for one in questions.open(graph, WEEK_S - 1)}
    second = asked(questions, graph, WEEK_S + 1)
    assert len(second) == 2
    assert not {one.key for one in first} & {one.key for one in second}
    assert asked(questions, graph, 2 * WEEK_S + 2) == []


def test_the_limit_holds_across_a_restart(graph: DependencyGraph) -> None:
    questions, restarted = Questions(), Questions()
    asked(questions, graph, 0.0)
    for record in questions.records():
        restarted.apply(record)
    assert restarted.decide(graph, 1.0) == []
    assert restarted.open(graph, 1.0) == questions.open(graph, 1.0)


def test_what_more_hangs_on_is_asked_first(graph: DependencyGraph) -> None:
    put(graph, "r4", "x", 1.0, declared=True)
    put(graph, "x", "y", 1.0, declared=True)
    assert asked(Questions(), graph, 0.0)[0].key == key("w4", "r4")


def test_nothing_is_asked_of_what_is_judged_declared_or_unlikely() -> None:
    graph = DependencyGraph()
    put(graph, "a", "b", 1.0, Verdict.ACCEPTED)
    put(graph, "c", "d", 0.9, declared=True)
    put(graph, "e", "f", 0.4)
    assert Questions().decide(graph, 0.0) == []


def test_an_answer_is_worth_most_where_most_decisions_hang_on_it() -> None:
    assert worth(0.8, 1) > worth(0.9, 1) > worth(0.989, 1) > 2 * worth(0.999, 1)
    assert worth(0.8, 1) > worth(0.55, 1)
    assert worth(0.6, 4) == pytest.approx(4 * worth(0.6, 1))
    assert worth(1.0, 5) == 0

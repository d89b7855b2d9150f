"""What to ask the owners of pipelines: is this dependency real?

`decide` answers with the questions that are asked now, `open` with those that wait for an answer.
The answer is a verdict, accepted or rejected.

Rules
1. A question is worth what it may save, times the pipelines that hang on the edge. The levels say
   what a wrong decision costs: to hold a run from 0.99 on is to take one false hold for 99 missed
   ones, and so on. Of each level the loss that is to be expected without an answer counts, which
   is largest at its border and 0 where the answer is known (the value of perfect information,
   Howard 1966).
2. Only undeclared dependencies between pipelines, likely enough to be shown and not judged yet.
3. At most three questions a team and week, answered or not. The team is the reader's owner, else
   the writer's; pipelines of nobody are a team of their own.
4. What nobody answered is not asked again for four weeks.
"""

from collections import Counter
from collections.abc import Iterator

from swarm.graph.index import DependencyGraph
from swarm.graph.query import Ranked, rank
from swarm.model.graph import GraphRecord, QuestionAsked
from swarm.model.keys import PipelineKey
from swarm.model.lineage import GATE_FROM, SHOW_FROM, WARN_FROM, DependencyKey

PER_TEAM = 3
WEEK_S = 7 * 86_400.0
AGAIN_S = 4 * WEEK_S


class Questions:
    """What was asked of late."""

    def __init__(self) -> None:
        self._asked: dict[DependencyKey, QuestionAsked] = {}

    def apply(self, record: GraphRecord) -> None:
        if isinstance(record, QuestionAsked):
            self._asked[record.key] = record
            oldest_s = record.asked_at_s - AGAIN_S
            for key in [k for k, old in self._asked.items() if old.asked_at_s <= oldest_s]:
                del self._asked[key]

    def decide(self, graph: DependencyGraph, now_s: float) -> list[QuestionAsked]:
        """The questions to ask now, the most valuable first."""
        asked = self._asked.values()
        spent = Counter(old.team for old in asked if old.asked_at_s > now_s - WEEK_S)
        recent = {old.key for old in asked if old.asked_at_s > now_s - AGAIN_S}
        news = []
        for one in sorted(rank(graph, SHOW_FROM), key=lambda r: (-_value(r), r.dependency)):
            team = _team(graph, one.dependency)
            unjudged = graph.dependencies[one.dependency].verdict is None
            if unjudged and one.dependency not in recent and spent[team] < PER_TEAM:
                spent[team] += 1
                behind = one.pipelines_behind
                news.append(QuestionAsked(one.dependency, team, now_s, one.confidence, behind))
        return news

    def open(self, graph: DependencyGraph, now_s: float) -> list[QuestionAsked]:
        """What was asked within a week and still waits, the most valuable first."""
        waiting = []
        for old in self._asked.values():
            found = graph.dependencies.get(old.key)
            if found and found.verdict is None and old.asked_at_s > now_s - WEEK_S:
                waiting.append(old)
        return sorted(waiting, key=lambda q: (-worth(q.confidence, q.pipelines_behind), q.key))

    def records(self) -> Iterator[QuestionAsked]:
        """A snapshot."""
        yield from sorted(self._asked.values(), key=lambda old: (old.asked_at_s, old.key))


def worth(confidence: float, pipelines_behind: int) -> float:
    """What an answer saves: the loss of deciding without it, in missed uses of the edge."""
    lost = (
        min(confidence, (1 - confidence) * level / (1 - level))
        for level in (GATE_FROM, WARN_FROM, SHOW_FROM)
    )
    return pipelines_behind * sum(lost)


def _value(ranked: Ranked) -> float:
    return worth(ranked.confidence, ranked.pipelines_behind)


def _team(graph: DependencyGraph, key: DependencyKey) -> str:
    return _owner(graph, key.downstream.pipeline_key) or _owner(graph, key.upstream.pipeline_key)


def _owner(graph: DependencyGraph, key: PipelineKey) -> str:
    pipeline = graph.pipelines.get(key)
    return pipeline.owner if pipeline else ""

"""What placement is told of pipelines: how long they take, when they begin next, by when they have
to end for every SLA that stands on them, and what that is worth. All of it is known here already;
placement, which sees the tasks that swarm runs itself, has no history of pipelines of its own."""

from collections.abc import Callable, Iterable
from statistics import quantiles

from swarm.model.keys import PipelineKey
from swarm.model.scaling import Expected, Outlook
from swarm.sequencing.history import History
from swarm.sequencing.planned import starts_between
from swarm.sequencing.slack import RUNS
from swarm.sequencing.world import World

AHEAD_S = 2 * 3_600.0

# By when a pipeline has to end and what that is worth; None where nothing is due any more.
DueOf = Callable[[PipelineKey], tuple[float, float] | None]


def outlook(world: World, due: DueOf, of: Iterable[PipelineKey], now_s: float) -> Outlook:
    """All there is to tell of these pipelines."""
    return Outlook(tuple(_expected(world, due, key, now_s) for key in sorted(of)))


def _expected(world: World, due: DueOf, key: PipelineKey, now_s: float) -> Expected:
    takes_s = world.history.remember(key, "spread", lambda: _spread(world.history, key))
    listed = world.graph.pipelines.get(key)
    starts = () if listed and listed.paused else starts_between(world, key, now_s, now_s + AHEAD_S)
    end_by_s, value = due(key) or (None, 1.0)
    return Expected(key, takes_s, starts, end_by_s, value)


def _spread(history: History, key: PipelineKey) -> tuple[float, ...]:
    """The shortest of its good runs, the deciles, the longest."""
    took = sorted(history.good_durations_s(key)[-RUNS:])
    if len(took) < 2:
        return tuple(took)
    return took[0], *quantiles(took, n=10, method="inclusive"), took[-1]

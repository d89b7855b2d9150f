"""A month of runs for a world of `benchmarks.confidence_world`: who is late, and who moves then.

Nothing is taken from the engine. Each pipeline runs daily, at a full or half hour that others may
share. Of the real edges between pipelines half are waited for (the reader starts behind the writer,
or polls inside its run), some of the others fail without the data, the rest read what is there.
What makes runs late, besides waiting: a long run of their own; an outage of the scheduler; a slow
warehouse, which is everyone's; feeds from outside that some pipelines wait for and nobody sees.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.confidence_world import DAY_S, DAYS, World
from swarm.model.connectors import Batch
from swarm.model.keys import PipelineKey
from swarm.model.runs import Run, RunState

HOUR_S = 3600.0
WAITS, FAILS = 0.5, 0.15  # of real edges; the rest reads what is there
POLLS = 0.3  # of those that wait: inside their run, not before it
LONG, OUTAGE, SLOW = 0.05, 0.03, 0.03  # of a pipeline's days; of all days
FEEDS, FED, FEED_LATE = 5, 0.2, 0.05  # how many; of pipelines, by each; of its days
FAILURES = 0.02  # of runs, for no reason


@dataclass(slots=True)
class _Line:
    """One pipeline: `waits`, `polls` and `fails` are the pipelines or feeds it needs."""

    key: PipelineKey
    due_s: float
    takes_s: float
    waits: list[object]
    polls: list[object]
    fails: list[object]


def with_runs(world: World, seed: int) -> tuple[Batch, ...]:
    """The batches of `world`, and one a day of the runs that ended."""
    dice = random.Random(seed)
    lines = _lines(world, dice)
    runs = (Batch("runs", str(day), tuple(_day(lines, day, dice))) for day in range(DAYS))
    return tuple(b for pair in zip(world.batches, runs, strict=True) for b in pair)


def _lines(world: World, dice: random.Random) -> list[_Line]:
    keys = sorted({task.pipeline_key for task, _ in world.ends}, key=_number)
    lines: dict[PipelineKey, _Line] = {}
    for at, key in enumerate(keys):
        due_s = HOUR_S * (int(20 * at / len(keys)) + dice.choice((0.0, 0.0, 0.5)))
        lines[key] = _Line(key, due_s, dice.uniform(300, 2700), [], [], [])
        for feed in range(FEEDS):
            if dice.random() < FED:
                dice.choice((lines[key].waits, lines[key].polls)).append(feed)
    for up, down in sorted(
        {(k.upstream.pipeline_key, k.downstream.pipeline_key) for k in world.truth}
    ):
        if _number(up) < _number(down):
            needs = lines[down]
            drawn = dice.random()
            if drawn < WAITS:
                (needs.polls if dice.random() < POLLS else needs.waits).append(up)
            elif drawn < WAITS + FAILS:
                needs.fails.append(up)
    return list(lines.values())


def _day(lines: list[_Line], day: int, dice: random.Random) -> Iterator[Run]:
    """In their order, so that whoever is waited for has run."""
    slow = 3.0 if dice.random() < SLOW else 1.0
    out_from_s = dice.uniform(0, 20) * HOUR_S if dice.random() < OUTAGE else None
    there: dict[object, float] = {
        feed: dice.uniform(4, 22) * HOUR_S for feed in range(FEEDS) if dice.random() < FEED_LATE
    }
    for line in lines:
        start_s = line.due_s + dice.uniform(0, 40)
        if out_from_s is not None and out_from_s <= start_s < out_from_s + 2 * HOUR_S:
            start_s = out_from_s + 2 * HOUR_S + dice.uniform(0, 300)
        start_s = max([start_s, *(there.get(need, 0.0) + 30 for need in line.waits)])
        takes_s = line.takes_s * slow * dice.uniform(0.9, 1.1)
        if dice.random() < LONG:
            takes_s += dice.uniform(0.5, 4) * HOUR_S
        end_s = start_s + takes_s
        end_s = max([end_s, *(there.get(need, 0.0) + takes_s / 2 for need in line.polls)])
        missing = any(there.get(need, 0.0) > start_s for need in line.fails)
        failed = missing or dice.random() < FAILURES
        there[line.key] = end_s
        at_s = day * DAY_S
        state = RunState.FAILED if failed else RunState.SUCCEEDED
        yield Run(line.key, str(day), state, at_s + line.due_s, at_s + start_s, at_s + end_s)


def _number(key: PipelineKey) -> int:
    return int(key.name.removeprefix("p"))

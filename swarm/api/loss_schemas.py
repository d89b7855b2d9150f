"""How the losses of workers look outside."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.dispatch.detector import Detection
from swarm.dispatch.redistribution import EDGES_S, Moved, Redistribution, Spread, spread
from swarm.model.work import LossCause, Outcome


class MovedRow(Shape):
    """A task that lost a grant, and where it went."""

    task: str
    pipeline: str | None
    grant: int = Field(description="The grant that it lost.")
    to: str | None = Field(description="The worker of its next grant; null: there was none yet.")
    took_s: float | None = Field(description="From the loss to that grant.")
    outcome: Outcome | None = Field(description="How it ended since, if it has.")

    @classmethod
    def of(cls, moved: Moved) -> Self:
        pipeline = None if moved.pipeline is None else str(moved.pipeline)
        more = {"to": moved.to, "took_s": moved.took_s, "outcome": moved.outcome}
        return cls(task=moved.task, pipeline=pipeline, grant=moved.grant, **more)


class RedistributionRow(Shape):
    """A worker that was lost with what it held."""

    worker: str
    cause: LossCause
    at_s: float
    unheard_s: float | None = Field(
        description="For how long nothing had been heard of it: what seeing it took at most. Null: "
        "that was not noted yet."
    )
    took_s: float | None = Field(description="Until the last of what has moved had moved.")
    tasks: list[MovedRow]

    @classmethod
    def of(cls, told: Redistribution) -> Self:
        tasks = [MovedRow.of(one) for one in told.tasks]
        times = {"at_s": told.at_s, "unheard_s": told.unheard_s, "took_s": told.took_s}
        return cls(worker=told.worker, cause=told.cause, tasks=tasks, **times)


class SpreadRow(Shape):
    """How lengths of time are spread."""

    count: int
    p50_s: float
    p99_s: float
    max_s: float
    edges_s: list[float]
    counts: list[int] = Field(description="How many up to each edge, and how many over the last.")

    @classmethod
    def of(cls, told: Spread) -> Self:
        shares = {"p50_s": told.p50_s, "p99_s": told.p99_s, "max_s": told.max_s}
        return cls(count=told.count, edges_s=list(EDGES_S), counts=list(told.counts), **shares)


class LossesRow(Shape):
    """What was lost with workers and where it went, as far as the stories of tasks are kept."""

    redistributions: list[RedistributionRow] = Field(description="The newest first.")
    detection: SpreadRow = Field(description="Of their `unheard_s`.")
    redistribution: SpreadRow = Field(description="Of the `took_s` of their tasks.")
    false_alarms: int | None = Field(
        description="Workers taken for gone that were only late, since the dispatcher began; null "
        "while it does not answer."
    )
    watched_s: float | None = Field(description="In so many seconds of workers.")
    false_alarms_per_1000_h: float | None = Field(
        description="False alarms in 1,000 hours of a worker; null until one hour was watched."
    )

    @classmethod
    def of(cls, told: Sequence[Redistribution], shown: int, detection: Detection | None) -> Self:
        seen = (one.unheard_s for one in told if one.unheard_s is not None)
        took = (m.took_s for one in told for m in one.tasks if m.took_s is not None)
        watched_s = None if detection is None else detection.watched_s
        alarms = None if detection is None else detection.false_alarms
        return cls(
            redistributions=[RedistributionRow.of(one) for one in told[:shown]],
            detection=SpreadRow.of(spread(seen)),
            redistribution=SpreadRow.of(spread(took)),
            false_alarms=alarms,
            watched_s=watched_s,
            false_alarms_per_1000_h=_rate(alarms, watched_s),
        )


def _rate(alarms: int | None, watched_s: float | None) -> float | None:
    if alarms is None or watched_s is None or watched_s < 3_600:
        return None
    return alarms / (watched_s / 3_600) * 1_000

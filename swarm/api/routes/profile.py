"""What a pipeline usually does, and each of its tasks."""

import asyncio
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field

from swarm.api.deps import Deps, Given
from swarm.api.roles import ROOT
from swarm.api.schemas import Shape
from swarm.model.keys import PipelineKey, TaskKey
from swarm.sequencing.history import RUNS_KEPT
from swarm.sequencing.known import known_world
from swarm.sequencing.profile import (
    DayProfile,
    Profile,
    Spread,
    TaskProfile,
    profile_of,
    task_profiles,
)

TASKS_OF_RUNS = 30
"""The tasks are those of the newest so many runs."""

router = APIRouter(prefix=ROOT, tags=["runs"])


class SpreadRow(Shape):
    """What half of all are below, and nine of ten; seconds."""

    p50_s: float
    p90_s: float

    @classmethod
    def of(cls, spread: Spread | None) -> Self | None:
        return None if spread is None else cls(p50_s=spread.p50_s, p90_s=spread.p90_s)


class OddDayRow(Shape):
    """A kind of day on which it takes longer or shorter, or fails more often, than on others."""

    kind: str = Field(description="A weekday, or the `last` or `first` working day of a month.")
    days: int
    runs: int
    failed: int
    took: SpreadRow | None

    @classmethod
    def of(cls, day: DayProfile) -> Self:
        took = SpreadRow.of(day.took)
        return cls(kind=day.kind, days=day.days, runs=day.runs, failed=day.failed, took=took)


class TaskProfileRow(Shape):
    """How long the good tries of a task took, and how many of those that ended did badly."""

    task: str
    runs: int
    tries: int
    failed: int
    failure_rate: float
    retried: int = Field(description="Runs with more than one try, told or not.")
    took: SpreadRow | None
    after: SpreadRow | None = Field(description="From the start of its run to that of its try.")

    @classmethod
    def of(cls, one: TaskProfile) -> Self:
        return cls(
            task=one.task.task,
            runs=one.runs,
            tries=one.tries,
            failed=one.failed,
            failure_rate=one.failed / one.tries,
            retried=one.retried,
            took=SpreadRow.of(one.took),
            after=SpreadRow.of(one.after),
        )


class ProfileRow(Shape):
    """What the runs of a pipeline tell that are kept; null where they do not."""

    pipeline: str
    runs: int = Field(description="That ended, without those that made good for another time.")
    failed: int
    failure_rate: float | None
    apart: int = Field(description="Back-fills and repairs beside them, which count nowhere.")
    from_s: float | None
    until_s: float | None
    every_s: float | None = Field(description="How long after a run the next one begins.")
    took: SpreadRow | None = Field(description="Good runs.")
    late: SpreadRow | None = Field(description="From the planned start to the start.")
    begins: SpreadRow | None = Field(
        description="Second of the day of UTC, where it runs once a day or less often; below 0 or "
        "past 86,400 where that is about midnight."
    )
    odd_days: list[OddDayRow]
    tasks: list[TaskProfileRow] = Field(description="Of its newest runs, by name.")

    @classmethod
    def of(cls, key: PipelineKey, one: Profile, tasks: tuple[TaskProfile, ...]) -> Self:
        return cls(
            pipeline=str(key),
            runs=one.runs,
            failed=one.failed,
            failure_rate=one.failed / one.runs if one.runs else None,
            apart=one.apart,
            from_s=one.from_s,
            until_s=one.until_s,
            every_s=one.every_s,
            took=SpreadRow.of(one.took),
            late=SpreadRow.of(one.late),
            begins=SpreadRow.of(one.begins),
            odd_days=[OddDayRow.of(day) for day in one.days],
            tasks=[TaskProfileRow.of(task) for task in tasks],
        )


@router.get("/profile")
async def profile(
    deps: Given, name: Annotated[str, Query(min_length=1, max_length=2_000)]
) -> ProfileRow:
    """What the pipeline `name` usually does: how often it runs, how long, how late, how often it
    fails, on which days it is otherwise; and the same of its tasks."""
    found = deps.model.find(name)
    key = found.pipeline_key if isinstance(found, TaskKey) else found
    return await asyncio.to_thread(_profile, deps, key)


def _profile(deps: Deps, key: PipelineKey) -> ProfileRow:
    listed = deps.model.graph.pipelines.get(key)
    kept = deps.projections.runs
    runs = kept.of(key, RUNS_KEPT)
    history = known_world((), (), runs).history
    newest = {
        run.run_id: run.started_at_s for run in runs[:TASKS_OF_RUNS] if run.started_at_s is not None
    }
    tasks = () if listed is None else (task.key for task in listed.tasks)
    tries = kept.tries_of(key, newest, tasks, min(newest.values(), default=0.0))
    return ProfileRow.of(
        key,
        profile_of(history, key, () if listed is None else listed.crons),
        task_profiles(tries, newest),
    )

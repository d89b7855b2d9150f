"""Days of a fleet of pipelines: what is to be run on each, how long it takes, and by when.

Nothing here is taken from the engine. What is modelled:

- The synthetic fleet: 89 pipelines of 3 to 8 tasks begin between 05:30 and 06:30 (the morning
  rush) with 40 dependencies across them; 40 more of two tasks run every hour; people ask for work
  all day, mostly from 9 to 17 o'clock of a working day, and nobody knows that before.
- A fleet from files: the schedules of seven days, tasks and edges of a real one (`--data`), week
  after week; what a task takes on average is given there by a model, not measured.
- From day to day all takes longer or shorter: by the weekday (Monday 1.25, weekend 0.6), at the end
  of a month (1.3), by the day (lognormal, 0.1), by the task (lognormal, 0.25), and 3 of 100 tasks
  take three times as long.
- Every second pipeline of the rush, or of those that run daily, has an SLA: 1.5 times its longest
  chain after its schedule, and 15 to 60 minutes.
"""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import exp
from pathlib import Path
from random import Random

HOUR_S, DAY_S = 3_600.0, 86_400.0
_WEEKDAYS = (1.25, 1.0, 1.0, 1.05, 0.95, 0.6, 0.6)


@dataclass(frozen=True, slots=True)
class Task:
    """To be run once on a day; times are seconds of the day. It begins no sooner than at its
    release and after those it is `after` (all smaller). What people ask for is of no pipeline."""

    pipeline: str
    name: str
    slots: int
    takes_s: float
    release_s: float
    after: tuple[int, ...] = ()
    due_s: float | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Day 0 is a Monday."""

    number: int
    tasks: tuple[Task, ...]

    @property
    def kind(self) -> str:
        """What makes days alike."""
        if self.number % 30 >= 28:
            return "month end"
        weekday = self.number % 7
        return "weekend" if weekday > 4 else "Monday" if weekday == 0 else "weekday"


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is scheduled on each weekday, at what it takes on average; `slots` of a worker."""

    weeks: tuple[tuple[Task, ...], ...]
    slots: int
    people: float  # requests an hour at the busiest

    def day(self, number: int, seed: int) -> Day:
        random = Random(f"{seed} {number}")
        pace = _WEEKDAYS[number % 7] * random.lognormvariate(0, 0.1)
        if number % 30 >= 28:
            pace *= 1.3
        tasks = [
            replace(task, takes_s=max(1.0, task.takes_s * pace * _noise(random)))
            for task in self.weeks[number % 7]
        ]
        return Day(number, (*tasks, *self._asked(number, random)))

    def _asked(self, number: int, random: Random) -> list[Task]:
        asked = []
        at_s = 0.0
        while (at_s := at_s + random.expovariate(self.people / HOUR_S)) < DAY_S:
            busy = 9 <= at_s / HOUR_S < 17 and number % 7 < 5
            if random.random() < (1.0 if busy else 0.1):
                asked.append(Task("", "", 1, 240 * _noise(random) * _noise(random), at_s))
        return asked


def _noise(random: Random) -> float:
    return random.lognormvariate(0, 0.25) * (3 if random.random() < 0.03 else 1)


def synthetic(seed: int) -> Fleet:
    random = Random(seed)
    tasks: list[Task] = []
    lasts: list[int] = []
    for pipeline in range(89):
        release_s = 5.5 * HOUR_S + 300 * random.randrange(13)
        first, level = len(tasks), [len(tasks)]
        after: tuple[int, ...] = ()
        if pipeline and pipeline * 40 // 89 != (pipeline - 1) * 40 // 89:
            after = (random.choice(lasts),)
        for number in range(random.randint(3, 8)):
            above = after if number == 0 else tuple(random.sample(level, min(len(level), 2)))
            if number % 2 == 0:
                level = []
            level.append(len(tasks))
            takes_s = 60 * exp(random.gauss(1.3, 0.8))
            slots = 2 if random.random() < 0.2 else 1
            above = above or (first,)[:number]
            tasks.append(Task(f"rush {pipeline}", str(number), slots, takes_s, release_s, above))
        lasts.append(len(tasks) - 1)
    for pipeline in range(40):
        minute = random.randrange(60)
        for hour in range(24):
            for number in range(2):
                after = (len(tasks) - 1,) if number else ()
                at_s, takes_s = hour * HOUR_S + minute * 60, 300 + 20 * pipeline
                name = f"hourly {pipeline}"
                tasks.append(Task(name, str(number), 1, takes_s, at_s, after))
    due = _due(tasks, lasts[::2], random)
    promised = tuple(replace(task, due_s=due.get(n)) for n, task in enumerate(tasks))
    return Fleet((promised,) * 7, slots=2, people=40.0)


def _due(tasks: Sequence[Task], of: Sequence[int], random: Random) -> dict[int, float]:
    """When each of these has to end."""
    ends: list[float] = []
    for task in tasks:
        ready_s = max((ends[before] for before in task.after), default=0.0)
        ends.append(max(ready_s, task.release_s) + task.takes_s)
    return {
        last: tasks[last].release_s
        + 1.5 * (ends[last] - tasks[last].release_s)
        + 60 * random.randint(15, 60)
        for last in of
    }


def of_files(folder: Path, seed: int) -> Fleet:
    """The fleet whose schedules, tasks and edges are in the folder."""
    of_dag: dict[str, list[dict[str, object]]] = defaultdict(list)
    with gzip.open(folder / "tasks_mozilla.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            of_dag[row["dag"]].append(row)
    after: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in _rows(folder / "edges_mozilla.csv.gz"):
        after[row["down_dag"], row["down_task"]].append((row["up_dag"], row["up_task"]))
    runs: list[list[tuple[float, str]]] = [[] for _ in range(7)]
    for row in _rows(folder / "dagruns_7d_mozilla.csv.gz"):
        at = datetime.fromisoformat(row["logical_time_utc"])
        second = at.hour * HOUR_S + at.minute * 60 + at.second
        runs[at.weekday()].append((second, row["dag"]))
    weeks = tuple(_weekday(sorted(day), of_dag, after, Random(seed)) for day in runs)
    return Fleet(weeks, slots=4, people=40.0)


def _weekday(
    runs: Sequence[tuple[float, str]],
    of_dag: Mapping[str, Sequence[Mapping[str, object]]],
    after: Mapping[tuple[str, str], Sequence[tuple[str, str]]],
    random: Random,
) -> tuple[Task, ...]:
    """A task waits for the newest run before its own of each task it is after."""
    tasks: list[Task] = []
    newest: dict[tuple[str, str], int] = {}
    times: defaultdict[str, int] = defaultdict(int)
    for _, dag in runs:
        times[dag] += 1
    lasts = []
    for at_s, dag in runs:
        ordered = _ordered(dag, of_dag.get(dag, ()), after)
        for row in ordered:
            key = (dag, str(row["task"]))
            above = {newest[up] for up in after.get(key, ()) if up in newest}
            newest[key] = len(tasks)
            slots, takes_s = int(str(row["cores"])), float(str(row["base_s"]))
            tasks.append(Task(*key, slots, takes_s, at_s, tuple(sorted(above))))
        if ordered and times[dag] == 1:
            lasts.append(len(tasks) - 1)
    due = _due(tasks, lasts[::2], random)
    return tuple(replace(task, due_s=due.get(n)) for n, task in enumerate(tasks))


def _ordered(
    dag: str,
    rows: Sequence[Mapping[str, object]],
    after: Mapping[tuple[str, str], Sequence[tuple[str, str]]],
) -> list[Mapping[str, object]]:
    """The tasks of a DAG, each behind those of it that it is after."""
    left = {str(row["task"]): row for row in rows}
    found: list[Mapping[str, object]] = []
    while left:
        ready = [
            name
            for name in left
            if not any(up[0] == dag and up[1] in left for up in after.get((dag, name), ()))
        ]
        found += [left.pop(name) for name in ready or list(left)]
    return found


def _rows(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))

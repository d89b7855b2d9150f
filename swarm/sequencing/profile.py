"""What a pipeline usually does, and each of its tasks: how often, how long, how late, how well.

Rules
1. Counts what is kept of its ended runs, without those that made good for another time, whose
   number is told (`History.ended`). Cancelled runs are in neither. Durations are of good runs.
2. How late is how long after its planned start a run begins. An orchestrator may name a run by the
   time of its data instead: the start is planned so many starts of its clock later as it is for
   most runs. Where no clock is told, such runs tell nothing.
3. A kind of day (a weekday, the last or first working day of a month; all of UTC) is told apart if
   chance would make it look so once in 500 times at most beside the other working days: half as
   long again or two thirds as long as theirs, and on more days than a tenth of theirs let expect;
   or more days with failures. Three days are the least; without working days the others count.
4. A task's durations are of its good tries, its failures of all that ended; so a task that a retry
   saves shows. Of runs of before the first contact Airflow, and of all runs Prefect, tell the last
   try of a task alone: that it was not the first shows by its number. `after` is how long after its
   run its first try begins.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median, median_low
from typing import NamedTuple, Self

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import Cron
from swarm.model.runs import Ran, RunState, TaskRun
from swarm.model.weekdays import DAY_S, is_weekend, month_end, weekday
from swarm.sequencing.clock_habit import ONCE_A_DAY_S
from swarm.sequencing.crons import next_of
from swarm.sequencing.days import DAYS_LEAST
from swarm.sequencing.history import History, cadence_s

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OTHER = 1.5
_CHANCE = 0.002
_TAIL = 0.1
# A start belongs to a planned one that is no more ahead of it than this: clocks differ.
_EARLY_S = 60.0
_STARTS_MOST = 20  # between the time of its data and its planned start
_ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED})


class Spread(NamedTuple):
    """In seconds: what half of all are below, and nine of ten."""

    p50_s: float
    p90_s: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """None where there are no values."""
        found = list(values)
        return cls.over(found) if found else None

    @classmethod
    def over(cls, values: Collection[float]) -> Self:
        """`values` is not empty."""
        return cls(median(values), sorted(values)[min(len(values) - 1, 9 * len(values) // 10)])


@dataclass(frozen=True, slots=True)
class DayProfile:
    """A kind of day that is not like the others: `kind` is a weekday's name, or `last` or `first`
    working day of a month. It had `days` of it with `runs`, of which `failed` ended badly."""

    kind: str
    days: int
    runs: int
    failed: int
    took: Spread | None


@dataclass(frozen=True, slots=True)
class Profile:
    """Of `runs` ended runs, begun between `from_s` and `until_s`, `failed` ended badly; `apart` are
    those beside them that made good for another time. `every_s` is the cadence. `late` is how long
    after its planned start it begins, `begins` at which second of a day of UTC, for what runs once
    a day or less often (below 0 or past 86,400 where it runs about midnight). None: nothing tells.
    """

    runs: int
    failed: int
    apart: int
    from_s: float | None
    until_s: float | None
    every_s: float | None
    took: Spread | None
    late: Spread | None
    begins: Spread | None
    days: tuple[DayProfile, ...]


@dataclass(frozen=True, slots=True)
class TaskProfile:
    """Of `tries` that ended, of `runs` runs, `failed` ended badly; in `retried` of these runs there
    was more than one."""

    task: TaskKey
    runs: int
    tries: int
    failed: int
    retried: int
    took: Spread | None
    after: Spread | None


def profile_of(history: History, pipeline: PipelineKey, crons: Sequence[Cron] = ()) -> Profile:
    """What its runs tell; `crons` are all its starts by the clock, where its orchestrator says."""
    ended = history.ended(pipeline)
    starts = [ran.started_at_s for ran in ended]
    every_s = cadence_s(starts)
    return Profile(
        runs=len(ended),
        failed=sum(ran.failed for ran in ended),
        apart=len(history.known(pipeline)) - len(ended),
        from_s=starts[0] if starts else None,
        until_s=starts[-1] if starts else None,
        every_s=every_s,
        took=Spread.of(history.good_durations_s(pipeline)),
        late=Spread.of(_late_s(ended, crons)),
        begins=Spread.of(_begins_s(starts)) if every_s and every_s >= ONCE_A_DAY_S else None,
        days=tuple(_odd_days(ended)),
    )


def task_profiles(tries: Iterable[TaskRun], began: Mapping[str, float]) -> tuple[TaskProfile, ...]:
    """Of each task, by name; `began` is when each run began, by its id."""
    by_task: dict[TaskKey, list[TaskRun]] = {}
    for one in tries:
        if one.state in _ENDED:
            by_task.setdefault(one.task, []).append(one)
    return tuple(_of_task(task, by_task[task], began) for task in sorted(by_task))


def _of_task(task: TaskKey, tries: Sequence[TaskRun], began: Mapping[str, float]) -> TaskProfile:
    took = [
        one.ended_at_s - one.started_at_s
        for one in tries
        if one.state is RunState.SUCCEEDED
        and one.started_at_s is not None
        and one.ended_at_s is not None
    ]
    after = []
    for one in tries:
        run_s = began.get(one.run_id, began.get(_whole(one.run_id)))
        if one.attempt <= 1 and one.started_at_s is not None and run_s is not None:
            after.append(one.started_at_s - run_s)
    return TaskProfile(
        task=task,
        runs=len({_whole(one.run_id) for one in tries}),
        tries=len(tries),
        failed=sum(one.state is RunState.FAILED for one in tries),
        retried=len({_whole(one.run_id) for one in tries if one.attempt > 1}),
        took=Spread.of(took),
        after=Spread.of(after),
    )


def _whole(run_id: str) -> str:
    """The run of which `run[3]` is an instance of a mapped task."""
    run, bracket, index = run_id.removesuffix("]").rpartition("[")
    return run if bracket and index.isdigit() and run_id.endswith("]") else run_id


# --- how late ------------------------------------------------------------------------------------


def _late_s(ended: Sequence[Ran], crons: Sequence[Cron]) -> list[float]:
    named = [
        (ran.scheduled_for_s, ran.started_at_s) for ran in ended if ran.scheduled_for_s is not None
    ]
    if not named:
        return []
    if not crons:
        behind = [began_s - named_s for named_s, began_s in named]
        every_s = cadence_s([began_s for _, began_s in named])
        return behind if every_s is None or median(behind) < every_s / 2 else []
    between = [_starts_between(crons, *one) for one in named]
    usual = median_low([len(starts) for starts in between])
    if not usual:
        return [began_s - named_s for named_s, began_s in named]
    if usual >= _STARTS_MOST:
        return []
    return [
        began_s - starts[usual - 1]
        for starts, (_, began_s) in zip(between, named, strict=True)
        if len(starts) >= usual
    ]


def _starts_between(crons: Sequence[Cron], named_s: float, began_s: float) -> list[float]:
    """The first planned starts after the time that a run is named by, until it began."""
    found: list[float] = []
    start_s = next_of(crons, named_s)
    while start_s is not None and start_s <= began_s + _EARLY_S and len(found) < _STARTS_MOST:
        found.append(start_s)
        start_s = next_of(crons, start_s)
    return found


def _begins_s(starts: Sequence[float]) -> list[float]:
    """At which second of the day, of days whose middle is the newest start."""
    newest_s = starts[-1]
    half_s = DAY_S / 2
    return [(at_s - newest_s + half_s) % DAY_S - half_s + newest_s % DAY_S for at_s in starts]


# --- which days are not like the others ----------------------------------------------------------


class _Day(NamedTuple):
    """What ran on a day; `took_s` is the middle of its good runs."""

    runs: int
    failed: int
    took_s: float | None


def _odd_days(ended: Sequence[Ran]) -> Iterator[DayProfile]:
    by_day: dict[int, list[Ran]] = {}
    for ran in ended:
        by_day.setdefault(int(ran.started_at_s // DAY_S), []).append(ran)
    days = {day: _day(runs) for day, runs in by_day.items()}
    working = {day for day in days if not is_weekend(day * DAY_S)} or days.keys()
    for kind, is_of in _KINDS.items():
        of = {day for day in days if is_of(day * DAY_S)}
        those, others = [days[day] for day in of], [days[day] for day in working - of]
        if min(len(those), len(others)) < DAYS_LEAST:
            continue
        if _takes_otherwise(those, others) or _fails_more(those, others):
            runs = [ran for day in of for ran in by_day[day]]
            took = Spread.of(ran.ended_at_s - ran.started_at_s for ran in runs if not ran.failed)
            yield DayProfile(kind, len(of), len(runs), sum(ran.failed for ran in runs), took)


def _day(runs: Sequence[Ran]) -> _Day:
    took = [ran.ended_at_s - ran.started_at_s for ran in runs if not ran.failed]
    return _Day(len(runs), len(runs) - len(took), median(took) if took else None)


def _takes_otherwise(those: Sequence[_Day], others: Sequence[_Day]) -> bool:
    mine = [day.took_s for day in those if day.took_s is not None]
    usual = sorted(day.took_s for day in others if day.took_s is not None)
    if min(len(mine), len(usual)) < DAYS_LEAST:
        return False
    ratio = median(mine) / max(median(usual), 1.0)
    tenth = int(len(usual) * _TAIL)
    if ratio >= _OTHER:
        beyond = sum(took_s > usual[-1 - tenth] for took_s in mine)
    elif ratio <= 1 / _OTHER:
        beyond = sum(took_s < usual[tenth] for took_s in mine)
    else:
        return False
    return _as_many(beyond, len(mine), _TAIL) <= _CHANCE


def _fails_more(those: Sequence[_Day], others: Sequence[_Day]) -> bool:
    """Of days, not of runs: the runs of a day fail together."""
    bad, bad_elsewhere = (sum(day.failed > 0 for day in days) for days in (those, others))
    share = (bad_elsewhere + 1) / (len(others) + 2)
    return bad >= DAYS_LEAST and _as_many(bad, len(those), share) <= _CHANCE


def _as_many(found: int, of: int, share: float) -> float:
    """How likely it is that so many or more come of chance, if each comes with that share."""
    return sum(
        comb(of, count) * share**count * (1 - share) ** (of - count)
        for count in range(found, of + 1)
    )


def _is_weekday(number: int) -> Callable[[float], bool]:
    return lambda at_s: weekday(at_s) == number


def _is_month_end(kind: str) -> Callable[[float], bool]:
    def is_of(at_s: float) -> bool:
        end = month_end(at_s)
        return end is not None and end.value == kind

    return is_of


_KINDS: Mapping[str, Callable[[float], bool]] = {
    **{name: _is_weekday(number) for number, name in enumerate(WEEKDAYS)},
    **{kind: _is_month_end(kind) for kind in ("last", "first")},
}

"""Worlds with a known truth, for `benchmarks.confidence`: who reads what, and what is seen of it.

A world is one organisation over some weeks, one batch of observations a day. Nothing in it is
taken from the engine: each organisation draws its own quality of every channel, and how much there
is to be taken for an access, from ranges in round numbers, so no fixed weights can fit all of them.
What happens, in shares of tasks unless said else:

- A task writes one dataset (a quarter: two) and reads one to four of those written before it. Most
  accesses happen in each run, a fifth in a quarter of the runs, some in a tenth.
- 15 % run weekly, all others daily.
- 20 % change once: one read goes, another comes, in the text and in the runs. Lists that people
  keep follow only half of the time; they are always read as a whole.
- 15 % once do what they never do again (a repair, a back-fill).
- For each real access there are six to fifteen that a channel may name by mistake. Dead branches
  and mistakes of the SQL parser last; the parser's are the same in every channel that reads the
  task's SQL.
- In query logs people run the task's statements by hand under its tag, and statements without a
  tag are given to whoever ran at that time, at the low confidence the connectors give them.
- Access logs and run events are lost for some runs.

What is true is what each task does at the end, rarely or not; not what it once did.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import exp, log

from swarm.lineage.fusion import WINDOW_CONFIDENCE
from swarm.model.connectors import Batch, Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, DependencyKey, Evidence

DAY_S = 86_400.0
DAYS = 30
RATES = ((1.0, 0.75), (0.25, 0.2), (0.1, 0.05))  # of runs with the access; share of the reads
LOST = {Channel.OPENLINEAGE: 0.03, Channel.ACCESS_LOG: 0.1, Channel.QUERY_LOG: 0.1}  # of runs
BY_HAND, BY_WINDOW = 0.003, 0.1  # strange statements a task and day: under its tag, by its time
PARSER_ERRS = 0.0005  # of confusables, named by every channel that reads the SQL
LISTS_FOLLOW = 0.5  # of changes that people write down where they list accesses

STATIC = (Channel.DECLARED, Channel.MANIFEST, Channel.SQL_SOURCE, Channel.CODE)
LISTS = (Channel.DECLARED, Channel.MANIFEST)
TEXT = (Channel.SQL_SOURCE, Channel.SQL_RUN, Channel.QUERY_LOG, Channel.OPENLINEAGE)
COVERING = (Channel.SQL_SOURCE, Channel.SQL_RUN, Channel.CODE, Channel.OPENLINEAGE)

End = tuple[Access, DatasetKey]


@dataclass(frozen=True, slots=True)
class Range:
    """`share` of tasks the channel speaks of. In one organisation it misses a share of the real
    accesses and names a share of the confusable ones, both for good: somewhere in these ranges,
    each order of magnitude as likely as the next."""

    share: float
    misses: tuple[float, float]
    errs: tuple[float, float]


# Ranges by kind of channel, in round numbers: what people write down, what is told before a run,
# what a log keeps, what a run itself tells.
WRITTEN, BEFORE = ((0.1, 0.8), (0.0005, 0.01)), ((0.03, 0.4), (0.001, 0.02))
LOGGED, TOLD = ((0.03, 0.4), (0.0002, 0.005)), ((0.01, 0.2), (0.0001, 0.002))
RANGES: Mapping[Channel, Range] = {
    Channel.DECLARED: Range(0.3, *WRITTEN),
    Channel.MANIFEST: Range(0.1, *WRITTEN),
    Channel.SQL_SOURCE: Range(0.6, *BEFORE),
    Channel.SQL_RUN: Range(0.4, *TOLD),
    Channel.QUERY_LOG: Range(0.5, *LOGGED),
    Channel.ACCESS_LOG: Range(0.25, *LOGGED),
    Channel.CODE: Range(0.5, *BEFORE),
    Channel.OPENLINEAGE: Range(0.35, *TOLD),
}


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a channel in one organisation P(speaks of a task), P(names what is), P(names what is
    not)."""

    share: float
    sees: float
    errs: float


@dataclass(frozen=True, slots=True)
class Habits:
    """What tasks do, in shares of tasks; at least and at most how many accesses can be taken for
    each real one; the share of readings that miss nothing they know of, so that silence counts."""

    weekly: float = 0.15
    changed: float = 0.2
    one_off: float = 0.15
    confusable: tuple[int, int] = (6, 15)
    complete: float = 0.75


USUAL = Habits()
# Another kind of organisation: fewer runs, more changes and repairs, half as many coverages.
SHIFTED = Habits(weekly=0.4, changed=0.4, one_off=0.3, confusable=(12, 24), complete=0.4)


@dataclass(frozen=True, slots=True)
class World:
    """`batches`: one a day. `truth`: what there is at the end. `rates`: in which share of its runs
    a task does what it does then. `weekly`: who runs once a week."""

    batches: tuple[Batch, ...]
    truth: frozenset[DependencyKey]
    ends: frozenset[tuple[TaskKey, End]]
    rates: Mapping[tuple[TaskKey, End], float]
    weekly: frozenset[TaskKey]


@dataclass(slots=True)
class _Job:
    """One task: `rates` of its accesses before and since `changes_on`."""

    key: TaskKey
    every: int
    before: dict[End, float]
    since: dict[End, float]
    changes_on: int
    one_off: tuple[int, End] | None
    confusable: list[End]
    names: dict[Channel, tuple[set[End], set[End]]] = field(default_factory=dict)
    complete: set[Channel] = field(default_factory=set)

    def rates(self, day: int) -> dict[End, float]:
        return self.since if day >= self.changes_on else self.before


def make(
    tasks: int,
    seed: int,
    worse: Mapping[Channel, float] | None = None,
    habits: Habits = USUAL,
) -> World:
    """One organisation; `worse` multiplies the mistakes of some channels."""
    dice = random.Random(seed)
    quality = {
        channel: _drawn(range_, (worse or {}).get(channel, 1.0), dice)
        for channel, range_ in RANGES.items()
    }
    jobs = _jobs(tasks, habits, dice)
    for job in jobs:
        _instrument(job, quality, habits, dice)
    batches = tuple(
        Batch("world", str(day), tuple(i for job in jobs for i in _observed(job, day, dice)))
        for day in range(DAYS)
    )
    ends = frozenset((job.key, end) for job in jobs for end in job.since)
    rates = {(job.key, end): rate for job in jobs for end, rate in job.since.items()}
    weekly = frozenset(job.key for job in jobs if job.every > 1)
    return World(batches, edges(ends), ends, rates, weekly)


def edges(ends: frozenset[tuple[TaskKey, End]]) -> frozenset[DependencyKey]:
    """Every writer of a dataset before every other task that reads it."""
    readers: dict[DatasetKey, list[TaskKey]] = {}
    for task, (access, dataset) in ends:
        if access is Access.READ:
            readers.setdefault(dataset, []).append(task)
    return frozenset(
        DependencyKey(task, reader, dataset)
        for task, (access, dataset) in ends
        if access is Access.WRITE
        for reader in readers.get(dataset, ())
        if reader != task
    )


def _drawn(range_: Range, worse: float, dice: random.Random) -> Quality:
    misses, errs = (
        exp(dice.uniform(log(low), log(high))) for low, high in (range_.misses, range_.errs)
    )
    return Quality(range_.share, 1 - misses, min(errs * worse, 0.2))


def _jobs(tasks: int, habits: Habits, dice: random.Random) -> list[_Job]:
    written: list[list[DatasetKey]] = []
    for number in range(tasks):
        names = [f"db.s.d{number}"] + ([f"db.s.e{number}"] if dice.random() < 0.25 else [])
        written.append([_dataset(name, dice) for name in names])
    everything = [dataset for group in written for dataset in group]
    confusable = dice.randint(*habits.confusable)
    jobs = []
    for number in range(tasks):
        above = [dataset for group in written[:number] for dataset in group]
        reads = dice.sample(above, min(dice.randint(1, 4), len(above)))
        rates, shares = zip(*RATES, strict=True)
        before = {(Access.READ, name): dice.choices(rates, shares)[0] for name in reads}
        before |= {(Access.WRITE, name): 1.0 for name in written[number]}
        since, changes_on = dict(before), DAYS
        if reads and dice.random() < habits.changed:
            changes_on = dice.randint(5, DAYS - 3)
            del since[Access.READ, dice.choice(reads)]
            since[Access.READ, dice.choice(above)] = 1.0
        known = {*before, *since}
        strange: list[End] = []
        while len(strange) < confusable * len(before):
            access = Access.WRITE if dice.random() < 0.25 else Access.READ
            end = (access, dice.choice(everything))
            if end not in known:
                strange.append(end)
        key = TaskKey("orchestrator", f"p{number // 3}", f"t{number}")
        every = 7 if dice.random() < habits.weekly else 1
        day = dice.randrange(0, DAYS, every)
        one_off = (day, dice.choice(strange)) if dice.random() < habits.one_off else None
        jobs.append(_Job(key, every, before, since, changes_on, one_off, strange))
    return jobs


def _dataset(name: str, dice: random.Random) -> DatasetKey:
    if dice.random() < 0.3:
        return DatasetKey("s3://lake", name.replace(".", "/"))
    return DatasetKey("postgres://w:5432", name)


def _instrument(
    job: _Job, quality: Mapping[Channel, Quality], habits: Habits, dice: random.Random
) -> None:
    """Decide for good what each channel will name of the task, before and since its change."""
    parser_errs = {end for end in job.confusable if dice.random() < PARSER_ERRS}
    for channel, has in quality.items():
        if dice.random() >= has.share:
            continue
        real = {end for end in job.before | job.since if dice.random() < has.sees}
        wrong = {end for end in job.confusable if dice.random() < has.errs}
        wrong |= parser_errs if channel in TEXT else set()
        if channel is Channel.ACCESS_LOG:
            real = {end for end in real if end[1].namespace.startswith("s3")}
            wrong = {end for end in wrong if end[1].namespace.startswith("s3")}
        follows = channel not in LISTS or dice.random() < LISTS_FOLLOW
        before = (real & job.before.keys()) | wrong
        job.names[channel] = before, ((real & job.since.keys()) | wrong) if follows else before
        if channel in LISTS or (channel in COVERING and dice.random() < habits.complete):
            job.complete.add(channel)


def _observed(job: _Job, day: int, dice: random.Random) -> Iterator[Item]:
    at_s = (day + 0.25) * DAY_S
    runs = day % job.every == 0
    done = {end for end, rate in job.rates(day).items() if dice.random() < rate}
    if job.one_off is not None and job.one_off[0] == day:
        done.add(job.one_off[1])
    for channel, (before, since) in job.names.items():
        names = since if day >= job.changes_on else before
        if channel not in STATIC:
            if not runs or dice.random() < LOST.get(channel, 0.0):
                continue
            rates = job.rates(day).keys()
            blind = {end for end in rates if end not in names}
            names = (done - blind) | (names - rates)
        for access, dataset in sorted(names):
            yield Evidence(job.key, access, dataset, channel, at_s, "text:1")
        if channel in job.complete:
            yield Coverage(job.key, channel, at_s)
        if channel is Channel.QUERY_LOG:
            for share, confidence in ((BY_HAND, 1.0), (BY_WINDOW, WINDOW_CONFIDENCE)):
                if dice.random() < share:
                    access, dataset = dice.choice(job.confusable)
                    yield Evidence(
                        job.key, access, dataset, channel, at_s, "log", confidence=confidence
                    )

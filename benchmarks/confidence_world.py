"""Worlds with a known truth, for `benchmarks.confidence`: who reads what, and what is seen of it.

A world is one organisation over some weeks, one batch of observations a day. Nothing in it is
taken from the engine: each organisation draws its own quality of every channel around the middles
below, so no fixed weights can fit all of them. What happens, in shares of tasks unless said else:

- A task writes one dataset (a quarter: two) and reads one to four of those written before it. Most
  accesses happen in each run, a fifth in a quarter of the runs, some in a tenth.
- 15 % run weekly, all others daily.
- 20 % change once: one read goes, another comes, in the text and in the runs. Lists that people
  keep follow only half of the time.
- 15 % once do what they never do again (a repair, a back-fill).
- For each real access there are nine a channel may name by mistake. Dead branches and mistakes of
  the SQL parser last; the parser's are the same in every channel that reads the task's SQL.
- In query logs people run the task's statements by hand under its tag, and statements without a
  tag are given to whoever ran at that time, at the low confidence the connectors give them.
- Access logs and run events are lost for some runs.

What is true is what each task does at the end, rarely or not; not what it once did.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import exp

from swarm.lineage.fusion import WINDOW_CONFIDENCE
from swarm.model.journal import Batch, Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, DependencyKey, Evidence

DAY_S = 86_400.0
DAYS = 30
CONFUSABLE = 9  # accesses a channel may name by mistake, for each real one
WEEKLY, CHANGED, ONE_OFF = 0.15, 0.2, 0.15
RATES = ((1.0, 0.75), (0.25, 0.2), (0.1, 0.05))  # of runs with the access; share of the reads
COMPLETE = 0.75  # of readings that miss nothing they know of, so that silence counts
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
class Quality:
    """`share` of tasks the channel speaks of; it names `sees` of the real accesses and `errs` of
    the confusable ones, both for good."""

    share: float
    sees: float
    errs: float


MIDDLES: Mapping[Channel, Quality] = {
    Channel.DECLARED: Quality(0.3, 0.5, 0.002),
    Channel.MANIFEST: Quality(0.1, 0.7, 0.002),
    Channel.SQL_SOURCE: Quality(0.6, 0.85, 0.004),
    Channel.SQL_RUN: Quality(0.4, 0.95, 0.0005),
    Channel.QUERY_LOG: Quality(0.5, 0.9, 0.0005),
    Channel.ACCESS_LOG: Quality(0.25, 0.85, 0.001),
    Channel.CODE: Quality(0.5, 0.7, 0.007),
    Channel.OPENLINEAGE: Quality(0.35, 0.95, 0.0005),
}
SPREAD = 0.6  # of the logarithm of mistakes and misses, from one organisation to another


@dataclass(frozen=True, slots=True)
class World:
    """`batches`: one a day. `truth`: what there is at the end."""

    batches: tuple[Batch, ...]
    truth: frozenset[DependencyKey]
    ends: frozenset[tuple[TaskKey, End]]


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


def make(tasks: int, seed: int, worse: Mapping[Channel, float] | None = None) -> World:
    """One organisation; `worse` multiplies the mistakes of some channels."""
    dice = random.Random(seed)
    quality = {
        channel: _drawn(middle, (worse or {}).get(channel, 1.0), dice)
        for channel, middle in MIDDLES.items()
    }
    jobs = _jobs(tasks, dice)
    for job in jobs:
        _instrument(job, quality, dice)
    batches = tuple(
        Batch("world", str(day), tuple(i for job in jobs for i in _observed(job, day, dice)))
        for day in range(DAYS)
    )
    ends = frozenset((job.key, end) for job in jobs for end in job.since)
    return World(batches, edges(ends), ends)


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


def _drawn(middle: Quality, worse: float, dice: random.Random) -> Quality:
    errs = min(middle.errs * exp(dice.gauss(0, SPREAD)) * worse, 0.2)
    misses = min((1 - middle.sees) * exp(dice.gauss(0, SPREAD)), 0.8)
    return Quality(middle.share, 1 - misses, errs)


def _jobs(tasks: int, dice: random.Random) -> list[_Job]:
    written: list[list[DatasetKey]] = []
    for number in range(tasks):
        names = [f"db.s.d{number}"] + ([f"db.s.e{number}"] if dice.random() < 0.25 else [])
        written.append([_dataset(name, dice) for name in names])
    everything = [dataset for group in written for dataset in group]
    jobs = []
    for number in range(tasks):
        above = [dataset for group in written[:number] for dataset in group]
        reads = dice.sample(above, min(dice.randint(1, 4), len(above)))
        rates, shares = zip(*RATES, strict=True)
        before = {(Access.READ, name): dice.choices(rates, shares)[0] for name in reads}
        before |= {(Access.WRITE, name): 1.0 for name in written[number]}
        since, changes_on = dict(before), DAYS
        if reads and dice.random() < CHANGED:
            changes_on = dice.randint(5, DAYS - 3)
            del since[Access.READ, dice.choice(reads)]
            since[Access.READ, dice.choice(above)] = 1.0
        known = {*before, *since}
        strange: list[End] = []
        while len(strange) < CONFUSABLE * len(before):
            access = Access.WRITE if dice.random() < 0.25 else Access.READ
            end = (access, dice.choice(everything))
            if end not in known:
                strange.append(end)
        key = TaskKey("orchestrator", f"p{number // 3}", f"t{number}")
        every = 7 if dice.random() < WEEKLY else 1
        day = dice.randrange(0, DAYS, every)
        one_off = (day, dice.choice(strange)) if dice.random() < ONE_OFF else None
        jobs.append(_Job(key, every, before, since, changes_on, one_off, strange))
    return jobs


def _dataset(name: str, dice: random.Random) -> DatasetKey:
    if dice.random() < 0.3:
        return DatasetKey("s3://lake", name.replace(".", "/"))
    return DatasetKey("postgres://w:5432", name)


def _instrument(job: _Job, quality: Mapping[Channel, Quality], dice: random.Random) -> None:
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
        if channel in COVERING and dice.random() < COMPLETE:
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

"""How reliable each channel is here, as the channels judge each other.

Where several channels know the same task, each access is a case that they agree on or not. Which
are right nobody says, but with three of them or more it follows from who mostly agrees with whom
(Dawid and Skene, Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm,
1979): in turns, how likely each access is real is worked out from what the channels are worth, and
what they are worth from how likely the accesses are real. `RELIABILITY` is the prior, so a few
cases move little.

Three figures are learned of a channel, each from the cases that are a fair sample for it:
- the share of its reports that is right, where another channel knows the task;
- the share of what others show that it shows too, where it covers the task, and where it knows it
  in part. "Knows" is judged apart from the access in question: else a channel would be asked for
  what it missed less often than for what it saw.
What fades, what is not sure and who looked too seldom teaches nothing.

The result follows from the cases alone, however they came about. Counts are taken by steps and
results are given by steps, so that most news of a task moves neither.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log

from swarm.lineage.channels import PRIOR, RELIABILITY, Reliability, shared_mistakes
from swarm.model.keys import TaskKey
from swarm.model.lineage import Channel

# Standard deviations of the prior, in log-odds. Two organisations in three err up to twice as
# often or as seldom as `RELIABILITY` has it. What a channel misses hangs on how an organisation
# set it up, so that it differs more: up to 2.7 times.
SPREAD_RIGHT = 0.7
SPREAD_SEES = 1.0

# Results are given in steps of this many log-odds from what is known: a new one weighs every
# dependency of the channel anew.
STEP = 0.25

# From fewer cases nothing is learned: they may all be of one odd task.
ENOUGH = 20

# A channel that errs more often than this says nothing either way.
MOST_ERRS = 0.5

_ROUNDS = 12
_NEWTON = 2
_PRIOR_ODDS = log(PRIOR / (1 - PRIOR))


class Knows(StrEnum):
    """What a channel knows of a task, apart from the access in question."""

    WHOLE = "whole"
    PARTLY = "partly"
    NOT = "not"


Said = tuple[tuple[Channel, Knows], ...]


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One access as the channels have it: who shows it, and who knows the task and does not."""

    shows: Said
    lacks: Said


class _Rate(StrEnum):
    """What is learned of a channel, each as log-odds."""

    RIGHT = "right"
    WHOLE = "whole"
    PARTLY = "partly"


_At = tuple[Channel, _Rate]
_SEEING = {Knows.WHOLE: _Rate.WHOLE, Knows.PARTLY: _Rate.PARTLY}


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a report and a silence of each channel add to the log-odds."""

    shows: Mapping[Channel, float]
    lacks: Mapping[tuple[Channel, Knows], float]


class Agreement:
    """The cases of all tasks, and what they say."""

    def __init__(self) -> None:
        self._of: dict[TaskKey, tuple[Case, ...]] = {}
        self._counts: Counter[Case] = Counter()
        self._last: tuple[dict[Case, int], Mapping[Channel, Reliability]] = ({}, RELIABILITY)

    def put(self, cases: Mapping[TaskKey, tuple[Case, ...]]) -> None:
        """These are the cases of the tasks now."""
        self._counts = self._with(cases)
        for task, now in cases.items():
            self._of.pop(task, None)
            if now:
                self._of[task] = now

    def learned(self, cases: Mapping[TaskKey, tuple[Case, ...]]) -> Mapping[Channel, Reliability]:
        """The reliability of all channels, if these were the cases of the tasks."""
        counts = {case: _stepped(n) for case, n in self._with(cases).items()}
        if counts != self._last[0]:
            self._last = counts, learn(counts)
        return self._last[1]

    def _with(self, cases: Mapping[TaskKey, tuple[Case, ...]]) -> Counter[Case]:
        counts = self._counts.copy()
        for task, now in cases.items():
            counts.update(now)
            counts.subtract(self._of.get(task, ()))
        return +counts


def case_of(shows: Said, lacks: Said) -> Case | None:
    """The case of one access; `None` where no channel can judge another."""
    able = len(lacks) + sum(knows is not Knows.NOT for _, knows in shows)
    return Case(shows, lacks) if shows and able and len(shows) + len(lacks) > 1 else None


def learn(counts: Mapping[Case, int]) -> Mapping[Channel, Reliability]:
    """The reliability of all channels, by how often each case was met."""
    rates = dict(_KNOWN)
    ordered = sorted(counts.items())
    for _ in range(_ROUNDS if counts else 0):
        votes: dict[_At, list[float]] = {at: [0.0, 0.0] for at in rates}
        has = {channel: _reliability(channel, rates) for channel in RELIABILITY}
        worth = _worth(has)
        for case, times in ordered:
            for at, right, yes in _votes(case, worth):
                votes[at][0 if yes else 1] += times * right
        rates = {at: _moved(at, rate, *votes[at]) for at, rate in rates.items()}
    stepped = {at: _KNOWN[at] + STEP * round((r - _KNOWN[at]) / STEP) for at, r in rates.items()}
    return {channel: _reliability(channel, stepped) for channel in RELIABILITY}


def _votes(case: Case, worth: _Worth) -> Iterator[tuple[_At, float, bool]]:
    """What one case says of each channel in it: of which rate, how much, for or against."""
    able = [channel for channel, knows in case.shows if knows is not Knows.NOT]
    judged = _likely(able, case.lacks, worth) if able else 0.0
    real = judged
    if len(able) < len(case.shows):
        real = _likely([channel for channel, _ in case.shows], case.lacks, worth)
    for channel, knows in case.shows:
        knowing = knows is not Knows.NOT
        if len(able) - knowing + len(case.lacks):  # somebody else can judge it
            right = judged if knowing else _likely([*able, channel], case.lacks, worth)
            yield (channel, _Rate.RIGHT), right, True
            yield (channel, _Rate.RIGHT), 1 - right, False
        if knowing and len(case.shows) > 1:  # somebody else shows it
            yield (channel, _SEEING[knows]), real, True
    for channel, knows in case.lacks:
        yield (channel, _SEEING[knows]), real, False


def _likely(shows: Iterable[Channel], lacks: Said, worth: _Worth) -> float:
    """P(the access is real), by these words; those that share a mistake count once, as in
    `fusion`."""
    best: dict[str, float] = {}
    odds = _PRIOR_ODDS
    for channel in shows:
        group, weight = _GROUP[channel], worth.shows[channel]
        if group:
            best[group] = max(best.get(group, 0.0), weight)
        else:
            odds += weight
    for said in lacks:
        group, weight = _GROUP[said[0]], worth.lacks[said]
        if group:
            best["no " + group] = min(best.get("no " + group, 0.0), weight)
        else:
            odds += weight
    return _share(odds + sum(best.values()))


def _moved(at: _At, rate: float, yes: float, no: float) -> float:
    """The likeliest log-odds, so many cases being for and against."""
    if yes + no < ENOUGH:
        return _KNOWN[at]
    spread = SPREAD_RIGHT if at[1] is _Rate.RIGHT else SPREAD_SEES
    for _ in range(_NEWTON):
        share = _share(rate)
        slope = yes - (yes + no) * share - (rate - _KNOWN[at]) / spread**2
        step = slope / ((yes + no) * share * (1 - share) + 1 / spread**2)
        rate += max(min(step, 1.0), -1.0)
    return rate


def _reliability(channel: Channel, rates: Mapping[_At, float]) -> Reliability:
    right, whole, partly = (rates[channel, rate] for rate in _Rate)
    if all(rates[channel, rate] == _KNOWN[channel, rate] for rate in _Rate):
        return RELIABILITY[channel]
    sees = _share(whole)
    return Reliability(sees, min(sees / exp(right - _PRIOR_ODDS), MOST_ERRS), _share(partly))


def _worth(has: Mapping[Channel, Reliability]) -> _Worth:
    lacks = {(channel, Knows.WHOLE): one.against_it for channel, one in has.items()}
    lacks |= {(channel, Knows.PARTLY): log(1 - one.partly) for channel, one in has.items()}
    return _Worth({channel: one.for_it for channel, one in has.items()}, lacks)


def _stepped(count: int) -> int:
    """1, 2, 3, then two steps for each doubling: the middle of the step."""
    shift = max(count.bit_length() - 2, 0)
    return (count >> shift << shift) + (1 << shift >> 1)


def _share(odds: float) -> float:
    return 1 / (1 + exp(-odds))


def _odds(share: float) -> float:
    return log(share / (1 - share))


def _known(channel: Channel, has: Reliability) -> Iterator[tuple[_At, float]]:
    yield (channel, _Rate.RIGHT), _PRIOR_ODDS + has.for_it
    yield (channel, _Rate.WHOLE), _odds(has.sees)
    yield (channel, _Rate.PARTLY), _odds(has.partly)


_KNOWN = {at: rate for one in RELIABILITY.items() for at, rate in _known(*one)}
_GROUP = {channel: next(shared_mistakes(channel), "") for channel in RELIABILITY}

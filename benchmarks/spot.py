"""What does a job with a deadline cost on spot, over real traces, and is it ever late?

Jobs of 8 h (restart 6 min) and of 2 h (2 min), whose work is 0.7, 0.8 or 0.9 of the time to their
deadline, begin all over the traces (`spot_traces.py`), the first six hours of which are history.
Each is replayed step by step; at no step is anything known of later ones. Their windows overlap:
so many replays are not so many independent ones. Dedicated capacity is always there; data and code
are within reach of every pool, and moving them costs nothing.

Sums over all jobs, in shares of what they would cost on dedicated capacity, the start included:

- `cost_over_ondemand`; `cost_over_clairvoyant`: of the least there can be over all pools, known
  ahead (`spot_optimum.py`); `cost_over_uniform_progress`: of uniform progress (Can't Be Late, Wu et
  al., NSDI 2024) in one pool, the mean over the pools that were ever there; `cost_over_best_pool`:
  of the same in the pool that was the best of its trace, which nobody can know before.
- `cost_over_clairvoyant_worst`: of the kind of job and trace where it is the largest.
- `..._tasks`: the same jobs made of tasks of 10 min that a loss repeats; else nothing but the
  restart is lost, as in the paper.
- `misses`: jobs late, of `replays`, both ways together; `uniform_progress_misses`: of its own.
- `..._zones`: over a folder of zones published with the paper (`--zones`), if given.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.report import Figures, Options, progress, run
from benchmarks.spot_jobs import JobKind, Watched, replay, uniform_progress, watched, with_swarm
from benchmarks.spot_optimum import least_costs
from benchmarks.spot_traces import STEP_S, Trace, traces, zones

QUESTION = "What does a job with a deadline cost on spot, over real traces, and is it ever late?"
_MINUTE = 60 / STEP_S
_PAST = 6 * 3_600 // STEP_S
_TASK_MIN = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """Mean costs of one kind of job on one trace, in shares of dedicated capacity."""

    swarm: float
    clairvoyant: float
    uniform: float
    best_pool: float
    misses: int
    uniform_misses: int
    replays: int


def kinds(piece: int) -> Iterator[JobKind]:
    for hours, restart_min in ((8, 6), (2, 2)):
        for tight in (0.7, 0.8, 0.9):
            work = int(hours * 60 * _MINUTE)
            restart = int(restart_min * _MINUTE)
            yield JobKind(f"{hours} h at {tight}", work, piece, restart, int(work / tight))


def outcome(trace: Trace, known: Watched, kind: JobKind, count: int) -> Outcome:
    room = trace.steps - kind.window - _PAST
    begins = [_PAST + number * room // count for number in range(count)]
    least = least_costs(trace, kind, begins)
    ours = [replay(trace, kind, begin, with_swarm(trace, known, kind, begin)) for begin in begins]
    if any(paid < best - 1e-6 for (paid, _), best in zip(ours, least, strict=True)):
        raise AssertionError(f"{trace.name}: a replay of {kind.name} costs less than the optimum")
    pools = [
        [replay(trace, kind, begin, uniform_progress(trace, pool, kind, begin)) for begin in begins]
        for pool in range(len(trace.pools))
        if any(trace.pools[pool].up)
    ]
    means = [fmean(paid for paid, _ in replays) for replays in pools]
    dedicated = kind.work + kind.restart
    return Outcome(
        fmean(paid for paid, _ in ours) / dedicated,
        fmean(least) / dedicated,
        fmean(means) / dedicated,
        min(means) / dedicated,
        sum(not in_time for _, in_time in ours),
        sum(not in_time for replays in pools for _, in_time in replays),
        count,
    )


def measure(options: Options) -> Figures:
    count = 12 if options.quick else 300
    found = traces(options.own.data)
    figures: dict[str, float] = {"misses": 0, "replays": 0, "uniform_progress_misses": 0}
    _add(figures, found, count, "")
    if options.own.zones is not None:
        _add(figures, [zones(options.own.zones)], count, "_zones")
    return figures


def _add(figures: dict[str, float], found: list[Trace], count: int, suffix: str) -> None:
    known = {trace.name: watched(trace) for trace in found}
    for piece, cut in ((1, ""), (int(_TASK_MIN * _MINUTE), "_tasks")):
        outcomes = []
        for trace in found:
            for kind in kinds(piece):
                one = outcome(trace, known[trace.name], kind, count)
                outcomes.append(one)
                progress(
                    f"{trace.name}, {kind.name}{cut}: {one.swarm:.3f} of dedicated, "
                    f"optimum {one.clairvoyant:.3f}, uniform progress {one.uniform:.3f}"
                )
        _sum(figures, outcomes, cut + suffix)


def _sum(figures: dict[str, float], outcomes: list[Outcome], suffix: str) -> None:
    swarm = fmean(one.swarm for one in outcomes)
    figures[f"cost_over_ondemand{suffix}"] = swarm
    for name, other in (
        ("clairvoyant", fmean(one.clairvoyant for one in outcomes)),
        ("uniform_progress", fmean(one.uniform for one in outcomes)),
        ("best_pool", fmean(one.best_pool for one in outcomes)),
    ):
        figures[f"cost_over_{name}{suffix}"] = swarm / other
    worst = max(one.swarm / one.clairvoyant for one in outcomes)
    figures[f"cost_over_clairvoyant_worst{suffix}"] = worst
    figures["misses"] += sum(one.misses for one in outcomes)
    figures["uniform_progress_misses"] += sum(one.uniform_misses for one in outcomes)
    figures["replays"] += sum(one.replays for one in outcomes)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the traces of 2020")
    parser.add_argument("--zones", type=Path, help="folder of one JSON file a zone, of NSDI 2024")


if __name__ == "__main__":
    run("spot", QUESTION, measure, arguments=_arguments)

"""How long does a morning rush take under swarm's planner, and what does it cost?

Simulated: `rush_world.py` says what is modelled, `rush_play.py` how it is played. Every figure is
the mean over the seeds unless it says otherwise; one seed is one morning. `--real` runs one of them
on a real swarm (`rush_real.py`).

- `makespan_min`, `makespan_p95_min`: from the hour until the last of 89 pipelines is done, with
  durations known as distributions; `makespan_known_min`: the plan of one who knows them.
- `makespan_over_bound`: of the latter over the lower bound at 14 workers (45 min);
  `makespan_over_clairvoyant`: of the former over the latter; `done_in_47_min`, `_known`: shares.
- `makespan_over_fifo`, `_own_path`, `_ray`: over the same morning on 14 workers in order of
  release, by each pipeline's own longest path, and in Ray's order. They know nothing of "behind".
- `makespan_without_implicit_over_with`: by global slack on 14 workers, without and with what nobody
  declared in the graph; who reads waits all the same. `stale_reads_without_implicit`: tasks that
  would begin before what they read is there. `order_violations`: in all that swarm played (sum).
- `sla_misses`, of 45: unknown durations; `_clairvoyant`, `_fifo`, `_own_path`, `_ray`;
  `sla_misses_over_clairvoyant`, unless that is 0; `sla_misses_unavoidable`: late were there no end
  of workers.
- `workers_peak` (most on any day), `workers_after`: five minutes after the rush; `back_at_9`: share
  of days; `base_workers`: the fewest on which the base load, alone and first in first out, would
  not wait for more than a minute; `base_fits_9`: share of days on which 9 are enough.
- `base_waits`: share of base tasks that wait for more than a minute; `base_wait_max_s`.
- `utilisation`: of what is paid from the hour to the end of the rush, by slot-seconds.
- `planning_s`: the first plan of a day; `planning_cpu_s`, on a CPU of its own;
  `planning_max_cpu_s`: the slowest of all plans, the clairvoyant's too.
- `cost_usd`, `static_cost_usd`, `saved_usd`: workers of that morning, from the first order to
  minute 120; 14 workers from the hour to minute 120. On demand, c5.large in us-east-1.
- `behind_done`: share of the backfill's and people's tasks begun by minute 120.
- `mornings`: how many were played: 1,000, or as many as are done within `--minutes`.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import fmean, quantiles
from time import monotonic

from benchmarks import rush_real
from benchmarks.report import Figures, Options, progress, run, save
from benchmarks.rush_play import (
    LEAD_S,
    OFFERING,
    Played,
    base_workers,
    clairvoyant,
    fifo,
    global_slack,
    in_order,
    own_path,
    planned,
    ray_order,
    stale_reads,
    violations,
)
from benchmarks.rush_world import (
    BOUND_S,
    END_S,
    MIN_S,
    PATIENCE_S,
    SLOTS,
    WORKERS,
    Morning,
    morning,
)
from swarm.model.plans import Plan
from swarm.placement.demand import unhindered
from swarm.placement.rehearsal import NEVER

QUESTION = "How long does a morning rush take under swarm's planner, and what does it cost?"
DRAWS, TRIES = 16, 12
GOAL_S = 47 * MIN_S
Day = dict[str, float]


def main() -> None:
    """Run the benchmark; with `--real` the other one, which has options of its own."""
    if "--real" in sys.argv:
        sys.argv.remove("--real")
        rush_real.main()
        return
    run("rush", QUESTION, measure, arguments=_arguments, draw=_draw)


def measure(options: Options) -> Figures:
    count = options.own.seeds or (8 if options.quick else 1_000)
    until_s = monotonic() + 60 * options.own.minutes
    days: dict[str, list[float]] = defaultdict(list)
    played = 0
    with closing(_days(range(options.seed, options.seed + count), options.own.jobs)) as ended:
        for played, day in enumerate(ended, start=1):
            for name, value in day.items():
                days[name].append(value)
            if played % 20 == 0:
                progress(f"{played} of {count} mornings, {fmean(days['makespan_min']):.1f} min")
            if monotonic() > until_s:
                break
    figures = {name: fmean(values) for name, values in days.items()}
    for name in ("workers_peak", "planning_max_cpu_s", "base_wait_max_s"):
        figures[name] = max(days[name])
    figures["order_violations"] = sum(days["order_violations"])
    figures["makespan_p95_min"] = quantiles(days["makespan_min"], n=20, method="inclusive")[-1]
    missed, best = figures["sla_misses"], figures["sla_misses_clairvoyant"]
    if best:
        figures["sla_misses_over_clairvoyant"] = missed / best
    figures["mornings"] = played
    return figures


def _days(seeds: range, jobs: int) -> Generator[Day, None, None]:
    """In the order of the seeds; who closes it plays no more of them."""
    if jobs == 1:
        yield from map(one_day, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(one_day, seeds)


def one_day(seed: int) -> Day:
    """All figures of one morning."""
    day = morning(seed)
    base = base_workers(day)
    known_plan, known_took_s = clairvoyant(day, TRIES)
    known = _as_played(day, known_plan)
    live = planned(day, DRAWS)
    end_s, known_s = makespan_s(day, live), makespan_s(day, known)
    others = {
        "fifo": in_order(day, fifo(day)),
        "own_path": in_order(day, own_path(day)),
        "ray": in_order(day, ray_order(day, seed)),
    }
    seen = in_order(day, global_slack(day, known=True))
    unseen = in_order(day, global_slack(day, known=False))
    blind = in_order(day, global_slack(day, known=False), blind=True)
    return {
        "makespan_min": end_s / MIN_S,
        "makespan_known_min": known_s / MIN_S,
        "makespan_over_bound": known_s / BOUND_S,
        "makespan_over_clairvoyant": end_s / known_s,
        "done_in_47_min": float(end_s <= GOAL_S),
        "done_in_47_min_known": float(known_s <= GOAL_S),
        **{f"makespan_over_{name}": end_s / makespan_s(day, one) for name, one in others.items()},
        "makespan_without_implicit_over_with": makespan_s(day, unseen) / makespan_s(day, seen),
        "stale_reads_without_implicit": stale_reads(day, blind),
        "order_violations": sum(violations(day, *_course(one)) for one in (known, live)),
        "sla_misses": misses(day, live),
        "sla_misses_clairvoyant": misses(day, known),
        "sla_misses_unavoidable": _late(day, unhindered(day.demands, day.takes)),
        **{f"sla_misses_{name}": misses(day, one) for name, one in others.items()},
        **_fleet(day, live, end_s),
        "base_workers": base,
        "base_fits_9": float(base <= 9),
        "planning_s": live.planning_s[0],
        "planning_cpu_s": live.planning_cpu_s[0],
        "planning_max_cpu_s": max(known_took_s, *live.planning_cpu_s),
    }


def _fleet(day: Morning, live: Played, end_s: int) -> Day:
    moments = sorted({from_s for from_s, _ in live.paid})
    after = _workers(live, end_s + 5 * MIN_S)
    pairs = [*zip(day.demands, live.starts, strict=True)]
    waits = [start - one.release_s for one, start in pairs if one.patience_s and start != NEVER]
    behind = [start != NEVER for one, start in pairs if one.behind]
    spans = zip(live.starts, live.ends, strict=True)
    busy_s = sum(max(0, min(e, end_s) - max(0, s)) for s, e in spans if s != NEVER)
    paid_s = sum(max(0, min(until, end_s) - max(0, from_)) for from_, until in live.paid)
    usd_per_s = OFFERING.price_usd_per_h / 3600
    cost = usd_per_s * sum(until - from_ for from_, until in live.paid)
    static = usd_per_s * WORKERS * END_S
    return {
        "workers_peak": max(_workers(live, at) for at in moments),
        "workers_after": after,
        "back_at_9": float(after <= 9),
        "base_waits": fmean(wait > PATIENCE_S for wait in waits),
        "base_wait_max_s": max(waits),
        "behind_done": fmean(behind),
        "utilisation": busy_s / (paid_s * SLOTS),
        "cost_usd": cost,
        "static_cost_usd": static,
        "saved_usd": static - cost,
    }


def _workers(played: Played, at_s: int) -> int:
    return sum(from_s <= at_s < until_s for from_s, until_s in played.paid)


def makespan_s(day: Morning, played: Played) -> int:
    """When the last pipeline is done, since the hour."""
    return max(played.ends[number] for number in day.rush)


def misses(day: Morning, played: Played) -> int:
    """How many pipelines are late."""
    return _late(day, played.ends)


def _late(day: Morning, ends: Sequence[int]) -> int:
    """Pipelines of which a task with a deadline was late."""
    late = {
        day.pipeline[number]
        for number in day.rush
        if (due_s := day.demands[number].due_s) is not None and ends[number] > due_s
    }
    return len(late)


def _course(played: Played) -> tuple[list[int], list[int], list[int]]:
    return played.starts, played.ends, played.on


def _as_played(day: Morning, plan: Plan) -> Played:
    number = {demand.name: at for at, demand in enumerate(day.demands)}
    workers: dict[str, int] = {}
    starts, ends, on = ([NEVER] * len(day.demands) for _ in range(3))
    for placement in plan.placements:
        at = number[placement.task]
        starts[at], ends[at] = placement.start_s - LEAD_S, placement.end_s - LEAD_S
        on[at] = workers.setdefault(placement.worker, len(workers))
    return Played(starts, ends, on, [])


def _draw(_: Figures, path: Path) -> None:
    """The morning of seed 1: slots that are busy and paid for, and first in first out."""
    import matplotlib.pyplot as plt

    day = morning(1)
    live, first_in = planned(day, DRAWS), in_order(day, fifo(day))
    minutes = range(-5, END_S // MIN_S)
    figure, axes = plt.subplots(figsize=(8, 4))
    paid = [SLOTS * _workers(live, minute * MIN_S) for minute in minutes]
    axes.step(minutes, paid, where="post", label="paid for")
    for name, played in (("busy", live), ("busy, first in first out", first_in)):
        spans = [*zip(played.starts, played.ends, strict=True)]
        busy = [sum(s <= minute * MIN_S < e for s, e in spans) for minute in minutes]
        axes.plot(minutes, busy, label=name)
        axes.axvline(makespan_s(day, played) / MIN_S, color="grey", linewidth=0.8)
    axes.set(xlabel="minutes from the hour; the rush ends at the grey lines", ylabel="slots")
    save(figure, path)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=0, help="so many mornings instead")
    parser.add_argument("--jobs", type=int, default=1, help="processes; planning_s wants 1")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no more then")


if __name__ == "__main__":
    main()

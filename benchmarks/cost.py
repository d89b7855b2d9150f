"""What does a fleet cost that follows the work, beside one that stands and one that reacts?

Six weeks of days (`cost_world.py`) after four of history, each planned from the days before it
(`cost_plans.py`) and played through (`cost_fleet.py`): a worker boots for two minutes and is paid
by the second from its order on. The baselines are ideal: they see the queue at once. Missed SLAs
are priced at 25 USD, a worker at 0.20 USD an hour; other work that waits for more than ten minutes
at five cents. With `--data`, the fleet is that of the folder's files; with `--spot`, spot comes
and goes as in that folder's traces.

The area bound is the work over the slots of a worker: no boot, no idling, nothing half empty.

- `cost_over_area_bound`, `cost_over_static_peak`: of the forecast-capped fleet, all dedicated; the
  static peak is the smallest constant fleet that misses no more SLAs, paid 24 hours a day.
- `cost_with_spot_over_static_peak`: where spot is used as far as slack allows.
  `copies_per_day`: what ran on spot for so long that a loss could not have been made good in time
  got a second copy on a dedicated worker, behind the fence.
- `decision_regret`: rent and misses over those of the same decisions at perfect information.
- `peak_workers_over_reactive`: the mean of the daily peaks, over that of the reactive fleet whose
  workers go after a minute (`reactive_...`; `reactive_5min_...`: after five).
- `utilisation`: busy slots over paid ones; `sla_wait_p95_s`: of tasks with an SLA behind them, from
  when they are ready; `other_wait_p95_s`: of all others, who wait five minutes to save a boot.
- `coverage`: share of quarters below the forecast's 90 %; `untrusted_days`: planned without it.
- `static_N_...`, `reactive_Ns_...`, `swarm_N_...`: the frontier: constant fleets, idle times, and
  shares of the most workers that were planned, in percent.
"""

import argparse
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from benchmarks.cost_fleet import Outcome, PoolDay, Rule, play
from benchmarks.cost_plans import PRICE_USD_PER_H, Planner, missed
from benchmarks.cost_pools import drawn, from_traces, observe
from benchmarks.cost_rules import Known, Plan, Spot, exactly, reactive, static, with_swarm
from benchmarks.cost_world import HOUR_S, Day, Fleet, of_files, synthetic
from benchmarks.report import Figures, Options, progress, run, save
from swarm.placement.capacity import Worth
from swarm.placement.survival import Survival

QUESTION = (
    "What does a fleet cost that follows the work, beside one that stands and one that reacts?"
)
_PAST_DAYS = 28
_MISS_USD = 25.0
_HELD_USD = 0.2  # a day: less is not worth another size
_IDLES_S = (30.0, 60.0, 300.0, 900.0)
_SHARES = (50, 70, 85, 100, 120, 150)

Evening = tuple[Day, Known]


class World:
    """The days, what was known on the evening before each, and what was planned for it then."""

    def __init__(self, fleet: Fleet, days: int, seed: int) -> None:
        self.fleet = fleet
        self.evenings: list[Evening] = []
        self.plans: list[Plan] = []
        self.perfect: list[Plan] = []
        self.planner = Planner(fleet.slots, Worth(_MISS_USD, _HELD_USD))
        for number in range(_PAST_DAYS + days):
            day = fleet.day(number, seed)
            if number >= _PAST_DAYS:
                self.evenings.append((day, self.planner.past.known(day.tasks)))
                self.plans.append(self.planner.plan(day))
                self.perfect.append(self.planner.perfect(day))
            self.planner.add(day)

    @property
    def area_h(self) -> float:
        work = sum(task.slots * task.takes_s for day, _ in self.evenings for task in day.tasks)
        return work / HOUR_S / self.fleet.slots

    def standing(self, workers: int) -> list[Outcome]:
        return self._played(lambda _, known: static(known, workers))

    def reacting(self, idle_s: float) -> list[Outcome]:
        return self._played(lambda day, known: reactive(day, known, self.fleet.slots, idle_s))

    def _played(self, rule: Callable[[Day, Known], Rule]) -> list[Outcome]:
        slots = self.fleet.slots
        return [play(day, slots, rule(day, known)) for day, known in self.evenings]

    def planned(self, share: float = 1.0) -> list[Outcome]:
        slots, found = self.fleet.slots, []
        for (day, known), plan in zip(self.evenings, self.plans, strict=True):
            most = plan.most and max(1, round(plan.most * share))
            rule = with_swarm(day, known, slots, replace(plan, most=most))
            found.append(play(day, slots, rule))
        return found

    def clairvoyant(self) -> list[Outcome]:
        slots = self.fleet.slots
        return [
            play(day, slots, with_swarm(day, exactly(day.tasks), slots, plan))
            for (day, _), plan in zip(self.evenings, self.perfect, strict=True)
        ]

    def with_spot(self, pools: Sequence[Sequence[PoolDay]]) -> list[Outcome]:
        survival, found, slots = Survival(), [], self.fleet.slots
        for past in pools[:_PAST_DAYS]:
            observe(survival, past)
        for (day, known), plan, there in zip(
            self.evenings, self.plans, pools[_PAST_DAYS:], strict=True
        ):
            spot = Spot(known, there, deepcopy(survival))
            found.append(play(day, slots, with_swarm(day, known, slots, plan, spot), there))
            observe(survival, there)
        return found


def measure(options: Options) -> Figures:
    days = 4 if options.quick else 42
    data, seed = options.own.data, options.seed
    fleet = synthetic(seed) if data is None else of_files(data, seed)
    progress(f"{days} days planned after {_PAST_DAYS}")
    world = World(fleet, days, seed)
    ours, best = world.planned(), world.clairvoyant()
    slots = fleet.slots
    progress("played; the baselines")
    slow, quick = world.reacting(300.0), world.reacting(60.0)
    peak = _static_peak(world, _misses(ours), max(one.peak for one in quick))
    standing = world.standing(peak)
    progress("and on spot")
    folder = options.own.spot
    total = _PAST_DAYS + days
    pools = drawn(total, seed) if folder is None else from_traces(folder, total)
    spot = world.with_spot(pools)
    figures = {
        "decision_regret": _usd(ours) / _usd(best),
        "cost_over_area_bound": _cost_h(ours) / world.area_h,
        "cost_over_static_peak": _cost_h(ours) / _cost_h(standing),
        "cost_with_spot_over_static_peak": _cost_h(spot) / _cost_h(standing),
        "cost_over_reactive": _cost_h(ours) / _cost_h(quick),
        "peak_workers_over_reactive": _peak(ours) / _peak(quick),
        "static_peak_workers": peak,
        "utilisation": _utilisation(ours, slots),
        "reactive_utilisation": _utilisation(quick, slots),
        "reactive_5min_cost_over_area_bound": _cost_h(slow) / world.area_h,
        "sla_misses_per_day": _misses(ours),
        "sla_misses_per_day_reactive": _misses(quick),
        "sla_misses_per_day_clairvoyant": _misses(best),
        "sla_misses_per_day_with_spot": _misses(spot),
        "lost_on_spot_per_day": sum(one.lost for one in spot) / days,
        "copies_per_day": sum(one.copies for one in spot) / days,
        "sla_wait_p95_s": _p95([wait for one in ours for wait in one.sla_waits_s]),
        "sla_wait_p95_s_reactive": _p95([wait for one in quick for wait in one.sla_waits_s]),
        "other_wait_p95_s": _p95([wait for one in ours for wait in one.waits_s]),
        "other_wait_p95_s_reactive": _p95([wait for one in quick for wait in one.waits_s]),
        "coverage": world.planner.forecaster.coverage(total) or 0.0,
        "untrusted_days": sum(plan.most is None for plan in world.plans),
    }
    if not options.quick:
        _frontier(figures, world, peak)
    return figures


def _static_peak(world: World, misses: float, most: int) -> int:
    """The smallest constant fleet that misses no more; none is larger than `most`."""
    least = 1
    while least < most:
        middle = (least + most) // 2
        if _misses(world.standing(middle)) <= misses:
            most = middle
        else:
            least = middle + 1
    return most


def _frontier(figures: dict[str, float], world: World, peak: int) -> None:
    def add(name: str, outcomes: Sequence[Outcome]) -> None:
        progress(name)
        figures[f"{name}_cost_over_area_bound"] = _cost_h(outcomes) / world.area_h
        figures[f"{name}_sla_misses_per_day"] = _misses(outcomes)

    for share in (0.6, 0.8, 1.0, 1.2):
        size = round(share * peak)
        add(f"static_{size}", world.standing(size))
    for idle_s in _IDLES_S:
        add(f"reactive_{idle_s:.0f}s", world.reacting(idle_s))
    for percent in _SHARES:
        add(f"swarm_{percent}", world.planned(percent / 100))


def _cost_h(outcomes: Sequence[Outcome]) -> float:
    return sum(one.cost_h for one in outcomes)


def _misses(outcomes: Sequence[Outcome]) -> float:
    return sum(one.missed for one in outcomes) / len(outcomes)


def _usd(outcomes: Sequence[Outcome]) -> float:
    return _cost_h(outcomes) * PRICE_USD_PER_H + _MISS_USD * sum(map(missed, outcomes))


def _peak(outcomes: Sequence[Outcome]) -> float:
    return sum(one.peak for one in outcomes) / len(outcomes)


def _utilisation(outcomes: Sequence[Outcome], slots: int) -> float:
    return sum(one.busy_h for one in outcomes) / slots / sum(one.worker_h for one in outcomes)


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


def draw(figures: Figures, path: Path) -> None:
    """Cost over misses, for each way the whole frontier."""
    import matplotlib.pyplot as plt

    end = "_cost_over_area_bound"
    figure, axes = plt.subplots(figsize=(6, 4))
    for way in ("static", "reactive", "swarm"):
        names = [
            name.removesuffix(end)
            for name in figures
            if name.startswith(f"{way}_")
            and name.endswith(end)
            and f"{name.removesuffix(end)}_sla_misses_per_day" in figures
        ]
        points = sorted((figures[f"{n}_sla_misses_per_day"], figures[n + end]) for n in names)
        axes.plot(*zip(*points, strict=True), marker="o", label=way)
    axes.set(xlabel="missed SLAs a day", ylabel="cost over area bound", yscale="log")
    save(figure, path)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder of a fleet's schedules, tasks and edges")
    parser.add_argument("--spot", type=Path, help="folder of traces of spot capacity")


if __name__ == "__main__":
    run("cost", QUESTION, measure, arguments=_arguments, draw=draw)

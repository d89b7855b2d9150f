"""What does a fleet cost that follows the work, beside one that stands and one that reacts?

Six weeks of days (`cost_world.py`) after four of history, each played through (`cost_fleet.py`) as
swarm's placement decides it (`cost_swarm.py`): a worker boots for two minutes and is paid by the
second from its order on. The baselines are ideal: they see the queue at once. A missed SLA is
priced at 25 USD, other work that waits for more than half an hour at 2.50, a worker at 0.20 an
hour. With `--data`, the fleet is that of the folder's files; with `--spot`, spot comes and goes as
in that folder's traces.

The area bound is the work over the slots of a worker: no boot, no idling, nothing half empty.

- `cost_over_area_bound`, `cost_over_static_peak`: all on dedicated workers; the static peak is the
  smallest constant fleet that misses no more SLAs, paid 24 hours a day.
- `cost_with_spot_over_static_peak`: where spot is used as far as slack allows, over the first
  fourteen days; it learns only from its own losses. `copies_per_day`: critical work on spot that
  got a second copy.
- `decision_regret`: rent and lateness over those of the same decisions at perfect information.
- `peak_workers_over_reactive`: the mean of the daily peaks, over that of the reactive fleet whose
  workers go after a minute (`reactive_...`; `reactive_5min_...`: after five).
- `utilisation`: busy slots over paid ones, boots included; `utilisation_rush`: from 5:30 to 7:30.
- `sla_wait_p95_s`: of tasks with an SLA behind them, from when they are ready; `other_wait_p95_s`:
  of all others.
- `coverage`: share of quarters below the forecast's 90 %; `untrusted_days`: ended without trust.
- `static_N_...`, `reactive_Ns_...`, `swarm_Nusd_...`: the frontier, over these days too: constant
  fleets, idle times, and what swarm is told that a missed SLA costs.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cost_fleet import Outcome, PoolDay, play
from benchmarks.cost_pools import drawn, from_traces
from benchmarks.cost_rules import Past, Reactive, Static, exactly
from benchmarks.cost_swarm import PRICE_USD_PER_H, Clairvoyant, Swarm, Watched, terms
from benchmarks.cost_world import HOUR_S, Day, Fleet, of_files, synthetic
from benchmarks.report import Figures, Options, progress, run, save
from swarm.model.learned import Trust
from swarm.placement.memory import Memory

QUESTION = (
    "What does a fleet cost that follows the work, beside one that stands and one that reacts?"
)
_MISS_USD = 25.0
_LONG_S, _LONG_USD = 1_800.0, 2.5
_IDLES_S = (30.0, 60.0, 300.0, 900.0)
_TOLD_USD = (2.5, 250.0)
_FEWER = 14


@dataclass(frozen=True, slots=True)
class World:
    """Days of a fleet, the first `past` of them to learn from."""

    fleet: Fleet
    past: int
    days: int
    seed: int
    spot: Path | None

    def day(self, number: int) -> Day:
        return self.fleet.day(number, self.seed)

    def measured(self) -> list[Day]:
        return [self.day(number) for number in range(self.past, self.past + self.days)]


@dataclass(frozen=True, slots=True)
class Placed:
    """How swarm did, how often its forecast held, and on how many days nobody trusted it."""

    outcomes: list[Outcome]
    coverage: float
    untrusted: int


def placed(world: World, late_usd: float, days: int, *, spot: bool = False) -> Placed:
    """Swarm places the work of so many days; it has watched those before."""
    memory, past, limits = Memory(), Past(), terms(late_usd)
    total = world.past + world.days
    pools: Sequence[Sequence[PoolDay]] = [()] * total
    if spot:
        folder = world.spot
        pools = drawn(total, world.seed) if folder is None else from_traces(folder, total)
    slots, outcomes, untrusted, coverage = world.fleet.slots, [], 0, 0.0
    for number in range(world.past + days):
        day, there = world.day(number), pools[number]
        known = past.known(day.tasks)
        if number < world.past:
            play(day, slots, Watched(day, known, memory, limits, slots))
        else:
            rule = Swarm(day, known, memory, limits, slots, len(there))
            outcomes.append(play(day, slots, rule, there))
            untrusted += rule.foretold.trust is not Trust.TRUSTED
            coverage = rule.foretold.coverage or 0.0
        past.add(day)
    return Placed(outcomes, coverage, untrusted)


def clairvoyant(world: World) -> list[Outcome]:
    """The same decisions by one who knows all that will come."""
    slots, limits = world.fleet.slots, terms(_MISS_USD)
    return [
        play(day, slots, Clairvoyant(day, exactly(day.tasks), limits, slots))
        for day in world.measured()
    ]


def _standing(world: World, workers: int) -> list[Outcome]:
    return [play(day, world.fleet.slots, Static(workers)) for day in world.measured()]


def _reacting(world: World, idle_s: float) -> list[Outcome]:
    slots = world.fleet.slots
    return [play(day, slots, Reactive(day.tasks, slots, idle_s)) for day in world.measured()]


def measure(options: Options) -> Figures:
    data, seed = options.own.data, options.seed
    past, days = (5, 1) if options.quick else (28, 42)
    fewer = min(days, _FEWER)
    fleet = synthetic(seed) if data is None else of_files(data, seed)
    world = World(fleet, past, days, seed, options.own.spot)
    progress(f"{days} days placed after {past}: by swarm, with spot too, and by a clairvoyant")
    with ProcessPoolExecutor(2) as pool:
        own = pool.submit(placed, world, _MISS_USD, days)
        on_spot = pool.submit(placed, world, _MISS_USD, fewer, spot=True)
        perfect = pool.submit(clairvoyant, world)
        told = {}
        if not options.quick:
            told = {usd: pool.submit(placed, world, usd, _FEWER) for usd in _TOLD_USD}
        found, spot, best = own.result(), on_spot.result(), perfect.result()
        asked = {usd: one.result().outcomes for usd, one in told.items()}
    progress("the baselines")
    ours, slots = found.outcomes, fleet.slots
    slow, quick = _reacting(world, 300.0), _reacting(world, 60.0)
    peak = _static_peak(world, _misses(ours), max(one.peak for one in quick))
    standing, area_h = _standing(world, peak), _area_h(world, days)
    figures = {
        "decision_regret": _usd(ours) / _usd(best),
        "cost_over_area_bound": _cost_h(ours) / area_h,
        "cost_over_static_peak": _cost_h(ours) / _cost_h(standing),
        "cost_with_spot_over_static_peak": _cost_h(spot.outcomes) / _cost_h(standing[:fewer]),
        "cost_over_reactive": _cost_h(ours) / _cost_h(quick),
        "peak_workers_over_reactive": _peak(ours) / _peak(quick),
        "static_peak_workers": peak,
        "utilisation": _utilisation(ours, slots),
        "utilisation_rush": _utilisation_rush(ours, slots),
        "reactive_utilisation": _utilisation(quick, slots),
        "reactive_5min_cost_over_area_bound": _cost_h(slow) / area_h,
        "sla_misses_per_day": _misses(ours),
        "sla_misses_per_day_reactive": _misses(quick),
        "sla_misses_per_day_clairvoyant": _misses(best),
        "sla_misses_per_day_with_spot": _misses(spot.outcomes),
        "lost_on_spot_per_day": sum(one.lost for one in spot.outcomes) / fewer,
        "copies_per_day": sum(one.copies for one in spot.outcomes) / fewer,
        "sla_wait_p95_s": _p95([wait for one in ours for wait in one.sla_waits_s]),
        "sla_wait_p95_s_reactive": _p95([wait for one in quick for wait in one.sla_waits_s]),
        "other_wait_p95_s": _p95([wait for one in ours for wait in one.waits_s]),
        "other_wait_p95_s_reactive": _p95([wait for one in quick for wait in one.waits_s]),
        "coverage": found.coverage,
        "untrusted_days": found.untrusted,
    }
    if not options.quick:
        _frontier(figures, world, peak, {_MISS_USD: ours[:_FEWER], **asked})
    return figures


def _static_peak(world: World, misses: float, most: int) -> int:
    """The smallest constant fleet that misses no more; none is larger than `most`."""
    least = 1
    while least < most:
        middle = (least + most) // 2
        if _misses(_standing(world, middle)) <= misses:
            most = middle
        else:
            least = middle + 1
    return most


def _frontier(
    figures: dict[str, float], world: World, peak: int, told: dict[float, list[Outcome]]
) -> None:
    world = World(world.fleet, world.past, _FEWER, world.seed, world.spot)
    area_h = _area_h(world, _FEWER)

    def add(name: str, outcomes: Sequence[Outcome]) -> None:
        progress(name)
        figures[f"{name}_cost_over_area_bound"] = _cost_h(outcomes) / area_h
        figures[f"{name}_sla_misses_per_day"] = _misses(outcomes)

    for share in (0.6, 0.8, 1.0, 1.2):
        size = round(share * peak)
        add(f"static_{size}", _standing(world, size))
    for idle_s in _IDLES_S:
        add(f"reactive_{idle_s:.0f}s", _reacting(world, idle_s))
    for usd, outcomes in sorted(told.items()):
        add(f"swarm_{usd:g}usd", outcomes)


def _area_h(world: World, days: int) -> float:
    work = sum(t.slots * t.takes_s for day in world.measured()[:days] for t in day.tasks)
    return work / HOUR_S / world.fleet.slots


def _cost_h(outcomes: Sequence[Outcome]) -> float:
    return sum(one.cost_h for one in outcomes)


def _misses(outcomes: Sequence[Outcome]) -> float:
    return sum(one.missed for one in outcomes) / len(outcomes)


def _usd(outcomes: Sequence[Outcome]) -> float:
    missed = sum(one.missed for one in outcomes)
    long = sum(wait_s > _LONG_S for one in outcomes for wait_s in one.waits_s)
    return _cost_h(outcomes) * PRICE_USD_PER_H + _MISS_USD * missed + _LONG_USD * long


def _peak(outcomes: Sequence[Outcome]) -> float:
    return sum(one.peak for one in outcomes) / len(outcomes)


def _utilisation(outcomes: Sequence[Outcome], slots: int) -> float:
    return sum(one.busy_h for one in outcomes) / slots / sum(one.worker_h for one in outcomes)


def _utilisation_rush(outcomes: Sequence[Outcome], slots: int) -> float:
    paid_h = sum(one.rush_worker_h for one in outcomes)
    return sum(one.rush_busy_h for one in outcomes) / slots / paid_h


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

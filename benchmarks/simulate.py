"""What does a what-if cost, and is its day without a change the day that comes?

The mornings of `benchmarks.warnings_world`, five weeks of them; then the day ahead of 200 pipelines
with a late source, a lost third of the slots and a doubled backfill, on 1,000 draws.

- `simulate_200x1000_s`: both worlds, over all draws, on one core; `day_ahead_s`: to find the day
  among the runs before.
- `sla_brier`: of the chances of 30 SLAs on 20 days that follow, each told the evening before;
  `sla_brier_constant`: of always saying how often they are missed on average.
"""

from statistics import mean
from time import perf_counter

from benchmarks.report import Figures, Options, progress, run
from benchmarks.warnings_world import DAY_S, FIRST_DAY, HOUR_S, Fleet, told
from swarm.sequencing.day_ahead import day_ahead
from swarm.sequencing.whatif import Changes, Filling, Loss, simulate
from swarm.sequencing.world import World

QUESTION = "What does a what-if cost, and is its day without a change the day that comes?"
HISTORY_DAYS = 35


def main() -> None:
    """Run the benchmark."""
    run("simulate", QUESTION, measure)


def measure(options: Options) -> Figures:
    days, looked, draws = (4, 8, 200) if options.quick else (20, 30, 1_000)
    fleet = Fleet(200, options.seed)
    past = [fleet.day(number) for number in range(HISTORY_DAYS)]
    slas = fleet.slas(past, looked)
    world = World()
    for record in fleet.graph():
        world.apply(record)
    for made in past:
        for _, seen in told(made):
            world.apply(seen)
    now_s = (FIRST_DAY + HISTORY_DAYS) * DAY_S - HOUR_S
    began_s = perf_counter()
    day = day_ahead(world, now_s)
    found_s = perf_counter() - began_s
    source = day.lines[0].key
    changes = Changes(
        late_s={source: 2_700.0},
        losses=(Loss(0.33, 6 * HOUR_S, 2 * HOUR_S),),
        fillings=(Filling(source, 30, 4),),
    )
    began_s = perf_counter()
    simulate(day, changes, slas.values(), options.seed)
    took_s = perf_counter() - began_s
    chances: list[tuple[float, bool]] = []
    for number in range(HISTORY_DAYS, HISTORY_DAYS + days):
        progress(f"day {number - HISTORY_DAYS + 1} of {days}")
        midnight_s = (FIRST_DAY + number) * DAY_S
        ahead = simulate(
            day_ahead(world, midnight_s - HOUR_S), Changes(), slas.values(), options.seed, draws
        )
        chance = {one.sla.pipeline: one.before for one in ahead.slas}
        made = fleet.day(number)
        for at, sla in slas.items():
            told_before = chance.get(sla.pipeline)
            if told_before is not None:
                chances.append((told_before, made[at].fresh_s > midnight_s + sla.by_s))
        for _, record in told(made):
            world.apply(record)
    missed = mean(late for _, late in chances)
    return {
        "simulate_200x1000_s": took_s,
        "day_ahead_s": found_s,
        "slas": float(len(chances)),
        "missed": float(sum(late for _, late in chances)),
        "sla_brier": mean((chance - late) ** 2 for chance, late in chances),
        "sla_brier_constant": mean((missed - late) ** 2 for _, late in chances),
    }


if __name__ == "__main__":
    main()

"""Are warnings of missed SLAs right, early, and better than what a dashboard's alert would say?

The mornings of `benchmarks.warnings_world` through the real engine, with five weeks of history. An
SLA is looked at with each event and every five minutes. A warning counts if it was open at any
moment before the deadline; a miss is a pipeline that was not done with today's data by then.

- `precision`: of warned SLA-days, the share missed; `recall`: of missed ones, the share warned.
- `lead_median_min`: from the first warning to the deadline, over misses that were warned of.
- `brier`: of the chance, half an hour before the deadline. Beside it, on the same days:
  `..._mean2sd`: an alert when the pipeline's own run is not done at the mean plus two standard
  deviations of its end; `..._gaussian`: a normal distribution of that end.
- `slas`, `days`, `missed`: over so many; `decide_p99_ms`: to look at all SLAs after an event, by
  the clock, so with all that the machine does besides; `decide_cpu_p50_ms`, `decide_cpu_p99_ms`:
  the same in time of its processor.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, mean, median, stdev
from time import perf_counter, process_time

from benchmarks.report import Figures, Options, progress, run
from benchmarks.warnings_world import DAY_S, FIRST_DAY, MIN_S, Fleet, Made, told
from swarm.model.graph import GraphRecord
from swarm.model.keys import PipelineKey
from swarm.model.sequencing import SlaChanged
from swarm.model.sla import Standing
from swarm.sequencing.promises import RISK_FROM, Promises
from swarm.sequencing.world import World

QUESTION = "Are warnings of missed SLAs right and early?"
HISTORY_DAYS = 35
LOOK_S, HORIZON_S = 5 * MIN_S, 30 * MIN_S


def main() -> None:
    """Run the benchmark."""
    run("warnings", QUESTION, measure)


@dataclass(slots=True)
class Judged:
    """One SLA on one day, as one forecaster saw it: when it first warned, and its chance at the
    horizon."""

    missed: bool
    deadline_s: float
    warned_s: float | None = None
    chance: float = 0.0


def measure(options: Options) -> Figures:
    pipelines, slas, days = (60, 8, 6) if options.quick else (200, 30, 20)
    fleet = Fleet(pipelines, options.seed)
    past = [fleet.day(number) for number in range(HISTORY_DAYS)]
    promised = fleet.slas(past, slas)
    world = World()
    promises = Promises(world, promised.values())
    _take(world, promises, fleet.graph())
    for day in past:
        _take(world, promises, (record for _, record in told(day)))
    ours: list[Judged] = []
    sigma: list[Judged] = []
    gauss: list[Judged] = []
    took_s: list[tuple[float, float]] = []
    for number in range(HISTORY_DAYS, HISTORY_DAYS + days):
        progress(f"day {number - HISTORY_DAYS + 1} of {days}")
        made = fleet.day(number)
        midnight_s = (FIRST_DAY + number) * DAY_S
        due = {
            fleet.lines[at].key: Judged(
                made[at].fresh_s > midnight_s + sla.by_s, midnight_s + sla.by_s
            )
            for at, sla in promised.items()
        }
        _live(world, promises, made, due, took_s)
        ours += due.values()
        for at, sla in promised.items():
            ends = [(day[at].runs[-1].ended_at_s or 0.0) % DAY_S for day in past]
            done_s = (made[at].runs[0].ended_at_s or 0.0) - midnight_s
            sigma.append(_by_sigma(ends, done_s, due[sla.pipeline], sla.by_s))
            gauss.append(_by_gauss(ends, done_s, due[sla.pipeline], sla.by_s))
    figures = {
        "slas": float(slas),
        "days": float(days),
        "missed": float(sum(j.missed for j in ours)),
    }
    for name, judged in (("", ours), ("_mean2sd", sigma), ("_gaussian", gauss)):
        figures |= {f"{figure}{name}": value for figure, value in _scores(judged).items()}
    wall_s, cpu_s = (sorted(column) for column in zip(*took_s, strict=True))
    return figures | {
        "decide_p99_ms": 1000 * wall_s[int(0.99 * len(wall_s))],
        "decide_cpu_p50_ms": 1000 * median(cpu_s),
        "decide_cpu_p99_ms": 1000 * cpu_s[int(0.99 * len(cpu_s))],
    }


def _live(
    world: World,
    promises: Promises,
    made: list[Made],
    due: dict[PipelineKey, Judged],
    took_s: list[tuple[float, float]],
) -> None:
    """A day as it happens."""
    events = told(made)
    from_s = min(judged.deadline_s for judged in due.values()) - 4 * 3_600
    until_s = max(judged.deadline_s for judged in due.values()) + LOOK_S
    looks = [from_s + LOOK_S * step for step in range(int((until_s - from_s) / LOOK_S) + 1)]
    at = taken = 0
    for now_s in looks:
        while at < len(events) and events[at][0] <= now_s:
            at += 1
        _take(world, promises, (record for _, record in events[taken:at]))
        taken = at
        began_s = perf_counter(), process_time()
        news = promises.decide(now_s)
        took_s.append((perf_counter() - began_s[0], process_time() - began_s[1]))
        for record in news:
            promises.apply(record)
            if isinstance(record, SlaChanged):
                _note(due[record.state.sla.pipeline], record, now_s)
    _take(world, promises, (record for _, record in events[at:]))


def _take(world: World, promises: Promises, records: Iterable[GraphRecord]) -> None:
    for record in records:
        world.apply(record)
        promises.apply(record)


def _note(judged: Judged, record: SlaChanged, now_s: float) -> None:
    if record.state.deadline_s != judged.deadline_s or now_s >= judged.deadline_s:
        return
    if record.state.standing is Standing.AT_RISK and judged.warned_s is None:
        judged.warned_s = now_s
    if now_s <= judged.deadline_s - HORIZON_S:
        judged.chance = record.state.chance


def _by_sigma(ends: Sequence[float], done_s: float, like: Judged, by_s: float) -> Judged:
    """An alert on the pipeline's own end; it cannot see that what was made is old."""
    limit_s = mean(ends) + 2 * stdev(ends)
    warned = done_s > limit_s and limit_s < by_s
    at_s = like.deadline_s - by_s + limit_s if warned else None
    sure = warned and limit_s <= by_s - HORIZON_S
    return Judged(like.missed, like.deadline_s, at_s, float(sure))


def _by_gauss(ends: Sequence[float], done_s: float, like: Judged, by_s: float) -> Judged:
    end = NormalDist(mean(ends), stdev(ends) or 1.0)
    late = 1 - end.cdf(by_s)

    def chance(now_s: float) -> float:
        """Of a miss, for a run that is not done."""
        return min(1.0, late / max(1 - end.cdf(now_s), 1e-12)) if done_s > now_s else 0.0

    steps = [by_s - LOOK_S * step for step in range(48, 0, -1)]
    warned = next((now_s for now_s in steps if chance(now_s) >= RISK_FROM), None)
    at_s = None if warned is None else like.deadline_s - by_s + warned
    return Judged(like.missed, like.deadline_s, at_s, chance(by_s - HORIZON_S))


def _scores(judged: Sequence[Judged]) -> dict[str, float]:
    warned = [j for j in judged if j.warned_s is not None]
    missed = [j for j in judged if j.missed]
    leads = [(j.deadline_s - j.warned_s) / MIN_S for j in warned if j.missed and j.warned_s]
    return {
        "precision": sum(j.missed for j in warned) / len(warned) if warned else 1.0,
        "recall": len(leads) / len(missed) if missed else 1.0,
        "lead_median_min": median(leads) if leads else 0.0,
        "brier": mean((j.chance - j.missed) ** 2 for j in judged),
    }


if __name__ == "__main__":
    main()

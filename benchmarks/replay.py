"""Is what `swarm replay` promises what swarm then keeps?

Fleets of `benchmarks.cascade_world`, with the same luck without swarm and with it, every dependency
known. Replay is given the runs of the world without swarm, nothing else, and says how it would have
been; beside that is how it was in the world with swarm.

- `prevented_predicted`, `prevented_real`: planned runs that no longer read old data or fail for
  want of it; `prevented_error_share` by how much the one is off the other. Likewise
  `sla_misses_avoided_...`, of 30 pipelines a fleet by a time that nineteen of twenty days before
  have met, and `slot_h_saved_...`.
- `harmed_without_said`, `harmed_without_real`: how many there were in the world without swarm.
- `replay_s`: what a replay takes, the mean of the fleets; `turns`: of how many planned runs each.
"""

from collections.abc import Iterator
from statistics import mean
from time import perf_counter

from benchmarks.cascade_sim import WAIT_MAX_S, Days, Outcome
from benchmarks.cascade_world import Fleet
from benchmarks.report import Figures, Options, progress, run
from benchmarks.warnings_world import DAY_S, FIRST_DAY
from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen, RunSeen
from swarm.model.intents import Mode
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Dependency
from swarm.model.pipelines import Pipeline
from swarm.model.policy import Policy
from swarm.model.runs import Run
from swarm.model.sla import Sla
from swarm.sequencing.known import known_world
from swarm.sequencing.replay import replay
from swarm.sequencing.savings import Savings, savings

QUESTION = "Is what a replay promises what swarm then keeps?"
HISTORY_DAYS = 35
SLAS = 30


def main() -> None:
    """Run the benchmark."""
    run("replay", QUESTION, measure)


class _Heard(Days):
    """Days whose runs are kept; without swarm nothing is decided."""

    def __init__(self, fleet: Fleet, days: int, known: list[GraphRecord], *, acts: bool) -> None:
        super().__init__(fleet, HISTORY_DAYS + days, HISTORY_DAYS, known)
        self._may_act = acts
        self.runs: list[Run] = []

    def _begin(self) -> None:
        if self._may_act:
            super()._begin()

    def _hear(self, record: GraphRecord) -> None:
        if isinstance(record, RunSeen) and isinstance(record.run, Run):
            self.runs.append(record.run)
        if self._may_act:
            super()._hear(record)


def measure(options: Options) -> Figures:
    count, worlds, days = (60, 2, 14) if options.quick else (200, 3, 30)
    said: list[Savings] = []
    took_s: list[float] = []
    real: list[tuple[float, float, float, float]] = []
    from_s = (FIRST_DAY + HISTORY_DAYS) * DAY_S
    until_s = from_s + days * DAY_S
    for seed in range(options.seed, options.seed + worlds):
        progress(f"fleet {seed} of {count} pipelines")
        fleet = Fleet(count, seed)
        known = list(_known(fleet))
        without = _Heard(fleet, days, known, acts=False)
        within = _Heard(fleet, days, known, acts=True)
        before, after = without.run(), within.run()
        slas = dict(_slas(fleet, before, from_s))
        pipelines = [one.pipeline for one in known if isinstance(one, PipelineSeen)]
        dependencies = [one.dependency for one in known if isinstance(one, DependencyChanged)]
        world = known_world(pipelines, dependencies, without.runs)
        began_s = perf_counter()
        twice = replay(world, from_s, until_s, _gated)
        said.append(savings(twice, world.graph, slas.values()))
        took_s.append(perf_counter() - began_s)
        hours = (_hours(one.runs, from_s, until_s) for one in (without, within))
        missed = (_missed(fleet, slas, one, from_s, until_s) for one in (before, after))
        real.append(
            (_harmed(before), _harmed(after), _less(*missed), _less(*hours)),
        )
    return _figures(said, real) | {
        "replay_s": mean(took_s),
        "turns": mean(float(one.runs) for one in said),
    }


def _gated(_: PipelineKey) -> Policy:
    return Policy(mode=Mode.GATE, wait_max_s=WAIT_MAX_S)


def _figures(
    said: list[Savings], real: list[tuple[float, float, float, float]]
) -> dict[str, float]:
    pairs = {
        "prevented": (
            sum(one.stale_reads.saved + one.failures.saved for one in said),
            sum(before - after for before, after, *_ in real),
        ),
        "sla_misses_avoided": (
            sum(one.sla_misses.saved for one in said),
            sum(avoided for *_, avoided, _ in real),
        ),
        "slot_h_saved": (sum(one.slot_h.saved for one in said), sum(one[-1] for one in real)),
    }
    figures = {
        "harmed_without_said": sum(o.stale_reads.without + o.failures.without for o in said),
        "harmed_without_real": sum(before for before, *_ in real),
    }
    for name, (ours, theirs) in pairs.items():
        figures |= {f"{name}_predicted": ours, f"{name}_real": theirs}
        figures[f"{name}_error_share"] = ours / theirs - 1 if theirs else 0.0
    return figures


def _known(fleet: Fleet) -> Iterator[GraphRecord]:
    for item in next(iter(fleet.batches())).items:
        assert isinstance(item, Pipeline)
        yield PipelineSeen(item)
    for key in sorted(fleet.truth):
        yield DependencyChanged(1, Dependency(key, False, 1.0, ()))


def _slas(fleet: Fleet, before: Outcome, from_s: float) -> Iterator[tuple[int, Sla]]:
    daily = [n for n, line in enumerate(fleet.lines) if line.every_s == DAY_S][-SLAS:]
    for number in daily:
        line = fleet.lines[number]
        ticks = line.ticks(FIRST_DAY * DAY_S, from_s)
        took = sorted(before.done_s[number, tick_s] - tick_s for tick_s in ticks)
        most_s = took[int(0.95 * (len(took) - 1))] // 300 * 300 + 300
        by_s = (line.starts_s % DAY_S + most_s) // 60 * 60
        if by_s < DAY_S:
            yield number, Sla(line.key, by_s)


def _missed(
    fleet: Fleet, slas: dict[int, Sla], outcome: Outcome, from_s: float, until_s: float
) -> float:
    missed = 0
    for number, sla in slas.items():
        for tick_s in fleet.lines[number].ticks(from_s, until_s):
            due_s = tick_s // DAY_S * DAY_S + sla.by_s
            missed += outcome.done_s.get((number, tick_s), float("inf")) > due_s
    return float(missed)


def _harmed(outcome: Outcome) -> float:
    return float(len(outcome.stale | outcome.failed))


def _hours(runs: list[Run], from_s: float, until_s: float) -> float:
    return sum(
        (one.ended_at_s - one.started_at_s) / 3_600
        for one in runs
        if one.ended_at_s is not None
        and one.started_at_s is not None
        and from_s <= one.started_at_s < until_s
    )


def _less(before: float, after: float) -> float:
    return before - after


if __name__ == "__main__":
    main()

"""Does a pipeline that is late with another confirm a dependency, and only a real one?

The worlds of `benchmarks.confidence_world`, with a month of runs beside them
(`benchmarks.timing_world`). The same dependencies are weighed with the runs and without them.

- `ece`, `recall_at_p99`, `gate_precision`, `gate_recall` as in `benchmarks.confidence`, with
  timing; `..._without_timing` without it.
- `confirmed`: to so many dependencies timing adds; `confirmed_precision`: the real share of them.
- `lifted_to_gate`: of them, how many reach 0.99 by it; `lifted_to_gate_precision`: the real share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.confidence import Guess, ece, fed, recall_at_p99
from benchmarks.confidence_world import make
from benchmarks.report import Figures, Options, progress, run
from benchmarks.timing_world import with_runs
from swarm.model.lineage import GATE_FROM, Channel

QUESTION = "Does lateness that follows lateness confirm real dependencies only?"


def main() -> None:
    """Run the benchmark."""
    run("timing", QUESTION, measure)


@dataclass(slots=True)
class _Found:
    """Guesses of all worlds, and whether what timing added to, or lifted to the gate, is real."""

    real: int = 0
    with_timing: list[Guess] = field(default_factory=list)
    without: list[Guess] = field(default_factory=list)
    confirmed: list[bool] = field(default_factory=list)
    lifted: list[bool] = field(default_factory=list)


def measure(options: Options) -> Figures:
    tasks, count = (60, 2) if options.quick else (150, 6)
    found = _Found()
    for seed in range(options.seed, options.seed + count):
        progress(f"world {seed} of {tasks} tasks")
        _add(found, tasks, seed)
    figures = _of(found.with_timing, found.real)
    before = _of(found.without, found.real)
    figures |= {f"{name}_without_timing": value for name, value in before.items()}
    return figures | {
        "confirmed": float(len(found.confirmed)),
        "confirmed_precision": _share(found.confirmed),
        "lifted_to_gate": float(len(found.lifted)),
        "lifted_to_gate_precision": _share(found.lifted),
        "stated": float(len(found.without)),
    }


def _add(found: _Found, tasks: int, seed: int) -> None:
    world = make(tasks, seed)
    found.real += len(world.truth)
    timed = fed(with_runs(world, seed)).dependencies
    for key, before in fed(world.batches).dependencies.items():
        real, now = key in world.truth, timed[key]
        found.without.append((before.confidence, real))
        found.with_timing.append((now.confidence, real))
        if any(proof.channel is Channel.TIMING for proof in now.proofs):
            found.confirmed.append(real)
            if before.confidence < GATE_FROM <= now.confidence:
                found.lifted.append(real)


def _of(guesses: Sequence[Guess], real: int) -> dict[str, float]:
    gated = [is_real for confidence, is_real in guesses if confidence >= GATE_FROM]
    return {
        "ece": ece(guesses),
        "recall_at_p99": recall_at_p99(guesses, real),
        "gate_precision": _share(gated),
        "gate_recall": sum(gated) / real,
    }


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 1.0


if __name__ == "__main__":
    main()

"""Does every planned run begin, and in time, whatever goes wrong while swarm holds?

100,000 planned runs of small fleets in mode `gate`, a few days each, with rings, lateness,
failures, missing upstreams, changing modes, dead sequencers, cut hands, blind connectors and people
who hold, release and start (`benchmarks.holds_mishaps`). The decisions, the hand's own copies and
swarm's queue are the real ones; `tests/simulation/test_hold_days.py` plants bugs in each and sees
them found.

- `runs`: planned starts of pipelines that did not vanish; `held`: those that a hold kept waiting.
- `deadlocks`: planned starts that never began; `lost`: those that a hold ate; `begun_twice`.
- `holds_past_ttl`: holds that stood when no living swarm had spoken for them for their time to
  live; `holds_past_latest`: later than the policy lets them, by the orchestrator's own plan.
- `held_twice`: holds before a start that was released before; `held_in_a_ring`: for a pipeline
  that waits for the held one; `held_against_mode`: in another mode than `gate`.
"""

from collections import Counter

from benchmarks.holds_judge import NEVER
from benchmarks.holds_mishaps import BadDays
from benchmarks.holds_world import Parts
from benchmarks.report import Figures, Options, progress, run

QUESTION = "Does every run begin, and in time, whatever goes wrong while swarm holds?"
DAYS = 3
_TOLD_EVERY = 5_000


def main() -> None:
    """Run the benchmark."""
    run("holds", QUESTION, measure)


def measure(options: Options) -> Figures:
    wanted = 2_000 if options.quick else 100_000
    counts: Counter[str] = Counter()
    fleets = told = 0
    while counts["runs"] < wanted:
        seed = options.seed * 1_000_000 + fleets
        found = BadDays(seed, DAYS, Parts()).run()
        if any(found[name] for name in NEVER):
            progress(f"fleet {seed}: {dict(found)}")
        counts += found
        fleets += 1
        if counts["runs"] >= told + _TOLD_EVERY:
            told = counts["runs"]
            progress(f"{told} runs of {fleets} fleets")
    names = ("runs", "held", *NEVER)
    return {"fleets": float(fleets)} | {name: float(counts[name]) for name in names}


if __name__ == "__main__":
    main()

"""How far from the best known is a plan after a second, and after ten?

PSPLIB's instances of resource-constrained project scheduling (Kolisch and Sprecher 1996), as
JSON lines with their best known bounds: `--data DIR` holds `psplib_j30.jsonl.gz` and so on. A
sample evenly spread over each file is planned by one process.

- `gap_jN_Ss`: mean of makespan over the best known upper bound, less 1, after S seconds of search
  on one core; `listed_gap_jN`: of the list plan, which is there at once.
- `instances_jN`: how many were planned.
"""

import argparse
import gzip
import json
import time
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from benchmarks.report import Figures, Options, progress, run
from swarm.placement.problem import Job, Problem
from swarm.placement.search import plans

# File, seconds of search, and how many instances in a full run and in a quick one.
_PLAYED = (("j30", 1.0, 96, 6), ("j60", 1.0, 96, 6), ("j120", 1.0, 60, 6), ("j120", 10.0, 40, 2))


def problem_of(row: dict[str, Any]) -> Problem:
    after: list[list[int]] = [[] for _ in row["dur"]]
    for number, then in enumerate(row["succ"]):
        for next_ in then:
            after[next_].append(number)
    jobs = (
        Job(takes, tuple(needs), tuple(sorted(before)))
        for takes, needs, before in zip(row["dur"], row["dem"], after, strict=True)
    )
    return Problem(tuple(row["cap"]), tuple(jobs))


def planned(problem: Problem, seconds: float, seed: int) -> tuple[int, int]:
    """The makespan of the list plan, and of the best after so long."""
    until_s = time.perf_counter() + seconds
    first = best = 0
    for plan in plans(problem, Random(seed)):
        first, best = first or plan.makespan, plan.makespan
        if time.perf_counter() > until_s:
            break
    return first, best


def measure(options: Options) -> Figures:
    figures: dict[str, float] = {}
    for name, seconds, full, quick in _PLAYED:
        with gzip.open(options.own.data / f"psplib_{name}.jsonl.gz", "rt") as file:
            rows = [json.loads(line) for line in file]
        count = quick if options.quick else full
        rows = rows[:: max(1, len(rows) // count)][:count]
        found = [(planned(problem_of(row), seconds, options.seed), row["ub"]) for row in rows]
        gap = fmean(best / known - 1 for (_, best), known in found)
        figures[f"gap_{name}_{seconds:.0f}s"] = gap
        figures[f"listed_gap_{name}"] = fmean(first / known - 1 for (first, _), known in found)
        figures[f"instances_{name}"] = len(rows)
        progress(f"{name}, {seconds:.0f} s: {gap:.2%}")
    return figures


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of PSPLIB's JSON lines")


if __name__ == "__main__":
    run("rcpsp", (__doc__ or "").splitlines()[0], measure, arguments=_arguments)

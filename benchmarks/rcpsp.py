"""How far from the best known is a plan after a second, and after ten?

PSPLIB's instances of resource-constrained project scheduling (Kolisch and Sprecher 1996), as
JSON lines with their best known bounds: `--data DIR` holds `psplib_j30.jsonl.gz` and so on. A
sample evenly spread over each file is planned, each by one process at a time. Seconds are those of
a core (CPU time), so that a busy machine does not count.

- `gap_jN_Ss`: mean of makespan over the best known upper bound, less 1, after S seconds of search;
  `listed_gap_jN`: of the list plan, which is there at once.
- `best_jN_Ss`: share of instances whose best known makespan was found by then, or a better one.
- `instances_jN`: how many were planned.
"""

import argparse
import gzip
import json
import time
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from benchmarks.report import Figures, Options, progress, run, save
from swarm.placement.problem import Job, Problem
from swarm.placement.search import plans

# File, after how many seconds of search, and how many instances in a full run and in a quick one.
_PLAYED = (("j30", (1.0,), 96, 6), ("j60", (1.0,), 96, 6), ("j120", (1.0, 10.0), 40, 2))


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


def planned(row: dict[str, Any], marks_s: Sequence[float], seed: int) -> list[int]:
    """The makespan of the list plan, and of the best by each mark."""
    began_s = time.process_time()
    took_s: list[float] = []
    makespans: list[int] = []
    for plan in plans(problem_of(row), Random(seed)):
        took_s.append(time.process_time() - began_s)
        makespans.append(plan.makespan)
        if took_s[-1] > marks_s[-1]:
            break
    by = [makespans[max(1, bisect_right(took_s, mark_s)) - 1] for mark_s in marks_s]
    return [makespans[0], *by]


def measure(options: Options) -> Figures:
    figures: dict[str, float] = {}
    with ProcessPoolExecutor(options.own.jobs) as pool:
        for name, marks_s, full, quick in _PLAYED:
            with gzip.open(options.own.data / f"psplib_{name}.jsonl.gz", "rt") as file:
                rows = [json.loads(line) for line in file]
            count = quick if options.quick else full
            rows = rows[:: max(1, len(rows) // count)][:count]
            best = [row["ub"] for row in rows]
            listed, *found = zip(
                *pool.map(planned, rows, repeat(marks_s), repeat(options.seed)), strict=True
            )
            for mark_s, makespans in zip(marks_s, found, strict=True):
                at, pairs = f"{name}_{mark_s:.0f}s", zip(makespans, best, strict=True)
                figures[f"gap_{at}"] = _gap(makespans, best)
                figures[f"best_{at}"] = fmean(mine <= known for mine, known in pairs)
                progress(f"{at}: {figures[f'gap_{at}']:.2%}")
            figures[f"listed_gap_{name}"] = _gap(listed, best)
            figures[f"instances_{name}"] = len(rows)
    return figures


def _gap(makespans: Sequence[int], best: Sequence[int]) -> float:
    return fmean(mine / known - 1 for mine, known in zip(makespans, best, strict=True))


def _draw(figures: Figures, path: Path) -> None:
    """Gaps in percent, in groups by file: the list plan, and the best by each mark."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3))
    for after, label in ((None, "list plan"), (1.0, "after 1 s"), (10.0, "after 10 s")):
        files = [name for name, marks_s, _, _ in _PLAYED if after is None or after in marks_s]
        start = "listed_gap_{}" if after is None else f"gap_{{}}_{after:.0f}s"
        gaps = [100 * figures[start.format(name)] for name in files]
        axes.plot(files, gaps, marker="o", label=label)
    axes.set(ylabel="% above the best known", ylim=(0, None))
    save(figure, path)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of PSPLIB's JSON lines")
    parser.add_argument("--jobs", type=int, default=1, help="processes")


if __name__ == "__main__":
    run("rcpsp", (__doc__ or "").splitlines()[0], measure, arguments=_arguments, draw=_draw)

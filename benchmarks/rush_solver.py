"""Would a solver find a better plan of a rush than the search goes on to?

Mornings of `rush_world.py`, all durations known, on `--workers` instead of 14, so that the order
decides which SLAs are late. `placement/search.py` has ten seconds of a core; against it the first
three of them are followed by seven of CP-SAT in a process of its own, begun from the plan found,
on one thread, with the bounds of `placement/bounds.py` for the end and for misses. CP-SAT is no
part of swarm: `pip install ortools`.

- `missed_search`, `missed_solver`: mean value of what is late, 1 a pipeline; `late_min_*`: by how
  much, weighted; `makespan_min_*`. `missed_listed`, `missed_unavoidable`: of the list plan, and
  late were there no end of workers.
- `solver_better`, `solver_worse`: share of mornings, by misses, then lateness, then the end of
  all; `proved`: share of which CP-SAT proved its plan to be the best.
- `mornings`: how many.
"""

import argparse
import importlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from random import Random
from statistics import fmean
from typing import Any

from benchmarks.report import Figures, Options, run
from benchmarks.rush_world import MIN_S, morning
from swarm.placement.bounds import least_makespan, least_missed
from swarm.placement.problem import Problem, Timetable, timetable
from swarm.placement.search import plans

_SHARES = 840  # of a pipeline; each of up to eight last tasks has a whole number of them
_MISSED_S = 3_600  # to miss costs as much as to be late by so much


def searched(problem: Problem, marks_s: Sequence[float]) -> list[Timetable]:
    """The list plan, and the best by each mark, in seconds of CPU."""
    began_s, found = time.process_time(), list[Timetable]()
    best = None
    for best in plans(problem, Random(1)):
        took_s = time.process_time() - began_s
        if not found or took_s > marks_s[len(found) - 1]:
            found.append(best)
        if len(found) > len(marks_s):
            return found
    assert best is not None
    return found + [best] * (1 + len(marks_s) - len(found))  # none can be better


def solved(problem: Problem, begun: Timetable, for_s: float) -> tuple[Timetable, bool]:
    """What CP-SAT makes of a plan in so many seconds of CPU, and whether it proved it best."""
    cp: Any = importlib.import_module("ortools.sat.python.cp_model")
    model = cp.CpModel()
    last_s = 2 * begun.makespan
    end = model.new_int_var(least_makespan(problem), last_s, "end")
    starts, intervals, costs = [], [], []
    missed: list[Any] = []
    for number, job in enumerate(problem.jobs):
        start = model.new_int_var(job.release, last_s - job.takes, f"start{number}")
        starts.append(start)
        intervals.append(model.new_fixed_size_interval_var(start, job.takes, f"job{number}"))
        model.add(end >= start + job.takes)
        for before in job.after:
            model.add(start >= starts[before] + problem.jobs[before].takes)
        model.add_hint(start, begun.starts[number])
        if job.due is not None:
            late = model.new_bool_var(f"late{number}")
            by_s = model.new_int_var(0, last_s, f"by{number}")
            model.add(start + job.takes <= job.due).only_enforce_if(~late)
            model.add(by_s >= start + job.takes - job.due)
            weight = round(_SHARES * job.weight)
            missed.append(weight * late)
            costs += [_MISSED_S * weight * late, weight * by_s]
    for kind, there_is in enumerate(problem.capacity):
        model.add_cumulative(intervals, [job.needs[kind] for job in problem.jobs], there_is)
    model.add(sum(missed) >= round(_SHARES * least_missed(problem)))
    model.minimize(sum(costs) + end)
    solver = cp.CpSolver()
    solver.parameters.num_workers = 1
    threading.Thread(target=_stop, args=(solver, time.process_time() + for_s), daemon=True).start()
    status = solver.solve(model)
    if status not in (cp.OPTIMAL, cp.FEASIBLE):
        return begun, False
    found = timetable(problem, [solver.value(start) for start in starts])
    return min(begun, found, key=lambda plan: plan.cost), status == cp.OPTIMAL


def _stop(solver: Any, at_s: float) -> None:
    while time.process_time() < at_s:
        time.sleep(0.05)
    solver.stop_search()


def one(seed: int, workers: int, seconds: float) -> dict[str, float]:
    problem = morning(seed).problem(workers)
    listed, early, late = searched(problem, (0.3 * seconds, seconds))
    with ProcessPoolExecutor(1) as own:
        best, proved = own.submit(solved, problem, early, 0.7 * seconds).result()
    return {
        **_told("search", late),
        **_told("solver", best),
        "missed_listed": listed.missed,
        "missed_unavoidable": least_missed(problem),
        "solver_better": float(best.cost < late.cost),
        "solver_worse": float(best.cost > late.cost),
        "proved": float(proved),
    }


def _told(name: str, plan: Timetable) -> dict[str, float]:
    late_min, end_min = plan.late_s / MIN_S, plan.makespan / MIN_S
    return {
        f"missed_{name}": plan.missed,
        f"late_min_{name}": late_min,
        f"makespan_min_{name}": end_min,
    }


def measure(options: Options) -> Figures:
    count = 2 if options.quick else options.own.seeds
    seconds = 3.0 if options.quick else 10.0
    seeds = range(options.seed, options.seed + count)
    days = list(map(one, seeds, repeat(options.own.workers), repeat(seconds)))
    return {name: fmean(day[name] for day in days) for name in days[0]} | {"mornings": count}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, default=4, help="of two slots each")
    parser.add_argument("--seeds", type=int, default=12, help="so many mornings")


if __name__ == "__main__":
    run("rush_solver", (__doc__ or "").splitlines()[0], measure, arguments=_arguments)

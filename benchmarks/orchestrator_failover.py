"""A worker is killed with -9 under a task of an orchestrator: how soon does its work go on?

Real orchestrators run on one swarm of one worker, which is killed under a running task, again and
again; so a new worker has to start too. Their settings are their own defaults.

- `X_detected_p95_s`: from the kill until the loss is in swarm's journal.
- `X_running_again_p95_s`: until the user's code of the same task runs again, on a new worker.
- `X_start_p95_s`: the part of it that the orchestrator's own program takes to come to that code.
- `X_kills`: how many. `retries_spent`: tries that the orchestrators count beyond the first, over
  all kills. `steps_repeated`: steps that had ended before the kill and ran once more.
- `stock_*`: the same without swarm. These are **quoted from a recorded run**, not measured in this
  one: Airflow alone takes five minutes for each.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import quantiles

from benchmarks import orchestrator_airflow, orchestrator_dagster, orchestrator_prefect
from benchmarks.orchestrator_world import Kill, World, a_world
from benchmarks.report import Figures, Options, progress, run

Part = Callable[[World, int], list[Kill]]

PARTS: Mapping[str, Part] = {
    "airflow": orchestrator_airflow.kills,
    "dagster": orchestrator_dagster.kills,
    "prefect": orchestrator_prefect.kills,
}
RECORDED: Figures = {
    **orchestrator_airflow.STOCK,
    **orchestrator_dagster.STOCK,
    **orchestrator_prefect.STOCK,
}
_QUICK, _FULL = 3, 20


def measure(options: Options) -> Figures:
    rounds = options.own.kills or (_QUICK if options.quick else _FULL)
    figures: dict[str, float] = {}
    seen: list[Kill] = []
    for name in options.own.only or PARTS:
        kills = _played(PARTS[name], rounds)
        seen += kills
        figures |= {
            f"{name}_detected_p95_s": _p95([kill.detected_s for kill in kills]),
            f"{name}_running_again_p95_s": _p95([kill.again_s for kill in kills]),
            f"{name}_start_p95_s": _p95([kill.start_s for kill in kills]),
            f"{name}_running_again_max_s": max(kill.again_s for kill in kills),
            f"{name}_kills": len(kills),
        }
    figures["retries_spent"] = sum(kill.retries for kill in seen)
    figures["steps_repeated"] = sum(kill.repeated for kill in seen)
    progress(f"quoted from a recorded run, not measured now: {', '.join(RECORDED)}")
    return {**figures, **RECORDED}


def _played(part: Part, rounds: int) -> list[Kill]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-of-"))  # short: Ray makes sockets below it
    try:
        with a_world(folder) as world:
            return part(world, rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, help="of each orchestrator's worker")
    parser.add_argument("--only", action="append", choices=PARTS, help="this orchestrator")


if __name__ == "__main__":
    run("orchestrator_failover", (__doc__ or "").splitlines()[0], measure, arguments=_add_arguments)

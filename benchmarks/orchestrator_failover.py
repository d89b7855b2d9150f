"""A worker is killed with -9 under a task of an orchestrator: how soon does its work go on?

Real orchestrators run on one swarm of one worker, which is killed under a running task, again and
again; so a new worker has to start too. Their settings are their own defaults.

- `X_detected_p95_s`: from the kill until the loss is in swarm's journal.
- `X_running_again_p95_s`, `X_running_again_max_s`: until the user's code of the same task runs
  again, on a new worker. Of it, as medians: `X_rearmed_p50_s`, until the orchestrator's own row
  allows it; `X_granted_p50_s`, until a new worker has it; `X_process_p50_s`, until its process is
  there; `X_start_p50_s`, until the orchestrator's own program has come to the user's code.
- `X_kills`: how many. `retries_spent`: tries that the orchestrators count beyond the first, over
  all kills. `steps_repeated`: steps that had ended before the kill and ran once more.
- `stock_X_*`: the same process killed without swarm. Dagster's and Prefect's are measured in this
  run; Airflow's with `--stock-airflow`, else they are **quoted from a recorded run**.
"""

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import orchestrator_airflow, orchestrator_dagster, orchestrator_prefect
from benchmarks.live_swarm import LiveSwarm, running_swarm
from benchmarks.orchestrator_world import Kill, p95
from benchmarks.report import Figures, Options, progress, run


@dataclass(frozen=True, slots=True)
class Part:
    """One orchestrator: so many kills with swarm, and what it does by itself."""

    kills: Callable[[LiveSwarm, Path, int], list[Kill]]
    stock: Callable[[Path], Figures]


PARTS: Mapping[str, Part] = {
    "airflow": Part(orchestrator_airflow.kills, orchestrator_airflow.stock),
    "dagster": Part(orchestrator_dagster.kills, orchestrator_dagster.stock),
    "prefect": Part(orchestrator_prefect.kills, orchestrator_prefect.stock),
}
RECORDED: Mapping[str, Figures] = {"airflow": orchestrator_airflow.RECORDED}
_QUICK, _FULL = 3, 20


def measure(options: Options) -> Figures:
    rounds = options.own.kills or (_QUICK if options.quick else _FULL)
    figures: dict[str, float] = {}
    seen: list[Kill] = []
    for name in options.own.only or PARTS:
        with _folder() as folder, running_swarm(folder) as swarm:
            kills = PARTS[name].kills(swarm, folder, rounds)
        seen += kills
        figures |= _figures(name, kills)
    figures["retries_spent"] = sum(kill.retries for kill in seen)
    figures["steps_repeated"] = sum(kill.repeated for kill in seen)
    for name in options.own.only or PARTS:
        if name in RECORDED and not options.own.stock_airflow:
            progress(f"quoted from a recorded run, not measured now: {', '.join(RECORDED[name])}")
            figures |= RECORDED[name]
        elif not options.quick:
            with _folder() as folder:
                figures |= PARTS[name].stock(folder)
    return figures


def _figures(name: str, kills: list[Kill]) -> dict[str, float]:
    return {
        f"{name}_detected_p95_s": p95([kill.detected_s for kill in kills]),
        f"{name}_running_again_p95_s": p95([kill.again_s for kill in kills]),
        f"{name}_running_again_max_s": max(kill.again_s for kill in kills),
        f"{name}_rearmed_p50_s": median(kill.rearmed_s for kill in kills),
        f"{name}_granted_p50_s": median(kill.granted_s for kill in kills),
        f"{name}_process_p50_s": median(kill.process_s for kill in kills),
        f"{name}_start_p50_s": median(kill.start_s for kill in kills),
        f"{name}_kills": len(kills),
    }


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="swarm-of-"))  # short: Ray makes sockets below it
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, help="of each orchestrator's worker")
    parser.add_argument("--stock-airflow", action="store_true", help="Airflow alone: six minutes")
    parser.add_argument("--only", action="append", choices=PARTS, help="this orchestrator")


if __name__ == "__main__":
    run("orchestrator_failover", (__doc__ or "").splitlines()[0], measure, arguments=_add_arguments)

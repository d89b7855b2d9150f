"""The real part of `benchmarks.cascade`: the lab's pipelines on real servers, with late upstreams.

The mornings of `swarm.demo.morning`, with swarm and without it, its hand beside Dagster, the jobs
in mode `gate` and the two dependencies accepted. Those with swarm come first: upstreams that are
late each time make a habit, and who begins each time before its writer is taken to want the data of
before, so after five mornings without it swarm rightly held nobody.

- `late_upstreams`: so many each way. `stale_rows_without`, `stale_rows_with`: rows that the jobs
  wrote of data of before, of all `rows_...`, counted in the warehouse; `stale_runs_...`: runs that
  wrote such rows; `lost_runs_...`: planned ones that wrote nothing.
- `ready_to_read_p50_s`, `ready_to_read_max_s`: from where the data was there to the first row of
  the run that was held for it.
"""

import math
import shutil
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Figures, progress
from swarm.bootstrap.files import secret
from swarm.cli.process import launch, stop
from swarm.cli.showcase import settings_for
from swarm.client import Client
from swarm.config import Api, Settings
from swarm.demo.lab import Lab
from swarm.demo.morning import PAIRS, Mornings, dependency, gating, hand_beside, hurried
from swarm.demo.processes import free_ports
from swarm.demo.stale_rows import Read


def measure(upstreams: int) -> Figures:
    """Of so many late upstreams without swarm and as many with it."""
    count = math.ceil(upstreams / len(PAIRS))
    lab = Lab(Path(".lab"), progress)
    lab.edit = hurried
    with lab:
        lab.run_pipelines()
        mornings = Mornings(lab)
        with hand_beside(lab) as hand, _swarm(lab, hand):
            having = mornings.live(count, progress)
        without = mornings.live(count, progress)
    return _figures(without, having)


@contextmanager
def _swarm(lab: Lab, hand: Mapping[str, object]) -> Iterator[None]:
    """A swarm that may hold the jobs for the DAGs."""
    state = lab.folder / "morning-state"
    shutil.rmtree(state, ignore_errors=True)
    (port,) = free_ports(1)
    settings = settings_for(lab, Settings(state_dir=state.resolve(), api=Api(port=port)))
    settings = gating(settings, hand)
    token = secret(settings, "token").read_text()
    pid = launch(settings)
    try:
        with Client(f"http://{settings.api.host}:{port}", token) as swarm:
            for pair in PAIRS:
                swarm.judge(dependency(swarm, pair), "accepted", "benchmark")
            yield
    finally:
        stop(settings, pid)


def _figures(without: Sequence[Read], having: Sequence[Read]) -> Figures:
    figures: dict[str, float] = {"late_upstreams": float(len(having))}
    for name, reads in (("without", without), ("with", having)):
        figures[f"stale_rows_{name}"] = float(sum(one.stale for one in reads))
        figures[f"rows_{name}"] = float(sum(one.rows for one in reads))
        figures[f"stale_runs_{name}"] = float(sum(one.stale > 0 for one in reads))
        figures[f"lost_runs_{name}"] = float(sum(not one.rows for one in reads))
    after = [one.after_s for one in having if one.after_s is not None and not one.stale]
    stale = figures["stale_rows_without"]
    return figures | {
        "stale_rows_prevented_share": 1 - figures["stale_rows_with"] / stale if stale else 0.0,
        "ready_to_read_p50_s": statistics.median(after) if after else 0.0,
        "ready_to_read_max_s": max(after, default=0.0),
    }

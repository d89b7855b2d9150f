"""How soon is the death of a stock Prefect worker known, and its run set to run again?

A stock worker runs a flow; both processes are killed with -9. Beside it stands a beat process in
one half, in the other there is only Prefect's own server, whose workers beat every
`server_heartbeat_s` here (Prefect's default is 30). swarm is a real one (`swarm up`).

- `beat_seen_*_s`: from the kill to the finding in swarm's API, which is asked every 50 ms.
- `beat_scheduled_*_s`: from the kill to the run's state `Scheduled` in Prefect's API.
- `server_seen_*_s`: as the first, where only the server tells; silence is three of its intervals.
- `kills`, `server_kills`: how many of each.
"""

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.foreign_world import HEARTBEAT_S, World, kill, world
from benchmarks.live_swarm import until
from benchmarks.report import Figures, Options, progress, run

_ENVIRONMENTS = Path(__file__).parents[1] / ".lab" / "envs"


def _with_beat(made: World, folder: Path, number: int) -> tuple[float, float]:
    name, gate = f"beat-{number}", folder / f"gate-{number}"
    worker = made.start_worker(name, beat=True)
    run_id, pid = made.launch(gate)
    killed_s = kill(worker.pid, pid)
    until("the finding", lambda: made.missing(name))
    seen_s = time.monotonic() - killed_s
    until("recovery", lambda: made.flow_run(run_id)["state_type"] == "SCHEDULED")
    scheduled_s = time.monotonic() - killed_s
    made.call("POST", f"/flow_runs/{run_id}/set_state", {"state": {"type": "CANCELLED"}})
    made.stop_worker(name)
    return seen_s, scheduled_s


def _without(made: World, number: int) -> float:
    name = f"plain-{number}"
    killed_s = kill(made.start_worker(name, beat=False).pid)
    until("the finding", lambda: made.missing(name))
    seen_s = time.monotonic() - killed_s
    made.stop_worker(name)
    return seen_s


def measure(options: Options) -> Figures:
    """The figures of some kills on one server."""
    kills, server_kills = (2, 1) if options.quick else (8, 3)
    with (
        tempfile.TemporaryDirectory() as scratch,
        world(Path(scratch) / "world", _ENVIRONMENTS, recover=True) as made,
    ):
        seen, scheduled = [], []
        for number in range(kills):
            times = _with_beat(made, Path(scratch), number)
            progress(f"  seen after {times[0]:.3f} s, scheduled after {times[1]:.3f} s")
            seen.append(times[0])
            scheduled.append(times[1])
        alone = [_without(made, number) for number in range(server_kills)]
    return {
        "kills": kills,
        "server_kills": server_kills,
        "server_heartbeat_s": HEARTBEAT_S,
        **_spread("beat_seen", seen),
        **_spread("beat_scheduled", scheduled),
        **_spread("server_seen", alone),
    }


def _spread(name: str, taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        f"{name}_p50_s": statistics.median(ordered),
        f"{name}_p95_s": ordered[round(0.95 * (len(ordered) - 1))],
        f"{name}_max_s": ordered[-1],
    }


if __name__ == "__main__":
    run("foreign", "How soon is the death of a stock worker known?", measure)

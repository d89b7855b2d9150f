"""Does a morning rush go on a real swarm as the planner plays it?

One morning of `rush_world.py`, run `--compress` times faster: a real `swarm up` on a Ray whose
autoscaler starts real raylets on this machine (Ray's provider for tests), at most 14 of 2 slots.
Each task is a `sleep` of what it really takes, handed in by its orchestrator (this script) when it
is released and what it reads has ended. Dispatcher, workers, placement and autoscaler are swarm's
and Ray's own. The same morning is played by `rush_play.planned`, and both are laid over each other
in `results/rush_real_course.json` and in the plot.

What is modelled: durations; tasks use no CPU. What sequencing would tell is told with the task: as
its deadline when it has to end for what stands on it (`ordering.latest`), and how long it takes on
average. Nobody announces the morning: the fleet begins at nothing and follows what waits. Nodes
boot as fast as they do here, which is slow for a morning that passes so fast.

- `real_makespan_min`, `played_makespan_min`: until the last pipeline is done, in minutes of the
  morning; `real_over_played`.
- `real_workers_peak`, `played_workers_peak`; `real_workers_end`: nodes that stand at the end.
- `real_sla_misses`, `played_sla_misses`, of 45 pipelines.
- `start_lag_p50_s`, `start_lag_p95_s`: from when a task could begin until it began, less what it
  was played to wait, in seconds of the morning.
- `node_boot_p50_s`: from the order of a node until it joined, in real seconds.
- `ended`, `tasks`: how many reached an outcome, of how many; `compress`.
"""

import argparse
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from benchmarks.live_swarm import LiveSwarm, running_swarm
from benchmarks.report import RESULTS, Figures, Options, progress, run, save
from benchmarks.rush_play import OFFERING, Played, planned
from benchmarks.rush_world import BOUND_S, END_S, MIN_S, SLOTS, WORKERS, Morning, morning
from swarm.placement.ordering import latest
from swarm.placement.rehearsal import NEVER
from tests.integration.capacity.conftest import a_head

QUESTION = "Does a morning rush go on a real swarm as the planner plays it?"
_OWNER, _NODE = "rush", "steady"
_LIVE = {"queued", "leased", "running", "lost"}
_LOOK_S = 1.0
_GRACE = 3.0  # times as long as it was played to take, until the rest is given up


@dataclass
class Course:
    """How it went, in seconds since the hour as the morning counts them; by task."""

    ready_s: dict[int, float] = field(default_factory=dict)
    starts: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    joined: list[tuple[float, int]] = field(default_factory=list)  # when, nodes that stand then
    boots_s: list[float] = field(default_factory=list)
    steps: list[tuple[float, str, str]] = field(default_factory=list)  # when, what, which node


def main() -> None:
    """Run the benchmark."""
    run("rush_real", QUESTION, measure, arguments=_arguments, draw=_draw)


def measure(options: Options) -> Figures:
    compress = options.own.compress
    day = morning(options.seed)
    # A quick one is the pipelines of the first minutes.
    kept = [n for n in day.rush if not options.quick or day.pipeline[n] < 12]
    played = planned(day, 16)
    with _swarm(compress) as swarm:
        course = _Orchestrator(day, kept, swarm, compress).run()
    overlay = _overlay(day, kept, course, played, compress)
    if not options.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "rush_real_course.json").write_text(json.dumps(overlay) + "\n", encoding="utf-8")
    return _figures(day, kept, course, played, compress)


def _figures(
    day: Morning, kept: list[int], course: Course, played: Played, compress: float
) -> Figures:
    real_s = max(course.ends.values(), default=0.0)
    plan_s = max(played.ends[n] for n in kept)
    waits = {n: at_s - course.ready_s[n] for n, at_s in course.starts.items()}
    lags = [wait_s - _wait_s(day, played, n) for n, wait_s in waits.items()]
    moments = sorted({at for at, _ in played.paid})
    paid = [sum(a <= at < b for a, b in played.paid) for at in moments]
    return {
        "real_makespan_min": real_s / MIN_S,
        "played_makespan_min": plan_s / MIN_S,
        "real_over_played": real_s / plan_s,
        "bound_min": BOUND_S / MIN_S,
        "real_workers_peak": max((count for _, count in course.joined), default=0),
        "played_workers_peak": max(paid),
        "real_workers_end": course.joined[-1][1] if course.joined else 0,
        "real_sla_misses": _misses(day, kept, course.ends),
        "played_sla_misses": _misses(day, kept, dict(enumerate(played.ends))),
        "start_lag_p50_s": median(lags),
        "start_lag_p95_s": quantiles(lags, n=20, method="inclusive")[-1],
        "node_boot_p50_s": median(course.boots_s or [0.0]),
        "ended": len(course.ends),
        "tasks": len(kept),
        "compress": compress,
    }


def _wait_s(day: Morning, played: Played, number: int) -> float:
    one = day.demands[number]
    ready_s = max([one.release_s, *(played.ends[before] for before in one.after)])
    return max(0.0, played.starts[number] - ready_s)


def _misses(day: Morning, kept: list[int], ends: Mapping[int, float]) -> int:
    late = {
        day.pipeline[n]
        for n in kept
        if (due_s := day.demands[n].due_s) is not None and ends.get(n, float("inf")) > due_s
    }
    return len(late)


class _Orchestrator:
    """Hands in what is ready, and hears what has ended."""

    def __init__(self, day: Morning, kept: list[int], swarm: LiveSwarm, compress: float) -> None:
        self._day, self._kept, self._swarm, self._compress = day, kept, swarm, compress
        self._http = httpx.Client(
            base_url=f"{swarm.url}/api/v1",
            headers={"Authorization": f"Bearer {swarm.token_file.read_text().strip()}"},
            timeout=60.0,
        )
        self._keys = latest(day.demands[: len(day.pipeline)], (WORKERS * SLOTS,))
        self._course, self._begun_s = Course(), time.time()
        self._cursor = ""

    def run(self) -> Course:
        self._begun_s = time.time()
        left, over_s = set(self._kept), END_S * _GRACE
        told_s = 0.0
        while len(self._course.ends) < len(self._kept) and self._now_s() < over_s:
            ready = [n for n in sorted(left) if self._is_ready(n)]
            if ready:
                self._hand_in(ready)
                left -= set(ready)
            self._hear()
            if self._now_s() > told_s:
                told_s += 5 * MIN_S
                progress(f"minute {self._now_s() / MIN_S:.0f}: {len(self._course.ends)} ended")
        self._look_at_nodes()
        return self._course

    def _now_s(self) -> float:
        return (time.time() - self._begun_s) * self._compress

    def _is_ready(self, number: int) -> bool:
        one, ends = self._day.demands[number], self._course.ends
        return one.release_s <= self._now_s() and all(
            before in ends or before not in self._kept for before in one.after
        )

    def _hand_in(self, ready: list[int]) -> None:
        self._swarm.client.submit([self._task(n) for n in ready])
        for number in ready:
            one, ends = self._day.demands[number], self._course.ends
            after = [ends[before] for before in one.after if before in ends]
            self._course.ready_s[number] = max([float(one.release_s), *after])

    def _task(self, number: int) -> Any:
        one, faster = self._day.demands[number], 1 / self._compress
        by_s = self._keys[number] + one.takes.mean()
        if one.due_s is not None:
            by_s = min(by_s, one.due_s)
        return {
            "id": f"rush-{number}",
            "argv": ["sleep", f"{self._day.takes[number] * faster:.3f}"],
            "owner": _OWNER,
            "subject": one.name,
            "sla": "standard" if one.due_s is None else "critical",
            "expected_duration_s": one.takes.mean() * faster,
            "deadline_s": self._begun_s + by_s * faster,
            "wait_for_capacity": True,
        }

    def _hear(self) -> None:
        """What moved, for a while at most."""
        wait: dict[str, str | float] = {"owner": _OWNER, "after": self._cursor, "wait_s": _LOOK_S}
        answer = self._http.get("/tasks/changes", params=wait).raise_for_status().json()
        self._cursor, now_s = answer["cursor"], self._now_s()
        for row in answer["tasks"]:
            number = int(row["id"].removeprefix("rush-"))
            if row["state"] == "running":
                self._course.starts.setdefault(number, now_s)
            elif row["state"] not in _LIVE:
                begun_s = now_s - self._day.takes[number]
                self._course.starts.setdefault(number, begun_s)
                self._course.ends[number] = now_s

    def _look_at_nodes(self) -> None:
        """The steps of the fleet, told afterwards."""
        ordered: list[float] = []
        there = set[str]()  # what boots has another name, and leaves under that
        rows = sorted(self._swarm.client.scaling(), key=lambda row: row["at_s"])
        for row in rows:
            at_s = (row["at_s"] - self._begun_s) * self._compress
            self._course.steps.append((round(at_s, 1), row["step"], row["node"]))
            if row["step"] == "ordered":
                ordered.append(row["at_s"])
            elif row["step"] == "joined":
                there.add(row["node"])
                self._course.boots_s += [row["at_s"] - ordered.pop(0)] if ordered else []
            elif row["step"] == "left":
                there.discard(row["node"])
            self._course.joined.append((at_s, len(there)))


@contextlib.contextmanager
def _swarm(compress: float) -> Iterator[LiveSwarm]:
    placement = {
        "pool": "ray",
        "most_workers": WORKERS,
        # A minute of the morning passes `compress` times as fast, and costs as much as a minute.
        "offerings": [
            {
                "name": _NODE,
                "slots": SLOTS,
                "price_usd_per_h": OFFERING.price_usd_per_h * compress,
                "boot_s": 15,
                "most": WORKERS,
            }
        ],
    }
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(a_head({_NODE: ("on-demand", WORKERS)}))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rush-")))
        with _environ(cluster.environ):
            more = {"ray_address": cluster.address, "placement": placement}
            swarm = stack.enter_context(running_swarm(folder, slots=0, **more))
            yield swarm


@contextlib.contextmanager
def _environ(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _overlay(
    day: Morning, kept: list[int], course: Course, played: Played, compress: float
) -> dict[str, Any]:
    """Seconds since the hour, as played and as it was."""
    return {
        "compress": compress,
        "tasks": [
            {
                "name": day.demands[n].name,
                "release_s": day.demands[n].release_s,
                "due_s": day.demands[n].due_s,
                "played_s": [played.starts[n], played.ends[n]],
                "real_s": [_rounded(course.starts.get(n)), _rounded(course.ends.get(n))],
            }
            for n in kept
        ],
        "played_workers": [list(span) for span in played.paid],
        "steps": course.steps,
        "real_workers": [[round(at_s, 1), count] for at_s, count in course.joined],
    }


def _rounded(at_s: float | None) -> float | None:
    return None if at_s is None else round(at_s, 1)


def _draw(_: Figures, path: Path) -> None:
    """Slots that are busy, as played and as it was."""
    import matplotlib.pyplot as plt

    course = json.loads((RESULTS / "rush_real_course.json").read_text(encoding="utf-8"))
    figure, axes = plt.subplots(figsize=(8, 4))
    for name in ("played_s", "real_s"):
        spans = [one[name] for one in course["tasks"] if None not in one[name]]
        spans = [span for span in spans if span[0] != NEVER]
        last = max(end for _, end in spans)
        seconds = range(0, int(last) + MIN_S, MIN_S // 2)
        busy = [sum(start <= at < end for start, end in spans) for at in seconds]
        axes.plot([at / MIN_S for at in seconds], busy, label=f"busy, {name[:-2]}")
    stood = course["real_workers"]
    axes.step(
        [at / MIN_S for at, _ in stood],
        [SLOTS * count for _, count in stood],
        where="post",
        label="there, real",
    )
    axes.set(xlabel="minutes from the hour", ylabel="slots")
    save(figure, path)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--compress", type=float, default=10.0, help="so many times faster")


if __name__ == "__main__":
    main()

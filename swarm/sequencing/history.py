"""When each pipeline ran and runs, and how often."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TypeVar

from swarm.model.keys import PipelineKey
from swarm.model.past_runs import NONE, durations_s, merged, ran_of, since, unpacked
from swarm.model.runs import Ran, Run, RunState
from swarm.model.weekdays import DAY_S
from swarm.sequencing.repairs import Gaps
from swarm.sequencing.tail import Tail

T = TypeVar("T")

# Three months of daily runs, eight days of half-hourly ones; 13 MB for 1,000 pipelines at most.
RUNS_KEPT = 400

# What is worked out of the runs of so many pipelines stays until one of them runs again.
REMEMBERED, _REMEMBERED_OF = 1_024, 100

# So many runs show how often a pipeline runs.
CADENCE_RUNS = 5
# Whose pauses, nights and weekends, are longer than so many times what it runs, runs like that on a
# few days alone.
_PAUSES = 8


class History:
    """Ended runs by pipeline, the newest `RUNS_KEPT`, and those under way."""

    def __init__(self) -> None:
        self._packed: dict[PipelineKey, bytes] = {}
        self._live: dict[PipelineKey, dict[str, float]] = {}
        self._remembered: OrderedDict[PipelineKey, dict[Hashable, object]] = OrderedDict()
        self._version: dict[PipelineKey, int] = {}
        self.tail = Tail()
        self.retries = Gaps()

    def __len__(self) -> int:
        """How many pipelines have ended runs."""
        return len(self._packed)

    def see(self, run: Run) -> None:
        live = self._live.setdefault(run.pipeline, {})
        if run.state is RunState.RUNNING and run.started_at_s is not None:
            live[run.run_id] = run.started_at_s
        else:
            live.pop(run.run_id, None)
        if not live:
            del self._live[run.pipeline]
        ran = ran_of(run)
        if ran is not None:
            self.keep(run.pipeline, (ran,))

    def keep(self, pipeline: PipelineKey, runs: Sequence[Ran]) -> None:
        before = self._packed.get(pipeline, NONE)
        self._packed[pipeline] = merged(before, runs, RUNS_KEPT)
        if self._packed[pipeline] == before:
            return
        self._remembered.pop(pipeline, None)
        self._version[pipeline] = self._version.get(pipeline, 0) + 1
        took = durations_s(self._packed[pipeline])
        if len(took) >= CADENCE_RUNS:
            usual_s = median(took)
            for ran in runs:
                if not ran.failed:
                    self.tail.see(ran.ended_at_s - ran.started_at_s, usual_s)
        known = since(self._packed[pipeline], min(ran.started_at_s for ran in runs))
        for ran in runs:
            at = bisect_left(known, ran.started_at_s, key=lambda one: one.started_at_s)
            if at < len(known) and at and known[at - 1].failed:
                self.retries.see(known[at].started_at_s - known[at - 1].ended_at_s)

    def drop(self, pipeline: PipelineKey) -> None:
        if self._packed.pop(pipeline, None) is not None:
            self._version[pipeline] = self._version.get(pipeline, 0) + 1
        self._remembered.pop(pipeline, None)
        self._live.pop(pipeline, None)

    def ended(self, pipeline: PipelineKey) -> tuple[Ran, ...]:
        """Ended runs, the oldest first, without those that made good for another time."""
        return self.remember(pipeline, "ended", lambda: _on_time(self.known(pipeline)))

    def known(self, pipeline: PipelineKey) -> tuple[Ran, ...]:
        """Ended runs, the oldest first, with those that made good for another time."""
        packed = self._packed.get(pipeline, NONE)
        return self.remember(pipeline, "known", lambda: unpacked(packed))

    def kept(self, days: float) -> Iterator[tuple[PipelineKey, tuple[Ran, ...]]]:
        """Of each pipeline the ended runs that began no more than `days` before the newest of
        all."""
        every = {key: unpacked(packed) for key, packed in self._packed.items()}
        newest_s = max((runs[-1].started_at_s for runs in every.values() if runs), default=0.0)
        for key, runs in every.items():
            at = bisect_left(runs, newest_s - days * DAY_S, key=lambda ran: ran.started_at_s)
            if runs[at:]:
                yield key, runs[at:]

    def good_durations_s(self, pipeline: PipelineKey) -> list[float]:
        """How long its good runs took, the oldest first."""
        ended = self.ended(pipeline)
        return [ran.ended_at_s - ran.started_at_s for ran in ended if not ran.failed]

    def remember(self, pipeline: PipelineKey, what: Hashable, make: Callable[[], T]) -> T:
        """What `make` makes of its ended runs, made once as long as these stay; `what` names it."""
        known = self._remembered.setdefault(pipeline, {})
        if len(known) >= _REMEMBERED_OF:
            known.clear()
        self._remembered.move_to_end(pipeline)
        if what not in known:
            known[what] = make()
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        found: T = known[what]  # type: ignore[assignment]  # as it was made
        return found

    def version(self, pipeline: PipelineKey) -> int:
        """Another number whenever its ended runs changed."""
        return self._version.get(pipeline, 0)

    def starts(self, pipeline: PipelineKey) -> list[float]:
        """When its runs began, ended or not, in order."""
        live = self._live.get(pipeline, {}).values()
        return sorted({*(ran.started_at_s for ran in self.ended(pipeline)), *live})

    def live(self, pipeline: PipelineKey) -> float | None:
        """When the oldest run under way began."""
        return min(self._live.get(pipeline, {}).values(), default=None)


def cadence_s(starts: list[float]) -> float | None:
    """How long after a run the next one begins, on most of the days on which it runs; None where
    too few runs show it. A backfill may have more runs on one day than all others together."""
    if len(starts) < CADENCE_RUNS:
        return None
    usual_s = median(after - before for before, after in pairwise(starts))
    if starts[-1] - starts[0] <= _PAUSES * usual_s * len(starts):
        return usual_s
    days: dict[int, list[float]] = {}
    for before, after in pairwise(starts):
        days.setdefault(int(before // DAY_S), []).append(after - before)
    return median(map(median, days.values()))


def _on_time(runs: tuple[Ran, ...]) -> tuple[Ran, ...]:
    """Without back-fills and repairs: what began off its planned time by half a cadence more or
    less than the pipeline is used to."""
    every_s = cadence_s([ran.started_at_s for ran in runs])
    behind = [r.started_at_s - r.scheduled_for_s for r in runs if r.scheduled_for_s is not None]
    if every_s is None or not behind:
        return runs
    usual_s = median(behind)
    return tuple(
        ran
        for ran in runs
        if ran.scheduled_for_s is None
        or abs(ran.started_at_s - ran.scheduled_for_s - usual_s) <= every_s / 2
    )

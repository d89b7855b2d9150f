"""When each pipeline ran and runs, and how often."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from swarm.model.keys import PipelineKey
from swarm.model.past_runs import NONE, merged, ran_of, unpacked
from swarm.model.runs import Ran, Run, RunState
from swarm.sequencing.tail import Tail

# Three months of daily runs, eight days of half-hourly ones; 13 MB for 1,000 pipelines at most.
RUNS_KEPT = 400

# Of so many pipelines the runs stay unpacked, those that were asked for last: 10 MB at most.
UNPACKED = 256

# So many runs show how often a pipeline runs.
CADENCE_RUNS = 5


class History:
    """Ended runs by pipeline, the newest `RUNS_KEPT`, and those under way."""

    def __init__(self) -> None:
        self._packed: dict[PipelineKey, bytes] = {}
        self._live: dict[PipelineKey, dict[str, float]] = {}
        self._unpacked: dict[PipelineKey, tuple[tuple[Ran, ...], tuple[Ran, ...]]] = {}
        self.tail = Tail()

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
        self._unpacked.pop(pipeline, None)
        took = [r.ended_at_s - r.started_at_s for r in unpacked(self._packed[pipeline])]
        if len(took) >= CADENCE_RUNS:
            usual_s = median(took)
            for ran in runs:
                if not ran.failed:
                    self.tail.see(ran.ended_at_s - ran.started_at_s, usual_s)

    def drop(self, pipeline: PipelineKey) -> None:
        self._packed.pop(pipeline, None)
        self._unpacked.pop(pipeline, None)
        self._live.pop(pipeline, None)

    def ended(self, pipeline: PipelineKey) -> tuple[Ran, ...]:
        """Ended runs, the oldest first, without those that made good for another time."""
        return self._runs(pipeline)[1]

    def known(self, pipeline: PipelineKey) -> tuple[Ran, ...]:
        """Ended runs, the oldest first, with those that made good for another time."""
        return self._runs(pipeline)[0]

    def _runs(self, pipeline: PipelineKey) -> tuple[tuple[Ran, ...], tuple[Ran, ...]]:
        """All ended runs, and those that are on time."""
        found = self._unpacked.pop(pipeline, None)
        if found is None:
            runs = unpacked(self._packed.get(pipeline, NONE))
            found = runs, _on_time(runs)
        self._unpacked[pipeline] = found
        if len(self._unpacked) > UNPACKED:
            del self._unpacked[next(iter(self._unpacked))]
        return found

    def starts(self, pipeline: PipelineKey) -> list[float]:
        """When its runs began, ended or not, in order."""
        live = self._live.get(pipeline, {}).values()
        return sorted({*(ran.started_at_s for ran in self.ended(pipeline)), *live})

    def live(self, pipeline: PipelineKey) -> float | None:
        """When the oldest run under way began."""
        return min(self._live.get(pipeline, {}).values(), default=None)


def cadence_s(starts: list[float]) -> float | None:
    """How long after a run the next one begins; None where too few runs show it."""
    if len(starts) < CADENCE_RUNS:
        return None
    return median(after - before for before, after in pairwise(starts))


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

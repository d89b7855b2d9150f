"""The last runs of each pipeline, as far as timing needs them.

A run is known by its start: two words on the same start are one run, which ended at the later end
and failed if either says so. So neither the order of the words nor a repetition matters.
"""

from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import isnan, nan

from swarm.lineage.tables import Tables
from swarm.lineage.timing import Rhythm, rhythm
from swarm.model.journal import RunsKept
from swarm.model.keys import PipelineKey
from swarm.model.runs import Ran, Run, RunState

# Two months of daily runs; packed, those of 10,000 pipelines take 20 MB.
RUNS_KEPT = 60

# Whoever ends a run is compared with all around it, whose rhythms stay: 25 MB at most.
RHYTHMS_KEPT = 2048

_ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED})
_FIELDS = 4


class RunHistory:
    """Ended runs by pipeline, the newest `RUNS_KEPT`, oldest first."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._packed: dict[PipelineKey, bytes] = {}
        self._rhythm = lru_cache(RHYTHMS_KEPT)(_rhythm)

    def of(self, pipeline: PipelineKey) -> tuple[Ran, ...]:
        return _unpacked(self._packed.get(pipeline, b""))

    def rhythm(self, pipeline: PipelineKey) -> Rhythm:
        """The days of the pipeline, as `timing` reads its runs."""
        return self._rhythm(self._packed.get(pipeline, b""))

    def see(self, run: Run) -> bool:
        """Take in what is told of a run; is it news?"""
        started_s, ended_s = run.started_at_s, run.ended_at_s
        if run.state not in _ENDED or started_s is None or ended_s is None:
            return False
        ran = Ran(run.scheduled_for_s, started_s, ended_s, run.state is RunState.FAILED)
        return self.keep(run.pipeline, (ran,))

    def keep(self, pipeline: PipelineKey, runs: Iterable[Ran]) -> bool:
        """Take in runs; is one of them news?"""
        known = {ran.started_at_s: ran for ran in self.of(pipeline)}
        for ran in runs:
            old = known.get(ran.started_at_s)
            known[ran.started_at_s] = _both(old, ran) if old else ran
        newest = [known[started_s] for started_s in sorted(known)[-RUNS_KEPT:]]
        packed = array("d", [number for ran in newest for number in _numbers(ran)]).tobytes()
        if packed == self._packed.get(pipeline, b""):
            return False
        self._tables.put(self._packed, pipeline, packed)
        return True

    def drop(self, pipeline: PipelineKey) -> None:
        self._tables.put(self._packed, pipeline, None)

    def records(self) -> Iterator[RunsKept]:
        for pipeline in self._packed:
            yield RunsKept(pipeline, self.of(pipeline))


def _both(one: Ran, other: Ran) -> Ran:
    planned = [r.scheduled_for_s for r in (one, other) if r.scheduled_for_s is not None]
    return Ran(
        min(planned, default=None),
        one.started_at_s,
        max(one.ended_at_s, other.ended_at_s),
        one.failed or other.failed,
    )


def _numbers(ran: Ran) -> tuple[float, float, float, float]:
    planned_s = nan if ran.scheduled_for_s is None else ran.scheduled_for_s
    return planned_s, ran.started_at_s, ran.ended_at_s, float(ran.failed)


def _unpacked(packed: bytes) -> tuple[Ran, ...]:
    numbers = array("d", packed)
    return tuple(_ran(numbers[i : i + _FIELDS]) for i in range(0, len(numbers), _FIELDS))


def _rhythm(packed: bytes) -> Rhythm:
    return rhythm(_unpacked(packed))


def _ran(numbers: "array[float]") -> Ran:
    planned_s, started_s, ended_s, failed = numbers
    return Ran(None if isnan(planned_s) else planned_s, started_s, ended_s, bool(failed))

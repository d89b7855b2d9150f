"""The last runs of each pipeline, as far as timing needs them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from swarm.lineage.tables import Tables
from swarm.lineage.timing import Rhythm, rhythm
from swarm.model.graph import RunsKept
from swarm.model.keys import PipelineKey
from swarm.model.past_runs import NONE, merged, ran_of, unpacked
from swarm.model.runs import Ran, Run

# Two months of daily runs; packed, those of 10,000 pipelines take 20 MB.
RUNS_KEPT = 60

# Whoever ends a run is compared with all around it, whose rhythms stay: 25 MB at most.
RHYTHMS_KEPT = 2048


class RunHistory:
    """Ended runs by pipeline, the newest `RUNS_KEPT`, oldest first."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._packed: dict[PipelineKey, bytes] = {}
        self._rhythm = lru_cache(RHYTHMS_KEPT)(_rhythm)

    def of(self, pipeline: PipelineKey) -> tuple[Ran, ...]:
        return unpacked(self._packed.get(pipeline, NONE))

    def rhythm(self, pipeline: PipelineKey) -> Rhythm:
        """The days of the pipeline, as `timing` reads its runs."""
        return self._rhythm(self._packed.get(pipeline, NONE))

    def see(self, run: Run) -> bool:
        """Take in what is told of a run; is it news?"""
        ran = ran_of(run)
        return ran is not None and self.keep(run.pipeline, (ran,))

    def keep(self, pipeline: PipelineKey, runs: Iterable[Ran]) -> bool:
        """Take in runs; is one of them news?"""
        before = self._packed.get(pipeline, NONE)
        packed = merged(before, runs, RUNS_KEPT)
        if packed == before:
            return False
        self._tables.put(self._packed, pipeline, packed)
        return True

    def drop(self, pipeline: PipelineKey) -> None:
        self._tables.put(self._packed, pipeline, None)

    def records(self) -> Iterator[RunsKept]:
        for pipeline in self._packed:
            yield RunsKept(pipeline, self.of(pipeline))


def _rhythm(packed: bytes) -> Rhythm:
    return rhythm(unpacked(packed))

"""The tries of tasks of what ran before the first contact.

The steps of a run cost the server a reading of its event log, so they are asked for of the newest
`TRIED_RUNS` of each job alone, no more than is kept of a task, and of few runs in one request. How
many a job had is known as long as the process lives; the next one may ask for as many again.

A run whose log cannot be read costs itself alone: what fails is asked for in smaller parts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from swarm.connectors.cursors import TRIED_RUNS
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.mapping import IMPLICIT_JOB, Definitions
from swarm.connectors.dagster.queries import PAST_STEPS
from swarm.connectors.dagster.runs import RunRow, map_run, repository_of
from swarm.connectors.payloads import STRANGE, Payload, Payloads
from swarm.errors import MalformedResponse, Unavailable
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.runs import TaskRun

TRIED_ASSET_RUNS = 10 * TRIED_RUNS
"""Of the implicit job, which makes the assets of many."""

RUNS_AT_ONCE = 50
_ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


class PastSteps:
    """What a page of past runs says of tasks. Raises as `DagsterClient` does."""

    def __init__(self, client: DagsterClient, payloads: Payloads) -> None:
        self._client, self._payloads = client, payloads
        self._tried: Counter[object] = Counter()
        self._at_once = RUNS_AT_ONCE
        self._left_out: set[str] = set()
        self._unsaid: list[Unresolved] = []

    async def of(self, found: Definitions, page: Iterable[RunRow]) -> tuple[tuple[Item, ...], int]:
        """The tries of the runs of `page` that are wanted, and how many requests that took."""
        tried = self._tried.copy()
        left = [run for run in page if self._is_wanted(found, run, tried)]
        items: list[Item] = []
        asked = 0
        while left:
            these = left[: self._at_once]
            asked += 1
            try:
                steps = await self._ask(these)
            except (MalformedResponse, Unavailable) as error:
                # Half as many, at last the one it fails for alone, which is left out then.
                self._at_once = len(these) // 2 or RUNS_AT_ONCE
                if len(these) == 1:
                    self._leave_out(these[0], error)
                if isinstance(error, Unavailable):
                    raise  # down, or too slow for so many: the next pass begins here
                if len(these) > 1:
                    continue
            else:
                for run in these:
                    items += self._tries(found, run, steps.get(run.run_id, ()))
            left = left[len(these) :]
        self._tried, self._at_once = tried, min(RUNS_AT_ONCE, 2 * self._at_once)
        unsaid, self._unsaid = self._unsaid, []
        return (*items, *unsaid), asked

    def _leave_out(self, run: RunRow, error: Exception) -> None:
        self._left_out.add(run.run_id)
        subject = f"{self._payloads.instance}/{run.row['jobName']}"
        detail = f"its steps cannot be read, only they were left out: {error}"
        place = f"run {run.run_id}"
        self._unsaid.append(Unresolved(subject, UnresolvedReason.UNREACHABLE, place, detail))

    def _is_wanted(self, found: Definitions, run: RunRow, tried: Counter[object]) -> bool:
        row = run.row
        try:
            job = (repository_of(row), str(row["jobName"]))
            is_over = row["status"] in _ENDED and row["startTime"] is not None
        except STRANGE:
            return False  # that was said when it was read as a run
        is_implicit = job[1] == IMPLICIT_JOB
        most = TRIED_ASSET_RUNS if is_implicit else TRIED_RUNS
        is_known = is_implicit or job in found.names
        if not (is_over and is_known) or tried[job] >= most or run.run_id in self._left_out:
            return False
        tried[job] += 1
        return True

    async def _ask(self, runs: Sequence[RunRow]) -> dict[str, Payload]:
        """The steps of each run that the server still has."""
        ids = [run.run_id for run in runs]
        answer = await self._client.ask(PAST_STEPS, ids=ids, limit=len(ids))
        return self._payloads.whole(_steps_of, answer)

    def _tries(self, found: Definitions, run: RunRow, steps: object) -> tuple[Item, ...]:
        try:
            row = {**run.row, "stepStats": steps, "assetMaterializations": ()}
            about = map_run(found, row, SqlContext())
        except STRANGE as error:
            return (self._payloads.unresolved(run.row["jobName"], "steps", error),)
        return tuple(item for item in about if isinstance(item, TaskRun))


def _steps_of(answer: Payload) -> dict[str, Payload]:
    return {str(row["runId"]): row["stepStats"] for row in answer["past"]["results"]}

"""The Prefect worker type `swarm`: `prefect worker start --pool POOL --type swarm`.

The worker hands flow runs to swarm and tells Prefect how they ended. What happens to a run whose
machine dies is decided in swarm and done by `supervisor.py`, so this process may be killed and
started again at any time: the next one takes up what swarm tells of the pool's tasks.

`SWARM_URL` and `SWARM_TOKEN_FILE` in its environment name the swarm.
"""

import contextlib
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.abc
import httpx  # of Prefect's own client: it raises its errors
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun as PrefectFlowRun
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.workers.base import (
    BaseJobConfiguration,
    BaseVariables,
    BaseWorker,
    BaseWorkerResult,
)
from pydantic import Field

from swarm.plugins.link import Change, Link
from swarm.plugins.prefect.tasks import FlowRun, Wanted, flow_run_of, owner_of, task_body, task_id

_PAUSE_S = 1.0  # before Prefect's server is asked again
_CANCEL_LOOK_S = 5.0  # how often the server is asked what is to be cancelled
_LOOK_S = 0.1  # how often what the link has heard is looked at; that is memory only
_ENDED = frozenset({"succeeded", "failed", "cancelled", "parked", "skipped"})
_RUNS = frozenset({"leased", "running"})


class SwarmJobConfiguration(BaseJobConfiguration):  # type: ignore[misc]
    """What a flow run asks of swarm; see `SwarmVariables`."""

    team: str = "default"
    effects: Literal["unsafe", "idempotent", "fenced"] = "unsafe"
    sla: Literal["critical", "standard", "backfill"] = "standard"
    worker_pool: str = ""
    cpu: float = 1.0
    memory_mb: int = 0
    wait_for_capacity: bool = False
    working_dir: str = ""

    @staticmethod
    def _base_flow_run_command() -> str:
        return ""  # the supervisor starts Prefect's engine itself

    def wanted(self) -> Wanted:
        return Wanted(
            self.team,
            self.effects,
            self.sla,
            self.worker_pool,
            self.cpu,
            self.memory_mb,
            self.wait_for_capacity,
            self.working_dir,
        )


class SwarmVariables(BaseVariables):  # type: ignore[misc]
    """The job variables of a pool or deployment."""

    team: str = Field("default", description="Whose share of swarm's workers it takes.")
    effects: Literal["unsafe", "idempotent", "fenced"] = Field(
        "unsafe",
        description=(
            "What happens if it runs twice. An unsafe flow starts again only when its worker is "
            "proven dead; the others also when their worker is merely silent."
        ),
    )
    sla: Literal["critical", "standard", "backfill"] = Field(
        "standard", description="How long it may wait for a worker."
    )
    worker_pool: str = Field("", description="Only on workers of this pool of swarm's.")
    cpu: float = Field(1.0, description="Cores it takes.")
    memory_mb: int = Field(0, description="Memory it takes, in MiB; over it, it is ended. 0: any.")
    wait_for_capacity: bool = Field(
        False, description="Taken, and waits, also where no worker known so far could run it."
    )
    working_dir: str = Field("", description="Folder to start in; a fresh one when empty.")


class SwarmWorkerResult(BaseWorkerResult):  # type: ignore[misc]
    """How a task of swarm ended."""


class SwarmWorker(BaseWorker[SwarmJobConfiguration, SwarmVariables, SwarmWorkerResult]):  # type: ignore[misc]
    """Hands flow runs to swarm."""

    type = "swarm"
    job_configuration = SwarmJobConfiguration
    job_configuration_variables = SwarmVariables
    _display_name = "swarm"
    _description = "Runs flows on swarm's workers: a flow whose machine dies goes on elsewhere."

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._link = _connect(owner_of(self._work_pool_name))
        self._known: dict[str, Change] = {}  # the newest of each live task
        self._moved: dict[str, anyio.Event] = {}  # of the tasks whose runs this process awaits
        self._untold: dict[str, Change] = {}  # ends that Prefect has not been told of
        self._following: anyio.CancelScope | None = None

    async def setup(self) -> None:
        self._link.start()
        await super().setup()
        self._runs_task_group.start_soon(self._follow)

    async def teardown(self, *exc_info: Any) -> None:
        if self._following is not None:
            self._following.cancel()
        await super().teardown(*exc_info)
        self._link.close()

    async def run(
        self,
        flow_run: PrefectFlowRun,
        configuration: SwarmJobConfiguration,
        task_status: anyio.abc.TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
    ) -> SwarmWorkerResult:
        """Hand the run to swarm and wait for its end there."""
        body = _body(flow_run, configuration)
        task = str(body["id"])
        try:
            self._link.submit(body)
            first = await self._next(task)
            task_status.started(task)  # swarm has it: it cannot get lost any more
            end = first
            while end.state not in _ENDED:
                end = await self._next(task)
        finally:
            self._moved.pop(task, None)
        if end.state == "succeeded":
            return SwarmWorkerResult(identifier=task, status_code=0)
        while not await self._asked(partial(self._settle, flow_run, end)):
            pass
        return SwarmWorkerResult(identifier=task, status_code=1)

    async def kill_infrastructure(
        self,
        infrastructure_pid: str,
        configuration: SwarmJobConfiguration,
        grace_seconds: int = 30,
    ) -> None:
        """End the task of a run, at once and without its hooks."""
        self._link.cancel(infrastructure_pid)

    # --- what swarm tells -------------------------------------------------------------------------

    async def _follow(self) -> None:
        with anyio.CancelScope() as self._following:
            while not await self._asked(self._take_up):
                pass
            look_s = 0.0
            while True:
                for refusal in self._link.refusals():
                    # The same task in other words is there already: it is awaited all the same.
                    if not refusal.why.startswith("409"):
                        self._hear(Change(refusal.id, "", "failed", 0, "", refusal.why))
                for change in self._link.changes():
                    self._hear(change)
                await self._asked(self._tell)
                if anyio.current_time() >= look_s:
                    await self._asked(self._cancel_what_waits)
                    look_s = anyio.current_time() + _CANCEL_LOOK_S
                await anyio.sleep(_LOOK_S)

    async def _asked(self, question: Callable[[], Awaitable[None]]) -> bool:
        """Whether Prefect's server answered; it is asked again later if not."""
        try:
            await question()
        except httpx.HTTPError as fault:
            self._logger.warning("Prefect's server does not answer: %s", fault)
            await anyio.sleep(_PAUSE_S)
            return False
        return True

    def _hear(self, change: Change) -> None:
        self._known[change.id] = change
        moved = self._moved.get(change.id)
        if moved is not None:
            moved.set()
        elif change.state in _ENDED:  # of a worker before this one
            del self._known[change.id]
            if change.state != "succeeded":
                self._untold[change.id] = change

    async def _next(self, task: str) -> Change:
        """The newest of a task's changes, once there is one that was not yet seen."""
        moved = self._moved.setdefault(task, anyio.Event())
        await moved.wait()
        self._moved[task] = anyio.Event()
        change = self._known[task]
        if change.state in _ENDED:
            del self._known[task]
        return change

    async def _tell(self) -> None:
        """Tell Prefect how runs ended that no coroutine awaits."""
        for task, change in list(self._untold.items()):
            run = flow_run_of(task)
            with contextlib.suppress(ObjectNotFound):
                found = await self.client.read_flow_run(run) if run else None
                if found and found.infrastructure_pid == task:
                    await self._settle(found, change)
            del self._untold[task]

    async def _cancel_what_waits(self) -> None:
        """Cancel the runs that are to be cancelled and do not run; beside one that runs there is
        its supervisor."""
        if not self._link.caught_up:
            return
        for run in await self._runs(StateType.CANCELLING):
            task = run.infrastructure_pid or ""
            change = self._known.get(task)
            if change is None or change.state not in _RUNS:
                if flow_run_of(task) is not None:
                    self._link.cancel(task)
                await self._mark_flow_run_as_cancelled(run)

    async def _settle(self, run: PrefectFlowRun, end: Change) -> None:
        """Tell Prefect of an end that the flow's own process could not tell."""
        if end.state in ("cancelled", "skipped"):
            found = await self.client.read_flow_run(run.id)
            if not (found.state and found.state.is_final()):
                await self._mark_flow_run_as_cancelled(found)
            return
        await self._propose_crashed_state(run, f"swarm: task {end.state}: {end.detail}")

    async def _take_up(self) -> None:
        """Hand in what a worker had taken from its queue and perhaps not handed in: twice is
        once."""
        for run in await self._runs(StateType.PENDING):
            states = await self.client.read_flow_run_states(run.id)
            scheduled = [state for state in states if state.is_scheduled()]
            if not scheduled or run.id in self._submitting_flow_run_ids:
                continue
            run.state = max(scheduled, key=lambda state: state.timestamp)
            task = task_id(_described(run))
            if run.infrastructure_pid != task:
                self._moved.setdefault(task, anyio.Event())  # it may have ended long ago
                self._runs_task_group.start_soon(self._submit_taken_up, run)

    async def _submit_taken_up(self, run: PrefectFlowRun) -> None:
        started = await self._runs_task_group.start(self._submit_run_and_capture_errors, run)
        if isinstance(started, str):
            await self.client.update_flow_run(run.id, infrastructure_pid=started)

    async def _runs(self, kind: StateType) -> list[PrefectFlowRun]:
        found: list[PrefectFlowRun] = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[kind]))
            ),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._work_pool_name])),
        )
        return found


def _described(run: PrefectFlowRun) -> FlowRun:
    state_id = str(run.state.id) if run.state else str(run.id)
    return FlowRun(str(run.id), run.name, state_id, run.run_count)


def _body(run: PrefectFlowRun, configuration: SwarmJobConfiguration) -> dict[str, Any]:
    env = {name: value for name, value in configuration.env.items() if value is not None}
    wanted = configuration.wanted()
    return task_body(_described(run), wanted, configuration.command or "", env, os.environ)


def _connect(owner: str) -> Link:
    """The link that the environment describes. Raises `ValueError` naming what is missing."""
    try:
        url, token_file = os.environ["SWARM_URL"], os.environ["SWARM_TOKEN_FILE"]
    except KeyError as missing:
        raise ValueError(
            f"A worker of type `swarm` needs {missing} in its environment: the URL of swarm's API "
            "in SWARM_URL, the path of its token in SWARM_TOKEN_FILE."
        ) from None
    return Link(url, Path(token_file).read_text().strip(), owner)

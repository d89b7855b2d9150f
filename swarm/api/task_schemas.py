"""The shapes of tasks and workers over HTTP. Times are seconds since the epoch."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from swarm.api.side_schemas import SideRow
from swarm.dispatch.explanation import Explanation
from swarm.dispatch.states import HELD
from swarm.dispatch.waiting import Waiting
from swarm.dispatch.workers import Worker
from swarm.model import dispatch
from swarm.model.journal import Record
from swarm.model.keys import PipelineKey
from swarm.model.work import (
    CapacityClass,
    Effects,
    Needs,
    Rearm,
    Resources,
    SlaClass,
    Submission,
    TaskId,
)
from swarm.store.stories import TaskRow as Row
from swarm.store.stories import Told

Name = Annotated[str, Field(pattern=r"^[\w.:/@-]{1,200}$")]
Owner = Annotated[str, Field(pattern=r"^[\w.:/@-]{0,200}$")]
PipelineName = Annotated[str, Field(max_length=1_000, pattern=r"^([^/]+/.+)?$")]
FileName = Annotated[str, Field(pattern=r"^\w[\w.-]{0,99}$")]
Files = Annotated[dict[FileName, str], Field(max_length=20)]

ImportPath = Annotated[
    str, Field(max_length=500, pattern=r"^[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*$")
]
# What an agent's item cannot have: its process is there already, and does others besides.
_NOT_OF_ITEMS = ("env", "clean_env", "files", "api", "cwd", "memory_bytes", "timeout_s")


class CallBody(BaseModel):
    """A function to call in a process of the worker's that stays for the next call."""

    model_config = ConfigDict(extra="forbid")

    path: ImportPath = Field(description="`package.module:function`, as imported from `cwd`.")
    args: dict[str, Any] = Field({}, description="Its arguments by name.")


class TaskBody(BaseModel):
    """A program or a call to run once on some worker, or an item for some agent. `argv` is not
    given to a shell."""

    model_config = ConfigDict(extra="forbid")

    id: Name | None = Field(None, description="Your own id; the same id is the same task.")
    team: Name = Field("default", description="Whose share of the workers it takes.")
    argv: list[str] | None = Field(
        None, min_length=1, max_length=10_000, description="Program and arguments."
    )
    call: CallBody | None = Field(None, description="Function and arguments, in place of `argv`.")
    item: Any = Field(None, description="For an agent of `capability`, in place of `argv`.")
    env: dict[str, str] = Field({}, description="Added to the worker's environment.")
    clean_env: bool = Field(False, description="`env` is the whole environment.")
    files: Files = Field({}, description="Put where `{SWARM_FILES}` in `argv` says; gone after.")
    api: bool = Field(
        False,
        description="Whether it may call swarm itself: it gets a token for its grant alone, in the "
        "file that `SWARM_TOKEN_FILE` names, and `SWARM_URL`.",
    )
    cwd: str = Field("", description="Folder to start in.")
    cpu: float = Field(1.0, ge=0, le=10_000, description="Cores it takes.")
    memory_bytes: int = Field(0, ge=0, description="Memory it takes; over it, it is ended. 0: any.")
    gpu: float = Field(0.0, ge=0, le=1_000, description="Devices it takes.")
    timeout_s: float | None = Field(None, gt=0, description="It is ended after so long.")
    capability: str = Field("", max_length=200, description="What its worker has to be able to do.")
    capacity: CapacityClass | None = Field(None, description="Only on machines of this class.")
    pool: str = Field("", max_length=200, description="Only on workers of this pool.")
    wait_for_capacity: bool = Field(
        False, description="Taken, and waits, also where no worker known so far could run it."
    )
    effects: Effects = Field(Effects.UNSAFE, description="What happens if it runs twice.")
    sla: SlaClass = Field(SlaClass.STANDARD, description="How long it may wait.")
    deadline_s: float | None = Field(None, ge=0, description="When it has to have ended.")
    expected_duration_s: float = Field(0.0, ge=0, description="How long it probably takes.")
    attempt: int = Field(1, ge=1, description="The orchestrator's try; a lost worker is none.")
    subject: str = Field("", max_length=1_000, description="The orchestrator's own name of it.")
    owner: Owner = Field("", description="Who follows it with `GET /tasks/changes`.")
    rearm: Rearm = Field(Rearm.SELF, description="Who lets it run again after its worker's death.")
    pipeline: PipelineName = Field("", description="`orchestrator/pipeline` that it is a part of.")
    run: str = Field("", max_length=500, description="The run of it; without, it is never held.")
    queue_wait_max_s: float = Field(
        0.0, ge=0, description="So long its orchestrator lets it wait after its owner's last word."
    )

    @model_validator(mode="after")
    def _one_work(self) -> Self:
        works = [self.argv is not None, self.call is not None, self._has_item()]
        if sum(works) != 1:
            raise ValueError(
                "give either `argv`, a program, `call`, a function, or `item`; exactly one"
            )
        if self._has_item() and not self.capability:
            raise ValueError("an `item` is for an agent: set `capability`")
        for name in _NOT_OF_ITEMS if self._has_item() else ():
            if name in self.model_fields_set:
                raise ValueError(f"leave `{name}` out: an `item` runs in its agent's process")
        return self

    def _has_item(self) -> bool:
        return "item" in self.model_fields_set

    def submission(self, id_: TaskId, digest: str, now_s: float, cause_id: str = "") -> Submission:
        resources = Resources(self.cpu, self.memory_bytes, self.gpu)
        return Submission(
            task=id_,
            team=self.team,
            digest=digest,
            submitted_at_s=now_s,
            needs=Needs(self.capability, self.capacity, self.pool, resources),
            effects=self.effects,
            sla=self.sla,
            deadline_s=self.deadline_s,
            expected_duration_s=self.expected_duration_s,
            attempt=self.attempt,
            wait_for_capacity=self.wait_for_capacity,
            subject=self.subject,
            owner=self.owner,
            rearm=self.rearm,
            pipeline=PipelineKey.told(self.pipeline) if self.pipeline else None,
            run=self.run,
            queue_wait_max_s=self.queue_wait_max_s,
            cause_id=cause_id,
        )

    def payload(self, pass_: Mapping[str, str] | None = None) -> str:
        """What the worker is told to run; `pass_` is what it makes a pass of, where there is one
        to be."""
        return json.dumps(
            {
                **self._work(),
                **({"pass": pass_} if pass_ else {}),
                "env": self.env,
                "clean_env": self.clean_env,
                "files": self.files,
                "cwd": self.cwd,
                "memory_bytes": self.memory_bytes or None,
                "timeout_s": self.timeout_s,
                "attempt": self.attempt,
            }
        )

    def _work(self) -> dict[str, Any]:
        if self.call is not None:
            return {"call": self.call.model_dump()}
        return {"item": self.item} if self._has_item() else {"argv": self.argv}


class Submissions(BaseModel):
    """Up to 10,000 tasks: all are taken, or none."""

    model_config = ConfigDict(extra="forbid")

    tasks: list[TaskBody] = Field(min_length=1, max_length=10_000)

    @property
    def has_code(self) -> bool:
        """Whether any names a program or a function, not only an item for an agent."""
        return any(task.argv is not None or task.call is not None for task in self.tasks)


class TaskRow(BaseModel):
    """A task in a list. `state` is queued, leased, running, lost, or its outcome."""

    id: str
    team: str
    state: str
    submitted_at_s: float

    @classmethod
    def of(cls, row: Row) -> Self:
        submission = row.submission
        return cls(
            id=submission.task,
            team=submission.team,
            state=row.state,
            submitted_at_s=submission.submitted_at_s,
        )


class Line(BaseModel):
    """One thing that happened to a task."""

    at_s: float
    text: str


class OutputRow(BaseModel):
    """Who printed an output. `is_copy`: the worker had the second copy of the grant, and ran it
    beside another. `leads`: of a grant's outputs it is the one that is told unless one is named."""

    grant: int
    worker: str
    is_copy: bool
    leads: bool


class TaskStory(TaskRow):
    """`waiting` is why it does not run: a stable reason, and a line for people. `result` is what
    its call returned; old ones are forgotten. `outputs` are those it has, in the order in which
    they were begun."""

    grant: int
    worker: str | None
    outputs: list[OutputRow]
    waiting: str | None
    waiting_text: str | None
    story: list[Line]
    result: Any = None

    @classmethod
    def told(
        cls,
        row: Row,
        story: Sequence[Told],
        waiting: Waiting | None,
        result: str | None = None,
    ) -> Self:
        return cls(
            **TaskRow.of(row).model_dump(),
            grant=newest_grant(story),
            worker=newest_holder(story) if row.state in HELD else None,
            outputs=outputs(story),
            waiting=None if waiting is None else waiting.reason,
            waiting_text=None if waiting is None else waiting.text,
            story=[Line(at_s=line.at_s, text=in_words(line.record)) for line in story],
            result=None if result is None else json.loads(result),
        )


class TurnRow(BaseModel):
    """A team that waits; the smaller its weighted share of the fleet, the sooner its turn."""

    team: str
    share: float
    waiting: int


class AtWorkerRow(BaseModel):
    worker: str
    lacks: str = Field(description="Empty: nothing but its turn.")


class TaskExplanation(BaseModel):
    """Why a task does not run yet: its place in its team, the teams, each worker's reason."""

    id: str
    state: str
    waiting: str | None
    waiting_text: str | None
    before: int | None
    latest_start_s: float | None
    teams: list[TurnRow]
    workers: list[AtWorkerRow]
    proposed: SideRow | None = Field(description="Spot or dedicated; null: nothing is proposed.")

    @classmethod
    def of(cls, told: Explanation) -> Self:
        return cls(
            id=told.task,
            state=told.state,
            waiting=None if told.waiting is None else told.waiting.reason,
            waiting_text=None if told.waiting is None else told.waiting.text,
            before=told.before,
            latest_start_s=told.latest_start_s,
            teams=[
                TurnRow(team=turn.team, share=round(turn.share, 4), waiting=turn.waiting)
                for turn in told.teams
            ],
            workers=[AtWorkerRow(worker=at.worker, lacks=at.lacks) for at in told.workers],
            proposed=None if told.sided is None else SideRow.of(told.sided),
        )


class WorkerRow(BaseModel):
    worker: str
    node: str
    slots: int
    holds: list[str]
    cpu: float
    cpu_used: float
    capacity: CapacityClass
    pool: str
    capabilities: list[str]
    draining: bool

    @classmethod
    def of(cls, worker: Worker) -> Self:
        offer = worker.offer
        return cls(
            worker=offer.worker,
            node=offer.node,
            slots=offer.slots,
            holds=sorted(worker.held),
            cpu=offer.resources.cpu,
            cpu_used=worker.used.cpu,
            capacity=offer.capacity,
            pool=offer.pool,
            capabilities=list(offer.capabilities),
            draining=worker.draining,
        )


def newest_grant(story: Sequence[Told]) -> int:
    """The number of the last grant of a task, 0 before the first."""
    grants = (
        line.record.token.grant for line in story if isinstance(line.record, dispatch.Granted)
    )
    return max(grants, default=0)


def newest_holder(story: Sequence[Told]) -> str | None:
    """The worker of the last grant of a task, None before the first."""
    led = dispatch.Granted | dispatch.CopyLeads
    held = [line.record.worker for line in story if isinstance(line.record, led)]
    return held[-1] if held else None


def outputs(story: Sequence[Told]) -> list[OutputRow]:
    """Of all grants. The first copy of a grant leads until its worker is lost and the second goes
    on: which of two that both ran to the end was the one that counts is not known."""
    records = [line.record for line in story]
    led = {one.token.grant for one in records if isinstance(one, dispatch.CopyLeads)}
    return [
        OutputRow(
            grant=one.token.grant,
            worker=one.worker,
            is_copy=isinstance(one, dispatch.Copied),
            leads=isinstance(one, dispatch.Copied) == (one.token.grant in led),
        )
        for one in records
        if isinstance(one, dispatch.Granted | dispatch.Copied)
    ]


def in_words(record: Record) -> str:
    """What happened to a task, for people."""
    match record:
        case dispatch.Submitted(submission):
            return f"handed in by team {submission.team}"
        case dispatch.Granted(token, worker, _, alone):
            return f"grant {token.grant} to {worker}" + (", alone" if alone else "")
        case dispatch.Started(token):
            return f"grant {token.grant} runs"
        case dispatch.Lost(token, cause):
            return f"grant {token.grant} lost: {cause}"
        case dispatch.Copied() | dispatch.CopyGone() | dispatch.CopyLeads():
            return _of_copy(record)
        case dispatch.Rearmed():
            return "may run again"
        case dispatch.CancelAsked(_, by):
            return f"to be cancelled, says {by}"
        case dispatch.Ended(token, outcome, detail):
            return f"{outcome} under grant {token.grant}" + (f": {detail}" if detail else "")
        case other:
            return type(other).__name__


def _of_copy(record: dispatch.Copied | dispatch.CopyGone | dispatch.CopyLeads) -> str:
    grant = f"grant {record.token.grant}"
    match record:
        case dispatch.Copied(_, worker, _, why):
            return f"{grant} also to {worker}" + (f": {why}" if why else "")
        case dispatch.CopyGone(_, worker, cause):
            return f"{grant} lost its copy on {worker}: {cause}"
        case dispatch.CopyLeads(_, worker, cause):
            return f"{grant} goes on with its copy on {worker}: {cause}"

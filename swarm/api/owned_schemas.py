"""The shapes of what a task's owner is told and says: the plug-in of an orchestrator, mostly."""

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from swarm.api.task_schemas import Files
from swarm.dispatch.events import Rearm, Receipt
from swarm.model.work import Outcome, TaskId, Token
from swarm.store.stories import Moved


class RearmBody(BaseModel):
    """The owner has looked at a lost task: it may run again, with what is new in its payload, or
    it has ended already. While a task waits to be granted, only its payload changes."""

    model_config = ConfigDict(extra="forbid")

    grant: int = Field(ge=0, description="The grant that is spoken of; 0 before the first.")
    env: dict[str, str] | None = Field(None, description="In place of its environment.")
    files: Files | None = Field(None, description="In place of its files.")
    outcome: Outcome | None = Field(None, description="How it ended already.")
    detail: str = Field("", max_length=1_000, description="For people, beside `outcome`.")

    def event(self, task: TaskId) -> Rearm:
        return Rearm(Token(task, self.grant), self.outcome, self.detail)

    def fields(self) -> str:
        """What replaces fields of the payload."""
        fields: dict[str, Any] = {"env": self.env, "files": self.files}
        return json.dumps({name: value for name, value in fields.items() if value is not None})


class Rearmed(BaseModel):
    """`stale`: it was about a grant that no longer counts, or that has not been lost."""

    receipt: Receipt


class ChangeRow(BaseModel):
    """Where a task stands. `state` is queued, leased, running, lost, or its outcome; `worker`
    holds it, or held it last; `detail` says why it was lost or ended."""

    id: str
    subject: str
    state: str
    grant: int
    worker: str
    detail: str

    @classmethod
    def of(cls, moved: Moved, skips: bool) -> Self:
        is_strange = moved.state == Outcome.SKIPPED and not skips
        return cls(
            id=moved.submission.task,
            subject=moved.submission.subject,
            state=Outcome.CANCELLED if is_strange else moved.state,
            grant=moved.grant,
            worker=moved.worker,
            detail=moved.detail,
        )


class Changes(BaseModel):
    """What moved, the latest last. `complete`: it begins with all that is kept of the owner's
    tasks, and not with what moved since a cursor. `more`: ask again at once."""

    cursor: str
    complete: bool
    more: bool
    tasks: list[ChangeRow]

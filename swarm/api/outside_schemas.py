"""The shapes of what agents outside Ray say over HTTP, and hear. Times are in seconds."""

import base64
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from swarm.actors.ports import Answer
from swarm.dispatch.events import (
    Event,
    Finish,
    Grants,
    Orders,
    Receipt,
    Register,
    Renew,
    WorkerLost,
)
from swarm.errors import Rejected
from swarm.model.outputs import Output, Part
from swarm.model.work import LossCause, Offer, Outcome, Resources, TaskId, Token, WorkerId

# Who comes by this door cannot speak for a worker of the cluster.
AgentName = Annotated[str, Field(pattern=r"^outside:[\w.:@~-]{1,180}$")]
_RESULT_MAX = 2_000_000


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TokenBody(_Said):
    """One grant of one task: its fencing token."""

    task: str = Field(min_length=1, max_length=200)
    grant: int = Field(ge=1)

    @classmethod
    def of(cls, token: Token) -> Self:
        return cls(task=token.task, grant=token.grant)

    def token(self) -> Token:
        return Token(TaskId(self.task), self.grant)


class RegisterBody(_Said):
    """An agent presents itself, at its start and whenever it is not known."""

    kind: Literal["register"]
    worker: AgentName
    node: str = Field(min_length=1, max_length=200, description="Its machine.")
    slots: int = Field(ge=1, le=10_000, description="Items at the same time.")
    cpu: float = Field(ge=0, le=10_000)
    memory_bytes: int = Field(0, ge=0)
    capabilities: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        min_length=1, max_length=100, description="What it can do; programs it cannot run."
    )
    renew_s: float = Field(3.0, ge=0.5, le=60, description="How often it says that it lives.")
    fence_s: float = Field(
        15.0, ge=5, le=3600, description="It ends what it runs after so long without contact."
    )

    @model_validator(mode="after")
    def _in_proportion(self) -> Self:
        if 3 * self.renew_s > self.fence_s:
            raise ValueError("`fence_s` has to be three times `renew_s` at least")
        return self

    def event(self) -> Register:
        offer = Offer(
            WorkerId(self.worker),
            self.node,
            self.slots,
            Resources(self.cpu, self.memory_bytes),
            tuple(self.capabilities),
            renew_s=self.renew_s,
            fence_s=self.fence_s,
        )
        return Register(offer)


class RenewBody(_Said):
    """An agent lives, and holds these; `acquired` is the last request whose answer it has."""

    kind: Literal["renew"]
    worker: AgentName
    acquired: int = Field(ge=0)
    held: list[TokenBody] = Field([], max_length=20_000)
    started: list[TokenBody] = Field([], max_length=20_000)

    def event(self) -> Renew:
        held = tuple(body.token() for body in self.held)
        started = tuple(body.token() for body in self.started)
        return Renew(WorkerId(self.worker), self.acquired, held, started)


class FinishBody(TokenBody):
    """A grant came to its end. `result` is JSON text."""

    kind: Literal["finish"]
    outcome: Literal[Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED]
    detail: str = Field("", max_length=10_000)
    result: str | None = Field(None, max_length=_RESULT_MAX)

    @field_validator("result")
    @classmethod
    def _is_json(cls, text: str | None) -> str | None:
        if text is not None:
            json.loads(text)
        return text

    def event(self) -> Finish:
        return Finish(self.token(), self.outcome, self.detail, self.result)


class LostBody(_Said):
    """An agent ended, or has ended all that it ran: its host is the witness."""

    kind: Literal["lost"]
    worker: AgentName
    cause: Literal[LossCause.PROCESS_EXIT, LossCause.OUT_OF_MEMORY, LossCause.SELF_FENCED]

    def event(self) -> WorkerLost:
        return WorkerLost(WorkerId(self.worker), self.cause)


AnySaid = Annotated[RegisterBody | RenewBody | FinishBody | LostBody, Field(discriminator="kind")]


class TellBody(_Said):
    """What the agents of one host say, together."""

    events: list[AnySaid] = Field(max_length=1_000)

    def told(self) -> list[Event]:
        return [said.event() for said in self.events]


class AcquireBody(_Said):
    """An agent asks for items for its free slots. It repeats `number` until it has the answer."""

    worker: AgentName
    number: int = Field(ge=1)


class OrdersRow(BaseModel):
    """End what is revoked without a report, cancel, take nothing new."""

    revoked: list[TokenBody]
    cancel: list[TokenBody]
    drain: bool


class AnswerRow(BaseModel):
    """The answer to one event: a receipt, orders, or why it is `refused`. An agent listens to no
    lower `epoch` than the highest it has heard."""

    epoch: int
    receipt: Receipt | None = None
    orders: OrdersRow | None = None
    refused: str | None = None

    @classmethod
    def of(cls, answer: Answer | Rejected) -> Self:
        if isinstance(answer, Rejected):
            return cls(epoch=0, refused=str(answer))
        match answer.reply:
            case Orders(revoked, cancel, drain):
                orders = OrdersRow(
                    revoked=[TokenBody.of(token) for token in revoked],
                    cancel=[TokenBody.of(token) for token in cancel],
                    drain=drain,
                )
                return cls(epoch=answer.epoch, orders=orders)
            case Receipt() as receipt:
                return cls(epoch=answer.epoch, receipt=receipt)
            case Grants():
                raise AssertionError("grants are the answer to no event of these")


class Answers(BaseModel):
    """One for each event, in their order."""

    answers: list[AnswerRow]


class GrantRow(TokenBody):
    """`body` is what to run, as JSON text."""

    body: str


class Acquired(BaseModel):
    """The items to run now; `known` is false for an agent that has to register first."""

    epoch: int
    known: bool
    grants: list[GrantRow]

    @classmethod
    def of(cls, answer: Answer) -> Self:
        tokens = answer.reply.tokens if isinstance(answer.reply, Grants) else ()
        return cls(
            epoch=answer.epoch,
            known=isinstance(answer.reply, Grants),
            grants=[
                GrantRow(task=token.task, grant=token.grant, body=answer.bodies.get(token.task, ""))
                for token in tokens
            ],
        )


class PartBody(TokenBody):
    """Some of what an item printed: from byte `at` on, in Base64."""

    at: int = Field(ge=0)
    text: str = Field(max_length=1_000_000)
    last: bool = False

    @field_validator("text")
    @classmethod
    def _is_base64(cls, text: str) -> str:
        base64.b64decode(text, validate=True)
        return text

    def part(self) -> Part:
        return Part(Output(self.token()), self.at, base64.b64decode(self.text), self.last)


class OutputsBody(_Said):
    """What items printed since it was last told."""

    parts: list[PartBody] = Field(max_length=1_000)


class KnownRow(TokenBody):
    """How many bytes of an output are there now."""

    printed_bytes: int


class Known(BaseModel):
    outputs: list[KnownRow]

    @classmethod
    def of(cls, known: dict[Output, Any]) -> Self:
        return cls(
            outputs=[
                KnownRow(task=one.token.task, grant=one.token.grant, printed_bytes=count)
                for one, count in known.items()
            ]
        )

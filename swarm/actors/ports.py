"""How the parts see each other's actors, without Ray."""

from typing import Protocol

from swarm.lineage.ledger import VerdictRequest
from swarm.model.journal import Batch, QuestionAsked


class Graph(Protocol):
    """The graph actor. All calls answer when the journal has it, and may be sent again."""

    async def offer(self, batch: Batch, cause_id: str) -> int:
        """Merge a batch; returns the journal's last sequence number."""
        ...

    async def judge(self, request: VerdictRequest, cause_id: str) -> int:
        """Record a person's verdict; raises `UnknownKey`."""
        ...

    async def ask(self, cause_id: str) -> list[QuestionAsked]:
        """The questions that wait for their owners' answers; asks what may be asked now."""
        ...

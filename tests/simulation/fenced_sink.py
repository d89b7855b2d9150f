"""The sink of the simulated world: `swarm.sink` itself, on a database in memory."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence

from swarm import sink
from swarm.model.dispatch import DispatchRecord, Ended
from swarm.model.work import Effects, Outcome, Submission, TaskId, Token, WorkerId
from tests.simulation.dispatch_promises import Broken


class FencedSink:
    """Takes the effects of fenced tasks, and raises `Broken` where it takes one twice."""

    def __init__(self, submissions: Mapping[TaskId, Submission]) -> None:
        self._submissions = submissions
        self._commits = Counter[TaskId]()
        self._connection = sqlite3.connect(":memory:")
        sink.prepare(self._connection)

    def came(self, worker: WorkerId, token: Token) -> None:
        """`worker` starts the task."""
        if self._is_fenced(token):
            sink.came(self._connection, token.task, token.grant)

    def commit(self, worker: WorkerId, token: Token) -> None:
        """`worker` is through with it, and makes the effect where it may."""
        if self._is_fenced(token):
            self._commits[token.task] += sink.commits(self._connection, token.task, token.grant)
        if self._commits[token.task] > 1:
            raise Broken(f"{token} was committed twice, last by {worker}")

    def judge(self, records: Sequence[DispatchRecord]) -> None:
        """Every success has its effect."""
        ends = (one for one in records if isinstance(one, Ended))
        for token in (one.token for one in ends if one.outcome is Outcome.SUCCEEDED):
            if self._is_fenced(token) and not self._commits[token.task]:
                raise Broken(f"{token} succeeded without its effect")

    def _is_fenced(self, token: Token) -> bool:
        return self._submissions[token.task].effects is Effects.FENCED

"""What the journal of a dispatcher must never hold."""

from collections.abc import Mapping, Sequence, Set

from swarm.model.dispatch import (
    CancelAsked,
    Copied,
    DispatchRecord,
    Ended,
    Granted,
    Lost,
    Rearmed,
    WorkerJoined,
)
from swarm.model.work import (
    CapacityClass,
    LossCause,
    Offer,
    Outcome,
    Rearm,
    Submission,
    TaskId,
    Token,
    WorkerId,
)

# A task that kills its worker each time: two losses beside others, one alone, and what its
# machines lose by themselves meanwhile.
POISON_GRANTS_MAX = 12


class Broken(AssertionError):
    """A promise was broken."""


def judge(
    records: Sequence[DispatchRecord],
    submissions: Mapping[TaskId, Submission],
    poison: Set[TaskId],
    rearmed_by_owner: Set[Token],
) -> None:
    """Raise `Broken` where the journal breaks a promise. `poison` are tasks that kill workers."""
    granted: dict[TaskId, int] = {}
    cancelled: set[TaskId] = set()
    for record in records:
        match record:
            case Granted(token):
                _judge_grant(token, granted.get(token.task, 0), cancelled)
                granted[token.task] = token.grant
            case CancelAsked(id_):
                cancelled.add(id_)
            case Rearmed(token) if token not in rearmed_by_owner:
                if submissions[token.task].rearm is Rearm.OWNER:
                    raise Broken(f"{token} was re-armed, and not by its owner")
            case Ended(token) if token.grant != granted.get(token.task, 0):
                raise Broken(f"{token} ended under an old grant")
            case Ended(token, Outcome.PARKED) if token.task not in poison:
                raise Broken(f"{token} is parked and harmed nobody")
            case _:
                pass
    for id_ in poison & granted.keys():
        lost = sum(Lost(Token(id_, n), LossCause.NOT_HELD) in records for n in range(granted[id_]))
        if granted[id_] - lost > POISON_GRANTS_MAX:
            raise Broken(f"{id_} took {granted[id_] - lost} workers down")


def judge_copies(
    records: Sequence[DispatchRecord], submissions: Mapping[TaskId, Submission]
) -> None:
    """Raise `Broken` where a second copy should not be, or not there."""
    copied: set[Token] = set()
    cancelled: set[TaskId] = set()
    newest: dict[TaskId, int] = {}
    offers: dict[WorkerId, Offer] = {}
    holder: dict[Token, WorkerId] = {}
    for record in records:
        match record:
            case WorkerJoined(offer):
                offers[offer.worker] = offer
            case Granted(token, worker):
                holder[token], newest[token.task] = worker, token.grant
            case CancelAsked(id_):
                cancelled.add(id_)
            case Copied(token, worker):
                _judge_grant(token, newest[token.task] - 1, cancelled)
                if token in copied or not submissions[token.task].may_run_twice:
                    raise Broken(f"{token} has a copy too many")
                first, second = offers[holder[token]], offers[worker]
                if first.node == second.node or second.capacity is not CapacityClass.DEDICATED:
                    raise Broken(f"{token} has its copy on {second.node}, beside {first.node}")
                copied.add(token)
            case _:
                pass


def _judge_grant(token: Token, last: int, cancelled: Set[TaskId]) -> None:
    if token.grant != last + 1:
        raise Broken(f"{token} does not follow grant {last}")
    if token.task in cancelled:
        raise Broken(f"{token} was granted after somebody cancelled it")

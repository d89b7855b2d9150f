"""What workers say of the tasks that they hold: that they hold them, and how they ended."""

from swarm.dispatch.events import Finish, Orders, Receipt, Renew
from swarm.dispatch.floor import Floor
from swarm.dispatch.losses import lose_on
from swarm.dispatch.states import TaskState
from swarm.dispatch.workers import Worker
from swarm.model.dispatch import DispatchRecord, Ended, Started
from swarm.model.work import LossCause, Outcome


def renewed(
    floor: Floor, worker: Worker, event: Renew
) -> tuple[tuple[DispatchRecord, ...], Orders]:
    """The records that follow from a renewal of `worker`, and its orders."""
    revoked, cancel = [], []
    for token in event.held:
        task = floor.holds(event.worker, token)
        if task is None:
            revoked.append(token)
        elif task.cancelled_by:
            cancel.append(token)
    records: list[DispatchRecord] = []
    started = set(event.started)
    known = set(event.held)
    for id_ in worker.held:
        task = floor.tasks[id_]
        leads = task.worker == event.worker
        if leads and task.token in started and task.state is TaskState.LEASED:
            records.append(Started(task.token))
        elif task.token not in known and task.asked_no(event.worker) <= event.acquired:
            gave_up = worker.interrupted
            cause = LossCause.INTERRUPTED if gave_up else LossCause.NOT_HELD
            records += lose_on(event.worker, task, cause)
    orders = Orders(tuple(revoked), tuple(cancel), worker.draining)
    return tuple(records), orders


def finished(floor: Floor, event: Finish) -> tuple[tuple[DispatchRecord, ...], Receipt]:
    """The record that follows from an end, if it counts, and the receipt."""
    token, outcome = event.token, event.outcome
    task = floor.current(token)
    if task is not None:
        if task.cancelled_by and outcome is not Outcome.SUCCEEDED:
            outcome = Outcome.CANCELLED
        copied = task.copy is not None
        ended = Ended(token, outcome, event.detail, event.silent, copied)
        return (ended,), Receipt.DONE
    known = floor.ended.get(token.task)
    counted = known is not None and known.grant == token.grant
    if counted:
        return (), Receipt.DONE
    return (), Receipt.STALE

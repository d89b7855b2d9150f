"""What led to a record about a task: what handed the task in, unless something else entered.

A worker that asks, renews or reports only carries on what was begun. A death, a silence, a person's
word and an owner's are causes of their own.
"""

from swarm.dispatch.events import Acquire, Event, Finish, Guide, Renew
from swarm.dispatch.floor import Floor
from swarm.model.dispatch import DispatchRecord, GrantRecord

_CARRIES_ON = (Acquire, Renew, Finish)


def cause_of(record: DispatchRecord, event: Event, floor: Floor) -> str:
    """Asked before `record` is applied; empty where it is the cause of `event`."""
    if not isinstance(record, GrantRecord):
        return ""
    task = floor.tasks.get(record.token.task)
    if task is None:
        return ""
    if isinstance(event, Guide):
        told = (one for one in event.left_out if one.pipeline == task.submission.pipeline)
        return next((one.cause_id for one in told), "")
    return task.submission.cause_id if isinstance(event, _CARRIES_ON) else ""

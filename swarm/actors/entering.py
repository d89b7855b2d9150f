"""Where something enters swarm and no caller brings a cause, and what begins with swarm itself."""

import uuid

from swarm.model.causes import cause_no

START = "start"  # the cause of what a start finds to do


def entered(at_s: float) -> str:
    """The cause of all that follows from what enters at `at_s`, seconds since the epoch."""
    return cause_no(at_s, uuid.uuid4().hex[:20])

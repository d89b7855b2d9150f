"""Why a launch failed, from what whoever rents nodes said of it.

Ray's report of a failed launch has no words of its provider, but for Kubernetes; its autoscaler's
log has them all.
"""

import re

from swarm.model.plans import Because

_MOST = 300  # characters of an answer that are told
_CALLED = "RequestLimitExceeded"  # of calls, not of machines
_QUOTA = re.compile(r"quota|LimitExceeded|InstanceCountExceeded|OperationNotAllowed", re.I)
_REPORTED = re.compile(r"^launch failed with .*? request id [^:]*:")  # its words come after that
_NONE_LEFT = re.compile(
    r"Insufficient\w*Capacity|RESOURCE_POOL_EXHAUSTED|UnfulfillableCapacity|SkuNotAvailable"
    r"|AllocationFailed|OverconstrainedAllocation|no (spot )?capacity",
    re.I,
)


def because_of(said: str) -> Because:
    """The reason in what AWS, Google, Azure or Kubernetes says of machines it does not give."""
    if _QUOTA.search(said.replace(_CALLED, "")):
        return Because.QUOTA
    return Because.SOLD_OUT if _NONE_LEFT.search(said) else Because.LAUNCH_FAILED


def words_of(kind: str, details: str, log: str) -> str:
    """What its provider said last of a node type: from the log, else what the report has. A line
    at most `_MOST` long; empty where nobody says."""
    told = re.findall(rf"Failed to launch \d+ nodes of type {re.escape(kind)}: (.+)", log)
    said = told[-1] if told else _REPORTED.sub("", details, count=1)
    return str(said).strip()[:_MOST]

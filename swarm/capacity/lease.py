"""The lease on what a Ray cluster is asked for: written beside the request, in Ray's own store.

Ray keeps a request for nodes until somebody makes another one, also when who made it is gone. So
each request has a lease, and a guard on the head clears the request when nobody renewed it.
"""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """`said` differs each time the fleet is stated; it holds for `lease_s` from when it is seen."""

    said: str
    lease_s: float

    def encode(self) -> bytes:
        return json.dumps({"said": self.said, "lease_s": self.lease_s}).encode()


def decode(text: bytes | None) -> Lease | None:
    """None where there is no lease. What cannot be read is one that is over at once: whoever wrote
    it cannot be followed, and a fleet that nobody answers for costs money."""
    if text is None:
        return None
    try:
        tree = json.loads(text)
        return Lease(str(tree["said"]), float(tree["lease_s"]))
    except (ValueError, KeyError, TypeError):
        return Lease("", 0.0)


class LeaseWatch:
    """Says when a lease is over, by the watcher's own clock alone: it counts from when it first
    saw that it was renewed. After a restart every lease has its full term again."""

    def __init__(self) -> None:
        self._seen: Lease | None = None
        self._since_s = 0.0

    def over(self, lease: Lease | None, now_s: float) -> bool:
        """`now_s` is steady. Without a lease there is nothing to end: others may ask for nodes."""
        if lease != self._seen:
            self._seen, self._since_s = lease, now_s
        return lease is not None and now_s - self._since_s >= lease.lease_s

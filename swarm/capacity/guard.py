"""`python -m swarm.capacity.guard`: beside Ray's head, clears a fleet that nobody renews any more,
so that a swarm that died does not leave its nodes running. It also starts Ray's server again when
that dies with a Redis behind it (`head.py`).

It outlives swarm and knows nothing of it but the lease. One on a head is enough, two do no harm.
"""

import argparse
import signal
import threading

import structlog
from ray._private.services import canonicalize_bootstrap_address_or_die

from swarm.capacity.head import find
from swarm.capacity.lease import LeaseWatch
from swarm.capacity.ray_request import RayRequest
from swarm.clock import Clock, SystemClock
from swarm.errors import CapacityError

log = structlog.get_logger()

_LOOK_S = 1.0


class Guard:
    """`look` is to be called again and again, with nothing kept elsewhere."""

    def __init__(self, request: RayRequest, clock: Clock) -> None:
        self._request, self._clock = request, clock
        self._watch = LeaseWatch()

    def look(self) -> None:
        """Raises `CapacityError` while Ray's head does not answer; what is over stays over."""
        lease = self._request.lease()
        if lease is not None and self._watch.over(lease, self._clock.monotonic_s()):
            self._request.clear(lease)
            log.warning("nobody renewed the fleet: nothing is asked for", lease_s=lease.lease_s)


def main() -> None:
    """Guard until SIGTERM."""
    parser = argparse.ArgumentParser(description="Clears a fleet that nobody renews any more.")
    parser.add_argument("--address", default="auto", help="of Ray's head; else the one here")
    address = canonicalize_bootstrap_address_or_die(parser.parse_args().address)
    guard = Guard(RayRequest(address), SystemClock())
    head = find(int(address.rpartition(":")[2]))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    answers = True
    while not stopped.wait(_LOOK_S):
        if head is not None:
            before, head = head, head.mended()
            if head is not before:
                log.warning("Ray's server died and was started again", pid=head.server.pid)
        try:
            guard.look()
            answers = True
        except CapacityError as error:
            if answers:
                log.warning("the guard cannot see the fleet", error=str(error))
            answers = False


if __name__ == "__main__":
    main()

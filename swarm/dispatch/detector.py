"""Who has not been heard of, and for how long: the second source of truth about a death.

Proof (a process that ended, a socket that closed, a node that left) comes first and needs no
detector. Silence is only ever a suspicion, so it acts in steps that cost little while it is wrong:

1. `suspect_s`: no new work. Free.
2. `redistribute_s`, or `WIDENING` times the longest gaps seen lately where that is more: tasks
   that tolerate two runs are granted elsewhere.
3. `self_fence_s` and a guard: the worker has ended everything itself, so all its tasks move.

It doubts itself (Dadgar, Phillips, Currey: Lifeguard, 2017). Time in which its own loop stood
still does not count as anybody's silence. While more than `DOUBTFUL_SHARE` of the workers look
late at once, the fault is more likely here than there, and step 2 waits.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from swarm.dispatch.events import Silence
from swarm.model.work import WorkerId

WIDENING = 8.0
DOUBTFUL_SHARE = 0.3
_DOUBT_FROM = 4  # with fewer workers a share says nothing
_GAPS = 2_000  # the tail is that of so many last gaps
_TAIL = 0.999
_RETURNED = 3  # the longest gaps: of workers that were away, and say nothing about the others


@dataclass(frozen=True, slots=True)
class Patience:
    """The clocks of detection, in seconds."""

    suspect_s: float = 0.3
    redistribute_s: float = 0.6
    self_fence_s: float = 15.0
    guard_s: float = 1.0
    stall_s: float = 0.25  # a loop that is later than this has stood still


class Detector:
    """When each worker was last heard of, on the dispatcher's own steady clock."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._heard_s: dict[WorkerId, float] = {}
        self._graced: set[WorkerId] = set()  # not heard of yet, only given time
        self._gaps: deque[float] = deque(maxlen=_GAPS)
        self._tail_s = 0.0
        self._looked_s: float | None = None

    @property
    def redistribute_s(self) -> float:
        """The silence after which step 2 comes, as wide as the gaps of late demand."""
        widened = max(self._patience.redistribute_s, WIDENING * self._tail_s)
        return min(widened, self._patience.self_fence_s)

    @property
    def gap_tail_s(self) -> float:
        """The 99.9th percentile of the last gaps between two signs of one worker."""
        return self._tail_s

    def heard(self, worker: WorkerId, now_s: float) -> None:
        """A sign of life."""
        before = self._heard_s.get(worker)
        if before is not None and now_s > before and worker not in self._graced:
            self._gaps.append(now_s - before)
        self._graced.discard(worker)
        self._heard_s[worker] = max(now_s, before or now_s)

    def grace(self, worker: WorkerId, now_s: float) -> None:
        """Give a worker a full term without a sign of life from it."""
        self._heard_s[worker] = now_s
        self._graced.add(worker)

    def forget(self, worker: WorkerId) -> None:
        self._heard_s.pop(worker, None)
        self._graced.discard(worker)

    def silent_s(self, worker: WorkerId, now_s: float) -> float:
        return now_s - self._heard_s[worker]

    def suspects(self, worker: WorkerId, now_s: float) -> bool:
        """Has it been silent for so long that it should get nothing new?"""
        return self.silent_s(worker, now_s) > self._patience.suspect_s

    def verdicts(self, now_s: float) -> Iterator[Silence]:
        """The workers that are silent for too long. To be asked often, after the inbox is drained:
        the time between two questions is how the detector knows that it stood still itself."""
        self._forgive(now_s)
        if self._gaps:
            ordered = sorted(self._gaps)
            last = len(ordered) - 1
            self._tail_s = ordered[max(0, min(int(_TAIL * last), last - _RETURNED))]
        fence_s = self._patience.self_fence_s + self._patience.guard_s
        late = [w for w, heard_s in self._heard_s.items() if self.suspects(w, now_s)]
        doubtful = len(self._heard_s) >= _DOUBT_FROM and len(late) > DOUBTFUL_SHARE * len(
            self._heard_s
        )
        for worker in late:
            silent_s = self.silent_s(worker, now_s)
            if silent_s > fence_s:
                yield Silence(worker, fenced=True)
            elif silent_s > self.redistribute_s and not doubtful:
                yield Silence(worker, fenced=False)

    def _forgive(self, now_s: float) -> None:
        """Count the time in which nobody listened as nobody's silence."""
        stalled_s = 0.0 if self._looked_s is None else now_s - self._looked_s
        if stalled_s > self._patience.stall_s:
            for worker, heard_s in self._heard_s.items():
                self._heard_s[worker] = min(now_s, heard_s + stalled_s)
        self._looked_s = now_s

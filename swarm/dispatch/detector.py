"""Who has not been heard of, and for how long: the second source of truth about a death.

Proof (a process that ended, a node that left) comes first and needs no detector. Silence is only
ever a suspicion, so it acts in steps that cost little while it is wrong:

1. `suspect_s`: no new work. Free.
2. `redistribute_s`, or `WIDENING` times the longest gaps seen lately where that is more: tasks
   that tolerate two runs are granted elsewhere.
3. `self_fence_s` and a guard: the worker has ended everything itself, so all its tasks move.

A worker that is heard of by its renewals alone, because its beats do not pass, renews `slow` times
less often than others beat, and gets as much more time in steps 1 and 2. Who said that it renews
every so many seconds gets so many times more; who said when it fences itself is believed in 3.

It doubts itself (Dadgar, Phillips, Currey: Lifeguard, 2017). Time in which its own loop stood
still does not count as anybody's silence in steps 1 and 2. In 3 it does: who had no answer in that
time has fenced itself, whoever was to blame. While more than `DOUBTFUL_SHARE` of the workers look
late at once, the fault is more likely here than there, and step 2 waits. One that was cut off a
while ago, and is not fenced yet, does not make it doubt the next.

It also says how good it is. A worker that step 2 took for gone and that returns has either been cut
off, or it was late only: a false alarm. Who was cut off had no echo either, as some of its beats
tell that come with the end of the gap. Not always the first of them: a host whose link is down may
keep packets until it is up again, and the oldest know of nothing. Gaps of the first kind say
nothing about how late beats get, and do not widen anything.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from swarm.dispatch.events import Silence
from swarm.dispatch.gaps import Gaps
from swarm.model.work import Offer, WorkerId

WIDENING = 8.0
DOUBTFUL_SHARE = 0.3
_DOUBT_FROM = 4  # with fewer workers a share says nothing
_AT_ONCE_S = 3.0  # what one fault here makes look late does so within this
_TAIL = 0.999
_RETURNED = 3  # the longest gaps: of workers that were away, and say nothing about the others
_BEATS_PASS_S = 3.0  # without a beat, and renewals come: its beats do not pass
_TOGETHER_S = 0.02  # beats that come so soon after one another were kept on the way, and let go


@dataclass(frozen=True, slots=True)
class Patience:
    """The clocks of detection, in seconds."""

    suspect_s: float = 0.3
    redistribute_s: float = 0.6
    self_fence_s: float = 15.0
    guard_s: float = 1.0
    stall_s: float = 0.25  # a loop that is later than this has stood still
    slow: float = 10.0  # the factor for those whose beats do not pass, for each second of renewals
    deaf_s: float = 0.5  # a sender without an echo for so long is not in contact


@dataclass(frozen=True, slots=True)
class Detection:
    """How good detection is now. Gaps are those between beats in the last minute or two;
    `redistribute_s` is the silence after which work that tolerates two runs moves, which is the
    time of detection. `false_alarms` were raised in `watched_s`, the sum over all workers.
    `stalled_s` is how long the dispatcher itself stood still. `refused` are the ends that workers
    told of grants that were no longer theirs."""

    gap_p50_s: float
    gap_p99_s: float
    gap_tail_s: float
    redistribute_s: float
    redistribute_slow_s: float
    false_alarms: int
    cut_off: int
    watched_s: float
    stalled_s: float
    refused: int
    silent: tuple[WorkerId, ...]
    without_beats: tuple[WorkerId, ...]


@dataclass(slots=True)
class _Gap:
    """A time without a beat, whose last one has come."""

    since_s: float
    until_s: float
    believed: bool  # it was taken for gone
    cut: bool
    stalled_s: float = 0.0  # so long of it nobody listened

    @property
    def long_s(self) -> float:
        return self.until_s - self.since_s - self.stalled_s


@dataclass(slots=True)
class _Heard:
    """What was last heard of a worker. `graced`: nothing yet, it was only given time. No word of
    ours that it may take for contact answers anything after `contact_s`."""

    at_s: float
    contact_s: float
    beat_s: float | None = None
    graced: bool = False
    believed_s: float | None = None  # when step 2 was taken
    deaf: bool = False  # since the last beat that counted, one came of a sender without an echo
    gap: _Gap | None = None  # the last one, which more beats may come together with

    def beats(self) -> bool:
        """Do its beats pass?"""
        return self.beat_s is not None and self.at_s - self.beat_s < _BEATS_PASS_S


class Detector:
    """When each worker was last heard of, on the dispatcher's own steady clock."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._heard: dict[WorkerId, _Heard] = {}
        self._offers: dict[WorkerId, Offer] = {}
        self._gaps = Gaps()
        self._tail_s = 0.0
        self._looked_s: float | None = None
        self._false_alarms = self._cut_off = 0
        self._watched_s = self._stalled_s = 0.0
        self.refused = 0

    @property
    def redistribute_s(self) -> float:
        """The silence after which step 2 comes, as wide as the gaps of late demand."""
        widened = max(self._patience.redistribute_s, WIDENING * self._tail_s)
        return min(widened, self._patience.self_fence_s)

    @property
    def gap_tail_s(self) -> float:
        """The 99.9th percentile of the last gaps between two beats of one worker."""
        return self._tail_s

    def expect(self, offer: Offer) -> None:
        """A worker joined: how often it is heard of, and when it fences itself."""
        self._offers[offer.worker] = offer

    def beat(self, worker: WorkerId, at_s: float) -> None:
        """A beat came in at `at_s`."""
        heard = self._heard.setdefault(worker, _Heard(at_s, at_s, graced=True))
        if heard.gap is not None:
            heard.gap.cut |= heard.deaf
        if heard.beat_s is not None and at_s - heard.beat_s >= _TOGETHER_S:
            self._count(heard.gap, at_s)
            heard.gap = None
            if not heard.graced:
                believed = heard.believed_s is not None
                heard.gap = _Gap(heard.beat_s, at_s, believed, heard.deaf)
        heard.at_s = max(heard.at_s, at_s)
        heard.contact_s = max(heard.contact_s, at_s)
        heard.beat_s = max(heard.beat_s or at_s, at_s)
        heard.graced, heard.believed_s, heard.deaf = False, None, False

    def deaf(self, worker: WorkerId) -> None:
        """A beat came in whose sender hears nothing: it does not count."""
        if worker in self._heard:
            self._heard[worker].deaf = True

    def _count(self, gap: _Gap | None, now_s: float) -> None:
        if gap is None:
            return
        self._cut_off += gap.believed and gap.cut
        self._false_alarms += gap.believed and not gap.cut
        if not gap.cut:
            self._gaps.add(gap.long_s, now_s)

    def renewed(self, worker: WorkerId, now_s: float) -> None:
        """A sign of life that is no beat."""
        heard = self._heard.setdefault(worker, _Heard(now_s, now_s))
        # Of one that never beat nothing shows if it was cut off; of all others the next beat does.
        if heard.believed_s is not None and heard.beat_s is None:
            self._false_alarms += 1
            heard.believed_s = None
        heard.at_s, heard.contact_s = max(heard.at_s, now_s), max(heard.contact_s, now_s)
        heard.graced = False

    def grace(self, worker: WorkerId, now_s: float) -> None:
        """Give a worker a full term without a sign of life from it."""
        self._heard[worker] = _Heard(now_s, now_s, graced=True)

    def forget(self, worker: WorkerId) -> None:
        self._heard.pop(worker, None)
        self._offers.pop(worker, None)

    def unheard_s(self, worker: WorkerId, now_s: float) -> float | None:
        """For how long there was no sign of life; None of one that was only given time yet."""
        heard = self._heard.get(worker)
        return None if heard is None or heard.graced else max(0.0, now_s - heard.at_s)

    def suspects(self, worker: WorkerId, now_s: float) -> bool:
        """Has it been silent for so long that it should get nothing new?"""
        heard = self._heard[worker]
        slow = 1.0 if heard.beats() else self._slow(worker)
        return now_s - heard.at_s > self._patience.suspect_s * slow

    def verdicts(self, now_s: float) -> Iterator[Silence]:
        """The workers that are silent for too long. To be asked often, after the inbox is drained:
        the time between two questions is how the detector knows that it stood still itself."""
        self._forgive(now_s)
        self._tail_s = self._gaps.share_s(_TAIL, without=_RETURNED)
        late = {worker for worker in self._heard if self.suspects(worker, now_s)}
        doubtful = self._is_doubtful(late, now_s)
        for worker, heard in self._heard.items():
            if now_s - heard.contact_s > self._fence_s(worker) + self._patience.guard_s:
                yield Silence(worker, fenced=True)
            elif doubtful or worker not in late:
                continue
            elif now_s - heard.at_s > self._patient_s(worker):
                heard.believed_s = heard.believed_s or now_s
                yield Silence(worker, fenced=False)

    def _is_doubtful(self, late: Collection[WorkerId], now_s: float) -> bool:
        """Do more look late at once than is likely, were the fault there? Those that it took for
        gone a while ago say nothing of now."""
        gone = sum(self._is_old_news(self._heard[worker], now_s) for worker in late)
        count = len(self._heard) - gone
        return count >= _DOUBT_FROM and len(late) - gone > DOUBTFUL_SHARE * count

    def _is_old_news(self, heard: _Heard, now_s: float) -> bool:
        return heard.believed_s is not None and now_s - heard.believed_s > _AT_ONCE_S

    def detection(self, now_s: float) -> Detection:
        """How good it is, for people."""
        return Detection(
            gap_p50_s=self._gaps.share_s(0.5),
            gap_p99_s=self._gaps.share_s(0.99),
            gap_tail_s=self._tail_s,
            redistribute_s=self.redistribute_s,
            redistribute_slow_s=self._patience.redistribute_s * self._patience.slow,
            false_alarms=self._false_alarms,
            cut_off=self._cut_off,
            watched_s=self._watched_s,
            stalled_s=self._stalled_s,
            refused=self.refused,
            silent=tuple(w for w in self._heard if self.suspects(w, now_s)),
            without_beats=tuple(w for w, heard in self._heard.items() if not heard.beats()),
        )

    def _patient_s(self, worker: WorkerId) -> float:
        if self._heard[worker].beats():
            return self.redistribute_s
        slow_s = self._patience.redistribute_s * self._slow(worker)
        return min(max(slow_s, self.redistribute_s), self._fence_s(worker))

    def _slow(self, worker: WorkerId) -> float:
        offer = self._offers.get(worker)
        return self._patience.slow * (1.0 if offer is None else offer.renew_s)

    def _fence_s(self, worker: WorkerId) -> float:
        offer = self._offers.get(worker)
        return self._patience.self_fence_s if offer is None or not offer.fence_s else offer.fence_s

    def _forgive(self, now_s: float) -> None:
        """Count the time in which nobody listened as nobody's silence."""
        passed_s = 0.0 if self._looked_s is None else now_s - self._looked_s
        self._watched_s += passed_s * len(self._heard)
        if passed_s > self._patience.stall_s:
            self._stalled_s += passed_s
            for heard in self._heard.values():
                self._allow(heard, now_s, passed_s)
        self._looked_s = now_s

    def _allow(self, heard: _Heard, now_s: float, passed_s: float) -> None:
        """Give a worker back the time that passed unheard. A gap that is no longer than what is
        usual for a loop was heard in time: the kernel stamped it."""
        heard.at_s = min(now_s, heard.at_s + passed_s)
        if heard.beat_s is not None:
            heard.beat_s = min(now_s, heard.beat_s + passed_s)
        gap = heard.gap
        if gap is not None and gap.long_s > self._patience.stall_s:
            shared_s = min(gap.until_s, now_s) - max(gap.since_s, now_s - passed_s)
            gap.stalled_s += max(0.0, shared_s)

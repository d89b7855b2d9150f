"""What the sequencer tells the dispatcher: decisions, as the queue of its workers takes them."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise

from swarm.actors.ports import Dispatch
from swarm.clock import Clock
from swarm.dispatch.events import Guide, Hold, LeftOut
from swarm.errors import Rejected, StoreError
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey

TTL_S = 60.0
_LOOK_S = 0.25  # slack passes with time alone
_RENEW_S = 5.0  # so soon a dispatcher that was restarted knows it again
# So much longer stands a hold whose runs are left out at its end: until that is decided and told.
_WORD_S = 10.0
_LATE = "its latest start has come"


def guide(intents: Iterable[Intent], slack_s: Mapping[PipelineKey, float], now_s: float) -> Guide:
    """All of it, to be said again well within `TTL_S`. `intents` are the newest of each pipeline;
    those that do not gate or are over count for nothing. A hold that leaves its runs out is over
    a little later, so that none of them begins before that is said. `slack_s` is how long from now
    the start of a pipeline may be put off; a promoted one has none."""
    holds: list[Hold] = []
    left_out: list[LeftOut] = []
    slack = dict(slack_s)
    yielding: set[PipelineKey] = set()
    for intent in intents:
        if intent.mode is not Mode.GATE or _left_s(intent, now_s) <= 0:
            continue
        left_out += _left_out(intent)
        match intent.act:
            case Act.HOLD:
                for_s = min(TTL_S, _left_s(intent, now_s))
                told = intent.target, for_s, intent.reason, intent.waits_for, intent.from_s
                holds.append(Hold(*told))
            case Act.PROMOTE:
                slack[intent.target] = 0.0
            case Act.YIELD:
                yielding.add(intent.target)
            case Act.RELEASE | Act.TRIGGER:
                pass
    return Guide(tuple(holds), slack, frozenset(yielding), TTL_S, tuple(left_out))


class Said:
    """What the dispatcher was told last, and when."""

    def __init__(self) -> None:
        self._guide, self._at_s = Guide(), 0.0

    def is_news(self, wanted: Guide, now_s: float) -> bool:
        """Is it otherwise, or has it to be said again? While nothing is wanted, nothing has."""
        if _gist(wanted) != _gist(self._guide):
            return True
        return _gist(wanted) != _gist(Guide()) and now_s - self._at_s >= _RENEW_S

    def note(self, told: Guide, now_s: float) -> None:
        """The dispatcher has this."""
        self._guide, self._at_s = told, now_s


async def keep_guided(
    dispatch: Dispatch, wanted: Callable[[float], Guide], clock: Clock, news: asyncio.Event
) -> None:
    """Tell the dispatcher for ever what is wanted at a time, at once where there is `news`; what it
    does not hear it forgets."""
    said = Said()
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), _LOOK_S)
        news.clear()
        now_s = clock.monotonic_s()
        told = wanted(clock.now_s())
        if said.is_news(told, now_s):
            try:
                await dispatch.tell(told, "sequencing")
            except (Rejected, StoreError):  # also when it does not answer
                continue
            said.note(told, now_s)


def _gist(guide: Guide) -> object:
    """Without what only passes with time: what is left to live, and of slack, of which there is
    some or none. How much is told again soon enough."""
    holds = [(hold.pipeline, hold.reason, hold.waits_for, hold.from_s) for hold in guide.holds]
    spent = {pipeline: slack_s <= 0 for pipeline, slack_s in guide.slack_s.items()}
    return holds, spent, guide.yielding, guide.left_out


def _left_out(intent: Intent) -> Iterator[LeftOut]:
    """What a hold and its release leave out: the runs that came closest to those starts."""
    is_over = intent.act is Act.RELEASE and intent.skip_at_s is not None
    reason, end_s = (intent.reason if is_over else _LATE), intent.skip_at_s or 0.0
    if is_over and not intent.left_out_s:
        yield LeftOut(intent.target, end_s, reason, intent.cause_id)
    known = sorted((*intent.let_go_s, *intent.left_out_s, *intent.due_s))
    until_s = [(early_s + late_s) / 2 for early_s, late_s in pairwise(known)]
    for start_s, from_s, to_s in zip(known, [0.0, *until_s], [*until_s, end_s], strict=False):
        if start_s in intent.left_out_s:
            yield LeftOut(intent.target, to_s, reason, intent.cause_id, from_s)


def _left_s(intent: Intent, now_s: float) -> float:
    leaves_out = intent.act is Act.HOLD and intent.skip_at_s is not None
    return intent.valid_until_s + (_WORD_S if leaves_out else 0.0) - now_s

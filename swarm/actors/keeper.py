"""Which agents have to be started and which ended: what is wanted against what lives.

It follows the dispatcher's journal. A worker that is gone leaves a `CapacityWanted` behind: if an
agent of ours went, the next step starts one in its place. One that dies young again and again is
started ever more slowly.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from swarm.actors.ports import actor_name
from swarm.model.dispatch import AgentsWanted, CapacityWanted, WorkerGone
from swarm.model.journal import Record

_YOUNG_S = 10.0
_PAUSE_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class _Kept:
    wanted: AgentsWanted
    since_s: float


class Keeper:
    """The agents of one swarm. Times are seconds on one steady clock."""

    def __init__(self, declared: Iterable[AgentsWanted]) -> None:
        self._wanted = {wanted.path: wanted for wanted in declared}
        self._live: dict[str, _Kept] = {}
        self._young_deaths: dict[str, int] = {}
        self._not_before_s: dict[str, float] = {}
        self._look = True

    def take(self, record: Record, now_s: float) -> None:
        """What the journal tells."""
        match record:
            case AgentsWanted(path):
                self._wanted[path] = record
                self._young_deaths.pop(path, None)
                self._not_before_s.pop(path, None)
                self._look = True
            case WorkerGone(worker):
                self.died(actor_name(worker), now_s)
            case CapacityWanted():
                self._look = True

    def started(self, name: str, wanted: AgentsWanted, now_s: float) -> None:
        self._live[name] = _Kept(wanted, now_s)

    def died(self, name: str, now_s: float) -> None:
        """Its actor is gone, whether it had joined or not."""
        kept = self._live.pop(name, None)
        if kept is None:
            return
        path = kept.wanted.path
        deaths = self._young_deaths.get(path, 0) + 1 if now_s - kept.since_s < _YOUNG_S else 0
        self._young_deaths[path] = deaths
        pause_s = min(_PAUSE_MAX_S, 2.0 ** (deaths - 2)) if deaths > 1 else 0.0
        self._not_before_s[path] = now_s + pause_s
        self._look = True

    def ended(self, name: str) -> None:
        """It was ended on purpose: that says nothing against its class."""
        self._live.pop(name, None)
        self._look = True

    def missing(self, now_s: float) -> list[AgentsWanted]:
        """One for each agent to start now; `started` has to be told."""
        if not self._look:
            return []
        found: list[AgentsWanted] = []
        self._look = False
        for wanted in self._wanted.values():
            short = wanted.count - self._count(wanted)
            if short > 0 and now_s < self._not_before_s.get(wanted.path, 0.0):
                self._look = True
            else:
                found += [wanted] * short
        return found

    def surplus(self) -> list[str]:
        """The names of the agents to end: too many, or not as they are wanted."""
        ended: list[str] = []
        for wanted in self._wanted.values():
            mine = [name for name, kept in self._live.items() if kept.wanted.path == wanted.path]
            fitting = [name for name in mine if _same(self._live[name].wanted, wanted)]
            ended += [name for name in mine if name not in fitting] + fitting[wanted.count :]
        return ended

    def _count(self, wanted: AgentsWanted) -> int:
        return sum(_same(kept.wanted, wanted) for kept in self._live.values())


def _same(one: AgentsWanted, other: AgentsWanted) -> bool:
    """But for how many."""
    return (one.path, one.memory_bytes, one.cwd) == (other.path, other.memory_bytes, other.cwd)

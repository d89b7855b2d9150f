"""What the beat processes on the orchestrators' nodes tell, and when their silence counts.

Rules
1. A worker is silent after `MISSED` intervals without a beat. Beats are counted by the clock of
   whoever hears them; they are never written down.
2. A look that comes late proves only that this side stood still: the lateness is given to everyone.
3. A worker that a journal shows alive has a full term after a restart.
4. Only the end of a process, told by who held a handle on it, is death.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from swarm.model.foreign import ForeignWorker, Presence, Role, SeenBy

MISSED = 4.0
LOOK_S = 0.25
_TERM_S = 5.0  # of workers that nobody has heard since this process began

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class EndedProcess:
    """A process below a worker that is gone; `run_id` is the run that it was for, where it says."""

    pid: int
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker as its beat process tells of it; `ended` are the processes of it that are gone."""

    orchestrator: str
    name: str
    role: Role
    presence: Presence
    started_s: float
    detail: str = ""
    ended: tuple[EndedProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class HostBeat:
    """All that the beat process of a host watches; the next one comes after `every_s`."""

    host: str
    every_s: float
    workers: tuple[Beat, ...]


@dataclass(slots=True)
class _Heard:
    worker: ForeignWorker
    at_s: float  # monotonic


@dataclass(slots=True)
class Beats:
    """When each worker was last heard. Times that decide are monotonic."""

    _alive: dict[Name, _Heard] = field(default_factory=dict)
    _looked_s: float | None = None

    def recall(self, workers: Iterable[ForeignWorker], now_s: float) -> None:
        """Those that were alive when this process began."""
        for worker in workers:
            if worker.seen_by is SeenBy.BEAT and worker.presence is Presence.ALIVE:
                self._alive[_name(worker)] = _Heard(worker, now_s + _TERM_S)

    def hear(self, told: HostBeat, now_s: float, wall_s: float) -> tuple[ForeignWorker, ...]:
        """What the beat of a host says that may be news. It goes on saying so until `took`."""
        found = (_worker(told, beat, wall_s) for beat in told.workers)
        news: list[ForeignWorker] = []
        for worker in found:
            known = self._alive.get(_name(worker))
            if known is not None and worker.started_s < known.worker.started_s:
                continue  # the last words of the process before
            if known is not None:
                known.at_s = now_s
            restarted = known is None or known.worker.started_s != worker.started_s
            if restarted or worker.presence is not Presence.ALIVE:
                news.append(worker)
        return tuple(news)

    def took(self, workers: Iterable[ForeignWorker], now_s: float) -> None:
        """These are in the journal."""
        for worker in workers:
            if worker.presence is Presence.ALIVE:
                self._alive[_name(worker)] = _Heard(worker, now_s)
            else:
                self._alive.pop(_name(worker), None)

    def due(self, now_s: float, wall_s: float) -> tuple[ForeignWorker, ...]:
        """The workers whose silence counts now; to be asked every `LOOK_S`."""
        late_s = 0.0 if self._looked_s is None else now_s - self._looked_s - LOOK_S
        self._looked_s = now_s
        if late_s > LOOK_S:
            for heard in self._alive.values():
                heard.at_s += late_s
        return tuple(
            replace(
                heard.worker,
                presence=Presence.SILENT,
                heard_s=wall_s - max(0.0, now_s - heard.at_s),
                detail="its node's beat fell silent",
            )
            for heard in self._alive.values()
            if now_s - heard.at_s > heard.worker.silent_after_s
        )


def _worker(told: HostBeat, beat: Beat, wall_s: float) -> ForeignWorker:
    return ForeignWorker(
        beat.orchestrator,
        beat.name,
        beat.role,
        SeenBy.BEAT,
        beat.presence,
        wall_s,
        started_s=beat.started_s,
        every_s=told.every_s,
        silent_after_s=MISSED * told.every_s,
        group=_group(beat),
        host=told.host,
        detail=beat.detail,
        processes=tuple(
            f"{one.run_id}@{one.pid}" if one.run_id else f"{told.host}:{one.pid}"
            for one in beat.ended
        ),
    )


def _group(beat: Beat) -> str:
    """As the servers group them: a pool's workers, and others by what they are."""
    return f"pool {beat.name.rpartition('/')[0]}" if beat.role is Role.WORKER else str(beat.role)


def _name(worker: ForeignWorker) -> Name:
    return worker.orchestrator, worker.name

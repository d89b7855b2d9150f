"""From the list of workers that a server gives again and again to what is news in it. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from swarm.model.foreign import ForeignWorker, Presence

RETELL_S = 30.0
FORGOTTEN_S = 24 * 3600.0
"""Servers list workers that ended long ago; those that were not heard for so long are history."""


def presence(heard_s: float, now_s: float, silent_after_s: float) -> Presence:
    """Whether one that was last heard at `heard_s` is there, by the same clock's `now_s`."""
    return Presence.SILENT if now_s - heard_s > silent_after_s else Presence.ALIVE


class Attendance:
    """What was last told of each worker. All is told again every `RETELL_S`: what was told may
    have been lost on its way, and a later sign of life may outweigh what others say."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[ForeignWorker, float]] = {}

    def news(self, found: Iterable[ForeignWorker], now_s: float) -> tuple[ForeignWorker, ...]:
        """What to tell of `found`, which are all there are; those not in it are stopped."""
        found = [one for one in found if now_s - one.heard_s < FORGOTTEN_S]
        news: list[ForeignWorker] = []
        names = {worker.name for worker in found if worker.presence is not Presence.STOPPED}
        for name in self._told.keys() - names:
            worker, _ = self._told.pop(name)
            news.append(replace(worker, presence=Presence.STOPPED, runs=()))
        for worker in found:
            if worker.name in names and self._is_due(worker, now_s):
                told = self._with_runs_as_told(worker)
                self._told[worker.name] = told, now_s
                news.append(told)
        return tuple(news)

    def _is_due(self, worker: ForeignWorker, now_s: float) -> bool:
        if worker.name not in self._told:
            return True
        told, told_s = self._told[worker.name]
        same = (told.presence, told.started_s) == (worker.presence, worker.started_s)
        return not same or now_s - told_s >= RETELL_S

    def _with_runs_as_told(self, worker: ForeignWorker) -> ForeignWorker:
        """What ran on it is what ran when it went missing; later its orchestrator has moved on."""
        told = self._told[worker.name][0] if worker.name in self._told else None
        if told is not None and told.is_missed and worker.is_missed:
            return replace(worker, runs=told.runs)
        return worker if worker.is_missed else replace(worker, runs=())

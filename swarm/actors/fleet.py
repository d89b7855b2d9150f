"""Keeps the workers of all nodes and this machine's agents alive, from outside their processes."""

import itertools
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import ray
import structlog

from swarm.actors.dispatcher import STREAM
from swarm.actors.keeper import Keeper
from swarm.actors.node_workers import NodeWorkers
from swarm.errors import StoreError, Trimmed
from swarm.model.dispatch import AgentsWanted
from swarm.store.journal import Journal

log = structlog.get_logger()

_LOOK_S = 0.05
_RETRY_S = 1.0
_LOOKS = 10  # for each at the nodes
_BATCH = 1_000


@dataclass(slots=True)
class Fleet:
    """`spawn_agent` makes an actor and its name; `returned` are the nodes to leave."""

    journal: Journal
    keeper: Keeper
    workers: NodeWorkers
    spawn_agent: Callable[[AgentsWanted], tuple[str, Any]]
    returned: Callable[[], Collection[str]] = tuple
    _actors: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _seq: int = 0

    def keep(self, stopped: threading.Event) -> None:
        """Until `stopped`: a dead one is replaced."""
        begun, pause_s = False, 0.0
        for look in itertools.count():
            if stopped.wait(pause_s):
                return
            pause_s = _LOOK_S
            if look % _LOOKS:
                self.workers.mend()
            else:
                self.workers.look()
            try:
                if begun:
                    self._follow()
                else:
                    self._begin()
                begun = True
                if not look % _LOOKS:
                    self.workers.leave(self.returned())
            except StoreError as error:
                log.warning("the journal cannot be read", error=str(error))
                pause_s = _RETRY_S
            self._bury()
            self._fill()

    def _begin(self) -> None:
        """What was wanted before this swarm was started; deaths of then are no news."""
        snapshot = self.journal.snapshot(STREAM)
        if snapshot is not None:
            self._seq = snapshot.seq
            for record in snapshot.records:
                self._want(record)
        while entries := self.journal.read(STREAM, self._seq, _BATCH):
            self._seq = entries[-1].seq
            for entry in entries:
                self._want(entry.record)

    def _want(self, record: Any) -> None:
        if isinstance(record, AgentsWanted):
            self.keeper.take(record, time.monotonic())

    def _follow(self) -> None:
        try:
            entries = self.journal.read(STREAM, self._seq, _BATCH)
        except Trimmed:
            self._begin()
            return
        for entry in entries:
            self._seq = entry.seq
            self.keeper.take(entry.record, time.monotonic())

    def _bury(self) -> None:
        """Those whose process is gone, as Ray tells."""
        watches = {watch: name for name, (_, watch) in self._actors.items()}
        if not watches:
            return
        gone, _ = ray.wait(list(watches), num_returns=len(watches), timeout=0)
        for watch in gone:
            name = watches[watch]
            del self._actors[name]
            self.keeper.died(name, time.monotonic())

    def _fill(self) -> None:
        for name in self.keeper.surplus():
            self.keeper.ended(name)
            if name in self._actors:
                ray.kill(self._actors[name][0])
        for wanted in self.keeper.missing(time.monotonic()):
            name, actor = self.spawn_agent(wanted)
            self._actors[name] = actor, actor.watch.remote()
            self.keeper.started(name, wanted, time.monotonic())

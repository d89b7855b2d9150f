"""What goes wrong in the days of `benchmarks.holds_world`, up to the last planned start.

Swarm dies and comes back with its journal and perhaps with other settings, hands are cut off,
orchestrators cannot be read, dependencies are rejected or accepted, pipelines vanish, people hold,
release, and start what is held.
"""

from collections import Counter
from collections.abc import Callable

from benchmarks.holds_fleet import FROM_S, HOUR_S, MIN_S, ORCHESTRATORS, Line, depends
from benchmarks.holds_world import Days
from swarm.model.connectors import ConnectorChanged, ConnectorState, IntentEnded
from swarm.model.graph import PipelineGone
from swarm.model.intents import Carried, Mode

EVERY_S = 25 * MIN_S
_DOWN_S = (20.0, 40.0, 300.0, 3 * HOUR_S)
_MODES = (Mode.GATE, Mode.GATE, Mode.SHADOW, Mode.WARN, Mode.OBSERVE)


class BadDays(Days):
    """Something goes wrong every `EVERY_S` seconds or so."""

    def run(self) -> Counter[str]:
        at_s = FROM_S
        while (at_s := at_s + self.dice.expovariate(1 / EVERY_S)) < self.until_s:
            self.at(at_s, self._mishap)
        return super().run()

    def _mishap(self) -> None:
        mishaps: tuple[tuple[float, Callable[[], None]], ...] = (
            (1.5, self._swarm_dies),
            (1.5, self._settings_change),
            (3.0, self._cut),
            (3.0, self._blind),
            (1.0, self._rejected),
            (1.0, self._accepted),
            (0.1, self._vanishes),
            (1.5, self._person_holds),
            (4.0, self._person_releases),
            (4.0, self._person_starts),
        )
        weights, what = zip(*mishaps, strict=True)
        [happens] = self.dice.choices(what, weights)
        happens()

    def _some(self) -> Line:
        return self.dice.choice(self.fleet.lines)

    def _swarm_dies(self) -> None:
        if self.state is not None:
            self.state = None
            self.at(self.now_s + self.dice.choice(_DOWN_S), self.start)

    def _settings_change(self) -> None:
        """They are read at the start alone."""
        self._some().mode = self.dice.choice(_MODES)
        self._swarm_dies()

    def _cut(self) -> None:
        name = self.dice.choice(ORCHESTRATORS)
        self.cut_s[name] = self.now_s + self.dice.uniform(30.0, 1_200.0)
        self.at(self.cut_s[name], self.ask_all)

    def _blind(self) -> None:
        name = self.dice.choice(ORCHESTRATORS)
        if self.now_s < self.blind_s[name]:
            return
        self.blind_s[name] = self.now_s + self.dice.choice((30.0, 120.0, 2 * HOUR_S))
        self.told(ConnectorChanged(name, "airflow", ConnectorState.UNAVAILABLE, "gone"))
        again = ConnectorChanged(name, "airflow", ConnectorState.OK, "")
        self.at(self.blind_s[name], self.sees_again, again)

    def _rejected(self) -> None:
        line = self._some()
        for up in line.reads:
            self.hear(depends(self.fleet.lines[up].key, line.key, 0.0))

    def _accepted(self) -> None:
        """Also what closes a ring."""
        up, down = self.dice.sample(self.fleet.lines, 2)
        if not (up.is_gone or down.is_gone or up.number in down.waits):
            self.hear(depends(up.key, down.key, 1.0))

    def _vanishes(self) -> None:
        line = self._some()
        if line.is_gone:
            return
        line.is_gone = True
        self.hear(PipelineGone(line.key))
        for turn in line.turns.values():
            self.wake(line, turn)

    def _person_holds(self) -> None:
        line, for_s = self._some(), self.dice.uniform(0.5, 3) * HOUR_S
        if self.state is not None and not line.is_gone:
            self.write(self.state.hold(line.key, "kim", self.now_s + for_s, self.now_s))

    def _person_releases(self) -> None:
        for line in self.fleet.lines if self.state is not None else ():
            assert self.state is not None, "it is asked before"
            made = self.state.release(line.key, "kim", self.now_s)
            if made is not None:
                self.write(made)
                return

    def _person_starts(self) -> None:
        """In the orchestrator, what is held there."""
        for hand in self.hands.values():
            for copy in hand.held()[:1]:
                self.freed(hand.overrule(copy.intent.target, self.now_s))
                self.told(IntentEnded(copy.intent, Carried.OVERRULED, "a person started it"))

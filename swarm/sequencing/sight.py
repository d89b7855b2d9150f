"""Which orchestrators can be seen: of one whose connector cannot read it, nobody knows what has
ended there, so nobody is held for it. A short silence is none."""

from swarm.model.connectors import ConnectorChanged, ConnectorState

BLIND_S = 60.0


class Sight:
    """Since when each orchestrator cannot be read."""

    def __init__(self) -> None:
        self._unseen_s: dict[str, float] = {}

    def apply(self, changed: ConnectorChanged, at_s: float) -> None:
        """A connector told of itself at `at_s` (seconds since the epoch)."""
        if changed.state is ConnectorState.OK:
            self._unseen_s.pop(changed.source, None)
        else:
            self._unseen_s.setdefault(changed.source, at_s)

    def is_blind(self, orchestrator: str, now_s: float) -> bool:
        return now_s >= self.blind_from_s(orchestrator)

    def blind_from_s(self, orchestrator: str) -> float:
        """From when on nothing is known of it; never, as long as it can be read."""
        return self._unseen_s.get(orchestrator, float("inf")) + BLIND_S

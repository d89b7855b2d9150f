"""What each actor measures of itself. Figures in, no Ray: what is sent where is `measuring.py`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from swarm import telemetry
from swarm.dispatch.detector import Detection
from swarm.dispatch.floor import Floor
from swarm.dispatch.states import TaskState
from swarm.model.alerts import Alert, AlertEnded, AlertsRecord, Delivery
from swarm.model.connectors import ConnectorState
from swarm.model.dispatch import DispatchRecord, Ended, Lost
from swarm.model.intents import Act, Intent, Mode
from swarm.model.learned import Trust
from swarm.model.scaling import PlacementRecord, Scaled, Step
from swarm.model.sequencing import RuleScored
from swarm.model.sla import SlaState, Standing
from swarm.model.work import LossCause, Outcome, SlaClass
from swarm.placement.orders import View
from swarm.placement.steering import Planned
from swarm.sequencing.scoring import rule_scored
from swarm.store.census import Census
from swarm.telemetry import Figure

_LIVE = tuple(state for state in TaskState if state is not TaskState.ENDED)


class Dispatched:
    """What became of grants since the process began."""

    def __init__(self) -> None:
        self._lost = dict.fromkeys(LossCause, 0)
        self._ended = dict.fromkeys(Outcome, 0)

    def note(self, records: Iterable[DispatchRecord]) -> None:
        for record in records:
            match record:
                case Lost(_, cause):
                    self._lost[cause] += 1
                case Ended(_, outcome):
                    self._ended[outcome] += 1
                case _:
                    pass

    def figures(self) -> Iterator[Figure]:
        for cause, count in self._lost.items():
            yield Figure(telemetry.REDISTRIBUTIONS, count, {"cause": cause})
        for outcome, count in self._ended.items():
            yield Figure(telemetry.TASKS_ENDED, count, {"outcome": outcome})


def of_tasks(floor: Floor) -> Iterator[Figure]:
    """Of all live tasks; looks at none of them."""
    for state in _LIVE:
        for sla in SlaClass:
            count = floor.counts[state, sla]
            yield Figure(telemetry.TASKS, count, {"state": state, "sla": sla})


def of_workers(floor: Floor, detection: Detection) -> Iterator[Figure]:
    """Of the workers that are there and of how their silence is detected."""
    silent = len(detection.silent)
    slots = sum(worker.offer.slots for worker in floor.workers.values())
    yield Figure(telemetry.WORKERS, len(floor.workers) - silent, {"state": "live"})
    yield Figure(telemetry.WORKERS, silent, {"state": "silent"})
    yield Figure(telemetry.SLOTS, slots)
    for quantile, gap_s in (
        ("0.5", detection.gap_p50_s),
        ("0.99", detection.gap_p99_s),
        ("0.999", detection.gap_tail_s),
    ):
        yield Figure(telemetry.BEAT_GAP, gap_s, {"quantile": quantile})
    yield Figure(telemetry.DETECTION, detection.redistribute_s)
    yield Figure(telemetry.FALSE_ALARMS, detection.false_alarms)
    yield Figure(telemetry.CUT_OFFS, detection.cut_off)
    yield Figure(telemetry.WATCHED, detection.watched_s)
    yield Figure(telemetry.STALLED, detection.stalled_s)
    yield Figure(telemetry.STALE_ENDS, detection.refused)


def of_holds(intents: Iterable[Intent], now_s: float) -> Iterator[Figure]:
    """`intents` are the newest of each pipeline."""
    held = Counter(one.mode for one in intents if one.act is Act.HOLD and now_s < one.valid_until_s)
    for mode in (Mode.GATE, Mode.SHADOW):
        yield Figure(telemetry.HOLDS, held[mode], {"mode": mode})


def of_slas(states: Iterable[SlaState]) -> Iterator[Figure]:
    """How they stand, and the probability that those of most value are missed."""
    known = sorted(states, key=lambda state: (-state.sla.value, state.sla.name))
    counts = Counter(state.standing for state in known)
    for standing in Standing:
        if standing is not Standing.DROPPED:
            yield Figure(telemetry.SLAS, counts[standing], {"standing": standing})
    for state in known[: telemetry.SLAS_MAX]:
        labels = {"sla": state.sla.name[: telemetry.LABEL_MAX]}
        yield Figure(telemetry.SLA_MISS, state.chance, labels)
        yield Figure(telemetry.SLA_DEADLINE, state.deadline_s, labels)


def of_rules(rules: Iterable[RuleScored]) -> Iterator[Figure]:
    """How right the hazards of each kind were, where any was judged."""
    for told in rules:
        precision = rule_scored(told.weeks).precision
        if precision is not None:
            yield Figure(telemetry.HAZARD_PRECISION, precision, {"kind": told.rule})


class Placed:
    """The fleet as it was seen last, and what was refused since the process began."""

    def __init__(self) -> None:
        self._now: Sequence[Figure] = ()
        self._refused = Counter[str]()

    def note(self, records: Iterable[PlacementRecord]) -> None:
        for record in records:
            match record:
                case Scaled(Step.REFUSED, move=move) if move is not None:
                    self._refused[move.because] += 1
                case Scaled(Step.NOT_COME | Step.NOT_JOINED as step, because=because):
                    self._refused[because or step] += 1
                case _:
                    pass

    def look(self, view: View, planned: Planned, fleet: Mapping[str, int]) -> None:
        """`fleet` is the one that is wanted, by offering."""
        self._now = tuple(_of_fleet(view, planned, fleet))

    def figures(self) -> Iterator[Figure]:
        yield from self._now
        for reason, count in self._refused.items():
            yield Figure(telemetry.REFUSALS, count, {"reason": reason})


def _of_fleet(view: View, planned: Planned, fleet: Mapping[str, int]) -> Iterator[Figure]:
    there, usd_per_h = Counter(one.offering for one in view.standing), 0.0
    for kind in view.offerings:
        labels = {"offering": kind.name[: telemetry.LABEL_MAX], "market": kind.capacity}
        yield Figure(telemetry.NODES_WANTED, fleet.get(kind.name, 0), labels)
        yield Figure(telemetry.NODES, there[kind.name], labels)
        usd_per_h += there[kind.name] * kind.price_usd_per_h
    yield Figure(telemetry.NODES_USD, usd_per_h)
    yield Figure(telemetry.PLAN_GAP, planned.plan.gap)
    yield Figure(telemetry.TRUSTED, planned.foretold.trust is Trust.TRUSTED)


def of_log(census: Census, lag_s: float) -> Iterator[Figure]:
    """`lag_s`: how old the oldest of the events was that readers were brought to see last."""
    for (kind, level), count in sorted(census.findings.items()):
        yield Figure(telemetry.FINDINGS, count, {"kind": kind, "level": level})
    yield Figure(telemetry.DEPENDENCIES, census.declared, {"origin": "declared"})
    yield Figure(telemetry.DEPENDENCIES, census.implicit, {"origin": "implicit"})
    yield Figure(telemetry.PIPELINES, census.pipelines)
    yield Figure(telemetry.UNRESOLVED, census.unresolved)
    yield Figure(telemetry.LAG, lag_s)


def of_source(source: str, state: ConnectorState | None, age_s: float) -> Iterator[Figure]:
    """`age_s`: how long ago its last good pass ended, or the process began."""
    up = float(state is ConnectorState.OK)
    yield Figure(telemetry.SOURCE_UP, up, {"source": source})
    yield Figure(telemetry.SOURCE_AGE, age_s, {"source": source})


class Alerted:
    """What became of alerts to each target since the process began."""

    def __init__(self, targets: Iterable[str]) -> None:
        self._counts = {(name, outcome): 0 for name in targets for outcome in Delivery}

    def note(self, records: Iterable[AlertsRecord]) -> None:
        for record in records:
            if isinstance(record, AlertEnded) and (record.target, record.outcome) in self._counts:
                self._counts[record.target, record.outcome] += 1

    def figures(self, under_way: Iterable[Alert]) -> Iterator[Figure]:
        waiting: Mapping[str, int] = Counter(alert.target for alert in under_way)
        for (target, outcome), count in self._counts.items():
            yield Figure(telemetry.ALERTS, count, {"target": target, "outcome": outcome})
        for target in dict.fromkeys(name for name, _ in self._counts):
            yield Figure(telemetry.ALERTS_UNDER_WAY, waiting[target], {"target": target})

"""Who is to be told of which finding, and when. No I/O and no clock here.

`decide` compares what is open with what each target was told, so a crash between the two loses
nothing: an alert that was composed and has not ended is sent again, under the same id.

Rules
1. A target is told once that a finding is open, and once that it has closed. One that closes before
   its target was told is never told; one that opens again before its target was told of the end
   goes on as if it had stayed open.
2. What comes within `group_s` of the first is one alert. While an alert to a target is under way,
   what comes gathers for the next one, so a target that is out of reach costs one message.
3. A target that keeps incidents (`apart`) gets an alert for each finding.
4. In quiet hours all waits for their end, but what is urgent where the target lets it pass.
5. A finding all of whose pipelines are only observed is shown and never told.
6. One that a person muted is not told while that lasts. Where it was told before, its end is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from swarm.alerts.quiet import Quiet
from swarm.alerts.wording import line
from swarm.model.alerts import (
    Alert,
    AlertComposed,
    AlertEnded,
    AlertHeard,
    AlertsKept,
    AlertsRecord,
    Delivery,
    Told,
)
from swarm.model.findings import Finding, FindingKind
from swarm.model.graph import FindingChanged
from swarm.model.journal import Record
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level

URGENT = frozenset({FindingKind.SLA_AT_RISK})
LINES_MAX = 20
_AT_ONCE = 50  # alerts of a target that keeps incidents
_SURENESS = (Level.HIDDEN, Level.SHOW, Level.WARN, Level.GATE)


@dataclass(frozen=True, slots=True)
class Target:
    """Who is told of findings from `at_least` on, of `kinds` (none: all) and of pipelines that fit
    one of the patterns `match` (none: all). `quiet` are its quiet hours, in which what is urgent
    passes where `urgent_passes`; `tells_closed`: also when findings close."""

    name: str
    at_least: Level = Level.WARN
    kinds: frozenset[FindingKind] = frozenset()
    match: tuple[str, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    urgent_passes: bool = True
    tells_closed: bool = True
    apart: bool = False

    def wants(self, finding: Finding) -> bool:
        """Is it to be told of it, quiet or not?"""
        return (
            _SURENESS.index(finding.level) >= _SURENESS.index(self.at_least)
            and (not self.kinds or finding.kind in self.kinds)
            and (not self.match or any(map(self._fits, finding.pipelines)))
        )

    def hears(self, finding: Finding, now_s: float) -> bool:
        """May it be told of it now?"""
        if finding.is_muted(now_s):
            return False
        if not any(quiet.holds(now_s) for quiet in self.quiet):
            return True
        return self.urgent_passes and finding.kind in URGENT

    def _fits(self, pipeline: PipelineKey) -> bool:
        return any(fnmatchcase(str(pipeline), pattern) for pattern in self.match)


@dataclass(slots=True)
class _Heard:
    """A finding as it was last heard of, and since when it is open or closed."""

    finding: Finding
    since_s: float
    cause_id: str = ""


class Desk:
    """What is open, what was told, and which alerts are under way."""

    def __init__(
        self,
        targets: Iterable[Target],
        group_s: float = 5.0,
        is_told: Callable[[PipelineKey], bool] = lambda _: True,
        url: str = "",
    ) -> None:
        self._targets = {target.name: target for target in targets}
        self._group_s = group_s
        self._is_told = is_told
        self._url = url
        self.seq = 0
        self._heard: dict[str, _Heard] = {}
        self._told: dict[str, dict[str, Told]] = {name: {} for name in self._targets}
        self._pending: dict[str, set[str]] = {name: set() for name in self._targets}
        self._under_way: dict[str, Alert] = {}

    @property
    def under_way(self) -> Sequence[Alert]:
        """The alerts that are to be sent and have not ended, the oldest first."""
        return tuple(self._under_way.values())

    @property
    def open(self) -> Iterator[Finding]:
        """The findings that are open, as far as was heard."""
        return (h.finding for h in self._heard.values() if h.finding.closed_at_s is None)

    def hear(self, record: Record, seq: int, cause_id: str = "") -> list[AlertHeard]:
        """What the record `seq` of the log of all streams, with that cause, means here."""
        if not isinstance(record, FindingChanged):
            return []
        finding, known = record.finding, self._heard.get(record.finding.id)
        if known is not None and known.finding == finding:
            return []
        if known is None and not self._is_wanted(finding):
            return []
        return [AlertHeard(finding, seq, cause_id)]

    def _is_wanted(self, finding: Finding) -> bool:
        told = not finding.pipelines or any(map(self._is_told, finding.pipelines))
        is_open = finding.closed_at_s is None
        return is_open and told and any(one.wants(finding) for one in self._targets.values())

    def apply(self, record: AlertsRecord) -> None:
        """Follow what was decided here."""
        match record:
            case AlertHeard(finding, seq, cause_id):
                self.seq = max(self.seq, seq)
                self._hear(finding, cause_id)
            case AlertComposed(alert):
                self._under_way[alert.id] = alert
                told = self._told.get(alert.target, {})
                told.update((one.finding, one) for one in alert.opened)
                for one in alert.closed:
                    told.pop(one.finding, None)
                for one in (*alert.opened, *alert.closed):
                    self._sort(one.finding)
            case AlertEnded(alert_id):
                self._under_way.pop(alert_id, None)
            case AlertsKept(seq, of_targets):
                self.seq, kept = seq, dict(of_targets)
                for name in self._told:
                    self._told[name] = {one.finding: one for one in kept.get(name, ())}

    def records(self) -> Iterator[AlertsRecord]:
        """A snapshot: what is under way, what was told, what was heard and not forgotten. In this
        order: of what an alert under way tells some may be over, and forgotten already."""
        yield from map(AlertComposed, self._under_way.values())
        told = tuple((name, tuple(of.values())) for name, of in self._told.items() if of)
        yield AlertsKept(self.seq, told)
        for heard in self._heard.values():
            yield AlertHeard(heard.finding, 0, heard.cause_id)

    def decide(self, now_s: float) -> list[AlertComposed | AlertEnded]:
        """The alerts that are due at `now_s` (seconds since the epoch)."""
        decided: list[AlertComposed | AlertEnded] = [
            AlertEnded(alert.id, alert.target, Delivery.GIVEN_UP, "the settings name it no more")
            for alert in self._under_way.values()
            if alert.target not in self._targets
        ]
        busy = {alert.target for alert in self._under_way.values()}
        for target in self._targets.values():
            if target.name not in busy and self._pending[target.name]:
                decided += map(AlertComposed, self._composed(target, now_s))
        return decided

    def _composed(self, target: Target, now_s: float) -> Iterator[Alert]:
        waiting = [self._heard[name] for name in self._pending[target.name]]
        due = [one for one in waiting if target.hears(one.finding, now_s)]
        due.sort(key=lambda one: (one.since_s, one.finding.id))
        if not due or now_s < due[0].since_s + self._group_s:
            return
        parts = [[one] for one in due[:_AT_ONCE]] if target.apart else [due]
        for part in parts:
            yield self._alert(target, [one.finding for one in part], now_s)

    def _alert(self, target: Target, findings: Sequence[Finding], now_s: float) -> Alert:
        before = self._told[target.name]
        opened = [one for one in findings if one.closed_at_s is None]
        closed = [one for one in findings if one.closed_at_s is not None]
        first = next(iter((*opened, *closed)))
        causes = (self._heard[one.id].cause_id for one in (*opened, *closed))
        lines = [line(one, before.get(one.id, _told(one)), self._url) for one in (*opened, *closed)]
        return Alert(
            f"{target.name}-{_told(first)}-{now_s:.3f}",
            target.name,
            now_s,
            tuple(map(_told, opened)),
            tuple(before[one.id] for one in closed),
            tuple(lines[:LINES_MAX]),
            tuple(dict.fromkeys(filter(None, causes))),
        )

    def _hear(self, finding: Finding, cause_id: str) -> None:
        known = self._heard.get(finding.id)
        turned = known is None or (known.finding.closed_at_s is None) != (
            finding.closed_at_s is None
        )
        since_s = finding.changed_at_s if known is None or turned else known.since_s
        self._heard[finding.id] = _Heard(finding, since_s, cause_id)
        self._sort(finding.id)

    def _sort(self, finding_id: str) -> None:
        """For whom is there something to say about it? What nobody has to hear of is forgotten."""
        heard = self._heard.get(finding_id)
        if heard is None:
            return
        is_open = heard.finding.closed_at_s is None
        for name, target in self._targets.items():
            was_told = finding_id in self._told[name]
            if not is_open and was_told and not target.tells_closed:
                del self._told[name][finding_id]
                was_told = False
            says = (is_open and not was_told and target.wants(heard.finding)) or (
                was_told and not is_open
            )
            (self._pending[name].add if says else self._pending[name].discard)(finding_id)
        if not is_open and not any(finding_id in told for told in self._told.values()):
            del self._heard[finding_id]


def _told(finding: Finding) -> Told:
    return Told(finding.id, finding.first_seen_s)

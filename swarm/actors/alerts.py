"""The alerts actor: the shell of who is told of findings. It follows the log of the projections and
alone writes the stream `alerts`; nobody calls it.

What is to be told is in the journal before it is sent, and that it was sent after: a crash between
the two sends it once more, under the same id.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog

from swarm.actors.figures import Alerted
from swarm.actors.inbox import start
from swarm.actors.journaled import Journaled, opened
from swarm.actors.measuring import measured
from swarm.alerts.desk import Desk
from swarm.alerts.senders import Undelivered, sender
from swarm.alerts.targets import desk
from swarm.clock import SystemClock
from swarm.config import AlertTarget, Settings
from swarm.errors import ConfigError, StoreError, Trimmed
from swarm.model.alerts import Alert, AlertComposed, AlertEnded, AlertHeard, AlertsRecord, Delivery
from swarm.model.causes import follows
from swarm.model.findings import Finding
from swarm.model.graph import FindingChanged
from swarm.store.projections import Projections, open_projections
from swarm.telemetry import Figure, caused_by

log = structlog.get_logger()

STREAM = "alerts"
_SNAPSHOT_EVERY = 1_000  # records
_BATCH = 1_000
_IDLE_S = 0.5  # how long a finding may stay unseen here
_RETRY_S = 1.0  # the first time, then twice as long each time
_RETRY_MAX_S = 300.0
_GIVE_UP_S = 86_400.0


class AlertsActor:
    """Tells people of findings, each target apart from the others."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Ray awaits it
        self._clock = SystemClock()
        self._targets = {target.name: target for target in settings.alerts.targets}
        self._turn = asyncio.Lock()  # one at a time writes
        self._alerted = Alerted(self._targets)

        def begin() -> tuple[Desk, Journaled, Projections]:
            state = desk(settings.alerts, settings.pipelines)
            journaled = Journaled(settings, STREAM, state, snapshot_every=_SNAPSHOT_EVERY)
            return state, journaled, open_projections(settings.store_url, settings.state_dir)

        self._desk, self._journaled, self._projections = await opened(begin)
        self._read_to = self._desk.seq
        self._loops = [start(self._run()), *(start(self._send(name)) for name in self._targets)]
        self._measured = measured(self._figures)

    async def _figures(self) -> Iterable[Figure]:
        return self._alerted.figures(self._desk.under_way)

    async def _run(self) -> None:
        while True:
            try:
                heard, more = await asyncio.to_thread(self._read)
            except StoreError as error:  # it is read again
                log.warning("no alerts: the findings cannot be read", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            await self._write([one for one, _ in heard], [cause for _, cause in heard])
            if more and self._read_to:
                continue
            composed = self._desk.decide(self._clock.now_s())
            await self._write(composed, [_cause(one) for one in composed])
            await asyncio.sleep(_IDLE_S)

    async def _send(self, target: str) -> None:
        """Send what is under way to a target, one after the other."""
        while True:
            for alert in [one for one in self._desk.under_way if one.target == target]:
                await self._deliver(alert)
            await asyncio.sleep(_IDLE_S)

    def _read(self) -> tuple[list[tuple[AlertHeard, str]], bool]:
        """What is new in the log and why it came to be; may there be more?"""
        if not self._read_to:  # what is open was told in a log that may be long gone
            return self._read_anew(), True
        try:
            entries = self._projections.log.read(self._read_to, _BATCH)
        except Trimmed:
            return self._read_anew(), True
        # Of what changed twice the last counts: what is heard is compared with what was before.
        last = {
            entry.record.finding.id: (seq, entry)
            for seq, entry in entries
            if isinstance(entry.record, FindingChanged)
        }
        self._read_to = entries[-1][0] if entries else self._read_to
        heard = [
            (record, record.cause_id)
            for seq, entry in last.values()
            for record in self._desk.hear(entry.record, seq, follows(entry.cause_id))
        ]
        return heard, len(entries) == _BATCH

    def _read_anew(self) -> list[tuple[AlertHeard, str]]:
        """What is open now, where the way there cannot be read."""
        now_s = self._clock.now_s()
        seq, findings = _open_now(self._projections)
        ids = {finding.id for finding in findings}
        gone = [one for one in self._desk.open if one.id not in ids]
        findings += [replace(one, changed_at_s=now_s, closed_at_s=now_s) for one in gone]
        self._read_to = seq
        return [(r, STREAM) for one in findings for r in self._desk.hear(FindingChanged(one), seq)]

    async def _deliver(self, alert: Alert) -> None:
        """Send it until its target takes it or it is given up."""
        cause_id = next(iter(alert.causes), alert.id)
        caused_by(cause_id)
        wait_s = _RETRY_S
        while why := await asyncio.to_thread(_refusal, self._targets[alert.target], alert):
            if self._clock.now_s() - alert.made_at_s > _GIVE_UP_S:
                break
            log.warning("an alert was not taken", id=alert.id, target=alert.target, why=why)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _RETRY_MAX_S)
        outcome = Delivery.GIVEN_UP if why else Delivery.SENT
        await self._write([AlertEnded(alert.id, alert.target, outcome, why)], cause_id)

    async def _write(self, records: Sequence[AlertsRecord], cause: str | Sequence[str]) -> None:
        if records:
            async with self._turn:
                await self._journaled.append(records, self._clock.now_s(), cause)
            self._alerted.note(records)


def _open_now(projections: Projections) -> tuple[int, list[Finding]]:
    """All findings that are open, and a number of the log whose entries they may lack."""
    seq, found = projections.log.last(), list[Finding]()
    after = (0.0, "")
    while rows := projections.findings.page(_BATCH, after):
        found += [row.finding for row in rows]
        after = rows[-1].key
    return seq, found


def _cause(record: AlertsRecord) -> str:
    """What led to an alert: that of the first thing it tells of."""
    causes = record.alert.causes if isinstance(record, AlertComposed) else ()
    return next(iter(causes), STREAM)


def _refusal(target: AlertTarget, alert: Alert) -> str:
    """Why it was not taken; empty: it was. The file with the target's address is read each time:
    it may have been replaced."""
    try:
        sender(target)(alert)
    except (Undelivered, ConfigError) as fault:
        return str(fault) or "it does not say why"
    return ""

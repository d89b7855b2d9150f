"""What a hand turns in Dagster.

A hold stops the schedules of the job that have a tick in it. Dagster does not make up for what a
stopped schedule missed, so each of those ticks is evaluated and launched here at the release, with
the tags that its own scheduler gives (it looks for them too before it launches) and by which
doubles are found. Where a hold lets the first of them go it is launched at once, and its schedule
stays stopped; one that is left out is launched by nobody. What a sensor or an automation condition
starts is not held.

A trigger is launched under a tag with the intent's id, tags with the stretch of time that it is for
and, where the job has that partition, as a run of it; Dagster has no key that makes it launch a
run once, so a run is looked for before, and doubles after.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.dagster.launches import Launches
from swarm.connectors.dagster.mapping import pipeline_names
from swarm.connectors.dagster.mutations import SCHEDULES, START_SCHEDULE, STOP_SCHEDULE
from swarm.connectors.knobs import Look
from swarm.connectors.payloads import Payload
from swarm.errors import ConnectorError, MalformedResponse, Unavailable
from swarm.model.intents import Act, Carried, Intent, Stretch
from swarm.model.keys import PipelineKey

_DAEMON_S = 10.0  # in which the daemon launches a tick that was due as its schedule was started
_LOOK_S = 0.5
_HOUR_S = 3_600.0
_GONE = "there is no such job any more"


def connect(source: Source, settings: Settings) -> "DagsterKnobs":
    """Imports Dagster's client, asks nothing yet."""
    del settings
    return DagsterKnobs(DagsterClient(source), SystemClock())


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule of a job, and its ticks in a hold, in seconds since the epoch."""

    location: str
    repository: str
    name: str
    job: str
    ticks: tuple[float, ...] = ()

    def selector(self) -> dict[str, str]:
        return {
            "repositoryLocationName": self.location,
            "repositoryName": self.repository,
            "scheduleName": self.name,
        }

    def tags(self, tick_s: float) -> dict[str, str]:
        """Those by which Dagster's scheduler knows the run of a tick."""
        return {
            "dagster/schedule_name": self.name,
            ".dagster/scheduled_execution_time": datetime.fromtimestamp(tick_s, UTC).isoformat(),
        }


@dataclass(frozen=True, slots=True)
class _Found:
    """A schedule as it is now: `id` to stop it by."""

    schedule: Schedule
    id: str
    is_running: bool


@dataclass(frozen=True, slots=True)
class _Job:
    """A job and its schedules."""

    location: str
    repository: str
    name: str
    schedules: tuple[_Found, ...]


class DagsterKnobs:
    """See the port in `swarm.connectors.knobs`."""

    acts = frozenset({Act.HOLD, Act.TRIGGER})

    def __init__(self, client: DagsterClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._launches = Launches(client)
        self._started: set[tuple[str, str]] = set()  # by this process, for an intent

    async def look(self, intent: Intent, mark: str, turned: bool) -> Look:
        job = await self._job(intent.target, intent.valid_until_s)
        if job is None:
            return Look(mark, Carried.GONE, _GONE)
        if intent.act is Act.TRIGGER:
            return Look(json.dumps([job.location, job.repository, job.name]))
        kept = {schedule.name: schedule for schedule in _read(mark)}
        held: list[Schedule] = []
        for found in job.schedules:
            before = kept.pop(found.schedule.name, None)
            if before is not None:
                if turned and found.is_running:
                    why = f"a person started the schedule {before.name}"
                    return Look(mark, Carried.OVERRULED, why)
                waits = await self._waits(intent, before)
                ticks = sorted({*waits, *found.schedule.ticks})
                held.append(replace(before, ticks=tuple(ticks)))
            elif found.is_running and found.schedule.ticks:
                held.append(found.schedule)
        held += kept.values()
        if held:
            return Look(json.dumps([asdict(schedule) for schedule in held]))
        if any(found.is_running for found in job.schedules):
            return Look("", Carried.NOT_NEEDED, "no tick of it falls into the hold yet")
        return Look("", Carried.REFUSED, "no running schedule starts it")

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        if intent.act is Act.TRIGGER:
            return Carried.DONE, await self._trigger(intent, mark)
        job = await self._job(intent.target, intent.valid_until_s)
        if job is None:
            return Carried.GONE, _GONE
        held = {schedule.name: schedule for schedule in _read(mark)}
        for found in job.schedules:
            if found.schedule.name in held and found.is_running:
                answer = await self._client.change(STOP_SCHEDULE, id=found.id)
                _check(answer["stopRunningSchedule"], "ScheduleStateResult")
        let_go_s = min(intent.from_s, self._clock.now_s())
        for schedule in held.values():
            await self._launch(intent, schedule, 0.0, let_go_s)
        ticks = sum(len(schedule.ticks) for schedule in held.values())
        return Carried.DONE, f"stopped {', '.join(held)}; due: {ticks} ticks"

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        job = await self._job(intent.target, self._clock.now_s())
        if job is None:
            return Carried.GONE, _GONE
        running = {found.schedule.name: found.is_running for found in job.schedules}
        launched, by_others, now_s = 0, [], self._clock.now_s()
        for schedule in _read(mark):
            if schedule.name not in running:
                continue  # what it started it starts no longer
            if running[schedule.name] and (intent.id, schedule.name) not in self._started:
                by_others.append(schedule.name)
            launched += await self._release(intent, schedule, running[schedule.name])
        told = f"{launched} ticks launched here"
        ticks = (tick_s for schedule in _read(mark) for tick_s in schedule.ticks)
        if any(intent.leaves_out(tick_s, now_s) for tick_s in ticks):
            told += "; those that are late are left out"
        if by_others and turned:
            return Carried.OVERRULED, f"a person started {', '.join(by_others)}; {told}"
        return Carried.DONE, f"started again; {told}"

    async def close(self) -> None:
        return

    async def _waits(self, intent: Intent, schedule: Schedule) -> list[float]:
        """Its ticks without those that were let go and have their run, or are left out."""
        now_s = self._clock.now_s()
        return [
            tick_s
            for tick_s in schedule.ticks
            if tick_s >= intent.from_s
            or not (
                intent.leaves_out(tick_s, now_s)
                or await self._launches.of(schedule.tags(tick_s), schedule.selector())
            )
        ]

    async def _release(self, intent: Intent, schedule: Schedule, is_running: bool) -> int:
        """Start the schedule, and launch what it missed; how many ticks. Whatever is wrong with
        the launches is told after the schedule was started."""
        over_s, launched, wrong = self._clock.now_s(), 0, None
        if is_running:
            over_s -= _DAEMON_S  # what came due since may be the daemon's
        try:
            launched = await self._launch(intent, schedule, 0.0, over_s)
        except ConnectorError as error:
            wrong = error
        if not is_running:
            answer = await self._client.change(START_SCHEDULE, selector=schedule.selector())
            _check(answer["startSchedule"], "ScheduleStateResult")
            self._started.add((intent.id, schedule.name))
        if wrong is not None:
            raise wrong
        await self._leave_to_daemon(schedule, over_s)
        return launched + await self._launch(intent, schedule, over_s, self._clock.now_s())

    async def _launch(
        self, intent: Intent, schedule: Schedule, after_s: float, until_s: float
    ) -> int:
        """Launch those ticks of that time that have no run and are not left out; how many had
        none."""
        launched, now_s = 0, self._clock.now_s()
        for tick_s in schedule.ticks:
            if after_s < tick_s <= until_s and not intent.leaves_out(tick_s, now_s):
                launched += await self._launches.tick(
                    schedule.selector(), schedule.job, schedule.tags(tick_s), tick_s, intent.id
                )
        return launched

    async def _leave_to_daemon(self, schedule: Schedule, since_s: float) -> None:
        """A tick that came due while its schedule was started: was it running by then? The daemon
        has time to launch it, if it does."""
        now_s = self._clock.now_s()
        ticks = [tick_s for tick_s in schedule.ticks if since_s < tick_s <= now_s]
        deadline_s = self._clock.monotonic_s() + _DAEMON_S
        for tick_s in ticks:
            while self._clock.monotonic_s() < deadline_s:
                if await self._launches.of(schedule.tags(tick_s), schedule.selector()):
                    break
                await asyncio.sleep(_LOOK_S)

    async def _trigger(self, intent: Intent, mark: str) -> str:
        location, repository, job = json.loads(mark)
        selector = {
            "repositoryLocationName": location,
            "repositoryName": repository,
            "jobName": job,
        }
        beside: dict[str, str] = {}
        config, told = "{}", ""
        if (stretch := intent.stretch) is not None:
            found = await self._launches.partition(selector, partition_keys(stretch))
            if found is not None:
                beside.update(found[0])
                config, told = found[1], f" of partition {beside['dagster/partition']}"
            beside |= {"swarm/start": stretch.start, "swarm/end": stretch.end}
        run_id = await self._launches.once({"swarm/intent": intent.id}, selector, beside, config)
        return f"run {run_id}{told}" if run_id else "its run is there already"

    async def _job(self, target: PipelineKey, until_s: float) -> _Job | None:
        """None when it is gone. While a code location is not loaded, nobody knows."""
        answer = await self._client.ask(SCHEDULES, after=self._clock.now_s(), until=until_s)
        entries = answer["workspaceOrError"]["locationEntries"]
        loaded = [e for e in entries if (e["locationOrLoadError"] or {}).get("repositories")]
        rows = {
            ((str(entry["name"]), str(repository["name"])), str(job["name"])): repository
            for entry in loaded
            for repository in entry["locationOrLoadError"]["repositories"]
            for job in repository["jobs"]
        }
        for (where, job), name in pipeline_names(rows).items():
            if name == target.name:
                return _Job(*where, job, tuple(_schedules(where, job, rows[where, job])))
        if len(loaded) < len(entries):
            raise Unavailable(f"{target}: a code location of this Dagster is not loaded")
        return None


def partition_keys(stretch: Stretch) -> list[str]:
    """What Dagster may call the partition of a stretch: hours by their begin, longer ones by the
    day they begin with; business days by their own."""
    start = datetime.fromisoformat(stretch.start)
    if stretch.end_s - stretch.start_s <= _HOUR_S:
        return [start.strftime("%Y-%m-%d-%H:%M")] if stretch.end_s > stretch.start_s else []
    return list(dict.fromkeys((stretch.label, start.strftime("%Y-%m-%d"))))


def _schedules(where: tuple[str, str], job: str, repository: Payload) -> Sequence[_Found]:
    return [
        _Found(
            Schedule(*where, str(row["name"]), job, _ticks(row)),
            str(row["scheduleState"]["id"]),
            row["scheduleState"]["status"] == "RUNNING",
        )
        for row in repository["schedules"]
        if row["pipelineName"] == job
    ]


def _ticks(row: Payload) -> tuple[float, ...]:
    return tuple(float(tick["timestamp"]) for tick in row["futureTicks"]["results"])


def _check(answer: Payload, wanted: str) -> None:
    if answer["__typename"] != wanted:
        raise MalformedResponse(f"Dagster refused: {answer.get('message') or answer}"[:500])


def _read(mark: str) -> list[Schedule]:
    kept = json.loads(mark) if mark else []
    return [Schedule(**{**row, "ticks": tuple(row["ticks"])}) for row in kept]

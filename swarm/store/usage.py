"""Who held slots of which nodes: as it comes, and once an hour is over, summed up.

Workers and grants are rows until their hour is metered (`placement/metering.py`). An hour is, when
no grant that began in it or before goes on (but none waits for more than two days), so that what
was lost in the end is seen as lost. The sums stay where the projections are made anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from swarm.model.dispatch import (
    Copied,
    CopyGone,
    CopyLeads,
    DispatchRecord,
    Ended,
    Granted,
    Lost,
    Submitted,
    TaskKept,
    WorkerGone,
    WorkerJoined,
    WorkerKept,
)
from swarm.model.graph import PipelineSeen
from swarm.model.journal import RECORD_VERSION
from swarm.model.work import CapacityClass, Offer, Outcome, Submission, TaskId, Token, WorkerId
from swarm.placement.metering import (
    HOUR_S,
    FleetHour,
    HeldHour,
    Metered,
    Presence,
    Spent,
    Stay,
    Use,
    meter_nodes,
    stays,
)
from swarm.placement.minutes import Held
from swarm.store import codec
from swarm.store.database import Database
from swarm.store.history import decode_row
from swarm.store.read_tables import (
    cursors,
    digest,
    fleet_hours,
    held_hours,
    pipeline_row_key,
    pipelines,
    plain,
    position,
    presences,
    row_key,
    tasks,
    uses,
)
from swarm.store.rents import drop_rents, rented

Row = dict[str, Any]

_SENSOR = "Sensor"  # in the names of Airflow's classes of them; other orchestrators run none so
_AT_ONCE = 500  # keys in one statement
_ROWS = 2_000  # in memory at once, beside those of one node
_PAGE_H = 4
_BEHIND_H = 1  # an hour may still get entries for so long
_WAITED_H = 48  # for the end of a grant
_GONE = update(presences).where(presences.c.key == bindparam("of")).values(until_s=bindparam("at"))
_on = bindparam("on", type_=Text)
_WAITED = (uses.c.spent == Spent.SENSOR.value) & (_on == Spent.WORK.value)
_END = (
    update(uses)
    .where(uses.c.key == bindparam("of"))
    .values(until_s=bindparam("at"), spent=case((_WAITED, uses.c.spent), else_=_on))
)


# The copy of a grant takes its place, and what was lost stands beside it.
_LOST = update(uses).where(uses.c.key == bindparam("of"))
_LOST = _LOST.values(key=bindparam("aside"), until_s=bindparam("at"), spent=Spent.RETRY)
_LEADS = update(uses).where(uses.c.key == bindparam("copy")).values(key=bindparam("of"))


@dataclass(slots=True)
class UsageChanges:
    """What a batch of entries changes about who holds what."""

    submissions: dict[str, Submission] = field(default_factory=dict)
    offers: dict[str, Row] = field(default_factory=dict)
    gone: dict[str, Row] = field(default_factory=dict)
    granted: dict[str, tuple[Token, WorkerId, float]] = field(default_factory=dict)
    ended: dict[str, Row] = field(default_factory=dict)
    lost: list[Row] = field(default_factory=list)  # whose copies lead now
    leads: list[Row] = field(default_factory=list)

    def add(self, record: DispatchRecord, at_s: float) -> None:
        match record:
            case WorkerJoined() | WorkerKept() | WorkerGone():
                self._add_worker(record, at_s)
            case Copied() | CopyGone() | CopyLeads():
                self._add_copy(record, at_s)
            case Submitted(submission):
                self.submissions[row_key(submission.task)] = submission
            case TaskKept(submission, _, grant, worker):
                self.submissions[row_key(submission.task)] = submission
                token = Token(submission.task, grant)
                if worker is not None:
                    self._grant(_use_key(token), token, worker, at_s)
                if record.copy is not None:
                    self._grant(_copy_key(token), token, record.copy, at_s)
            case Granted(token, worker):
                self._grant(_use_key(token), token, worker, at_s)
            case Lost(token):
                self._end(_use_key(token), at_s, Spent.RETRY)
            case Ended():
                self._add_end(record, at_s)
            case _:
                pass

    def _add_end(self, record: Ended, at_s: float) -> None:
        bad = record.outcome in (Outcome.FAILED, Outcome.PARKED)
        self._end(_use_key(record.token), at_s, Spent.RETRY if bad else Spent.WORK)
        if record.copied:
            self._end(_copy_key(record.token), at_s, Spent.RETRY)

    def _add_copy(self, record: Copied | CopyGone | CopyLeads, at_s: float) -> None:
        token, copy = record.token, _copy_key(record.token)
        match record:
            case Copied(_, worker):
                self._grant(copy, token, worker, at_s)
            case CopyGone():
                self._end(copy, at_s, Spent.RETRY)
            case CopyLeads():
                aside = digest(token.task, str(token.grant), "lost")
                self.lost.append({"of": _use_key(token), "aside": aside, "at": at_s})
                self.leads.append({"copy": copy, "of": _use_key(token)})

    def _add_worker(self, record: WorkerJoined | WorkerKept | WorkerGone, at_s: float) -> None:
        match record:
            case WorkerJoined(offer) | WorkerKept(offer):
                key = row_key(offer.worker)
                body = codec.encode(WorkerJoined(offer))[1]
                self.offers[key] = {
                    "key": key,
                    "from_s": at_s,
                    "until_s": None,
                    "record_version": RECORD_VERSION,
                    "body": body,
                }
            case WorkerGone(worker):
                self.gone[row_key(worker)] = {"of": row_key(worker), "at": at_s}

    def write(self, connection: Connection, database: Database) -> None:
        """Bring the batch into the tables; the tasks' own rows are there already."""
        if self.offers:
            there = database.insert(presences).on_conflict_do_nothing()
            connection.execute(there, list(self.offers.values()))
        if self.granted:
            rows = list(self._uses(connection))
            if rows:
                connection.execute(database.insert(uses).on_conflict_do_nothing(), rows)
        if self.leads:
            connection.execute(_LOST, self.lost)
            connection.execute(_LEADS, self.leads)
        if self.ended:
            connection.execute(_END, list(self.ended.values()))
        if self.gone:
            connection.execute(_GONE, list(self.gone.values()))

    def _grant(self, key: str, token: Token, worker: WorkerId, at_s: float) -> None:
        self.granted[key] = (token, worker, at_s)

    def _end(self, key: str, at_s: float, on: Spent) -> None:
        self.ended[key] = {"of": key, "at": at_s, "on": on}

    def _uses(self, connection: Connection) -> Iterable[Row]:
        submissions, offers = self._submissions(connection), self._offers(connection)
        waits = _sensors(connection, submissions.values())
        for key, (token, worker, at_s) in self.granted.items():
            submission = submissions.get(row_key(token.task))
            offer = offers.get(row_key(worker))
            if submission is None or offer is None:
                continue  # of before the history that is kept
            share = submission.needs.resources.share_of(offer.resources)
            yield {
                "key": key,
                "node": plain(offer.node),
                "slots": max(1.0, share * offer.slots),
                "team": plain(submission.team),
                "pipeline": plain(str(submission.pipeline or "")),
                "run": plain(submission.run),
                "spent": Spent.SENSOR if token.task in waits else Spent.WORK,
                "from_s": at_s,
                "until_s": None,
            }

    def _submissions(self, connection: Connection) -> Mapping[str, Submission]:
        found = dict(self.submissions)
        wanted = {row_key(token.task) for token, _, _ in self.granted.values()} - found.keys()
        for keys in _chunks(wanted):
            for row in connection.execute(select(tasks).where(tasks.c.key.in_(keys))):
                found[row.key] = decode_row(row, Submitted).submission
        return found

    def _offers(self, connection: Connection) -> Mapping[str, Offer]:
        wanted = {row_key(worker) for _, worker, _ in self.granted.values()}
        return {
            row.key: decode_row(row, WorkerJoined).offer
            for keys in _chunks(wanted)
            for row in connection.execute(select(presences).where(presences.c.key.in_(keys)))
        }


def _sensors(connection: Connection, submissions: Iterable[Submission]) -> set[TaskId]:
    """Those that only wait, as their pipeline's definition says."""
    of: dict[str, list[Submission]] = defaultdict(list)
    for submission in submissions:
        if submission.pipeline is not None and submission.part:
            of[pipeline_row_key(submission.pipeline)].append(submission)
    found: set[TaskId] = set()
    for keys in _chunks(of):
        some = (pipelines.c.key.in_(keys)) & pipelines.c.body.contains(_SENSOR)
        for row in connection.execute(select(pipelines).where(some)):
            tasks_of = decode_row(row, PipelineSeen).pipeline.tasks
            names = {task.key.task for task in tasks_of if _SENSOR in task.kind}
            found |= {one.task for one in of[row.key] if one.part in names}
    return found


def metered(connection: Connection, from_hour: int, until_s: float, *, runs: bool) -> Metered:
    """From an hour on until a time, which may be now; `runs`: each run by itself."""
    until_hour = ceil(until_s / HOUR_S)  # the one that begins just then is not in the span
    summed = connection.scalar(select(position.c.metered_hour)) or 0
    nodes = select(fleet_hours).where(fleet_hours.c.hour.between(from_hour, until_hour - 1))
    whose = [held_hours.c[name] for name in ("hour", "pool", "capacity", "team", "pipeline")]
    run = [held_hours.c.run] if runs else []
    held = (
        select(
            *(*whose, *run, held_hours.c.spent),
            func.sum(held_hours.c.node_s).label("node_s"),
            func.sum(held_hours.c.slot_s).label("slot_s"),
        )
        .where(held_hours.c.hour.between(from_hour, until_hour - 1))
        .group_by(*whose, *run, held_hours.c.spent)
    )
    fleet_found = [_fleet_hour(row) for row in connection.execute(nodes)]
    held_found = [_held_hour(row, runs) for row in connection.execute(held)]
    for page in _fresh(connection, max(summed, from_hour), until_s, runs=runs):
        fleet_found += page.fleet
        held_found += page.held
    return Metered(tuple(fleet_found), tuple(held_found))


def standing(
    connection: Connection, from_s: float, until_s: float
) -> tuple[list[Stay], list[Held]]:
    """The nodes that were there in a span, which may end now, and what was held of them. Whole for
    the last hour, and for what is not summed up yet besides."""
    stood = [stay for stay in _stays(connection, until_s) if stay.until_s > from_s]
    held = select(uses.c.slots, uses.c.from_s, uses.c.until_s).where(_within(from_s, until_s))
    with connection.execute(held, execution_options={"yield_per": _ROWS}) as rows:
        return stood, [
            Held(slots, begun_s, _end_s(ended_s, until_s)) for slots, begun_s, ended_s in rows
        ]


def sum_up(connection: Connection) -> None:
    """Meter the hours that are over, and drop what they were made of."""
    summed = connection.scalar(select(position.c.metered_hour)) or 0
    newest_s = connection.scalar(select(func.max(cursors.c.at_s))) or 0.0
    oldest_s = connection.scalar(select(func.min(uses.c.from_s)).where(uses.c.until_s.is_(None)))
    until = int(newest_s // HOUR_S) - _BEHIND_H
    if oldest_s is not None:
        until = min(until, max(int(oldest_s // HOUR_S), until - _WAITED_H))
    if until <= summed:
        return
    for found in _fresh(connection, summed, until * HOUR_S, runs=True):
        if found.fleet:
            connection.execute(insert(fleet_hours), [hour._asdict() for hour in found.fleet])
        if found.held:
            connection.execute(insert(held_hours), [hour._asdict() for hour in found.held])
    connection.execute(update(position).values(metered_hour=until))
    connection.execute(delete(uses).where(uses.c.until_s <= until * HOUR_S))
    # One that was followed by another on its node tells that the node was there between.
    connection.execute(delete(presences).where(presences.c.until_s <= (until - 1) * HOUR_S))
    drop_rents(connection, (until - 1) * HOUR_S)


def trim_hours(connection: Connection, kept: int) -> None:
    """Drop the oldest hours beyond `kept` rows of either table, from both."""
    for table in (held_hours, fleet_hours):
        over = select(table.c.hour).order_by(table.c.hour.desc()).offset(kept).limit(1)
        hour = connection.scalar(over)
        if hour is not None:
            connection.execute(delete(held_hours).where(held_hours.c.hour <= hour))
            connection.execute(delete(fleet_hours).where(fleet_hours.c.hour <= hour))


def _fresh(
    connection: Connection, from_hour: int, until_s: float, *, runs: bool
) -> Iterator[Metered]:
    """Of what is not summed up yet, some hours at a time; what goes on does until then."""
    stood = _stays(connection, until_s)
    first_s = max(from_hour * HOUR_S, min((stay.from_s for stay in stood), default=until_s))
    for hour in range(int(first_s // HOUR_S), ceil(until_s / HOUR_S), _PAGE_H):
        from_s, end_s = max(hour * HOUR_S, first_s), min((hour + _PAGE_H) * HOUR_S, until_s)
        within = (
            stay._replace(from_s=max(stay.from_s, from_s), until_s=min(stay.until_s, end_s))
            for stay in stood
        )
        yield meter_nodes(within, _uses(connection, from_s, end_s, runs=runs))


def _stays(connection: Connection, until_s: float) -> list[Stay]:
    """The nodes that were there, of what is not summed up yet."""
    there = []
    for row in connection.execute(select(presences).where(presences.c.from_s < until_s)):
        offer = decode_row(row, WorkerJoined).offer
        end_s = _end_s(row.until_s, until_s)
        programs = "" in offer.capabilities
        place = (plain(offer.node), plain(offer.pool), offer.capacity, offer.slots, programs)
        there.append(Presence(*place, row.from_s, end_s))
    return stays(there, rented(connection, until_s))


def _end_s(ended_s: float | None, until_s: float) -> float:
    """What has not ended goes on until then."""
    return until_s if ended_s is None else min(ended_s, until_s)


def _within(from_s: float, until_s: float) -> ColumnElement[bool]:
    return (uses.c.from_s < until_s) & or_(uses.c.until_s.is_(None), uses.c.until_s > from_s)


def _uses(connection: Connection, from_s: float, until_s: float, *, runs: bool) -> Iterator[Use]:
    """What was held in a span, node by node."""
    found = select(uses).where(_within(from_s, until_s)).order_by(uses.c.node)
    with connection.execute(found, execution_options={"yield_per": _ROWS}) as rows:
        for row in rows:
            end_s = _end_s(row.until_s, until_s)
            whose = (row.team, row.pipeline, row.run if runs else "", Spent(row.spent))
            yield Use(row.node, row.slots, *whose, max(row.from_s, from_s), end_s)


def _fleet_hour(row: Any) -> FleetHour:
    capacity = CapacityClass(row.capacity)
    return FleetHour(row.hour, row.pool, capacity, row.node_s, row.nodes, row.there_s)


def _held_hour(row: Any, runs: bool) -> HeldHour:
    return HeldHour(
        *(row.hour, row.pool, CapacityClass(row.capacity), row.team, row.pipeline),
        *(row.run if runs else "", Spent(row.spent), row.node_s, row.slot_s),
    )


def _use_key(token: Token) -> str:
    return digest(token.task, str(token.grant))


def _copy_key(token: Token) -> str:
    return digest(token.task, str(token.grant), "copy")


def _chunks(keys: Iterable[str]) -> Iterable[list[str]]:
    every = sorted(keys)
    return (every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE))

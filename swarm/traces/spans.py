"""What the log of all streams says as spans: one trace for each thing that entered swarm.

A span is told once it is over; nothing here asks the past again. No I/O and no clock.

Rules
1. The trace is the ID of a cause (`model/causes.py`), and the ID of a span follows from the trace
   and from what it is about, so that telling it again is the same span.
2. The root of a trace is what entered: a request, a pass of a connector. It lasts from when that
   entered until the last record that follows from it at once (`QUIET_S`). What entered before this
   began has no root.
3. Under it: each append to a journal, each finding, decision and alert, and each task with its
   waits and runs. What is a point in time begins and ends there.
4. Names, times and outcomes are told. Who asked, what tasks run or print and what people write is
   not.
5. A task of which not all was heard is left out.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import unquote

from swarm.model import dispatch
from swarm.model.alerts import Alert, AlertComposed, AlertEnded, AlertHeard, Delivery
from swarm.model.causes import entered_at_s, id_of
from swarm.model.connectors import IntentEnded
from swarm.model.graph import FindingChanged
from swarm.model.intents import Carried
from swarm.model.journal import Entry, Record
from swarm.model.sequencing import IntentMade
from swarm.model.work import Outcome, Submission, TaskId

QUIET_S = 5.0  # a root is over when nothing followed from it for so long
_AHEAD_S = 3_600.0  # that another clock may be; an ID of before IDs held the time says anything
_TASKS_MAX = 100_000  # that live; of more the oldest are left out
_ROOTS_MAX = 10_000
_ALERTS_MAX = 1_000

# What enters in these streams when nobody tells anything.
_BY_ITSELF = {"placement": "plan", "dispatch": "silence of a worker", "sequencing": "time"}

Value = str | int | float | bool
K = TypeVar("K")
V = TypeVar("V")
Place = tuple[str, str, float]  # trace, stream, time


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time of a trace; `trace`, `id` and `parent` are hexadecimal, `parent` is empty
    for the root. Times are seconds since the epoch. `fault` says why it went wrong; empty: it did
    not. `is_request`: somebody outside waited for it."""

    trace: str
    id: str
    parent: str
    name: str
    start_s: float
    end_s: float
    told: Mapping[str, Value]
    moments: tuple[tuple[str, float], ...] = ()
    fault: str = ""
    is_request: bool = False


@dataclass(slots=True)
class _Root:
    cause_id: str
    stream: str
    end_s: float
    moved_s: float


@dataclass(slots=True)
class _Write:
    """One append: its records, and when it was heard of."""

    heard_s: float
    first: int
    last: int
    types: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Grant:
    number: int
    worker: str
    from_s: float
    started_s: float | None = None
    until_s: float | None = None
    lost: str = ""


@dataclass(slots=True)
class _Course:
    """A task from when it was handed in."""

    submission: Submission
    at_s: float
    queued_s: list[float]
    grants: list[_Grant] = field(default_factory=list)


class Spans:
    """What is not over yet, since `began_s`. For one thread."""

    def __init__(self, began_s: float) -> None:
        self._began_s = began_s
        self._roots: dict[str, _Root] = {}
        self._rooted: dict[str, None] = {}
        self._writes: dict[Place, _Write] = {}
        self._tasks: dict[TaskId, _Course] = {}
        self._alerts: dict[str, tuple[float, Alert]] = {}
        self._over: list[Span] = []

    def take(self, entry: Entry, now_s: float) -> None:
        """Follow the log; `now_s` is when this is heard."""
        trace, record = id_of(entry.cause_id), entry.record
        if isinstance(record, dispatch.GrantRecord):
            self._move(record, entry.at_s)
            return
        if trace:
            self._root(trace, entry, now_s)
        if isinstance(record, dispatch.Submitted):
            at_s, task = entry.at_s, record.submission.task
            self._tasks[task] = _Course(record.submission, at_s, [at_s])
            _bound(self._tasks, _TASKS_MAX)
        if isinstance(record, AlertComposed):
            self._alerts[record.alert.id] = entry.at_s, record.alert
            _bound(self._alerts, _ALERTS_MAX)
        elif isinstance(record, AlertEnded):
            self._over += self._alert(record, entry.at_s)
        elif trace and not isinstance(record, AlertHeard):
            self._note(trace, entry, now_s)

    def due(self, now_s: float) -> list[Span]:
        """What is over and was not told yet."""
        quiet_s = now_s - QUIET_S
        for place in [one for one, write in self._writes.items() if write.heard_s <= quiet_s]:
            self._over.append(_append(place, self._writes.pop(place)))
        for trace in [one for one, root in self._roots.items() if root.moved_s <= quiet_s]:
            self._over.append(_whole(trace, self._roots.pop(trace)))
            self._rooted[trace] = None
            _bound(self._rooted, _ROOTS_MAX)
        over, self._over = self._over, []
        return over

    def _root(self, trace: str, entry: Entry, now_s: float) -> None:
        begun_s = entered_at_s(entry.cause_id)
        if trace in self._rooted or begun_s is None:
            return
        if not self._began_s <= begun_s <= now_s + _AHEAD_S:
            return
        root = self._roots.setdefault(trace, _Root(entry.cause_id, entry.stream, begun_s, now_s))
        root.end_s, root.moved_s = max(root.end_s, entry.at_s), now_s
        if entry.stream.startswith("connector:"):
            root.stream = entry.stream

    def _note(self, trace: str, entry: Entry, now_s: float) -> None:
        point = _point(entry.record)
        if point is not None:
            name, told, fault = point
            id_ = span_id(trace, name, entry.stream, str(entry.seq))
            root, at_s = span_id(trace), entry.at_s
            whole = {**told, "swarm.cause_id": trace}
            self._over.append(Span(trace, id_, root, name, at_s, at_s, whole, fault=fault))
            return
        place = (trace, entry.stream, entry.at_s)
        write = self._writes.setdefault(place, _Write(now_s, entry.seq, entry.seq))
        write.last = entry.seq
        write.types[type(entry.record).__name__] += 1

    def _move(self, record: dispatch.GrantRecord, at_s: float) -> None:
        course = self._tasks.get(record.token.task)
        if course is None:
            return
        grant = course.grants[-1] if course.grants else None
        match record:
            case dispatch.Granted(token, worker):
                course.grants.append(_Grant(token.grant, worker, at_s))
            case dispatch.Rearmed():
                course.queued_s.append(at_s)
            case dispatch.Started() if grant is not None:
                grant.started_s = at_s
            case dispatch.Lost(_, cause) if grant is not None:
                grant.until_s, grant.lost = at_s, cause
            case dispatch.CopyLeads(_, worker) if grant is not None:
                grant.worker = worker  # the grant goes on
            case dispatch.Ended():
                del self._tasks[record.token.task]
                self._over += _task(course, record, at_s)
            case _:
                pass

    def _alert(self, ended: AlertEnded, at_s: float) -> Iterator[Span]:
        known = self._alerts.pop(ended.alert, None)
        if known is None:
            return
        from_s, alert = known
        told: dict[str, Value] = {"swarm.target": alert.target}
        told["swarm.outcome"] = ended.outcome.value
        fault = "" if ended.outcome is Delivery.SENT else ended.outcome.value
        for trace in dict.fromkeys(filter(None, map(id_of, alert.causes))):
            id_, whole = span_id(trace, "alert", alert.id), {**told, "swarm.cause_id": trace}
            yield Span(trace, id_, span_id(trace), "alert", from_s, at_s, whole, fault=fault)


def span_id(trace: str, *of: str) -> str:
    """The ID of the span about that; of nothing: of the root."""
    text = "\x00".join((trace, *of)).encode(errors="replace")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _whole(trace: str, root: _Root) -> Span:
    kind, *rest = root.cause_id.split(":")
    told: dict[str, Value] = {"swarm.cause_id": trace}
    is_request = kind in ("by", "of") and len(rest) == 3
    if is_request:
        method, _, path = unquote(rest[1]).partition(" ")
        name = f"{method} /{path.strip('/').partition('/')[0]}"
        told |= {"http.request.method": method, "url.path": path}
    elif kind in ("watch", "notice"):
        name = "death of a worker"
        told["swarm.worker"] = ":".join(rest[:-1])
    else:
        name, told["swarm.stream"] = _BY_ITSELF.get(root.stream, "pass"), root.stream
    begun_s = entered_at_s(root.cause_id) or root.end_s
    id_ = span_id(trace)
    return Span(trace, id_, "", name, begun_s, root.end_s, told, is_request=is_request)


def _append(place: Place, write: _Write) -> Span:
    trace, stream, at_s = place
    types = ", ".join(f"{name} x{count}" for name, count in sorted(write.types.items()))
    told: dict[str, Value] = {
        "swarm.cause_id": trace,
        "swarm.stream": stream,
        "swarm.first_seq": write.first,
        "swarm.last_seq": write.last,
        "swarm.records": types,
    }
    id_ = span_id(trace, "journal", stream, str(write.first))
    return Span(trace, id_, span_id(trace), f"journal {stream}", at_s, at_s, told)


def _point(record: Record) -> tuple[str, dict[str, Value], str] | None:
    """A name, what is told, and a fault, of a record that stands for itself."""
    match record:
        case FindingChanged(finding):
            told: dict[str, Value] = {
                "swarm.finding": finding.id,
                "swarm.level": finding.level.value,
                "swarm.closed": finding.closed_at_s is not None,
                "swarm.pipelines": ", ".join(map(str, finding.pipelines)),
            }
            return f"finding {finding.kind.value}", told, ""
        case IntentMade(intent):
            of: dict[str, Value] = {"swarm.pipeline": str(intent.target)}
            of |= {"swarm.intent": intent.id, "swarm.mode": intent.mode.value}
            return f"decision {intent.act.value}", of, ""
        case IntentEnded(intent, outcome):
            came = {"swarm.intent": intent.id, "swarm.outcome": outcome.value}
            fault = outcome.value if outcome is Carried.REFUSED else ""
            told = {"swarm.pipeline": str(intent.target), **came}
            return f"carried out {intent.act.value}", told, fault
        case _:
            return None


def _task(course: _Course, ended: dispatch.Ended, at_s: float) -> Iterator[Span]:
    submission = course.submission
    trace, id_ = id_of(submission.cause_id), str(submission.task)
    if not trace:
        return
    told: dict[str, Value] = {
        "swarm.cause_id": trace,
        "swarm.task": id_,
        "swarm.team": submission.team,
    }
    if submission.pipeline is not None:
        told |= {"swarm.pipeline": str(submission.pipeline), "swarm.run": submission.run}
    me = span_id(trace, "task", id_)
    outcome = ended.outcome.value
    fault = outcome if ended.outcome in (Outcome.FAILED, Outcome.PARKED) else ""
    whole = {**told, "swarm.attempt": submission.attempt, "swarm.outcome": outcome}
    yield Span(trace, me, span_id(trace), "task", course.at_s, at_s, whole, fault=fault)
    for at, from_s in enumerate(course.queued_s):
        grant = course.grants[at] if at < len(course.grants) else None
        until_s = at_s if grant is None else grant.from_s
        of = span_id(trace, "wait", id_, str(at))
        yield Span(trace, of, me, "wait", from_s, until_s, told)
    for grant in course.grants:
        of = span_id(trace, "run", id_, str(grant.number))
        ran = {**told, "swarm.worker": grant.worker, "swarm.grant": grant.number}
        end_s = at_s if grant.until_s is None else grant.until_s
        started = () if grant.started_s is None else (("started", grant.started_s),)
        why = grant.lost and f"lost: {grant.lost}"
        yield Span(trace, of, me, "run", grant.from_s, end_s, ran, started, why or fault)


def _bound(kept: dict[K, V], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]

"""What a record of the log means to somebody who watches: its kind, whom it is about, one line.

Records that only engines need (evidence, coverage, cursors, weights) are no news. What is sent is
a reason to look again, and a line for a person; what is true is read from the other routes.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm.api.task_schemas import in_words
from swarm.model import alerts, connectors, dispatch, graph, journal, scaling, sequencing
from swarm.model.journal import Entry
from swarm.model.runs import Run, TaskRun
from swarm.placement.explain import of_made, of_step

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TEXT_MAX = 500  # characters: names come from outside and may have any length


@dataclass(frozen=True, slots=True)
class News:
    """`kind` is stable, `about` are names as the other routes give them, `text` is for people."""

    kind: str
    about: tuple[str, ...]
    text: str


def news_of(record: journal.Record) -> News | None:
    """What `record` tells; None where it is no news to anybody."""
    tell = _TELL.get(type(record))
    return None if tell is None else tell(record)


def is_news(record: journal.Record) -> bool:
    """Whether `record` tells anything to those who listen."""
    return type(record) in _TELL


def block(seq: int, entry: Entry) -> bytes:
    """The server-sent event of an entry (HTML standard, 9.2); empty where it is no news."""
    told = news_of(entry.record)
    if told is None:
        return b""
    data = json.dumps(
        {
            "seq": seq,
            "at_s": entry.at_s,
            "kind": told.kind,
            "what": _CAPITAL.sub("_", type(entry.record).__name__).lower(),
            "about": [name[:_TEXT_MAX] for name in told.about],
            "text": told.text[:_TEXT_MAX],
        }
    )
    return f"id: {seq}\nevent: {told.kind}\ndata: {data}\n\n".encode()


def _run(record: graph.RunSeen) -> News:
    run: Run | TaskRun = record.run
    pipeline = run.pipeline if isinstance(run, Run) else run.task.pipeline_key
    what = run.pipeline if isinstance(run, Run) else run.task
    return News("run", (str(pipeline),), f"{what} {run.run_id} is {run.state}")


def _finding(record: graph.FindingChanged) -> News:
    one = record.finding
    ends = f" (muted by {one.mute.by})" if one.mute else ""
    ends = ends if one.closed_at_s is None else " (closed)"
    names = tuple(str(key) for key in one.pipelines)
    return News("finding", (one.id, *names), f"{one.kind.replace('_', ' ')}: {one}{ends}")


def _dependency(record: graph.DependencyChanged) -> News:
    one = record.dependency
    ends = (str(one.key.upstream.pipeline_key), str(one.key.downstream.pipeline_key))
    return News("dependency", ends, f"{_edge(one.key)}: {one.confidence:.2f}")


def _of_key(what: str) -> Callable[[Any], News]:
    def tell(record: Any) -> News:
        key = record.key
        ends = (str(key.upstream.pipeline_key), str(key.downstream.pipeline_key))
        return News("dependency", ends, f"{_edge(key)} {what}")

    return tell


def _verdict(record: graph.VerdictGiven) -> News:
    word = "has no verdict any more" if record.verdict is None else f"is {record.verdict}"
    return _of_key(f"{word}, says {record.by}")(record)


def _edge(key: Any) -> str:
    return f"{key.upstream} -> {key.downstream} through {key.dataset}"


def _intent(record: sequencing.IntentMade) -> News:
    one = record.intent
    return News("decision", (str(one.target),), f"{one.act} {one.target}: {one.reason}")


def _carried(record: connectors.IntentEnded) -> News:
    one, why = record.intent, f": {record.detail}" if record.detail else ""
    return News("decision", (str(one.target),), f"{one.act} {one.target} {record.outcome}{why}")


def _task(record: Any) -> News:
    if isinstance(record, dispatch.Submitted):
        task = record.submission.task
    elif isinstance(record, dispatch.CancelAsked):
        task = record.task
    else:
        task = record.token.task
    holds = dispatch.Granted | dispatch.Copied | dispatch.CopyLeads
    worker = (record.worker,) if isinstance(record, holds) else ()
    return News("task", (task, *worker), f"{task}: {in_words(record)}")


def _source(record: connectors.ConnectorChanged) -> News:
    message = f": {record.message}" if record.message else ""
    return News("source", (record.source,), f"{record.source} is {record.state}{message}")


def _joined(record: dispatch.WorkerJoined) -> News:
    offer = record.offer
    slots = f"{offer.slots} slot{'s' * (offer.slots != 1)}"
    return News("worker", (offer.worker,), f"worker {offer.worker} joined with {slots}")


def _gone(record: dispatch.WorkerGone) -> News:
    return News("worker", (record.worker,), f"worker {record.worker} is gone: {record.cause}")


def _drain(record: dispatch.DrainAsked) -> News:
    return News("worker", (record.worker,), f"worker {record.worker} drains, says {record.by}")


def _alert(record: alerts.AlertEnded) -> News:
    why = f": {record.detail}" if record.detail else ""
    word = record.outcome.replace("_", " ")
    return News("alert", (record.target,), f"an alert to {record.target} was {word}{why}")


def _named(record: scaling.Scaled) -> tuple[str, ...]:
    return tuple(name for name in (record.node, record.worker, record.offering) if name)


def _quarantined(record: journal.Quarantined) -> News:
    text = f"a record {record.type} was set aside by {record.by}: {record.reason}"
    return News("quarantine", (), text)


_TELL: Mapping[type, Callable[[Any], News]] = {
    graph.PipelineSeen: lambda r: News(
        "pipeline", (str(r.pipeline.key),), f"{r.pipeline.key} is new or changed"
    ),
    graph.PipelineGone: lambda r: News("pipeline", (str(r.pipeline),), f"{r.pipeline} is gone"),
    graph.UnresolvedSeen: lambda r: News(
        "unresolved", (r.unresolved.subject,), f"{r.unresolved.subject}: {r.unresolved.reason}"
    ),
    graph.UnresolvedGone: lambda r: News(
        "unresolved", (r.unresolved.subject,), f"{r.unresolved.subject} is understood now"
    ),
    graph.DependencyChanged: _dependency,
    graph.DependencyGone: _of_key("is gone"),
    graph.QuestionAsked: _of_key("is asked about"),
    graph.VerdictGiven: _verdict,
    graph.RunSeen: _run,
    graph.ForeignWorkerSeen: lambda r: News(
        "foreign_worker", (str(r.worker),), f"{r.worker} is {r.worker.presence}"
    ),
    graph.FindingChanged: _finding,
    sequencing.FindingRated: lambda r: News(
        "finding", (r.finding,), f"{r.by} says {r.finding} is {'right' if r.is_right else 'wrong'}"
    ),
    sequencing.SlaChanged: lambda r: News(
        "sla", (r.state.sla.name, str(r.state.sla.pipeline)), f"{r.state.standing}: {r.state}"
    ),
    sequencing.SlaAccepted: lambda r: News(
        "sla", (r.sla.name, str(r.sla.pipeline)), f"{r.by} promises {r.sla.name}"
    ),
    sequencing.SlaDeclined: lambda r: News(
        "sla", (str(r.pipeline),), f"{r.by} wants no SLA of {r.pipeline}"
    ),
    sequencing.IntentMade: _intent,
    connectors.IntentEnded: _carried,
    sequencing.LinkMade: lambda r: News(
        "link", (str(r.link.downstream),), f"{r.link.downstream} starts by what others make"
    ),
    sequencing.LinkGone: lambda r: News(
        "link", (str(r.downstream),), f"nothing links {r.downstream} to others, says {r.by}"
    ),
    connectors.ConnectorChanged: _source,
    alerts.AlertEnded: _alert,
    journal.Quarantined: _quarantined,
    scaling.PlanMade: lambda r: News("plan", (str(r.number),), of_made(r)),
    scaling.ClockStepped: lambda r: News(
        "scaling", (), f"the clock was set by {r.by_s:+.0f} s; ages and waits count on as before"
    ),
    scaling.Scaled: lambda r: News("scaling", _named(r), of_step(r)),
    dispatch.Submitted: _task,
    dispatch.Granted: _task,
    dispatch.Started: _task,
    dispatch.Copied: _task,
    dispatch.CopyGone: _task,
    dispatch.CopyLeads: _task,
    dispatch.Lost: _task,
    dispatch.Rearmed: _task,
    dispatch.CancelAsked: _task,
    dispatch.Ended: _task,
    dispatch.WorkerJoined: _joined,
    dispatch.WorkerGone: _gone,
    dispatch.DrainAsked: _drain,
}

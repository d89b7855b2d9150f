"""What led to a record of sequencing: the newest news about the pipelines that it names.

Sequencing concludes from many records at once, and from time; a decision about a pipeline follows
from what was last heard of it or of those it is weighed against. Not replayed: records keep the
cause that they were written with.
"""

from collections.abc import Iterable, Iterator

from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    EvidenceSeen,
    FindingChanged,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    VerdictGiven,
)
from swarm.model.keys import PipelineKey
from swarm.model.lineage import DependencyKey
from swarm.model.runs import Run
from swarm.model.sequencing import (
    FindingMuted,
    FindingRated,
    IntentMade,
    LinkFed,
    LinkGone,
    LinkMade,
    SequencingRecord,
    SlaAccepted,
    SlaChanged,
    SlaDeclined,
)


class Whence:
    """The cause of the newest news of each pipeline."""

    def __init__(self) -> None:
        self._count = 0
        self._newest: dict[PipelineKey | str, tuple[int, str]] = {}

    def note(self, record: GraphRecord | SequencingRecord, cause_id: str) -> None:
        """This was written, with that cause."""
        self._count += 1
        if isinstance(record, FindingRated):
            self._newest[record.finding] = self._count, cause_id
        for key in _subjects(record):
            self._newest[key] = self._count, cause_id

    def of(self, record: SequencingRecord) -> str:
        """What led to this; empty where nothing was heard of what it names."""
        known = (self._newest[key] for key in self._about(record) if key in self._newest)
        return max(known, default=(0, ""))[1]

    def _about(self, record: SequencingRecord) -> Iterator[PipelineKey | str]:
        yield from _named(record)
        if isinstance(record, FindingChanged | FindingMuted):
            yield record.finding.id


def _subjects(record: GraphRecord | SequencingRecord) -> Iterable[PipelineKey]:
    """Of which pipelines it is news; others it only names."""
    match record:
        case IntentMade(intent):
            return (intent.target,)
        case LinkMade(link):
            return (link.downstream,)
        case LinkFed(downstream):
            return (downstream,)
        case FindingChanged() | FindingMuted() | SlaChanged():
            return ()  # what is concluded from news is none
        case _:
            return _named(record)


def _named(record: GraphRecord | SequencingRecord) -> Iterable[PipelineKey]:
    match record:
        case FindingChanged(finding) | FindingMuted(finding):
            return finding.pipelines
        case IntentMade(intent):
            return (intent.target, *intent.waits_for)
        case SlaChanged(state):
            return (*state.path, *([state.late] if state.late else []), state.sla.pipeline)
        case SlaAccepted(sla):
            return (sla.pipeline,)
        case LinkMade(link):
            return (link.downstream, *link.upstreams)
        case LinkFed(downstream, upstream):
            return (downstream, upstream)
        case PipelineGone(key) | SlaDeclined(key) | LinkGone(key):
            return (key,)
        case _:
            return _seen_of(record)


def _seen_of(record: GraphRecord | SequencingRecord) -> Iterable[PipelineKey]:
    match record:
        case RunSeen(run):
            return (run.pipeline if isinstance(run, Run) else run.task.pipeline_key,)
        case PipelineSeen(pipeline):
            return (pipeline.key,)
        case EvidenceSeen(evidence):
            return (evidence.task.pipeline_key,)
        case DependencyChanged(_, dependency):
            return _ends(dependency.key)
        case DependencyGone(_, key) | VerdictGiven(key):
            return _ends(key)
        case _:
            return ()


def _ends(key: DependencyKey) -> tuple[PipelineKey, PipelineKey]:
    return key.upstream.pipeline_key, key.downstream.pipeline_key

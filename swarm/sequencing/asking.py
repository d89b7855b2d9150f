"""Whom to ask what becomes of a run that is held.

Where the policy says `ask`, a hold is a finding as long as it stands, so that alerts tell somebody
while there is time: `swarm release` starts the run, `swarm hold` keeps it. Without an answer it
starts at its latest.
"""

from collections.abc import Callable, Iterator

from swarm.model.findings import Finding, FindingKind, finding_id, told
from swarm.model.graph import FindingChanged
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level
from swarm.model.policy import AtLatest, Policy
from swarm.model.sequencing import IntentMade


class Asking:
    """The holds that stand and the questions that are open."""

    def __init__(self, policy: Callable[[PipelineKey], Policy]) -> None:
        self._policy = policy
        self._held: dict[str, Intent] = {}
        self._open: dict[str, Finding] = {}

    def apply(self, record: IntentMade | FindingChanged) -> None:
        match record:
            case IntentMade(intent):
                if intent.act is Act.HOLD and intent.mode is Mode.GATE and intent.waits_for:
                    self._held[_id(intent)] = intent
                else:
                    self._held.pop(_id(intent), None)
            case FindingChanged(finding) if finding.kind is FindingKind.HELD:
                if finding.closed_at_s is None:
                    self._open[finding.id] = finding
                else:
                    self._open.pop(finding.id, None)
            case _:
                pass

    def decide(self, now_s: float) -> list[FindingChanged]:
        """The questions that came up or are settled."""
        news = []
        for name in sorted(self._open.keys() | self._held.keys()):
            held = self._held.get(name)
            asks = held is not None and self._policy(held.target).at_latest is AtLatest.ASK
            holds = _finding(name, held, now_s) if held is not None and asks else None
            finding = told(self._open.get(name), holds, now_s)
            news += [FindingChanged(finding)] if finding is not None else []
        return news

    def find(self, name: str) -> Finding | None:
        """The finding of that id, where it is open here."""
        return self._open.get(name)

    def records(self) -> Iterator[FindingChanged]:
        """A snapshot of what is open."""
        yield from map(FindingChanged, self._open.values())


def _finding(name: str, held: Intent, now_s: float) -> Finding:
    pipelines = (*held.waits_for, held.target)
    return Finding(name, FindingKind.HELD, pipelines, (), Level.WARN, now_s, now_s)


def _id(intent: Intent) -> str:
    return finding_id(FindingKind.HELD, str(intent.target))

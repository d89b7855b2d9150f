"""What people are told: undeclared dependencies, rings of pipelines, missing workers, hazards."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from swarm.errors import UnknownKey
from swarm.model.foreign import ForeignWorker
from swarm.model.keys import PipelineKey
from swarm.model.lineage import DependencyKey, Level
from swarm.model.sla import SlaState


class FindingKind(StrEnum):
    """What was found."""

    UNDECLARED_DEPENDENCY = "undeclared_dependency"
    CYCLE = "cycle"  # pipelines each of which is downstream of every other
    MISSING_WORKER = "missing_worker"  # a process of an orchestrator is dead or silent
    # Hazards: what will or did go wrong between pipelines that nobody put in order.
    STALE_READ = "stale_read"  # the reader began before the writer was done, though it rarely does
    RACE = "race"  # only the clock keeps the reader behind the writer, and not by much
    CADENCE_MISMATCH = "cadence_mismatch"  # the one runs far more often than the other
    PAUSED_WRITER = "paused_writer"  # the reader goes on without what the writer would bring
    GONE_WRITER = "gone_writer"  # nobody writes any more what the reader reads
    TWO_WRITERS = "two_writers"  # of one dataset, at the same time
    SLA_AT_RISK = "sla_at_risk"  # it is likely to be missed
    MISSTATED_SLA = "misstated_sla"  # a tag was meant to state one and does not
    HELD = "held"  # a run waits, and a person is asked what becomes of it


class Outcome(StrEnum):
    """What became of a hazard that was told."""

    CAME_TRUE = "came_true"
    ACTED_ON = "acted_on"
    REJECTED = "rejected"  # a person said that it is wrong, or that there is no such dependency
    REFUTED = "refuted"  # it should have happened by now
    CONFIRMED = "confirmed"  # a person said that it was right to tell


class RuleWeek(NamedTuple):
    """How many hazards of one kind were judged in the week that begins at `starts_s`, and how."""

    starts_s: float
    came_true: int
    acted_on: int
    rejected: int
    refuted: int
    confirmed: int = 0


@dataclass(frozen=True, slots=True)
class Hazard:
    """What the runs of two pipelines show.

    `seen` of the `of` runs that were looked at (the reader's, or of two writers those of the
    first); the newest of them began at `last_s`. `chance`: how likely it is at a run. `slack_s`:
    from the writer's end to the reader's start, in the tightest twentieth and in the middle of the
    runs that kept the order. `every_s`: how often the writer and the reader run. `behind`: how many
    pipelines hang on the reader, itself counted.
    """

    behind: int = 1
    seen: int = 0
    of: int = 0
    last_s: float | None = None
    chance: float = 0.0
    slack_s: tuple[float, float] | None = None
    every_s: tuple[float, float] | None = None

    @property
    def gist(self) -> tuple[int, int, float]:
        """Where this is the same, there is nothing to tell: one more run of many is no news."""
        return self.behind, self.seen, round(self.chance, 1)


@dataclass(frozen=True, slots=True)
class Mute:
    """A person's word that an open finding is known: until `until_s` (None: as long as it is open)
    nobody is told of it, and lists show it apart."""

    by: str
    until_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that holds from `first_seen_s` to `closed_at_s` (None: it still does).

    `id` follows from the kind and the subject alone, so what is found again after it was closed
    has the same one and a new `first_seen_s`. `pipelines` are the writer's and the reader's, all
    of a ring, what ran on the missing `worker`, of an SLA the cause and its own, of a hold what it
    waits for and its own, or of a hazard the writer's (both writers') and the reader's; `evidence`
    are the dependencies that show it. `changed_at_s` is when it was opened, closed, or had its
    level, evidence, worker, mute or the gist of its hazard changed. `detail` is what is wrong with
    a tag, `outcome` what became of a hazard, once that is known. `mute` goes with the finding: what
    is found again is told again.
    """

    id: str
    kind: FindingKind
    pipelines: tuple[PipelineKey, ...]
    evidence: tuple[DependencyKey, ...]
    level: Level
    first_seen_s: float
    changed_at_s: float
    closed_at_s: float | None = None
    worker: ForeignWorker | None = None
    hazard: Hazard | None = None
    sla: SlaState | None = None
    detail: str = ""
    outcome: Outcome | None = None
    mute: Mute | None = None

    def is_muted(self, now_s: float) -> bool:
        """Did a person say that nobody is to be told of it now?"""
        if self.mute is None or self.closed_at_s is not None:
            return False
        return self.mute.until_s is None or now_s < self.mute.until_s

    def __str__(self) -> str:
        if self.worker is not None:
            count = len(self.worker.runs)
            ran = f", {count} run{'s' * (count != 1)} on it" if count else ""
            return f"{self.worker} is {self.worker.presence}{ran}"
        if self.detail:
            return f"{self.pipelines[0]}: {self.detail}"
        if self.kind is FindingKind.CYCLE:
            return ", ".join(map(str, self.pipelines))
        if self.kind is FindingKind.HELD:
            return f"{self.pipelines[-1]} waits for {', '.join(map(str, self.pipelines[:-1]))}"
        if self.sla is not None:
            return str(self.sla)
        if self.hazard is not None:
            return " -> ".join(map(str, self.pipelines))
        return ", ".join(
            f"{d.upstream} -> {d.downstream} through {d.dataset}" for d in self.evidence
        )


def finding_id(kind: FindingKind, *parts: str) -> str:
    """The name of a finding of this kind about what `parts` name."""
    told = json.dumps([kind, *parts])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def told(known: Finding | None, holds: Finding | None, now_s: float) -> Finding | None:
    """What is to be told where `known` was told last and `holds` is so now; None: nothing."""
    if known is None or holds is None:
        return replace(known, changed_at_s=now_s, closed_at_s=now_s) if known else holds
    same = _said(known) == _said(holds)
    return None if same else replace(holds, first_seen_s=known.first_seen_s, mute=known.mute)


def muted(known: Iterable[Finding | None], mute: Mute | None, now_s: float) -> Finding:
    """The one of them that is open, under a person's word or, without one, told of again. Raises
    `UnknownKey` where there is none."""
    found = next(filter(None, known), None)
    if found is None:
        raise UnknownKey("no such finding is open; `swarm findings -o json` lists what is, by id")
    return replace(found, changed_at_s=now_s, mute=mute)


def _said(finding: Finding) -> tuple[object, ...]:
    gist = finding.hazard.gist if finding.hazard else None
    return finding.level, finding.evidence, finding.pipelines, gist, finding.outcome

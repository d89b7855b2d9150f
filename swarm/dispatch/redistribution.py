"""What the loss of a worker led to, as a story: how it was seen, where its work went, how soon.

Made from the stories of the tasks that lost a grant, as the journal tells them. What was lost of
one worker at one moment is one redistribution.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from swarm.model.dispatch import CopyLeads, Ended, Granted, Lost, Submitted, TaskKept
from swarm.model.journal import Record
from swarm.model.keys import PipelineKey
from swarm.model.work import LossCause, Outcome, TaskId, WorkerId

EDGES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 300.0)

Course = Sequence[tuple[float, Record]]


@dataclass(slots=True)
class Moved:
    """A task that lost `grant`. `to` has it since, after `took_s`; None: it waits still, or ended
    without another grant, with `outcome`."""

    task: TaskId
    pipeline: PipelineKey | None
    grant: int
    to: WorkerId | None = None
    took_s: float | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class Redistribution:
    """`worker` was lost at `at_s` (seconds since the epoch) for `cause`, having been silent for
    `unheard_s`, which it takes at most to see a death; None where that was not noted."""

    worker: WorkerId
    cause: LossCause
    at_s: float
    unheard_s: float | None
    tasks: list[Moved] = field(default_factory=list)

    @property
    def took_s(self) -> float | None:
        """Until the last of what has moved had moved; None where nothing has."""
        return max((one.took_s for one in self.tasks if one.took_s is not None), default=None)


@dataclass(frozen=True, slots=True)
class Spread:
    """How lengths of time are spread, in seconds: `counts` are those up to each of `EDGES_S`, and
    those over the last."""

    count: int
    p50_s: float
    p99_s: float
    max_s: float
    counts: tuple[int, ...]


def redistributions(courses: Iterable[Course]) -> list[Redistribution]:
    """The newest first. A worker that lives and only did not know of a grant lost nothing else,
    and was not lost itself: of that nothing is told."""
    found: dict[tuple[WorkerId, LossCause, float], Redistribution] = {}
    for course in courses:
        for at_s, holder, record, moved in _losses(course):
            if record.cause is LossCause.NOT_HELD:
                continue
            at = (holder, record.cause, at_s)
            fresh = Redistribution(holder, record.cause, at_s, record.unheard_s)
            found.setdefault(at, fresh).tasks.append(moved)
    return sorted(found.values(), key=lambda one: (one.at_s, one.worker), reverse=True)


def spread(lengths_s: Iterable[float]) -> Spread:
    """All zero where there are none."""
    ranked = sorted(lengths_s)
    counts, before = [], 0
    for edge_s in (*EDGES_S, math.inf):
        upto = sum(1 for one in ranked if one <= edge_s)
        counts.append(upto - before)
        before = upto
    if not ranked:
        return Spread(0, 0.0, 0.0, 0.0, tuple(counts))
    return Spread(len(ranked), _share(ranked, 0.5), _share(ranked, 0.99), ranked[-1], tuple(counts))


def _losses(course: Course) -> list[tuple[float, WorkerId, Lost, Moved]]:
    """The losses of one task, each with what became of it."""
    found: list[tuple[float, WorkerId, Lost, Moved]] = []
    pipeline: PipelineKey | None = None
    holder: WorkerId | None = None
    for at_s, record in course:
        match record:
            case Submitted(submission):
                pipeline = submission.pipeline
            case TaskKept(submission, _, _, worker):
                pipeline, holder = submission.pipeline, worker
            case Granted(_, worker):
                holder = worker
                if found and found[-1][3].to is None:
                    found[-1][3].to, found[-1][3].took_s = worker, at_s - found[-1][0]
            case CopyLeads(_, worker):
                holder = worker  # nothing had to go anywhere
            case Lost(token) if holder is not None:
                moved = Moved(token.task, pipeline, token.grant)
                found.append((at_s, holder, record, moved))
            case Ended(_, outcome) if found:
                found[-1][3].outcome = outcome
            case _:
                pass
    return found


def _share(ranked: Sequence[float], share: float) -> float:
    return ranked[min(len(ranked) - 1, math.ceil(share * len(ranked)) - 1)]

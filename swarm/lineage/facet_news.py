"""Which facets of a batch are news.

Rules
1. What a sender says of a job or a dataset lasts: the newest event's content stands. The same
   content seen again is recorded once a day, so an event that comes late is placed exact to a day.
2. What it says of a run, and of a run's use of a dataset, differs each time (times, ids, counts).
   The first event of the newest hour stands for that hour, so a facet makes news at most once an
   hour when events come in order, and in any order the same one stands in the end.
3. A subject keeps at most `FACETS_MAX` facets, the first by job, part and name. That some are left
   out is told as `Unresolved`; that one facet was too large is told in the facet itself.
4. With a pipeline, or a task that its pipeline no longer lists, go their facets. Those of a dataset
   stay: nobody lists datasets.
"""

from collections.abc import Iterable
from dataclasses import replace

from swarm.lineage.facets import FacetMark, mark_of
from swarm.lineage.facts import Facts
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch
from swarm.model.facets import Facet, FacetOf
from swarm.model.graph import FacetGone, FacetSeen, GraphRecord, UnresolvedGone, UnresolvedSeen
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason

FACETS_MAX = 100
AGAIN_S = 86_400.0
_HOUR_S = 3_600.0

_OF_A_RUN = frozenset({FacetOf.RUN, FacetOf.INPUT, FacetOf.OUTPUT})
# Facets of a dataset that tell what is in it at this moment.
_OF_A_MOMENT = frozenset(
    {"version", "lifecycleStateChange", "dataQualityMetrics", "dataQualityAssertions"}
)

_Subject = TaskKey | DatasetKey


def facet_news(batch: Batch, facts: Facts, naming: Naming) -> list[GraphRecord]:
    """The facets of `batch` to record, and those that give way to them."""
    seen: dict[_Subject, dict[FacetMark, Facet]] = {}
    for item in batch.items:
        if isinstance(item, Facet):
            facet = item
            if isinstance(item.subject, DatasetKey):
                facet = replace(item, subject=naming.canonical(item.subject))
            marks = seen.setdefault(facet.subject, {})
            mark = mark_of(facet)
            marks[mark] = _standing(marks[mark], facet) if mark in marks else facet
    records: list[GraphRecord] = []
    for subject, marks in seen.items():
        records += _news_of(subject, marks, facts)
    return records


def facets_gone(tasks: Iterable[TaskKey], facts: Facts) -> list[GraphRecord]:
    """The records that end all facets of `tasks`."""
    records: list[GraphRecord] = []
    for task in tasks:
        known = facts.facets.of(task)
        records += [FacetGone(task, of, job, name) for job, of, name in sorted(known)]
        told = facts.unresolved.get(_too_many(task).subject, set())
        records += [UnresolvedGone(item) for item in told]
    return records


def _news_of(subject: _Subject, new: dict[FacetMark, Facet], facts: Facts) -> list[GraphRecord]:
    known = facts.facets.of(subject)
    kept = sorted(known.keys() | new.keys())[:FACETS_MAX]
    records: list[GraphRecord] = []
    for mark in kept:
        if mark in new:
            records += _if_news(known.get(mark), new[mark])
    over = (known.keys() | new.keys()) - set(kept)
    records += [FacetGone(subject, of, job, name) for job, of, name in sorted(over & known.keys())]
    told = _too_many(subject)
    if over and told not in facts.unresolved.get(told.subject, ()):
        records.append(UnresolvedSeen(told))
    return records


def _if_news(old: Facet | None, new: Facet) -> list[GraphRecord]:
    if old is None:
        return [FacetSeen(new)]
    now = _standing(old, new)
    moved_s = now.observed_at_s - old.observed_at_s
    same = replace(now, observed_at_s=old.observed_at_s) == old
    if now == old or (same and not _passing(now) and moved_s < AGAIN_S):
        return []
    return [FacetSeen(now)]


def _standing(old: Facet, new: Facet) -> Facet:
    """Which of two facets under one mark counts, whichever came first."""
    if _passing(new):
        return min(old, new, key=lambda f: (-(f.observed_at_s // _HOUR_S), *_order(f)))
    return max(old, new, key=_order)


def _order(facet: Facet) -> tuple[float, str, int]:
    return facet.observed_at_s, facet.content, facet.left_out


def _passing(facet: Facet) -> bool:
    return facet.of in _OF_A_RUN or (facet.of is FacetOf.DATASET and facet.name in _OF_A_MOMENT)


def _too_many(subject: _Subject) -> Unresolved:
    return Unresolved(
        subject=f"facets of {subject}",
        reason=UnresolvedReason.TOO_LARGE,
        place="OpenLineage",
        detail=f"over {FACETS_MAX} different facets; the first {FACETS_MAX} by name are kept",
    )

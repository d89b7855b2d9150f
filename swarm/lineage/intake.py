"""What of a batch is news: the facts to record, after naming, folding and rate limits.

Rules
1. A pipeline that an `Inventory` no longer lists is gone, unless the same batch shows it.
2. Static channels are replaced: with a `Coverage` the batch holds everything the channel says of
   the task, so what an earlier reading showed and this one does not is gone. The newer reading
   wins, whichever arrives first.
3. Run-time channels accumulate: the surest words of an access stay, its sightings move. A
   `Coverage` there is one more look at the task: it removes nothing, it only lets silence count.
4. What only moves a time is recorded once an hour, so times are exact to an hour; a day on which
   something was not seen before is always recorded. What a text once showed and no longer does is
   recorded as gone, also where the older reading arrives last.
5. What is unresolved of a subject is replaced when a batch speaks of the subject completely: it
   holds the subject's `Pipeline` or a `Coverage` of the subject (a task), or the `Inventory` of the
   orchestrator or source that is the subject. Otherwise the `Unresolved` of a batch replace only
   what was said of the same subject and text (the place without its line). With a pipeline goes
   what was unresolved in it.
6. Runs, pools and backfills pass through; connectors send each change once.
7. A view that a source stated and its `ViewInventory` no longer lists is gone as far as that source
   goes, unless the same batch shows it.
8. Facets, columns and the order that jobs state have rules of their own: `facet_news`,
   `column_news`, `order_news`.
"""

from dataclasses import replace

from swarm.lineage.column_news import column_news, columns_gone
from swarm.lineage.facet_news import facet_news, facets_gone
from swarm.lineage.facts import Facts, Mark
from swarm.lineage.naming import Naming
from swarm.lineage.order_news import order_news, orders_gone
from swarm.lineage.recurrence import (
    SIGHTING_S,
    days_of,
    first_seen_of,
    with_looks,
    with_sightings,
)
from swarm.model.connectors import Batch
from swarm.model.graph import (
    CapacitySeen,
    CoverageSeen,
    EvidenceGone,
    EvidenceSeen,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    UnresolvedGone,
    UnresolvedSeen,
    ViewGone,
    ViewSeen,
)
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import (
    STATIC,
    Channel,
    Coverage,
    Evidence,
    Unresolved,
    View,
    ViewInventory,
)
from swarm.model.pipelines import Backfill, Inventory, Pipeline, Pool
from swarm.model.runs import Run, TaskRun

Readings = dict[tuple[TaskKey, Channel], Coverage]


def pipeline_news(batch: Batch, facts: Facts) -> list[GraphRecord]:
    """Pipelines that are new, changed or gone."""
    shown = {item.key: item for item in batch.items if isinstance(item, Pipeline)}
    gone: dict[PipelineKey, None] = {}
    for inventory in (item for item in batch.items if isinstance(item, Inventory)):
        names = set(inventory.names)
        for key in facts.pipelines_of(inventory.orchestrator):
            if key.name not in names and key not in shown:
                gone[key] = None
    records: list[GraphRecord] = []
    for key in gone:
        records += [UnresolvedGone(item) for item in _unresolved_in(key, facts)]
        told = (facts.facets.tasks_of(key), facts.columns.tasks_of(key), facts.ordered(key))
        records += _aside_gone({task for tasks in told for task in tasks}, facts)
        records.append(PipelineGone(key))
    for key, new in shown.items():
        old = facts.pipelines.get(key)
        if old != new:
            lost = {task.key for task in old.tasks} - {t.key for t in new.tasks} if old else set()
            records += [*_aside_gone(lost, facts), PipelineSeen(new)]
    return records


def other_news(batch: Batch, facts: Facts, naming: Naming) -> list[GraphRecord]:
    """All other news, given that the batch's pipelines are in `facts` already."""
    return [
        *_view_news(batch, facts, naming),
        *_evidence_news(batch, facts, naming),
        *_unresolved_news(batch, facts),
        *facet_news(batch, facts, naming),
        *column_news(batch, facts, naming),
        *order_news(batch, facts),
        *_passing(batch),
    ]


def _aside_gone(tasks: set[TaskKey], facts: Facts) -> list[GraphRecord]:
    """What else was told of tasks that are gone."""
    gone = sorted(tasks)
    return [*facets_gone(gone, facts), *columns_gone(gone, facts), *orders_gone(gone, facts)]


def _unresolved_in(key: PipelineKey, facts: Facts) -> list[Unresolved]:
    pipeline = facts.pipelines[key]
    tasks = {*(task.key for task in pipeline.tasks), *facts.tasks_of(key)}
    subjects = sorted({str(key), *map(str, tasks)})
    return [item for subject in subjects for item in _sorted(facts.unresolved.get(subject, set()))]


def _view_news(batch: Batch, facts: Facts, naming: Naming) -> list[GraphRecord]:
    views: dict[DatasetKey, View] = {}
    for item in batch.items:
        if isinstance(item, View):
            reads = sorted({naming.canonical(name) for name in item.reads})
            view = replace(item, dataset=naming.canonical(item.dataset), reads=tuple(reads))
            views[view.dataset] = view
    source, stated = batch.source, facts.stated
    records: list[GraphRecord] = []
    for dataset, view in views.items():
        known = stated.of(dataset).get(source)
        # The same view at another place is no news.
        if known is None or known.reads != view.reads:
            records.append(ViewSeen(view, source))
    for item in batch.items:
        if isinstance(item, ViewInventory):
            listed = views.keys() | {naming.canonical(name) for name in item.names}
            gone = (dataset for dataset in stated.by(source) if dataset not in listed)
            records += [ViewGone(dataset, source) for dataset in gone]
    return records


def _evidence_news(batch: Batch, facts: Facts, naming: Naming) -> list[GraphRecord]:
    seen = _folded(batch, naming)
    readings: Readings = {}
    for item in batch.items:
        if isinstance(item, Coverage):
            at = (item.task, item.channel)
            if at not in readings or readings[at].observed_at_s < item.observed_at_s:
                readings[at] = item
    records: list[GraphRecord] = []
    for (task, channel), marks in seen.items():
        if (task, channel) not in readings:
            records += _evidence_alone(task, channel, marks, facts)
    for (task, channel), cover in readings.items():
        records += _reading(cover, seen.get((task, channel), {}), facts)
    return records


def _folded(batch: Batch, naming: Naming) -> dict[tuple[TaskKey, Channel], dict[Mark, Evidence]]:
    """The batch's evidence under canonical names, each access once."""
    seen: dict[tuple[TaskKey, Channel], dict[Mark, Evidence]] = {}
    for item in batch.items:
        if isinstance(item, Evidence):
            new = replace(item, dataset=naming.canonical(item.dataset))
            marks = seen.setdefault((new.task, new.channel), {})
            mark = (new.access, new.dataset, new.channel)
            marks[mark] = _surest(marks.get(mark), new)
    return seen


def _evidence_alone(
    task: TaskKey, channel: Channel, marks: dict[Mark, Evidence], facts: Facts
) -> list[GraphRecord]:
    """Evidence of a channel that did not see the whole task this time."""
    cover = facts.coverage_of(task).get(channel)
    known = facts.evidence.get(task, {})
    records: list[GraphRecord] = []
    for mark, new in marks.items():
        old = known.get(mark)
        if channel in STATIC:
            if cover is not None and new.observed_at_s <= cover.observed_at_s:
                records += _late(mark, new, facts)
                continue  # older than a complete reading, which has the last word
            now = new if old is None or _newness(new) > _newness(old) else old
        else:
            now = _surest(old, new)
        records += _if_news(old, now)
    return records


def _reading(cover: Coverage, marks: dict[Mark, Evidence], facts: Facts) -> list[GraphRecord]:
    """A channel saw the whole task."""
    before = facts.coverage_of(cover.task).get(cover.channel)
    if cover.channel not in STATIC:
        records = _evidence_alone(cover.task, cover.channel, marks, facts)
        if before is None:
            return [*records, CoverageSeen(cover)]
        now = with_looks(cover, before)
        moved = _moved(before, cover) or days_of(now) != days_of(before)
        return records + ([CoverageSeen(now)] if moved else [])
    if before is not None and cover.observed_at_s < before.observed_at_s:
        return [record for mark, new in marks.items() for record in _late(mark, new, facts)]
    records = []
    known = facts.evidence.get(cover.task, {})
    for mark, new in marks.items():
        old = known.get(mark)
        if old is None or old.observed_at_s <= max(cover.observed_at_s, new.observed_at_s):
            records += _if_news(old, new)
    for mark, old in known.items():
        missing = mark[2] == cover.channel and mark not in marks
        if missing and old.observed_at_s <= cover.observed_at_s:
            records.append(EvidenceGone(cover.task, *mark, old.observed_at_s))
    # A reading that brought news must be dated, or an older one could undo it.
    dated = bool(records) and before != cover
    return records + ([CoverageSeen(cover)] if dated or _moved(before, cover) else [])


def _late(mark: Mark, old: Evidence, facts: Facts) -> list[GraphRecord]:
    """An older reading that came after a newer one tells what the text once showed."""
    if mark in facts.evidence.get(old.task, {}):
        return []
    if old.observed_at_s <= facts.dropped.get(old.task, {}).get(mark, 0.0):
        return []
    return [EvidenceGone(old.task, *mark, old.observed_at_s)]


def _surest(old: Evidence | None, new: Evidence) -> Evidence:
    """One evidence out of two of the same access: the surest words, the times and days of both.

    Of equally sure ones the first in the alphabet stays, so that a place which names the run does
    not make news with every run, and the order of arrival does not matter.
    """
    if old is None:
        return new
    best = min(old, new, key=lambda e: (-e.confidence, e.place, e.excerpt))
    return with_sightings(best, new if best is old else old)


def _newness(seen: Evidence) -> tuple[float, float, str, str]:
    return seen.observed_at_s, seen.confidence, seen.place, seen.excerpt


def _if_news(old: Evidence | None, now: Evidence) -> list[GraphRecord]:
    if old is None or now.observed_at_s >= old.observed_at_s + SIGHTING_S:
        return [EvidenceSeen(now)]
    first_s, days = old.first_seen_s, old.days
    same = replace(now, observed_at_s=old.observed_at_s, first_seen_s=first_s, days=days) == old
    if same and now.channel not in STATIC:
        earlier = first_seen_of(now) <= first_seen_of(old) - SIGHTING_S
        same = not earlier and days_of(now) == days_of(old)
    return [] if same else [EvidenceSeen(now)]


def _moved(before: Coverage | None, now: Coverage) -> bool:
    return before is None or now.observed_at_s >= before.observed_at_s + SIGHTING_S


def _unresolved_news(batch: Batch, facts: Facts) -> list[GraphRecord]:
    now: dict[str, dict[Unresolved, None]] = {}
    complete: set[str] = set()
    for item in batch.items:
        match item:
            case Unresolved():
                now.setdefault(item.subject, {})[item] = None
            case Pipeline():
                complete.add(str(item.key))
            case Coverage():
                complete.add(str(item.task))
            case Inventory():
                complete |= {item.orchestrator, batch.source}
            case _:
                pass
    records: list[GraphRecord] = []
    for subject in sorted(complete | now.keys()):
        items = now.get(subject, {})
        texts = {_text_of(item) for item in items}
        before = facts.unresolved.get(subject, set())
        records += [
            UnresolvedGone(old)
            for old in _sorted(before - items.keys())
            if subject in complete or _text_of(old) in texts
        ]
        records += [UnresolvedSeen(item) for item in items if item not in before]
    return records


def _text_of(item: Unresolved) -> str:
    text, _, line = item.place.rpartition(":")
    return text if line.isdigit() else item.place


def _sorted(items: set[Unresolved]) -> list[Unresolved]:
    return sorted(items, key=lambda item: (item.reason, item.place, item.detail))


def _passing(batch: Batch) -> list[GraphRecord]:
    records: list[GraphRecord] = []
    for item in batch.items:
        if isinstance(item, Run | TaskRun):
            records.append(RunSeen(item))
        elif isinstance(item, Pool | Backfill):
            records.append(CapacitySeen(item))
    return records

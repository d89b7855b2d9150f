"""The facets of an event that swarm keeps as they are.

Rules
1. Every facet is kept except those that the other readers of events take their meaning from.
2. The content is what was sent, as JSON text with sorted keys, so that their order is no news.
3. A facet whose text is over `FACET_MAX` characters, or is nested deeper than anyone could read it
   back, is kept without its content: it then says how long the content was.
"""

import json
import math
from collections.abc import Iterator, Mapping

from swarm.lineage.openlineage.fields import Fields, dataset_of, object_at
from swarm.lineage.openlineage.subject import Subject, below_of
from swarm.model.facets import Facet, FacetOf
from swarm.model.keys import DatasetKey, TaskKey

FACET_MAX = 20_000
_NAME_MAX = 200
_DEPTH_MAX = 50

_UNDERSTOOD: Mapping[FacetOf, frozenset[str]] = {
    FacetOf.RUN: frozenset({"parent", "airflow", "airflowDagRun"}),
    FacetOf.JOB: frozenset({"sql"}),
    FacetOf.DATASET: frozenset({"symlinks", "columnLineage"}),
}


def event_facets(fields: Fields, subject: Subject, at_s: float) -> Iterator[Facet]:
    """The facets of a RunEvent's or JobEvent's run, job and datasets."""
    job = object_at(fields["job"])
    below = below_of(job, subject)
    task = subject.task
    yield from _kept(object_at(job, "facets"), FacetOf.JOB, task, at_s, below)
    run = object_at(fields.get("run"))
    yield from _kept(object_at(run, "facets"), FacetOf.RUN, task, at_s, below)
    for field, of in (("inputs", FacetOf.INPUT), ("outputs", FacetOf.OUTPUT)):
        listed = fields.get(field)
        for one in listed if isinstance(listed, list | tuple) else ():
            yield from dataset_facets(object_at(one), at_s)
            key = dataset_of(object_at(one))
            if key is not None:
                yield from _kept(object_at(one, f"{of}Facets"), of, key, at_s)


def dataset_facets(dataset: Fields, at_s: float) -> Iterator[Facet]:
    """The facets that a dataset of an event carries."""
    key = dataset_of(dataset)
    if key is not None:
        yield from _kept(object_at(dataset, "facets"), FacetOf.DATASET, key, at_s)


def _kept(
    facets: Fields, of: FacetOf, subject: TaskKey | DatasetKey, at_s: float, job: str = ""
) -> Iterator[Facet]:
    for name, value in facets.items():
        if value is None or name in _UNDERSTOOD.get(of, ()):
            continue
        deleted = isinstance(value, Mapping) and value.get("_deleted") is True
        content, left_out = ("", 0) if deleted else _text(value)
        yield Facet(subject, of, _storable(name[:_NAME_MAX]), content, at_s, job, left_out)


def _text(value: object) -> tuple[str, int]:
    """The JSON text of a facet, or how long the text would have been."""
    if not _is_readable(value, _DEPTH_MAX):
        return "", 1  # nobody can write such a text, so its length is not known
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return (_storable(text), 0) if len(text) <= FACET_MAX else ("", len(text))


def _storable(text: str) -> str:
    """A lone surrogate, which no store and no answer can hold, becomes a question mark."""
    return text.encode(errors="replace").decode()


def _is_readable(value: object, depth: int) -> bool:
    """Could the value be sent to a reader: no endless number, no nesting without end?"""
    if isinstance(value, Mapping):
        return depth > 0 and all(_is_readable(inner, depth - 1) for inner in value.values())
    if isinstance(value, list | tuple):
        return depth > 0 and all(_is_readable(inner, depth - 1) for inner in value)
    return not isinstance(value, float) or math.isfinite(value)

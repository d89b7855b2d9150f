"""The `jobDependencies` facet: which jobs the sender itself runs one after the other.

Rules
1. `upstream` jobs are before this one, `downstream` ones after it. What only starts or ends
   together (`START_TO_START`, `FINISH_TO_FINISH`), and what the sender calls implicit without
   saying by what (`IMPLICIT_DEPENDENCY`, as by the clock), is no declared order.
2. A job's name does not say where the pipeline's part of it ends: `a.b.c` may be the pipeline
   `a.b.c`, or a task of `a` or of `a.b`. All are noted, up to a number; those that nobody has mean
   nothing.
"""

import itertools
from collections.abc import Iterator, Mapping

from swarm.lineage.openlineage.fields import (
    NAME_MAX,
    Fields,
    dataset_of,
    kind_of,
    object_at,
    text_of,
)
from swarm.lineage.openlineage.subject import Subject
from swarm.model.keys import TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.pipelines import DeclaredEdge, JobOrder

JOBS_MAX = 500  # of each direction
_READINGS_MAX = 20  # of one name
_FACET = "jobDependencies"
_HOW = "OpenLineage job dependency"


def job_order(
    run: Fields, subject: Subject, orchestrators: Mapping[str, str], at_s: float
) -> Iterator[JobOrder | Unresolved]:
    """The order that an event states of its own job, and what of it is broken."""
    facet = object_at(run, "facets", _FACET)
    if not facet or subject.is_child:
        return
    edges: set[DeclaredEdge] = set()
    for side in ("upstream", "downstream"):
        for found in _jobs(facet.get(side), side, subject, orchestrators):
            if isinstance(found, Unresolved):
                yield found
            elif side == "upstream":
                edges.add(DeclaredEdge(found, subject.task, _HOW))
            else:
                edges.add(DeclaredEdge(subject.task, found, _HOW))
    ordered = sorted(edges, key=lambda edge: (edge.upstream, edge.downstream))
    yield JobOrder(subject.task, tuple(ordered), at_s)


def _jobs(
    listed: object, side: str, subject: Subject, orchestrators: Mapping[str, str]
) -> Iterator[TaskKey | Unresolved]:
    place, who = f"$.run.facets.{_FACET}.{side}", str(subject.task)
    if listed is None:
        return
    if not isinstance(listed, list | tuple):
        detail = f"{side} is {kind_of(listed)} and not a list"
        yield Unresolved(who, UnresolvedReason.MALFORMED, place, detail)
        return
    if len(listed) > JOBS_MAX:
        detail = f"{len(listed)} jobs; the first {JOBS_MAX} are used"
        yield Unresolved(who, UnresolvedReason.TOO_LARGE, place, detail)
    for index, one in enumerate(listed[:JOBS_MAX]):
        fields = object_at(one)
        job = object_at(fields, "job")
        named = dataset_of(job)  # jobs are named as datasets are
        if named is None:
            detail = (
                "a job dependency needs `job` with the texts `namespace` and `name`, "
                f"{NAME_MAX:,} characters at most"
            )
            yield Unresolved(who, UnresolvedReason.MALFORMED, f"{place}[{index}]", detail)
        elif _orders(fields):
            orchestrator = orchestrators.get(named.namespace, named.namespace)
            yield from itertools.islice(_readings(orchestrator, named.name), _READINGS_MAX)


def _orders(dependency: Fields) -> bool:
    """Rule 1."""
    sequence = text_of(dependency.get("sequence_trigger_rule")).upper()
    kind = text_of(dependency.get("dependency_type")).upper()
    return sequence in ("", "FINISH_TO_START") and kind != "IMPLICIT_DEPENDENCY"


def _readings(orchestrator: str, name: str) -> Iterator[TaskKey]:
    """Rule 2."""
    yield TaskKey(orchestrator, name, "")
    for place, letter in enumerate(name):
        if letter == "." and 0 < place < len(name) - 1:
            yield TaskKey(orchestrator, name[:place], name[place + 1 :])

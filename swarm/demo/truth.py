"""What depends on what in the lab, derived from the audit of what was really touched."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from swarm.demo.declared import Edge, reachable
from swarm.model.keys import TaskKey
from swarm.model.lineage import Access


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """`downstream` read what `upstream` wrote. `dataset` is `schema.table`, or a file's path
    relative to the lab's folder; a view counts as the tables below it."""

    upstream: TaskKey
    downstream: TaskKey
    dataset: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Every real dependency, split by whether the orchestrators know of it."""

    undeclared: frozenset[Pair]
    declared: frozenset[Pair]

    @property
    def undeclared_across(self) -> frozenset[Pair]:
        """Those between two orchestrators."""
        return frozenset(
            p for p in self.undeclared if p.upstream.orchestrator != p.downstream.orchestrator
        )


def derive(
    audit: Iterable[str], edges: Iterable[Edge], views: frozenset[str], names: Mapping[str, str]
) -> Truth:
    """Join writers and readers of each dataset.

    `audit` are the audit's JSON lines, `edges` what is declared, `views` names that are no
    dataset of their own, `names` the pipeline names for what the audit could only write down as
    an id. A declared path from writer to reader, however long, makes a pair declared.
    """
    who: dict[tuple[str, Access], set[TaskKey]] = defaultdict(set)
    for line in audit:
        entry = json.loads(line)
        if entry["name"] not in views:
            pipeline = names.get(entry["pipeline"], entry["pipeline"])
            task = TaskKey(entry["orchestrator"], pipeline, entry["task"])
            who[entry["name"], Access(entry["access"])].add(task)
    pairs = {
        Pair(writer, reader, dataset)
        for (dataset, access), writers in list(who.items())
        if access is Access.WRITE
        for writer in writers
        for reader in who.get((dataset, Access.READ), ())
        if writer != reader
    }
    after = reachable(edges, {task for tasks in who.values() for task in tasks})
    declared = frozenset(p for p in pairs if p.downstream in after[p.upstream])
    return Truth(frozenset(pairs) - declared, declared)

"""What swarm tells other catalogues: the dependencies that it found, as OpenLineage JobEvents.

Rules
1. A task is told of once it has a dependency that nobody declared and that is sure enough, with all
   it reads and writes by sure dependencies; and from then on whenever that changes, to the end.
2. What a catalogue was told is known by a digest, so what is so already is not told again; that a
   confidence moved by less than a tenth is no news.
3. A dataset whose namespace is not known cannot be named, and is left out.

Source: the OpenLineage specification 2-0-2 (JobEvent: lineage of a job apart from its runs).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from swarm.model.graph import DependencyChanged, DependencyGone
from swarm.model.journal import LineageTold
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey

PRODUCER = "urn:swarm:lineage"
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"


class Telling:
    """The sure dependencies of each task, and what was told of it."""

    def __init__(self, at_least: float, namespaces: Mapping[str, str]) -> None:
        """`namespaces` are the job namespaces of orchestrators where that is not their name."""
        self._at_least = at_least
        self._namespaces = namespaces
        self._sure: dict[DependencyKey, Dependency] = {}
        self._of: dict[TaskKey, dict[DependencyKey, None]] = {}
        self._told: dict[TaskKey, str] = {}
        self._touched: dict[TaskKey, None] = {}

    def apply(self, record: DependencyChanged | DependencyGone | LineageTold) -> None:
        match record:
            case DependencyChanged(_, dependency) if dependency.confidence >= self._at_least:
                self._sure[dependency.key] = dependency
                for task in _ends(dependency.key):
                    self._of.setdefault(task, {})[dependency.key] = None
                    self._touched[task] = None
            case DependencyChanged(_, Dependency(key=key)) | DependencyGone(_, key):
                self._drop(key)
            case LineageTold(task, digest):
                self._told[task] = digest
                if not digest:
                    del self._told[task]
                self._touched[task] = None

    def restart(self) -> None:
        """Forget the dependencies, not what was told: they are about to be read anew."""
        self._sure.clear()
        self._of.clear()
        self._touched = dict.fromkeys(self._told)

    def records(self) -> Iterator[LineageTold]:
        """A snapshot, which is what was told."""
        for task, digest in self._told.items():
            yield LineageTold(task, digest)

    def due(self, at_s: float) -> Iterator[tuple[LineageTold, dict[str, Any]]]:
        """What is to be told at `at_s` (seconds since the epoch), and the record that it was."""
        for task in list(self._touched):
            digest = self._digest(task)
            if digest == self._told.get(task, ""):
                del self._touched[task]
            else:
                yield LineageTold(task, digest), self._event(task, at_s)

    def _drop(self, key: DependencyKey) -> None:
        if self._sure.pop(key, None) is None:
            return
        for task in _ends(key):
            of = self._of[task]
            of.pop(key, None)
            self._touched[task] = None
            if not of:
                del self._of[task]

    def _dependencies(self, task: TaskKey) -> list[Dependency]:
        return [self._sure[key] for key in sorted(self._of.get(task, ()))]

    def _digest(self, task: TaskKey) -> str:
        found = self._dependencies(task)
        if task not in self._told and all(one.declared for one in found):
            return ""
        told = [_row(one) | {"confidence": round(one.confidence, 1)} for one in found]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest() if told else ""

    def _event(self, task: TaskKey, at_s: float) -> dict[str, Any]:
        found = self._dependencies(task)
        reads = {one.key.dataset for one in found if one.key.downstream == task}
        writes = {one.key.dataset for one in found if one.key.upstream == task}
        facet = {
            "_producer": PRODUCER,
            "_schemaURL": f"{_SPEC}JobFacet",
            "dependencies": [_row(one) for one in found],
        }
        return {
            "eventTime": datetime.fromtimestamp(at_s, UTC).isoformat(),
            "producer": PRODUCER,
            "schemaURL": f"{_SPEC}JobEvent",
            "job": {
                "namespace": self._namespaces.get(task.orchestrator, task.orchestrator),
                "name": _name(task),
                "facets": {"swarm_dependencies": facet},
            },
            "inputs": _datasets(reads),
            "outputs": _datasets(writes),
        }


def _ends(key: DependencyKey) -> set[TaskKey]:
    return {key.upstream, key.downstream}


def _name(task: TaskKey) -> str:
    """As Airflow's events name tasks; a job that is a pipeline of its own has one name."""
    if task.task in ("", task.pipeline):
        return task.pipeline
    return f"{task.pipeline}.{task.task}"


def _datasets(keys: set[DatasetKey]) -> list[dict[str, str]]:
    return [{"namespace": key.namespace, "name": key.name} for key in sorted(keys) if key.namespace]


def _row(dependency: Dependency) -> dict[str, Any]:
    key = dependency.key
    return {
        "upstream": str(key.upstream),
        "downstream": str(key.downstream),
        "dataset": {"namespace": key.dataset.namespace, "name": key.dataset.name},
        "confidence": round(dependency.confidence, 3),
        "declared": dependency.declared,
    }

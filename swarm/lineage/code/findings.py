"""What was found of each task, in the order it was met."""

from collections.abc import Sequence
from dataclasses import replace

from swarm.lineage.code.texts import shown
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, Touch, Unresolved, UnresolvedReason

_EXCERPT = 160


class Findings:
    """Touches and what is unresolved, each once; `task` is whose they are now."""

    def __init__(self) -> None:
        self.task = ""
        self._touches: dict[str, dict[tuple[Access, DatasetKey], Touch]] = {}
        self._servers: dict[str, dict[str, str]] = {}
        self._unresolved: dict[str, dict[Unresolved, None]] = {}

    def served_by(self, address: str, usual: str) -> None:
        """SQL of the current task runs on the server `address`; `usual` is the one by default."""
        self._servers.setdefault(self.task, {})[address] = usual

    def _named(self, task: str, dataset: DatasetKey) -> DatasetKey:
        """The dataset by the server that other tasks would name.

        A host that one command names tells servers apart only where the task has several, or the
        settings say which one is usual; else other programs reach the same one by other names.
        """
        servers = self._servers.get(task, {})
        usual = servers.get(dataset.namespace)
        if usual == "" and len(servers) == 1:
            return DatasetKey("", dataset.name)
        return dataset

    def extraction(self, task: str, more: Sequence[Unresolved] = ()) -> Extraction:
        """Everything found of a task, in the order it was met."""
        kept = self._touches.get(task, {}).values()
        touches = tuple(replace(one, dataset=self._named(task, one.dataset)) for one in kept)
        unresolved = tuple(self._unresolved.get(task, {}))
        return Extraction(touches, (), (*unresolved, *(u for u in more if u not in unresolved)))

    def tasks(self) -> tuple[str, ...]:
        """The tasks that anything was found of."""
        return tuple(dict.fromkeys([*self._touches, *self._unresolved]))

    def touch(
        self,
        access: Access,
        dataset: DatasetKey,
        place: str,
        excerpt: str,
        confidence: float = 1.0,
    ) -> None:
        """Keeps an access of the current task; the first of the surest places counts."""
        kept = self._touches.setdefault(self.task, {})
        short = " ".join(shown(excerpt).split())[:_EXCERPT]
        found = Touch(access, dataset, place, short, confidence)
        if kept.setdefault((access, dataset), found).confidence < confidence:
            kept[access, dataset] = found

    def retract(self, access: Access, dataset: DatasetKey, place: str) -> None:
        """Takes back an access of the current task if it was first seen at `place`."""
        kept = self._touches.get(self.task, {})
        if (access, dataset) in kept and kept[access, dataset].place == place:
            del kept[access, dataset]

    def fail(self, reason: UnresolvedReason, place: str, detail: str) -> None:
        """Keeps something of the current task that could not be understood."""
        kept = self._unresolved.setdefault(self.task, {})
        subject = place.rpartition(":")[0] or place
        kept.setdefault(Unresolved(subject, reason, place, detail))

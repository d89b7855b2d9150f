"""What a scan hears of the texts it reads, as they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from swarm.cli.report import Reading
from swarm.lineage.text import SqlContext
from swarm.lineage.trail import Heard
from swarm.model.keys import TaskKey
from swarm.model.lineage import Extraction


@dataclass(slots=True)
class Kept:
    """Texts and files, kept only where somebody asked to have an edge explained."""

    heard: dict[int, Heard] = field(default_factory=dict)
    files: dict[int, tuple[TaskKey | None, Mapping[str, str]]] = field(default_factory=dict)

    def files_of(self, task: TaskKey) -> Mapping[str, str]:
        """The files that `task` was read from; those of nobody in particular come last."""
        found: dict[str, str] = {}
        for wanted in (task, None):
            for owner, files in self.files.values():
                if owner == wanted:
                    found = {**files, **found}
        return found


@dataclass(frozen=True, slots=True)
class Hearing:
    """The listener of a scan, of all tasks or of one."""

    texts: dict[Reading, None] = field(default_factory=dict)
    kept: Kept | None = None
    task: TaskKey | None = None

    def of(self, task: TaskKey) -> "Hearing":
        return replace(self, task=task)

    def text(self, text: str, context: SqlContext, place: str, found: Extraction) -> None:
        if not place:
            return  # a name that a connector looks up, or a text of a history: no text of a task
        task = str(self.task) if self.task else ""
        reading = Reading(
            place,
            found.dialect,
            found.tier,
            found.confidence,
            found.abstained,
            task,
            len(found.unresolved),
        )
        self.texts[reading] = None
        if self.kept is not None:
            one = Heard(self.task, place, text, context, found)
            self.kept.heard[len(self.kept.heard)] = one

    def files(self, sources: Mapping[str, str]) -> None:
        if self.kept is not None:
            self.kept.files.setdefault(id(sources), (self.task, sources))

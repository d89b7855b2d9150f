"""Tables that two tasks of a manifest are said to write, the program of one not at hand.

The text of the one makes the table. What the other does to it is hidden: it may export the rows,
check them or change them in place, and each of these needs the rows of the first. Only filling a
part of its own would not. So it probably reads the table, and a person is asked. Two programs that
are both hidden say nothing about their order.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence, Unresolved, UnresolvedReason

# Two of three such pairs are real. What is at hand of the task shows nothing of it, which speaks
# against it; with that, the dependency is just in the range that is only shown.
_WORKS_ON_IT = 0.7


@dataclass(slots=True)
class SharedTables:
    """Who is said to write what, by the lines so far; holds names and places, never texts."""

    _made_by: dict[DatasetKey, TaskKey] = field(default_factory=dict)
    _hidden: dict[TaskKey, tuple[str, tuple[Item, ...]]] = field(default_factory=dict)

    def taken(self, task: TaskKey, place: str, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """The items of a task; none if they wait for the other lines, to be given by `rest`."""
        stated = _stated(items)
        problems = [item for item in items if isinstance(item, Unresolved)]
        if stated and any(item.reason is UnresolvedReason.MISSING_SOURCE for item in problems):
            self._hidden[task] = (place, items)
            return ()
        if any(isinstance(i, Evidence) and i.channel is not Channel.MANIFEST for i in items):
            for dataset in stated:
                self._made_by.setdefault(dataset, task)
        return items

    def rest(self, now_s: float) -> Iterator[Item]:
        """The items that waited, and that a hidden program reads what another task's text makes."""
        for task, (place, items) in self._hidden.items():
            yield from items
            for dataset in _stated(items):
                maker = self._made_by.get(dataset)
                if maker is not None:
                    yield Evidence(
                        task=task,
                        access=Access.READ,
                        dataset=dataset,
                        channel=Channel.MANIFEST,
                        observed_at_s=now_s,
                        place=place,
                        excerpt=f"works on what {maker.pipeline}/{maker.task} makes",
                        confidence=_WORKS_ON_IT,
                    )


def _stated(items: Iterable[Item]) -> list[DatasetKey]:
    """The datasets that the manifest says the task writes."""
    evidence = [item for item in items if isinstance(item, Evidence)]
    return [
        item.dataset
        for item in evidence
        if item.access is Access.WRITE and item.channel is Channel.MANIFEST
    ]

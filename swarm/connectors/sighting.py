"""From what one text says to what a source saw of a task, and in which batches it is sent."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from swarm.model.connectors import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, Extraction


def sighted(
    task: TaskKey, found: Extraction, channel: Channel, observed_at_s: float
) -> Iterator[Item]:
    """Evidence for each touch; views and what is unresolved go along."""
    for touch in found.touches:
        yield Evidence(
            task=task,
            access=touch.access,
            dataset=touch.dataset,
            channel=channel,
            observed_at_s=observed_at_s,
            place=touch.place,
            excerpt=touch.excerpt,
            confidence=touch.confidence,
        )
    yield from found.views
    for unresolved in found.unresolved:
        yield replace(unresolved, subject=str(task))


def covered(
    task: TaskKey, found: Extraction, channel: Channel, observed_at_s: float, writes: bool = False
) -> Iterator[Coverage]:
    """Coverage, when the text shows everything the task does.

    `writes`: the orchestrator states that the task writes something. A text that shows no write
    then (the value a function returns, stored by an I/O manager) is not all that the task does.
    """
    shown = any(touch.access is Access.WRITE for touch in found.touches)
    if not found.unresolved and (shown or not writes):
        yield Coverage(task, channel, observed_at_s)


def batches(groups: Iterable[tuple[Item, ...]], size: int = 500) -> Iterator[tuple[Item, ...]]:
    """Join groups to batches of about `size` items; a group, all of one pipeline, stays whole."""
    batch: tuple[Item, ...] = ()
    for group in groups:
        if batch and len(batch) + len(group) > size:
            yield batch
            batch = ()
        batch += group
    if batch:
        yield batch


def digest_of(value: object) -> str:
    """Short text that differs when `value` does."""
    return hashlib.blake2b(repr(value).encode(), digest_size=12).hexdigest()

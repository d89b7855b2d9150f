"""From what one text says to what a source saw of a task, and in which batches it is sent."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from swarm.model.journal import Item
from swarm.model.keys import DatasetKey, TaskKey
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
    task: TaskKey,
    found: Extraction,
    channel: Channel,
    observed_at_s: float,
    stated_writes: frozenset[DatasetKey] = frozenset(),
) -> Iterator[Coverage]:
    """Coverage, when the text shows everything the task does.

    A text that does not show a write the orchestrator states (the value a function returns, stored
    by an I/O manager) is not all the task does, so its silence proves nothing.
    """
    written = {touch.dataset for touch in found.touches if touch.access is Access.WRITE}
    if not found.unresolved and written >= stated_writes:
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

"""Which of the orders that jobs state of themselves are news.

The newest event of a job stands. The same order stated again is recorded once a day, so an event
that comes late is placed exact to a day. With a pipeline, or a task that it no longer lists, goes
what it stated.
"""

from collections.abc import Iterable
from dataclasses import replace

from swarm.lineage.facts import Facts
from swarm.model.connectors import Batch
from swarm.model.graph import GraphRecord, OrderGone, OrderSeen
from swarm.model.keys import TaskKey
from swarm.model.pipelines import DeclaredEdge, JobOrder

AGAIN_S = 86_400.0


def order_news(batch: Batch, facts: Facts) -> list[GraphRecord]:
    """The orders of `batch` to record."""
    seen: dict[TaskKey, JobOrder] = {}
    for item in batch.items:
        if isinstance(item, JobOrder):
            known = seen.get(item.by)
            seen[item.by] = max(known, item, key=_newness) if known else item
    records: list[GraphRecord] = []
    for by, new in seen.items():
        old = facts.orders.get(by)
        now = max(old, new, key=_newness) if old else new
        same = old is not None and replace(now, observed_at_s=old.observed_at_s) == old
        if old is None or (not same or now.observed_at_s >= old.observed_at_s + AGAIN_S):
            records.append(OrderSeen(now))
    return records


def orders_gone(tasks: Iterable[TaskKey], facts: Facts) -> list[GraphRecord]:
    """The records that end what `tasks` stated."""
    return [OrderGone(task) for task in tasks if task in facts.orders]


def _newness(order: JobOrder) -> tuple[float, list[tuple[TaskKey, TaskKey]]]:
    return order.observed_at_s, [_ends(edge) for edge in order.edges]


def _ends(edge: DeclaredEdge) -> tuple[TaskKey, TaskKey]:
    return edge.upstream, edge.downstream

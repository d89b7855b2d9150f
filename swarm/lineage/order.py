"""Is a task run after another because the orchestrators know it?

Rules: a declared edge to a whole pipeline leads to its start, which is before each of its tasks; an
edge from a whole pipeline leaves its end, which is after each of its tasks. Within a pipeline only
declared edges between tasks order them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import DeclaredEdge

K = TypeVar("K")

# A task, or a pipeline's end (`True`) or start (`False`) where the task is empty.
Node = tuple[TaskKey, bool]


def _as_upstream(key: TaskKey) -> Node:
    return key, not key.task


def _as_downstream(key: TaskKey) -> Node:
    return key, False


def _whole(key: TaskKey) -> TaskKey:
    return TaskKey(key.orchestrator, key.pipeline, "")


class Order:
    """The declared edges of all pipelines; the same edge may be stated by two of them."""

    def __init__(self) -> None:
        self._count: Counter[tuple[Node, Node]] = Counter()
        self._after: dict[Node, set[Node]] = {}
        self._before: dict[Node, set[Node]] = {}
        # By pipeline (as a whole): its tasks with an edge out of them, or into them.
        self._leaving: dict[TaskKey, set[Node]] = {}
        self._entered: dict[TaskKey, set[Node]] = {}

    def replace(self, old: Iterable[DeclaredEdge], new: Iterable[DeclaredEdge]) -> None:
        """Take the edges `old` out and put `new` in."""
        for edge in old:
            self._change(_as_upstream(edge.upstream), _as_downstream(edge.downstream), -1)
        for edge in new:
            self._change(_as_upstream(edge.upstream), _as_downstream(edge.downstream), 1)

    def _change(self, up: Node, down: Node, by: int) -> None:
        self._count[up, down] += by
        if not self._count[up, down]:
            del self._count[up, down]
            _drop(self._after, up, down)
            _drop(self._before, down, up)
            if up not in self._after and up[0].task:
                _drop(self._leaving, _whole(up[0]), up)
            if down not in self._before and down[0].task:
                _drop(self._entered, _whole(down[0]), down)
            return
        self._after.setdefault(up, set()).add(down)
        self._before.setdefault(down, set()).add(up)
        if up[0].task:
            self._leaving.setdefault(_whole(up[0]), set()).add(up)
        if down[0].task:
            self._entered.setdefault(_whole(down[0]), set()).add(down)

    def _next(self, node: Node) -> Iterator[Node]:
        key, ended = node
        yield from self._after.get(node, ())
        if not ended:
            yield _whole(key), True
            if not key.task:
                yield from self._leaving.get(key, ())

    def _previous(self, node: Node) -> Iterator[Node]:
        key, ended = node
        yield from self._before.get(node, ())
        if ended or key.task:
            yield _whole(key), False
            if ended:
                yield from self._entered.get(key, ())

    def reaches(self, upstream: TaskKey, downstream: TaskKey) -> bool:
        """Is there a declared way from `upstream` to `downstream`?

        Grows both sides in step, so it costs twice the smaller one.
        """
        up, down = _as_upstream(upstream), _as_downstream(downstream)
        ahead, behind = _Front({up}, self._next), _Front({down}, self._previous)
        # A start does not list tasks without edges of their own. That the first round follows both
        # sides makes up for it: `down` is then known by its start.
        while ahead.todo and behind.todo:
            if ahead.step() & behind.seen or behind.step() & ahead.seen:
                return True
        return False

    def beside(self, edges: Iterable[DeclaredEdge]) -> set[PipelineKey | TaskKey]:
        """Tasks and whole pipelines, one of which every way over one of `edges` begins or ends in.

        Whichever of the two sides is the smaller.
        """
        edges = list(edges)
        ahead = _Front({_as_downstream(e.downstream) for e in edges}, self._next)
        behind = _Front({_as_upstream(e.upstream) for e in edges}, self._previous)
        while ahead.todo and behind.todo:
            ahead.step()
            behind.step()
        forward = not ahead.todo
        return {
            key if key.task else key.pipeline_key
            for key, ended in (ahead if forward else behind).seen
            if key.task or ended != forward  # a way begins in an end, and ends in a start
        }


class _Front:
    """A breadth-first search that can be advanced one node at a time."""

    def __init__(self, start: set[Node], step: Callable[[Node], Iterator[Node]]) -> None:
        self.seen = start
        self.todo = list(start)
        self._follow = step

    def step(self) -> set[Node]:
        """Follow one node; returns what is new."""
        if not self.todo:
            return set()
        new = set(self._follow(self.todo.pop())) - self.seen
        self.seen |= new
        self.todo += new
        return new


def _drop(index: dict[K, set[Node]], key: K, member: Node) -> None:
    members = index[key]
    members.discard(member)
    if not members:
        del index[key]

"""When runs end that wait for each other and for a free slot of their orchestrator.

One draw of `whatif.py`: list scheduling, first ready first served (Graham 1969). A slot that is
lost for a while takes no run then; what it runs is begun again elsewhere, from the start.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

NEVER_S = float("inf")


class Piece(NamedTuple):
    """A run: what it runs on, when it may begin and how long it takes. It begins after the runs
    `after` and ends not before the runs `within`; all times are seconds on one clock."""

    pool: str
    begins_s: float
    takes_s: float
    after: tuple[int, ...] = ()
    within: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """The first `slots` slots of a pool are gone from `from_s` until `until_s`."""

    slots: int
    from_s: float
    until_s: float


def ends_of(
    pieces: Sequence[Piece], slots: Mapping[str, int], outages: Mapping[str, Outage]
) -> list[float]:
    """When each ends. A pool that is not in `slots` has room for all. Runs that wait for each other
    in a ring never end (`NEVER_S`)."""
    ends = [NEVER_S] * len(pieces)
    waits = [len(piece.after) + len(piece.within) for piece in pieces]
    behind: list[list[int]] = [[] for _ in pieces]
    for number, piece in enumerate(pieces):
        for up in (*piece.after, *piece.within):
            behind[up].append(number)
    free = {pool: [(0.0, slot) for slot in range(count)] for pool, count in slots.items()}
    ready = [(piece.begins_s, n) for n, piece in enumerate(pieces) if not waits[n]]
    heapify(ready)
    while ready:
        at_s, number = heappop(ready)
        piece = pieces[number]
        room, outage = free.get(piece.pool), outages.get(piece.pool)
        if room is None:
            end_s = at_s + piece.takes_s
        else:
            placed = _placed(room, at_s, piece.takes_s, outage)
            if placed is None:
                continue  # there is no slot for it, ever
            end_s, lost = placed
            if lost:
                heappush(ready, (end_s, number))
                continue
        for up in piece.within:
            end_s = max(end_s, ends[up])
        ends[number] = end_s
        for down in behind[number]:
            waits[down] -= 1
            if not waits[down]:
                begins_s = max([pieces[down].begins_s, *(ends[up] for up in pieces[down].after)])
                heappush(ready, (begins_s, down))
    return ends


def _placed(
    room: list[tuple[float, int]], at_s: float, takes_s: float, outage: Outage | None
) -> tuple[float, bool] | None:
    """When a run ends that is ready, and whether it ended only because its slot was lost; None
    where there is no slot. `room` is a heap of slots by when they are free."""
    while room:
        free_s, slot = heappop(room)
        begins_s = max(at_s, free_s)
        if outage is None or slot >= outage.slots or begins_s >= outage.until_s:
            heappush(room, (begins_s + takes_s, slot))
            return begins_s + takes_s, False
        if begins_s >= outage.from_s:
            if outage.until_s < NEVER_S:
                heappush(room, (outage.until_s, slot))
            continue
        if begins_s + takes_s <= outage.from_s:
            heappush(room, (begins_s + takes_s, slot))
            return begins_s + takes_s, False
        if outage.until_s < NEVER_S:
            heappush(room, (outage.until_s, slot))
        return outage.from_s, True
    return None


def most_at_once(spans: Iterable[tuple[str, float, float]]) -> dict[str, int]:
    """The most runs under way at the same time in each pool: what it has room for at least."""
    most: Counter[str] = Counter()
    for pool, steps in moves(spans).items():
        under_way = 0
        for _, step in steps:
            under_way += step
            most[pool] = max(most[pool], under_way)
    return dict(most)


def moves(spans: Iterable[tuple[str, float, float]]) -> dict[str, list[tuple[float, int]]]:
    """By pool the times at which one more run (1) or one less (-1) is under way, in order; at the
    same time an end comes before a beginning."""
    found: dict[str, list[tuple[float, int]]] = {}
    for pool, began_s, ended_s in spans:
        found.setdefault(pool, []).extend(((began_s, 1), (ended_s, -1)))
    for steps in found.values():
        steps.sort()
    return found

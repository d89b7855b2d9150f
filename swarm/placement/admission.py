"""What can be placed at all, and why the rest cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarm.model.plans import Because, Room, Unplaced
from swarm.placement.demand import Demand, subset


def fronted(demands: Sequence[Demand]) -> list[Demand]:
    """What others wait for that are not behind, is not behind either."""
    front = set[int]()
    for number in range(len(demands) - 1, -1, -1):
        if not demands[number].behind or number in front:
            front.update(demands[number].after)
    return [
        replace(demand, behind=False) if number in front else demand
        for number, demand in enumerate(demands)
    ]


def admitted(
    demands: Sequence[Demand], short: Mapping[Room, Because], rooms: Sequence[Room]
) -> tuple[list[Demand], list[Unplaced]]:
    """All but those whose needs nobody has room for, and what waits for them."""
    refused: dict[int, Unplaced] = {}
    for number, demand in enumerate(demands):
        name, needs = demand.name, demand.needs
        waits_for = next((before for before in demand.after if before in refused), None)
        if needs in short and not demand.runs_on:
            refused[number] = Unplaced(name, short[needs], needs, _nearest(needs, rooms))
        elif waits_for is not None:
            waited = demands[waits_for].name
            refused[number] = Unplaced(name, Because.UPSTREAM, needs, waits_for=waited)
    kept = [number for number in range(len(demands)) if number not in refused]
    return subset(demands, kept), list(refused.values())


def _nearest(needs: Room, rooms: Sequence[Room]) -> Room:
    """The room that lacks least of what is needed."""

    def lacks(room: Room) -> tuple[float, Room]:
        pairs = zip(needs, room, strict=True)
        return sum(max(0, need - has) / max(need, 1) for need, has in pairs), room

    return min(rooms, key=lacks, default=())

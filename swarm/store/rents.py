"""From when on nodes are paid for and until when, as placement's steps tell: from the look that saw
them boot to the one that found them gone. A worker comes later and goes sooner.

A node that was never seen to boot was there before, or somebody else's: it counts by its workers
alone. One that some provider named anew when it joined is still the one that booted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from swarm.model.scaling import Scaled, Step
from swarm.placement.metering import Rent
from swarm.store.read_tables import cursors, plain, rents

_STREAM = "placement"
_OPEN = rents.c.until_s.is_(None)
_UNSEEN = rents.c.boots_s.is_(None)


@dataclass(slots=True)
class RentChanges:
    """The steps of a batch, in their order."""

    steps: list[tuple[Scaled, float]] = field(default_factory=list)

    def add(self, step: Scaled, at_s: float) -> None:
        self.steps.append((step, at_s))

    def write(self, connection: Connection) -> None:
        for one, at_s in self.steps:
            of_it = (rents.c.node == plain(one.node)) & _OPEN
            match one.step:
                case Step.BOOTING:
                    _begin(connection, one, boots_s=at_s)
                case Step.JOINED:
                    known = connection.execute(update(rents).where(of_it).values(joined_s=at_s))
                    if not known.rowcount:
                        _begin(connection, one, joined_s=at_s)
                case Step.NOT_COME:
                    connection.execute(delete(rents).where(of_it))
                case Step.LEFT if not _renamed(connection, of_it, at_s):
                    connection.execute(delete(rents).where(of_it & _UNSEEN))
                    connection.execute(update(rents).where(of_it).values(until_s=at_s))
                case _:
                    pass


def rented(connection: Connection, until_s: float) -> Iterator[Rent]:
    """Those that were seen to boot, of what is not summed up yet. What has not left is there as far
    as placement has told: where it tells no more, nobody knows."""
    told_s = connection.scalar(select(cursors.c.at_s).where(cursors.c.stream == _STREAM)) or 0.0
    for row in connection.execute(select(rents).where(rents.c.boots_s < until_s)):
        end_s = told_s if row.until_s is None else row.until_s
        yield Rent(row.node, row.offering, row.boots_s, min(end_s, until_s))


def drop_rents(connection: Connection, until_s: float) -> None:
    """Those that left by then."""
    connection.execute(delete(rents).where(rents.c.until_s <= until_s))


def _begin(connection: Connection, step: Scaled, **times: float) -> None:
    names = {"node": plain(step.node), "offering": plain(step.offering)}
    connection.execute(insert(rents).values(**names, **times))


def _renamed(connection: Connection, of_it: ColumnElement[bool], at_s: float) -> bool:
    """Did it only boot, and one of its offering join in the same look that nobody saw boot?"""
    gone = connection.execute(select(rents).where(of_it & rents.c.joined_s.is_(None))).first()
    if gone is None:
        return False
    new = (rents.c.offering == gone.offering) & (rents.c.joined_s == at_s) & _OPEN & _UNSEEN
    joined = connection.scalar(select(rents.c.id).where(new).order_by(rents.c.id).limit(1))
    if joined is None:
        return False
    connection.execute(delete(rents).where(rents.c.id == gone.id))
    connection.execute(update(rents).where(rents.c.id == joined).values(boots_s=gone.boots_s))
    return True

"""The fleet: what is planned for it, what was done about it, and whose its nodes were."""

from dataclasses import dataclass

from sqlalchemy import select

from swarm.model.scaling import PlanMade, Scaled
from swarm.placement.metering import HOUR_S, Metered, Stay
from swarm.placement.minutes import Held
from swarm.store import read_tables
from swarm.store.database import Database
from swarm.store.history import decode_row
from swarm.store.usage import metered, standing


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of the fleet; `key` is where the next page goes on."""

    key: str
    step: Scaled


class Fleet:
    """Reads of plans, steps and usage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def plan(self) -> PlanMade | None:
        """The newest plan of the fleet; None where none was made."""
        table = read_tables.scaling
        rows = self._database.rows(select(table).where(table.c.kind == PlanMade.__name__))
        return decode_row(rows[0], PlanMade) if rows else None

    def steps(self, limit: int, before: str = "") -> list[StepRow]:
        """A page of what was done about the fleet, newest first."""
        table = read_tables.scaling
        query = select(table).where(table.c.kind == Scaled.__name__)
        if before:
            query = query.where(table.c.key < before)
        rows = self._database.rows(query.order_by(table.c.key.desc()).limit(limit))
        return [StepRow(row.key, decode_row(row, Scaled)) for row in rows]

    def usage(self, from_s: float, until_s: float, *, runs: bool = False) -> Metered:
        """Whose the nodes were, by the hours from `from_s` on; `runs`: each run by itself."""
        with self._database.reading() as connection:
            return metered(connection, int(from_s // HOUR_S), until_s, runs=runs)

    def standing(self, from_s: float, until_s: float) -> tuple[list[Stay], list[Held]]:
        """The nodes of the last hour, or a part of it, and what was held of them."""
        with self._database.reading() as connection:
            return standing(connection, from_s, until_s)

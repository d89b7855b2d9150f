"""How the choice of spot or dedicated looks outside."""

from typing import Self

from pydantic import BaseModel, Field

from swarm.model.sides import Sided
from swarm.model.work import CapacityClass
from swarm.placement.explain import of_sided


class SideRow(BaseModel):
    """Spot or dedicated for a task that waits, as placement proposes it."""

    task: str
    capacity: CapacityClass = Field(description="Workers of it come first.")
    pools: list[str] | None = Field(description="Of spot these alone may run it; null: any.")
    why: str

    @classmethod
    def of(cls, sided: Sided) -> Self:
        side = sided.side
        pools = None if side.pools is None else list(side.pools)
        return cls(task=sided.task, capacity=side.where, pools=pools, why=of_sided(sided))

"""How the choice of spot or dedicated looks outside, and what there was to choose from."""

from typing import Self

from pydantic import BaseModel, Field

from swarm.model.sides import Risk, Sided
from swarm.model.work import CapacityClass
from swarm.placement.explain import of_risk, of_sided


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


class RiskRow(BaseModel):
    """A pool of spot as it was when the plan was made."""

    pool: str
    usd_per_h: float = Field(description="Price of a node.")
    age_s: float = Field(description="For how long it has been there without a loss.")
    chance: float = Field(description="The probability that a node is lost within the next hour.")
    why: str

    @classmethod
    def of(cls, risk: Risk) -> Self:
        return cls(
            pool=risk.pool,
            usd_per_h=risk.price_usd_per_h,
            age_s=risk.age_s,
            chance=risk.chance,
            why=of_risk(risk),
        )

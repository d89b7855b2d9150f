"""How plans of the fleet and their steps look outside."""

from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape
from swarm.api.side_schemas import RiskRow, SideRow
from swarm.model.plans import Because, Candidate, Move, Placement, Unplaced
from swarm.model.scaling import PlanMade, Scaled, Step
from swarm.placement.explain import (
    of_choice,
    of_foretold,
    of_made,
    of_move,
    of_placement,
    of_step,
    of_unplaced,
)


class CandidateRow(Shape):
    """A fleet as it was rehearsed, on average over what may come."""

    workers: int
    missed: float = Field(description="Value of what is late.")
    makespan_s: float = Field(description="When all with a deadline is done.")
    rent_usd: float
    total_usd: float = Field(description="With what is late and how long it takes, priced.")
    chosen: bool

    @classmethod
    def of(cls, one: Candidate, chosen: bool) -> Self:
        return cls(
            workers=one.workers,
            missed=one.missed,
            makespan_s=one.makespan_s,
            rent_usd=one.rent_usd,
            total_usd=one.total_usd,
            chosen=chosen,
        )


class MoveRow(Shape):
    """What is to be done about a worker, or cannot be."""

    kind: str = Field(description="`scale_up`, `scale_down`, `kept` or `refused`.")
    worker: str
    because: Because
    why: str

    @classmethod
    def of(cls, move: Move) -> Self:
        return cls(
            kind=_KINDS[type(move).__name__],
            worker=getattr(move, "worker", ""),
            because=move.because,
            why=of_move(move),
        )


_KINDS = {
    "ScaleUp": "scale_up",
    "ScaleDown": "scale_down",
    "Kept": "kept",
    "Refused": "refused",
}


class UnplacedRow(Shape):
    """A task that no worker will run."""

    task: str
    because: Because
    why: str

    @classmethod
    def of(cls, one: Unplaced) -> Self:
        return cls(task=one.task, because=one.because, why=of_unplaced(one))


class PlacementRow(Shape):
    """A task where and when it is to run, if all takes as long as usual."""

    task: str
    worker: str = Field(description="A node, or one that is ordered or is to be.")
    start_s: int
    end_s: int
    slack_s: float | None = Field(
        description="How much later it might begin with everything in time; null: nothing is due."
    )
    because: Because
    why: str

    @classmethod
    def of(cls, one: Placement) -> Self:
        return cls(
            task=one.task,
            worker=one.worker,
            start_s=one.start_s,
            end_s=one.end_s,
            slack_s=one.slack_s,
            because=one.because,
            why=of_placement(one),
        )


class PlanRow(Shape):
    """The newest plan that decided anything. Times of its course are seconds from `at_s` on."""

    number: int
    at_s: float = Field(description="When it was made, in seconds since the epoch.")
    demands: int = Field(description="Tasks that run, wait, or are to come within the hour.")
    wanted: dict[str, int] = Field(description="Nodes of each offering.")
    usd_per_h: float = Field(description="What these cost.")
    candidates: list[CandidateRow] = Field(description="The smallest first.")
    moves: list[MoveRow]
    unplaced: list[UnplacedRow] = Field(description="The first hundred.")
    unplaced_all: int
    placements: list[PlacementRow] = Field(
        description="The first hundred: what waits, the soonest first, then what runs."
    )
    placements_all: int
    proposed: list[SideRow] = Field(description="Spot or dedicated, for the first hundred.")
    proposed_all: int
    risks: list[RiskRow] = Field(description="Of the pools of spot, the cheapest first.")
    makespan_s: int
    bound_s: int = Field(description="No plan on these workers ends sooner.")
    gap: float = Field(description="The one over the other: how far from perfect it is; 1 is.")
    kept_free: int = Field(description="Slots that backfills leave free.")
    what: str
    why: str = Field(description="Why so many workers.")
    foretold: str = Field(description="What was planned for that nobody announced, and why.")

    @classmethod
    def of(cls, made: PlanMade) -> Self:
        return cls(
            number=made.number,
            at_s=made.at_s,
            demands=made.demands,
            wanted=dict(made.wanted),
            usd_per_h=made.usd_per_h,
            candidates=[CandidateRow.of(one, one == made.chosen) for one in made.candidates],
            moves=[MoveRow.of(move) for move in made.moves],
            unplaced=[UnplacedRow.of(one) for one in made.unplaced],
            unplaced_all=made.unplaced_all,
            placements=[PlacementRow.of(one) for one in made.placements],
            placements_all=made.placements_all,
            proposed=[SideRow.of(one) for one in made.sided],
            proposed_all=made.sided_all,
            risks=[RiskRow.of(one) for one in made.risks],
            makespan_s=made.makespan_s,
            bound_s=made.bound_s,
            gap=made.gap,
            kept_free=made.kept_free,
            what=of_made(made),
            why=of_choice(made),
            foretold=of_foretold(made.foretold),
        )


class StepRow(Shape):
    """What was done about the fleet, or could not be."""

    at_s: float
    step: Step
    plan: int = Field(description="The plan it follows from; 0: none.")
    offering: str
    node: str
    worker: str
    because: Because | None = Field(
        description="Of the plan, or of whoever rents nodes; null where neither gave one."
    )
    why: str

    @classmethod
    def of(cls, one: Scaled) -> Self:
        return cls(
            at_s=one.at_s,
            step=one.step,
            plan=one.plan,
            offering=one.offering,
            node=one.node,
            worker=one.worker,
            because=one.move.because if one.move is not None else one.because,
            why=of_step(one),
        )

"""How large the fleet is to be, what was done about it, and what it costs."""

from typing import TypedDict

from swarm.client.call import Call, Pages, get
from swarm.client.calls.tasks import Side


class Candidate(TypedDict):
    """A fleet as it was rehearsed."""

    workers: int
    missed: float
    makespan_s: float
    rent_usd: float
    total_usd: float
    chosen: bool


class Move(TypedDict):
    """What is to be done about a worker, or cannot be."""

    kind: str
    worker: str
    because: str
    why: str


class Unplaced(TypedDict):
    """A task that no worker will run."""

    task: str
    because: str
    why: str


class Placement(TypedDict):
    """A task where and when it is to run; `slack_s`: how much later it might begin."""

    task: str
    worker: str
    start_s: int
    end_s: int
    slack_s: float | None
    because: str
    why: str


class Risk(TypedDict):
    """A pool of spot: `chance` is the probability that a node is lost within the next hour."""

    pool: str
    usd_per_h: float
    age_s: float
    chance: float
    why: str


class Plan(TypedDict):
    """The newest plan that decided anything. Times of its course are seconds from `at_s` on."""

    number: int
    at_s: float
    demands: int
    wanted: dict[str, int]
    usd_per_h: float
    candidates: list[Candidate]
    moves: list[Move]
    unplaced: list[Unplaced]
    unplaced_all: int
    placements: list[Placement]
    placements_all: int
    proposed: list[Side]
    proposed_all: int
    risks: list[Risk]
    makespan_s: int
    bound_s: int
    gap: float
    kept_free: int
    foretold: str
    what: str
    why: str


class ScalingStep(TypedDict):
    """What was done about the fleet, or could not be."""

    at_s: float
    step: str
    plan: int
    offering: str
    node: str
    worker: str
    because: str | None
    why: str


class CostRow(TypedDict):
    """What one cost. `retry_usd` and `sensor_usd` are part of `usd`."""

    name: str
    usd: float
    retry_usd: float
    sensor_usd: float
    ondemand_usd: float
    slot_h: float


class CostKind(TypedDict):
    """All nodes of one type, spot or dedicated."""

    type: str
    capacity: str
    node_h: float
    usd: float


class CostDay(TypedDict):
    """A day (UTC): the bill, and what it would have been elsewise."""

    day: str
    bill_usd: float
    idle_usd: float
    ondemand_usd: float
    static_usd: float
    node_h: float
    utilisation: float


class Unpriced(TypedDict):
    """Nodes that nobody told the price of."""

    pool: str
    capacity: str
    node_h: float


class CostNow(TypedDict):
    """What the nodes that are there now cost an hour; those without a price are in no sum."""

    nodes: int
    usd_per_h: float
    unpriced: int


class Cost(TypedDict):
    """A receipt: `rows`, `left_out_usd` and `idle_usd` make `bill_usd`."""

    from_s: float
    until_s: float
    by: str
    bill_usd: float
    idle_usd: float
    retry_usd: float
    sensor_usd: float
    spot_saving_usd: float
    ondemand_usd: float
    static_usd: float
    utilisation: float
    rows: list[CostRow]
    left_out: int
    left_out_usd: float
    kinds: list[CostKind]
    days: list[CostDay]
    unpriced: list[Unpriced]
    now: CostNow
    notes: list[str]


class CostMinute(TypedDict):
    """The mean over a minute that begins at `at_s`; `held` are the slots that tasks held, and
    `unpriced` the nodes that `usd_per_h` lacks."""

    at_s: float
    nodes: float
    slots: float
    held: float
    usd_per_h: float
    unpriced: float


def plan() -> Call[Plan]:
    """The newest plan of the fleet: candidates, what was chosen, and why."""
    return get("plan")


def scaling() -> Pages[ScalingStep]:
    """What was done about the fleet and why, newest first."""
    return Pages("scale", {})


def cost(
    by: str = "pipeline",
    days: int = 7,
    *,
    from_s: float | None = None,
    until_s: float | None = None,
    limit: int = 1_000,
) -> Call[Cost]:
    """What the nodes under swarm's workers cost, by `pipeline`, `team`, `day` or `run`."""
    return get("cost", by=by, days=days, from_s=from_s, until_s=until_s, limit=limit)


def cost_minutes() -> Call[list[CostMinute]]:
    """The last 60 minutes of the fleet: its nodes, its slots, how many were held, its cost."""
    return get("cost/minutes")

"""Each part of a plan in one sentence: what is done, and why."""

from collections.abc import Mapping

from swarm.model.learned import Foretold, Trust
from swarm.model.plans import (
    Because,
    Candidate,
    Kept,
    Move,
    Placement,
    Plan,
    Refused,
    Room,
    ScaleDown,
    ScaleUp,
    Unplaced,
)
from swarm.model.scaling import PlanMade, Scaled, Step
from swarm.model.sides import Risk, Side, Sided
from swarm.model.work import CapacityClass

_NO_MORE = {
    Because.MOST_WORKERS: "the budget allows no more workers (raise `most_workers`)",
    Because.MOST_USD: "the budget allows no more money an hour (raise `most_usd_per_h`)",
    Because.SOLD_OUT: "no offering has more of them (add nodes, or raise an offering's `most`)",
}

_NOT_GIVEN = {
    Because.SOLD_OUT: "whoever rents nodes has none of them now",
    Because.QUOTA: "the account's quota allows no more of them (have it raised)",
    Because.LAUNCH_FAILED: "whoever rents nodes could not launch it",
}

_LEFT_OUT = {
    Because.BEHIND: "it is behind others, who leave it no room until later",
    Because.NO_ROOM: "the budget allows no worker with that (raise `most_workers` or "
    "`most_usd_per_h`)",
}

_STEPS = {
    Step.ORDERED: "One more node of {offering} is wanted",
    Step.BOOTING: "{node} of {offering} boots",
    Step.JOINED: "{node} of {offering} joined",
    Step.NOT_COME: "The {offering} that was ordered did not come: it is sold out for a while",
    Step.NOT_JOINED: "{node} of {offering} did not join, is returned, and is sold out for a while",
    Step.DRAINED: "{node} of {offering} gets nothing more",
    Step.RETURNED: "{node} of {offering} is drained and empty, and is returned",
    Step.LEFT: "{node} of {offering} is gone",
    Step.REFUSED: "No more nodes can be had",
    Step.UNREACHABLE: "Whoever rents nodes does not answer; the fleet stays as it is",
    Step.REACHABLE: "Whoever rents nodes answers again",
}


def of_gap(made: Plan | PlanMade) -> str:
    """When all is done, and how much sooner it could be at best."""
    least = f"{made.gap - 1:.1%} more than the least any plan on these workers could take"
    return f"all done after {_minutes(made.makespan_s)}: {least}"


def of_made(made: PlanMade) -> str:
    """What a plan comes to."""
    wanted = ", ".join(f"{count} {name}" for name, count in made.wanted) or "none"
    whole = f"nodes wanted: {wanted} (${made.usd_per_h:.2f}/h) for {made.demands} tasks"
    left = f", {made.unplaced_all} of them unplaced" if made.unplaced_all else ""
    return f"Plan {made.number}, {whole}{left}."


def of_choice(made: PlanMade) -> str:
    """Why so many workers and not others."""
    one = made.chosen
    late_usd = max(0.0, one.total_usd - one.rent_usd)
    costs = f"rent ${one.rent_usd:.2f}, what is late and how long it takes ${late_usd:.2f}"
    whole = f"{one.workers} workers cost least of {len(made.candidates)} fleets: {costs}"
    return f"{whole}; {of_gap(made)}." if made.bound_s else f"{whole}."


def of_step(step: Scaled) -> str:
    """What was done about the fleet, and why."""
    what = _STEPS[step.step].format(offering=step.offering, node=step.node)
    if step.because in _NOT_GIVEN:
        said = f": {step.detail}" if step.detail else ""
        return f"{what}. The reason: {_NOT_GIVEN[step.because]}{said}."
    if step.detail:
        return f"{what}: {step.detail}."
    besides = f" {step.foretold}" if step.foretold else ""
    return f"{what}. {of_move(step.move)}{besides}" if step.move is not None else f"{what}."


def of_limit(limit: Because, not_given: Mapping[str, Because] | None = None) -> str:
    """What keeps a fleet from growing and what would help, in a part of a sentence. `not_given`:
    why offerings that are sold out are."""
    if not_given:
        told = "; ".join(f"{name}: {_NOT_GIVEN[why]}" for name, why in not_given.items())
        return f"no more can be had ({told})"
    return _NO_MORE[limit]


def of_left_out(unplaced: Unplaced) -> str:
    """Why a task that a larger fleet could run is not in the plan, in a part of a sentence; empty
    where no fleet could."""
    return _LEFT_OUT.get(unplaced.because, "")


def of_foretold(foretold: Foretold) -> str:
    """What is planned for beside all that is known, and how right that was so far."""
    covered = foretold.coverage
    right = "" if covered is None else f" (what it said was enough in {covered:.0%} of quarters)"
    match foretold.trust:
        case Trust.TOO_NEW:
            return "Nothing is planned for but what is known: too few days like this one were seen."
        case Trust.UNTRUSTED:
            slots = sum(count for _, count in foretold.slots)
            return f"The forecast is not trusted{right}: {slots} slots more are a margin."
        case Trust.TRUSTED if foretold.slots:
            most = max(count for _, count in foretold.slots)
            return f"By the forecast{right} up to {most} slots more are needed within the hour."
        case Trust.TRUSTED:
            return f"By the forecast{right} nothing comes beside what is known."


def of_risk(risk: Risk) -> str:
    """What a pool of spot costs, and how likely it is to be lost."""
    costs = f"Spot of {risk.pool} costs ${risk.price_usd_per_h:.2f}/h"
    lost = f"a node of it is lost within the hour in {risk.chance:.1%} of cases"
    if not risk.age_s:
        return f"{costs}; it was lost or not there just now: {lost}."
    return f"{costs}; it has been there for {_minutes(risk.age_s)} without a loss: {lost}."


def of_sided(sided: Sided) -> str:
    """Spot or dedicated, and why."""
    return f"{sided.task} goes {of_side(sided.side)}: {sided.why}."


def of_side(side: Side) -> str:
    """Where a task may run, in words."""
    if side.where is CapacityClass.SPOT:
        if side.pools is None:
            return "on spot while it has room"
        return f"on spot {', '.join(side.pools)} or on dedicated capacity"
    only = "on dedicated capacity"
    return f"{only} while it has room" if side.pools is None else f"{only} alone"


def of_placement(placement: Placement) -> str:
    """Who runs where, from when on and for how long, and why."""
    takes = f"for {_minutes(placement.end_s - placement.start_s)}"
    if placement.because is Because.RUNS:
        return f"{placement.task} goes on at {placement.worker} {takes}."
    at = f"{placement.task} begins on {placement.worker} in {_minutes(placement.start_s)}, {takes}"
    if placement.because is Because.FILLS:
        return f"{at}, where nothing else would run: it is behind all others."
    if placement.slack_s is None:
        return f"{at}: nothing that stands on it is due, and it keeps the end of all soonest."
    if placement.slack_s < 0:
        return f"{at}, {_minutes(-placement.slack_s)} too late for what stands on it."
    return f"{at}: of those ready it has the least slack, {_minutes(placement.slack_s)}."


def of_unplaced(unplaced: Unplaced) -> str:
    """Why it is not in the plan, and what would help."""
    needs = _room(unplaced.needs)
    match unplaced.because:
        case Because.NO_OFFERING if unplaced.largest:
            nearest = f"the nearest has {_room(unplaced.largest)}"
            return f"{unplaced.task} needs {needs}, which no offering can fit: {nearest}."
        case Because.NO_OFFERING:
            return f"{unplaced.task} needs {needs}, and there is no offering at all."
        case Because.UPSTREAM:
            return f"{unplaced.task} waits for {unplaced.waits_for}, which is not placed either."
        case Because.BEHIND:
            return f"{unplaced.task} waits: {_LEFT_OUT[Because.BEHIND]}."
        case _:
            return f"{unplaced.task} needs {needs}, and {_LEFT_OUT[Because.NO_ROOM]}."


def of_move(move: Move) -> str:
    """Why there are to be more workers, fewer, or neither."""
    match move:
        case ScaleUp():
            order = f"Order {move.worker} in {_minutes(move.order_s)}, to be up when it is needed"
            return f"{order}: {_gain(move)}."
        case ScaleDown():
            idle = f"it would be idle for {_minutes(move.saves_s)}"
            return f"Return {move.worker} once it is empty: {idle}."
        case Kept(because=Because.MOST_LEAVING):
            return f"Keep {move.worker} for now: as many go as may at a time (`most_leaving`)."
        case Kept():
            saves, costs = _minutes(max(0, move.saves_s)), _minutes(move.costs_s)
            return (
                f"Keep {move.worker}: to return it saves {saves}, to boot it again costs {costs}."
            )
        case Refused():
            late = f"with {move.workers} workers {move.missed:.2g} in value is expected late"
            return (
                f"More workers would be worth their price ({late}), but {of_limit(move.because)}."
            )


def _gain(move: ScaleUp) -> str:
    if move.without is None:
        return "it is one of the fewest that can do the work in time"
    less: Candidate = move.without
    if move.because is Because.PROMISES:
        return f"with {less.workers} workers {less.missed:.2g} in value would be late"
    return f"with {less.workers} workers all would be done only after {_minutes(less.makespan_s)}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if abs(seconds) >= 60 else f"{seconds:.0f} s"


def _room(room: Room) -> str:
    slots = f"{room[0]} slot{'s' * (room[0] != 1)}"
    return " and ".join(
        [slots, *(f"{units} of kind {kind}" for kind, units in enumerate(room[1:], 1))]
    )

"""What people's verdicts say of the channels: how far each one's weight is off here.

Logistic regression with an offset (after Platt, Probabilistic Outputs for Support Vector Machines,
1999): the log-odds of an end stay as they are fused by what the channels show of each other
(`agreement`), and each channel that counts for it adds one number of its own, fitted to all
verdicts at once by their likelihood under a normal prior. A verdict that was to be expected hardly
moves anything, so it does not matter that people are asked about the doubtful edges. Of a rejected
edge one end at least is wrong; which one, the likelihood shares out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from swarm.lineage.fusion import Belief
from swarm.model.lineage import Channel

# How far the weight of a channel may be off before anybody says so, as a standard deviation in
# log-odds: two channels in three make up to 1.6 times more or fewer mistakes than the channels have
# shown of each other. Three verdicts so move little, ten of the same kind about a unit.
SPREAD = 0.5

# New numbers are used once one has moved this far, as all edges of the channel are weighed again
# then. One verdict does not do it.
MATERIAL = 0.3

# Log-odds, and the channels that count for them.
End = tuple[float, tuple[Channel, ...]]

_ROUNDS = 60
_SURE = 1e-9  # keeps probabilities off 0 and 1


@dataclass(frozen=True, slots=True)
class Judged:
    """An edge and a person's word on it: both ends as they are without what verdicts taught."""

    write: Belief
    read: Belief
    real: bool


def fit(judged: Sequence[Judged]) -> dict[Channel, float]:
    """What to add to the log-odds of a sure report of each channel; those near 0 are left out.

    Ends whose evidence fades are left out: a rejection tells there that something ended, not that
    a channel was wrong.
    """
    edges = [
        (_end(edge.write), _end(edge.read), edge.real)
        for edge in judged
        if not any(p.still < 1 for p in (*edge.write.proofs, *edge.read.proofs))
    ]
    offsets: dict[Channel, float] = {}
    for _ in range(_ROUNDS):
        for channel, (slope, bend) in _slopes(edges, offsets).items():
            now = offsets.get(channel, 0.0)
            step = (slope - now / SPREAD**2) / (bend + 1 / SPREAD**2)
            offsets[channel] = now + step / 2  # half a step: channels of one end move together
    found = {channel: round(offset, 2) for channel, offset in sorted(offsets.items())}
    return {channel: offset for channel, offset in found.items() if offset}


def material(old: Mapping[Channel, float], new: Mapping[Channel, float]) -> bool:
    """Is `new` worth weighing everything again?"""
    return any(
        abs(new.get(channel, 0.0) - old.get(channel, 0.0)) >= MATERIAL
        for channel in old.keys() | new.keys()
    )


def _slopes(
    edges: Sequence[tuple[End, End, bool]], offsets: Mapping[Channel, float]
) -> dict[Channel, tuple[float, float]]:
    """By channel the first derivative of the likelihood, and the size of the second."""
    slopes: dict[Channel, tuple[float, float]] = {}
    for write, read, real in edges:
        above, below = _probability(write, offsets), _probability(read, offsets)
        for (_, channels), here, there in ((write, above, below), (read, below, above)):
            target = 1.0 if real else here * (1 - there) / (1 - here * there)
            for channel in channels:
                slope, bend = slopes.get(channel, (0.0, 0.0))
                slopes[channel] = slope + target - here, bend + here * (1 - here)
    return slopes


def _end(belief: Belief) -> End:
    sure = min(max(belief.probability, _SURE), 1 - _SURE)
    counting = tuple(proof.channel for proof in belief.proofs if proof.weight > 0)
    return log(sure / (1 - sure)), counting


def _probability(end: End, offsets: Mapping[Channel, float]) -> float:
    odds, channels = end
    moved = odds + sum(offsets.get(channel, 0.0) for channel in channels)
    return min(max(1 / (1 + exp(-moved)), _SURE), 1 - _SURE)

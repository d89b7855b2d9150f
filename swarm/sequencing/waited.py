"""Which planned starts waited because swarm held them, and until when.

Who draws them where they were planned, as long as such runs take, shows the day as it had gone
without swarm, as far as that can be known: when it had begun and what it had not had yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.sequencing.holds import SWARM


@dataclass(frozen=True, slots=True)
class Waited:
    """The start of `pipeline` that was planned for `due_s` was held until `until_s`, None: it is
    still, at the latest until `latest_s`. All are seconds since the epoch. `left_out`: it never
    began. `waits_for` are those whose data it was held for at last."""

    pipeline: PipelineKey
    due_s: float
    until_s: float | None
    latest_s: float
    waits_for: tuple[PipelineKey, ...]
    reason: str
    left_out: bool = False


def waited(made: Iterable[tuple[float, Intent]], now_s: float) -> list[Waited]:
    """By the decisions with when each was made, the oldest first; the starts in their order.

    Holds by a person and those that were noted only are none of these, nor is a start whose hold
    ended before it was due. Where no end is known a hold ended at its latest.
    """
    standing: dict[tuple[PipelineKey, float], Waited] = {}
    ended: list[Waited] = []
    for at_s, intent in made:
        if intent.act not in (Act.HOLD, Act.RELEASE):
            continue
        held_s = _held_s(intent)
        for place in [one for one in standing if one[0] == intent.target and one[1] not in held_s]:
            left_out = place[1] in intent.left_out_s
            ended.append(replace(standing.pop(place), until_s=at_s, left_out=left_out))
        for due_s in held_s:
            standing[intent.target, due_s] = Waited(
                intent.target, due_s, None, intent.valid_until_s, intent.waits_for, intent.reason
            )
    ended += (
        one if now_s < one.latest_s else replace(one, until_s=one.latest_s)
        for one in standing.values()
    )
    came = (one for one in ended if one.due_s < (now_s if one.until_s is None else one.until_s))
    return sorted(came, key=lambda one: (one.due_s, one.pipeline))


def _held_s(intent: Intent) -> tuple[float, ...]:
    is_ours = intent.act is Act.HOLD and intent.by == SWARM and intent.mode is Mode.GATE
    return intent.due_s if is_ours else ()

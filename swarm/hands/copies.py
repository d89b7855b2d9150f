"""A hand's own copy of each intent, and what follows from a new one, from time, from an answer.

Of a pipeline one intent stands at a time, that of the highest number; a trigger is apart and stands
beside it. The next intent of the same act takes the knob over as it is, any other has it turned
back first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from swarm.connectors.knobs import Look
from swarm.errors import InvalidTransition
from swarm.model.intents import Act, Carried, Intent

# A renewal that brings less of its time to live, or fewer seconds, changes nothing.
_RENEW_SHARE, _RENEW_S = 0.2, 6.0


class Stage(StrEnum):
    """How far a copy has come. Each is on disk before what it announces is done."""

    TAKEN = "taken"  # its knob is to be turned, and may have been
    STANDING = "standing"  # its knob was turned, or need not be as yet
    RENEWED = "renewed"  # the same, and it is to be looked at again
    ENDING = "ending"  # its knob is to be turned back, and may have been
    ENDED = "ended"


WAITING = frozenset({Stage.TAKEN, Stage.RENEWED, Stage.ENDING})

_NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.TAKEN: frozenset({Stage.TAKEN, Stage.STANDING, Stage.ENDING, Stage.ENDED}),
    Stage.STANDING: frozenset({Stage.RENEWED, Stage.ENDING, Stage.ENDED}),
    Stage.RENEWED: frozenset({Stage.RENEWED, Stage.STANDING, Stage.ENDING, Stage.ENDED}),
    Stage.ENDING: frozenset({Stage.ENDED}),
    Stage.ENDED: frozenset(),
}
_FOR_GOOD = frozenset({Carried.REFUSED, Carried.GONE, Carried.OVERRULED, Carried.EXPIRED})


@dataclass(frozen=True, slots=True)
class Copy:
    """`intent.valid_until_s` is by this machine's clock. `mark` is what the knobs need to turn it
    back, `turned` says that they certainly were, `outcome` what came of it so far, `trouble` why
    the last try failed."""

    intent: Intent
    stage: Stage = Stage.TAKEN
    mark: str = ""
    turned: bool = False
    outcome: Carried | None = None
    detail: str = ""
    trouble: str = ""

    def to(self, stage: Stage, outcome: Carried | None = None, detail: str = "") -> "Copy":
        """The copy at the next stage; what is not given stays."""
        if stage not in _NEXT[self.stage]:
            raise InvalidTransition(f"{self.intent.id}: {self.stage} -> {stage}")
        outcome = self.outcome if outcome is None else outcome
        return replace(self, stage=stage, outcome=outcome, detail=detail or self.detail, trouble="")


def take(known: Sequence[Copy], intent: Intent, now_s: float) -> list[Copy]:
    """The copies that are new or changed when `intent` comes in; `known` are all of its target."""
    same = next((copy for copy in known if copy.intent.number == intent.number), None)
    if same is not None:
        return _renewed(same, intent, now_s)
    if intent.act is Act.TRIGGER:
        return [Copy(intent)]
    others = [copy for copy in known if copy.intent.act is not Act.TRIGGER]
    if any(copy.intent.number > intent.number for copy in others):
        return [Copy(intent).to(Stage.ENDED, Carried.NOT_NEEDED, "a newer intent came before it")]
    changed, new = [], Copy(intent)
    for old in others:
        if old.stage in (Stage.ENDED, Stage.ENDING):
            continue
        if old.intent.act is intent.act:
            stage = Stage.TAKEN if old.stage is Stage.TAKEN else Stage.RENEWED
            new = replace(new, stage=stage, mark=old.mark, turned=old.turned)
            changed.append(old.to(Stage.ENDED, Carried.DONE, f"goes on as #{intent.number}"))
        elif old.mark:
            changed.append(replace(old, intent=_told(old.intent, intent)).to(Stage.ENDING))
        else:  # nothing was turned
            changed.append(old.to(Stage.ENDED, Carried.NOT_NEEDED))
    return [*changed, new]


def _told(held: Intent, over: Intent) -> Intent:
    """What ends a hold says what becomes of what it held."""
    return replace(
        held,
        due_s=over.due_s,
        let_go_s=over.let_go_s,
        left_out_s=over.left_out_s,
        skip_at_s=over.skip_at_s,
    )


def _renewed(copy: Copy, intent: Intent, now_s: float) -> list[Copy]:
    before = copy.intent
    due_s = tuple(sorted({*before.due_s, *intent.due_s}))
    gain_s = intent.valid_until_s - before.valid_until_s
    worth_s = max(_RENEW_S, _RENEW_SHARE * (intent.valid_until_s - now_s))
    is_over = copy.stage in (Stage.ENDED, Stage.ENDING)
    if is_over or (gain_s < worth_s and due_s == before.due_s):
        return []
    until_s = max(intent.valid_until_s, before.valid_until_s)
    stage = Stage.TAKEN if copy.stage is Stage.TAKEN else Stage.RENEWED
    return [replace(copy.to(stage), intent=replace(intent, due_s=due_s, valid_until_s=until_s))]


def run_out(copy: Copy) -> Copy | None:
    """The copy when its time is over and nobody renewed it; None when that changes nothing."""
    if copy.intent.act is Act.RELEASE or copy.stage in (Stage.ENDING, Stage.ENDED):
        return None
    if not copy.mark and copy.stage is not Stage.TAKEN:
        return copy.to(Stage.ENDED)
    if not copy.mark or copy.intent.act is Act.TRIGGER:
        why = "nobody could act in time" + (f": {copy.trouble}" if copy.trouble else "")
        return copy.to(Stage.ENDED, Carried.EXPIRED, why)
    return copy.to(Stage.ENDING, Carried.EXPIRED, "it was not renewed")


def seen(copy: Copy, look: Look) -> Copy:
    """The copy after a look that is enough of an answer, and after a turn."""
    is_turned = copy.turned or look.outcome is Carried.DONE
    copy = replace(copy, mark=look.mark, turned=is_turned)
    if look.outcome in _FOR_GOOD:
        return copy.to(Stage.ENDING if look.mark else Stage.ENDED, look.outcome, look.detail)
    stage = Stage.ENDED if copy.intent.act is Act.TRIGGER else Stage.STANDING
    return copy.to(stage, look.outcome, look.detail)


def undone(copy: Copy, outcome: Carried, detail: str) -> Copy:
    """The copy after its knob was turned back: what had ended it before is not forgotten."""
    had_ended = copy.outcome in _FOR_GOOD
    is_news = outcome in (Carried.OVERRULED, Carried.GONE)
    told = "; ".join(part for part in (copy.detail if had_ended else "", detail) if part)
    return copy.to(Stage.ENDED, outcome if is_news or not had_ended else copy.outcome, told)


def outcome_of_release(copies: Iterable[Copy], release: Copy) -> Copy:
    """How a release went, now that whatever stood before it has ended."""
    numbers = [c.intent.number for c in copies if c.intent.act is Act.RELEASE and c != release]
    since = max((n for n in numbers if n < release.intent.number), default=-1)
    ended = [c for c in copies if since < c.intent.number < release.intent.number and c.mark]
    if not ended:
        return release.to(Stage.ENDED, Carried.NOT_NEEDED, "nothing was turned here")
    last = max(ended, key=lambda copy: copy.intent.number)
    return release.to(Stage.ENDED, last.outcome, last.detail)

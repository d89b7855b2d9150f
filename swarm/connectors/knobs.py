"""The port to the knobs of one orchestrator instance: what a hand may turn, there and back.

Which knobs: only such under which a held run still comes into being, or where whoever turns the
knob back creates what was suppressed, under a key that allows it once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from swarm.model.intents import Act, Carried, Intent


@dataclass(frozen=True, slots=True)
class Look:
    """What would be turned. `mark` says it to `turn` and to `undo`, and what of it was turned
    already. An outcome of None: the knob is to be turned. `detail` is one line for a person."""

    mark: str
    outcome: Carried | None = None
    detail: str = ""


class Knobs(Protocol):
    """Turns the knobs of one orchestrator. Each call may be sent again, whatever became of the one
    before: the caller may have died in it.

    The order of calls, for the whole life of an intent: `look`, `turn`, again both at each renewal
    (a later `valid_until_s`, perhaps more `due_s`, perhaps a later `from_s`: what was due before it
    is let go or left out while the hold goes on, or `look` refuses and the hold is over), `undo`,
    which leaves out what `Intent.leaves_out` says, start by start. What `look` answers as the mark
    is on disk before `turn` is called. All raise `Unavailable`, `Unauthorized` or
    `MalformedResponse`; the caller tries again.
    """

    @property
    def acts(self) -> Collection[Act]:
        """What there are knobs for; a trigger is turned and never undone."""
        ...

    async def look(self, intent: Intent, mark: str, turned: bool) -> Look:
        """What would be turned as things are; changes nothing. `mark` is that of the look before,
        empty at first. `turned`: it is known that its turn was made, so what differs from it now a
        person changed: then `OVERRULED`. Else it may have been made.

        `NOT_NEEDED` leaves the knob and is asked again at the renewal; `REFUSED`, `GONE` and
        `OVERRULED` are for good.
        """
        ...

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        """Turn the knob as `look` said; `REFUSED` when that turned out to be wrong: what was turned
        is undone next. Returns how it went, and the line for a person."""
        ...

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        """Turn back what of `mark` still is as it was left, and see to it that each start that it
        suppressed comes into being once, unless the intent leaves it out: `REFUSED` where that
        cannot be. `OVERRULED` where a person changed it since. It is not called where no look ever
        gave a mark."""
        ...

    async def close(self) -> None: ...

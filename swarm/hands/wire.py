"""What a hand is told and answers, as JSON over HTTP."""

from dataclasses import dataclass

from swarm.hands.copies import Copy
from swarm.model.intents import Carried, Intent
from swarm.store.codec import Codec

PATH = "/api/v1/intents"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the intent of that id so far. An outcome of None: it is under way; `detail` then
    says what it waits for, if anything."""

    id: str
    outcome: Carried | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the hand is told. `told_s` is the time by the clock that the intents' times are of."""

    told_s: float
    intents: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What it answers, in the order of what it was told."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What it has in its file."""

    copies: tuple[Copy, ...]


WANTED, ANSWERED, REMEMBERED = Codec(Wanted), Codec(Answered), Codec(Remembered)

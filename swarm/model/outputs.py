"""What a task prints: a part of it on its way, what a reader gets, how much is kept."""

from dataclasses import dataclass

from swarm.model.work import Token


@dataclass(frozen=True, slots=True)
class Kept:
    """How much is kept: of one output, in bytes, and of all together."""

    head_bytes: int = 1 << 20
    tail_bytes: int = 4 << 20
    all_bytes: int = 2 << 30
    outputs: int = 100_000


DEFAULT = Kept()


@dataclass(frozen=True, slots=True)
class Output:
    """What one worker prints under a grant. Two do where the grant has a second copy, which runs
    beside the first: each has an output of its own. `copy`: that of the second."""

    token: Token
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What was printed from byte `at` on. `last`: no more is."""

    output: Output
    at: int
    text: bytes
    last: bool = False


@dataclass(frozen=True, slots=True)
class Printed:
    """An answer to a reader. `next_byte` is where to go on; `complete`: nothing comes after it."""

    text: bytes = b""
    next_byte: int = 0
    complete: bool = True

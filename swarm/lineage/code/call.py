"""A call to something that is not part of the program."""

from collections.abc import Mapping
from dataclasses import dataclass

from swarm.lineage.code.values import Atom, External, Made, Member, Value, of


@dataclass(frozen=True, slots=True)
class Call:
    """A call to something that is not part of the program; `place` is `file:line`."""

    function: Atom
    args: tuple[Value, ...]
    kwargs: Mapping[str, Value]
    place: str
    module: str = ""

    @property
    def name(self) -> str:
        """The last part of the function's name."""
        if isinstance(self.function, External):
            return self.function.name.rpartition(".")[2]
        return self.function.name if isinstance(self.function, Member) else ""

    def argument(self, position: int, *keywords: str) -> Value | None:
        """An argument by its position (-1: keyword only) or one of its keywords."""
        for keyword in keywords:
            if keyword in self.kwargs:
                return self.kwargs[keyword]
        return self.args[position] if 0 <= position < len(self.args) else None


def made(call: Call) -> Value:
    """The value of a call nothing is known of."""
    return of(Made(call.function, call.args, call.kwargs))

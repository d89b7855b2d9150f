"""The port through which a walk tells what it meets."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from swarm.lineage.code.call import Call
from swarm.lineage.code.values import Function, Instance, Value


class Watcher(Protocol):
    """Is told what happens on the way."""

    def entered(
        self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> Value | None:
        """A function of the program is about to be walked; a value stands in for the walk."""

    def left(self, function: Function) -> None:
        """The walk of a function ended."""

    def created(self, instance: Instance, kwargs: Mapping[str, Value], place: str) -> None:
        """An object of a class of the program was made."""

    def content(self, call: Call) -> Value | None:
        """What the call reads from a file of the program; asked also where nothing is told."""

    def called(self, call: Call) -> Value | None:
        """Something outside the program is called; a value is what it gives back."""

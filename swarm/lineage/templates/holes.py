"""A text with its templates filled in, and the stand-ins for those without a known value.

A stand-in is a plain word that parses in most places of a statement and that `holes_in` finds
again.
"""

import re
from dataclasses import dataclass, replace

_MAX_SOURCE = 200  # characters of a template in a report
_HOLE = re.compile(r"swarm_hole_(\d+)_")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One variant of a text; `lines[i]` is the line of the original that line `i + 1` is from."""

    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """All variants of a text. `holes[i]` is what stand-in `i` stands for; `problem` is the line
    and the reason why a part of the text could not be looked at. `passed` are the names, with the
    line, that dbt's `ref` and `source` give to macros that are not known."""

    variants: tuple[Rendered, ...]
    holes: tuple[str, ...] = ()
    problem: tuple[int, str] | None = None
    passed: tuple[tuple[str, int], ...] = ()

    def holes_in(self, name: str) -> tuple[str, ...]:
        """The templates without a known value that are part of `name`."""
        found = (int(number) for number in _HOLE.findall(name))
        return tuple(self.holes[number] for number in found if number < len(self.holes))

    def with_hole(self, source: str) -> "tuple[Rendering, str]":
        """The same with one more template, `source`, and its stand-in."""
        source = source[:_MAX_SOURCE]
        if source in self.holes:
            return self, _stand_in(self.holes.index(source))
        return replace(self, holes=(*self.holes, source)), _stand_in(len(self.holes))

    def restored(self, text: str) -> str:
        """`text` with the templates back in the places of their stand-ins."""

        def source(match: re.Match[str]) -> str:
            number = int(match.group(1))
            known = number < len(self.holes)
            return "{{ " + self.holes[number] + " }}" if known else match.group(0)

        return _HOLE.sub(source, text)


def _stand_in(number: int) -> str:
    return f"swarm_hole_{number}_"


def is_hole(text: str) -> bool:
    """Whether `text` is one stand-in and nothing else."""
    return _HOLE.fullmatch(text) is not None


class Holes:
    """Numbers the templates without a value; the same template has the same number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.passed: dict[str, int] = {}

    def stand_in(self, source: str) -> str:
        source = source[:_MAX_SOURCE]
        return _stand_in(self.known.setdefault(source, len(self.known)))

    def take(self, name: str, line: int) -> None:
        self.passed.setdefault(name, line)

"""One look at a set-up: what was found, and the command that mends it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found; `fix` is empty where all is well."""

    what: str
    found: str
    fix: str = ""

"""How long, as a person says it (`90s`, `30m`, `2h`, `7d`), and as it is told to one."""

import re

from swarm.cli.connection import fail

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str) -> float:
    """So many seconds; ends the command with 2 where that is no time."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        fail(f"`{text}` is no time; say `30m` or `2h`.", 2)
    return float(found[1]) * _UNITS_S[found[2]]


def span(seconds: float) -> str:
    """A time in hours and minutes, or in seconds where it is short."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"

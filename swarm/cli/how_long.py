"""How long, as a person says it: `90s`, `30m`, `2h`, `7d`."""

import re

from swarm.cli.connection import fail

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text: str) -> float:
    """So many seconds; ends the command with 2 where that is no time."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        fail(f"`{text}` is no time; say `30m` or `2h`.", 2)
    return float(found[1]) * _UNITS_S[found[2]]

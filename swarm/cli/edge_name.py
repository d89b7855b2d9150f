"""A dependency as people write it."""

import re
from dataclasses import dataclass

from swarm.errors import InputError

_EDGE = re.compile(r"\s*(\S.*?)\s*->\s*(\S.*?)(?:\s+through\s+(\S.*?))?\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EdgeName:
    """Two names of pipelines or tasks; an empty `dataset` means any."""

    upstream: str
    downstream: str
    dataset: str


def edge_name(text: str) -> EdgeName:
    """`WRITER -> READER` or `WRITER -> READER through DATASET`; raises `InputError`."""
    match = _EDGE.fullmatch(text)
    if match is None:
        raise InputError(
            f"`{text}` is no dependency; write 'WRITER -> READER', or 'WRITER -> READER through "
            "DATASET', each a pipeline or orchestrator/pipeline/task."
        )
    return EdgeName(match.group(1), match.group(2), match.group(3) or "")

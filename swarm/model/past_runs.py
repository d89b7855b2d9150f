"""The ended runs of a pipeline, oldest first, packed: 32 bytes each.

A run is known by its start: two words on the same start are one run, which ended at the later end
and failed if either says so. So neither the order of the words nor a repetition matters.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from math import isnan, nan
from operator import sub

from swarm.model.runs import Ran, Run, RunState

NONE = b""

_ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED})
_FIELDS = 4
_RUN_BYTES = 8 * _FIELDS


def ran_of(run: Run) -> Ran | None:
    """What there is to remember of a run: None while it has not ended, or if it was cancelled."""
    started_s, ended_s = run.started_at_s, run.ended_at_s
    if run.state not in _ENDED or started_s is None or ended_s is None:
        return None
    return Ran(run.scheduled_for_s, started_s, ended_s, run.state is RunState.FAILED)


def merged(packed: bytes, runs: Iterable[Ran], most: int) -> bytes:
    """What is known with `runs` taken in, the newest `most` of it."""
    runs = list(runs)
    newest = unpacked(packed[-_RUN_BYTES:])
    if len(runs) == 1 and all(runs[0].started_at_s > one.started_at_s for one in newest):
        # As they come, one after the other: nothing else that is known has to be looked at.
        return (packed + array("d", _numbers(runs[0])).tobytes())[-most * _RUN_BYTES :]
    known = {ran.started_at_s: ran for ran in unpacked(packed)}
    for ran in runs:
        old = known.get(ran.started_at_s)
        known[ran.started_at_s] = _both(old, ran) if old else ran
    kept = [known[started_s] for started_s in sorted(known)[-most:]]
    return array("d", [number for ran in kept for number in _numbers(ran)]).tobytes()


def unpacked(packed: bytes) -> tuple[Ran, ...]:
    numbers = iter(array("d", packed))
    return tuple(
        Ran(None if isnan(planned_s) else planned_s, started_s, ended_s, bool(failed))
        for planned_s, started_s, ended_s, failed in zip(*[numbers] * _FIELDS, strict=True)
    )


def durations_s(packed: bytes) -> list[float]:
    """How long each took."""
    numbers = array("d", packed)
    return [*map(sub, numbers[2::_FIELDS], numbers[1::_FIELDS])]


def since(packed: bytes, start_s: float) -> tuple[Ran, ...]:
    """The runs that began then or later, and the one before them."""
    starts = array("d", packed)[1::_FIELDS]
    at = max(0, bisect_left(starts, start_s) - 1)
    return unpacked(packed[at * _RUN_BYTES :])


def _both(one: Ran, other: Ran) -> Ran:
    planned = [r.scheduled_for_s for r in (one, other) if r.scheduled_for_s is not None]
    return Ran(
        min(planned, default=None),
        one.started_at_s,
        max(one.ended_at_s, other.ended_at_s),
        one.failed or other.failed,
    )


def _numbers(ran: Ran) -> tuple[float, float, float, float]:
    planned_s = nan if ran.scheduled_for_s is None else ran.scheduled_for_s
    return planned_s, ran.started_at_s, ran.ended_at_s, float(ran.failed)

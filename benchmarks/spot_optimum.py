"""The least that a job can cost on a trace, for who knows all of it: dynamic programming, exact.

The state is the step, where the job runs, and how many steps of work are left; what is lost or left
in the middle of a piece begins again. To begin anywhere takes the restart, which is paid. All jobs
of one trace that are alike but for their start go through it together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.spot_jobs import JobKind
from benchmarks.spot_traces import Trace

Costs = NDArray[np.float64]


def least_costs(trace: Trace, kind: JobKind, begins: Sequence[int]) -> Costs:
    """For each start, in steps at the dedicated price."""
    up = np.array([(*pool.up,) for pool in trace.pools] + [(True,) * trace.steps])
    price = np.array([pool.price for pool in trace.pools] + [(1.0,) * trace.steps])
    live = up.any(axis=1)
    up, price = up[live], price[live]
    start = np.array(begins)
    places, left = len(up), kind.work + 1
    # What is left when a piece begins again: whole pieces.
    again = np.array([-(-n // kind.piece) * kind.piece for n in range(left)])
    never = np.full((len(start), left), np.inf)
    never[:, 0] = 0.0
    # By how many steps ahead: the costs from there on, nowhere and ready in each place.
    nowhere = {kind.window: never}
    ready = {kind.window: [never] * places}
    for step in range(kind.window - 1, -1, -1):
        best = nowhere[step + 1]
        if step + kind.restart <= kind.window:
            for place in range(places):
                best = np.minimum(
                    best,
                    _begun(up, price, place, start + step, kind.restart)
                    + ready[step + kind.restart][place],
                )
        nowhere[step] = best
        leave = best[:, again]
        ready[step] = []
        for place in range(places):
            here = np.where(up[place, start + step], price[place, start + step], np.inf)
            stay = never.copy()
            stay[:, 1:] = here[:, None] + ready[step + 1][place][:, :-1]
            ready[step].append(np.minimum(stay, leave))
        ready.pop(step + kind.restart, None)
        del nowhere[step + 1]
    return nowhere[0][:, kind.work]


def _begun(
    up: NDArray[np.bool_], price: Costs, place: int, at: NDArray[np.int_], restart: int
) -> Costs:
    """What it costs to get ready there, without end where it is gone before that."""
    cost = np.zeros(len(at))
    for step in range(restart):
        cost += np.where(up[place, at + step], price[place, at + step], np.inf)
    return cost[:, None]

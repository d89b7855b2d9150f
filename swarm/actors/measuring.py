"""How the figures of an actor reach Prometheus: through Ray's own export.

The agent that Ray runs on each node collects them from its actors, with or without Ray's dashboard,
and serves one page for all of them; so nothing of ours listens, and what an actor owns is counted
once, however many replicas the API has. Ray puts `ray_` before each name; `cluster/grafana/` has
the line of Prometheus' settings that takes it off again.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from swarm.errors import SwarmError
from swarm.telemetry import Figure, Kind, Metric

_EVERY_S = 10.0  # Prometheus looks every fifteen, unless it is told otherwise
# What a bug here raises, or a change in Ray's: it must not end an actor that has work to do.
_FAULTS = (RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

log = structlog.get_logger()

_Series = tuple[str, tuple[tuple[str, str], ...]]


class Exporter:
    """Sends figures to `make`'s instruments, as `ray.util.metrics` has them."""

    def __init__(self, make: Callable[[Metric], Any]) -> None:
        self._make = make
        self._instruments: dict[str, Any] = {}
        self._counted: dict[_Series, float] = {}
        self._shown: set[_Series] = set()

    def export(self, figures: Iterable[Figure]) -> None:
        """All that is measured now. A gauge that is no longer among them is 0 from then on: Ray
        would repeat its last value for ever."""
        shown = set()
        for figure in figures:
            labels = {name: str(value) for name, value in figure.labels.items()}
            series = (figure.metric.name, tuple(labels.items()))
            instrument = self._instrument(figure.metric)
            if figure.metric.kind is Kind.GAUGE:
                instrument.set(float(figure.value), tags=labels)
                shown.add(series)
            elif (more := figure.value - self._counted.get(series, 0.0)) > 0:
                instrument.inc(more, tags=labels)
                self._counted[series] = figure.value
        for name, gone in self._shown - shown:
            self._instruments[name].set(0.0, tags=dict(gone))
        self._shown = shown

    def _instrument(self, metric: Metric) -> Any:
        known = self._instruments.get(metric.name)
        if known is None:
            known = self._instruments[metric.name] = self._make(metric)
        return known


def measured(
    figures: Callable[[], Awaitable[Iterable[Figure]]],
) -> "asyncio.Future[None] | None":
    """Export figures for ever; not where this process is none of Ray's, as in tests."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return None
    return asyncio.ensure_future(_measure(figures, Exporter(_of_ray)))


async def _measure(figures: Callable[[], Awaitable[Iterable[Figure]]], exporter: Exporter) -> None:
    while True:
        try:
            exporter.export(await figures())
        except (SwarmError, *_FAULTS) as error:
            log.warning("nothing is measured", error=repr(error))
        await asyncio.sleep(_EVERY_S)


def _of_ray(metric: Metric) -> Any:
    from ray.util import metrics

    kind = metrics.Gauge if metric.kind is Kind.GAUGE else metrics.Counter
    return kind(metric.name, metric.help, metric.labels)

"""The actors that there is one of, or one of for each source, and what each is given."""

from collections.abc import Callable
from typing import Any

from swarm.actors import handles, options
from swarm.actors.alerts import AlertsActor
from swarm.actors.connector import ConnectorActor
from swarm.actors.dispatcher import DispatcherActor
from swarm.actors.graph import GraphActor
from swarm.actors.outputs import OutputsActor
from swarm.actors.placement import PlacementActor
from swarm.actors.projector import ProjectorActor
from swarm.actors.publisher import PublisherActor
from swarm.actors.sequencer import SequencerActor
from swarm.actors.tracer import TracerActor
from swarm.capacity.base import Capacity
from swarm.config import Settings


def start_actors(
    settings: Settings, spawn: Callable[..., Any], payload_key: bytes, beat_key: bytes
) -> list[Any]:
    """All that the settings ask for, workers and agents aside."""
    graph, sequencer = handles.GraphHandle(), handles.SequencerHandle()
    dispatch = handles.DispatchHandle()
    plans = settings.placement.pool != "off"
    dispatching = (payload_key, handles.Watch(), beat_key, handles.own_address)
    sequencing = (dispatch, handles.PlacementHandle() if plans else None)
    started = [
        spawn(DispatcherActor, options.DISPATCHER, settings, *dispatching),
        spawn(GraphActor, options.GRAPH, settings),
        spawn(SequencerActor, options.SEQUENCER, settings, *sequencing),
        spawn(ProjectorActor, options.PROJECTOR, settings),
        spawn(OutputsActor, options.OUTPUTS, settings),
    ]
    for source in settings.sources:
        how = options.connector(source.instance)
        started.append(spawn(ConnectorActor, how, source, settings, graph, sequencer))
    if settings.alerts.targets:
        started.append(spawn(AlertsActor, options.ALERTS, settings))
    if settings.publish.url:
        started.append(spawn(PublisherActor, options.PUBLISHER, settings))
    if settings.telemetry.traces_url:
        started.append(spawn(TracerActor, options.TRACER, settings))
    if plans:
        port = _capacity(settings)
        started.append(spawn(PlacementActor, options.PLACEMENT, settings, dispatch, port))
    return started


def _capacity(settings: Settings) -> Callable[[], Capacity]:
    """Makes, where placement runs, the port to whoever rents nodes."""

    def static() -> Capacity:
        from swarm.actors.handles import standing
        from swarm.actors.terms import offerings
        from swarm.capacity.static import Static

        return Static(offerings(settings), standing)

    def autoscaled() -> Capacity:
        import ray

        from swarm.actors.terms import offerings, pool_prices
        from swarm.capacity.at_market import AtMarket
        from swarm.capacity.prices import Prices
        from swarm.capacity.ray_autoscaler import RayAutoscaler
        from swarm.capacity.ray_request import RayRequest
        from swarm.clock import SystemClock

        asked = RayRequest(ray.get_runtime_context().gcs_address)
        pool = RayAutoscaler(offerings(settings), asked, SystemClock())
        return AtMarket(pool, Prices(pool_prices(settings)).book, SystemClock())

    return autoscaled if settings.placement.pool == "ray" else static

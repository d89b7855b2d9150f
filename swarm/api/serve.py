"""The binding of the API to Ray Serve: one application, its read model in each replica."""

from collections.abc import Callable, Mapping
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve

from swarm.actors.dispatcher import STREAM
from swarm.actors.handles import DispatchHandle, GraphHandle, OutputsHandle, SequencerHandle
from swarm.actors.journaled import trails
from swarm.actors.terms import pool_prices
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.api.oidc import Issuer
from swarm.capacity.prices import Prices
from swarm.clock import SystemClock
from swarm.config import Settings
from swarm.connectors.contexts import sql_context
from swarm.model.access import Caller
from swarm.model.weekdays import DAY_S
from swarm.store.journal import open_journal
from swarm.store.outputs import open_outputs
from swarm.store.projections import open_projections
from swarm.store.trail import standing
from swarm.telemetry import log_as_json

APPLICATION = "swarm-api"
# A client hears "come back later" before it, or what stands between, stops waiting for an answer.
_WITHIN_S = 20.0


def start(settings: Settings, token: str, tokens: Mapping[str, Caller], payload_key: bytes) -> None:
    """Start Ray Serve and the API on it; returns when it answers."""
    serve.start(http_options={"host": settings.api.host, "port": settings.api.port})
    deployment = serve.deployment(
        serve.ingress(_builder(settings, token, tokens, payload_key))(_Api),
        name=APPLICATION,
        ray_actor_options={"num_cpus": 0} | ({} if settings.store_url else _here()),
        max_ongoing_requests=1_000,  # most of them are long polls, which only wait
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )
    serve.run(deployment.bind(), name=APPLICATION, route_prefix="/")


def _here() -> dict[str, Any]:
    """On this node, where the files of the store are."""
    return {"label_selector": {"ray.io/node-id": ray.get_runtime_context().get_node_id()}}


class _Api:
    """What Serve makes a replica of; the routes are in the app."""


def _builder(
    settings: Settings, token: str, tokens: Mapping[str, Caller], payload_key: bytes
) -> Callable[[], FastAPI]:
    def build() -> FastAPI:
        log_as_json()
        journal = open_journal(settings.store_url, settings.state_dir)
        clock = SystemClock()
        oidc = settings.api.oidc

        def quarantine(stream: str, seq: int, by: str, reason: str, cause: str) -> None:
            journal.quarantine(stream, seq, by, reason, clock.now_s(), cause)

        return create_app(
            Deps(
                token=token,
                tokens=tokens,
                keys=journal.keys(),
                audit=journal.audit(),
                issuer=None if oidc is None else Issuer(oidc, clock),
                graph=GraphHandle(_WITHIN_S),
                dispatch=DispatchHandle(_WITHIN_S),
                outputs=OutputsHandle(_WITHIN_S),
                sequencer=SequencerHandle(_WITHIN_S),
                output=open_outputs(settings.store_url, settings.state_dir).read,
                result=lambda token: journal.results(STREAM, payload_key).get(token),
                projections=open_projections(settings.store_url, settings.state_dir),
                clock=clock,
                standing=lambda: standing(trails(settings)),
                quarantine=quarantine,
                lineage_namespaces={
                    source.lineage_namespace or source.instance: source.instance
                    for source in settings.sources
                },
                # Events do not name the connection of their SQL: it is read as the default one's.
                sql_context=lambda _: sql_context(settings),
                pass_key=payload_key,
                requests_per_s=settings.api.requests_per_s,
                prices=Prices(pool_prices(settings)).book,
                min_confidence=settings.min_confidence,
                audit_kept_s=settings.audit_days * DAY_S,
                plans=settings.placement.pool != "off",
                team_weights={name: team.weight for name, team in settings.teams.items()},
            )
        )

    return build

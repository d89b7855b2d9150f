"""The whole tree of settings."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from swarm.config.access import Api
from swarm.config.alerts import Alerts
from swarm.config.rules import LinkRule, PipelineRule, Promise
from swarm.config.section import Section, UserPath
from swarm.config.sources import (
    Counted,
    HandPlace,
    Naming,
    Publishing,
    Source,
    SqlConnection,
    Telemetry,
)
from swarm.config.work import Agents, Placement, PoolPrices, Team, Worker


class Settings(Section):
    """All of swarm's settings."""

    state_dir: UserPath = Field(
        default_factory=lambda: (
            Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "swarm"
        ),
        description="Folder of the journal, the token and what runs now.",
    )
    store_url: str = Field(
        "",
        description="PostgreSQL URL of the store, or `secret://file/PATH` or `secret://env/NAME` "
        "that holds it; empty for SQLite in `state_dir`.",
    )
    ray_address: str = Field(
        "",
        description="Ray cluster to run on: `auto` on its head node, or `HOST:PORT`; empty starts "
        "one on this machine.",
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the metrics page of the Ray that swarm starts, `/metrics`, which "
        "wants no token and is for this machine alone; 0: any that is free, as `up.json` in "
        "`state_dir` says.",
    )
    api: Api = Api()
    worker: Worker = Worker()
    agents: tuple[Agents, ...] = Field((), description="Agents to keep alive.")
    placement: Placement = Placement()
    teams: dict[str, Team] = Field(
        default_factory=dict, description="Teams whose share or queue differs, by name."
    )
    prices: dict[str, PoolPrices] = Field(
        default_factory=dict,
        description="What nodes cost, by pool: their label `swarm/pool`, else their node group, "
        '`""` where they have neither.',
    )
    sources: tuple[Source, ...] = Field((), description="What swarm reads.")
    hand: HandPlace = HandPlace()
    code: tuple[UserPath, ...] = Field(
        (), description="Checkouts of pipeline code that may be read to find what tasks touch."
    )
    connections: dict[str, SqlConnection] = Field(
        default_factory=dict,
        description="SQL connections by the name pipelines use; `default` for all others.",
    )
    naming: Naming = Naming()
    lineage: Counted = Counted()
    slas: tuple[Promise, ...] = Field((), description="By when pipelines are to be done.")
    pipelines: tuple[PipelineRule, ...] = Field(
        (), description="How far swarm may go with which pipelines; `warn` where none fits."
    )
    links: tuple[LinkRule, ...] = Field((), description="Which pipelines start which others.")
    alerts: Alerts = Alerts()
    publish: Publishing = Publishing()
    telemetry: Telemetry = Telemetry()
    hold_ttl_s: float = Field(
        60.0,
        ge=30,
        le=600,
        description="Seconds after which what swarm holds goes on by itself when swarm is gone.",
    )
    audit_days: int = Field(
        90,
        ge=0,
        le=36_500,
        description="Days that `swarm audit` keeps who changed what; 0: for ever.",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Dependencies below this probability are not shown."
    )

    def secrets(self) -> tuple[str, ...]:
        """Where all the secrets that are named here lie."""
        places = [self.store_url, self.hand.token_file, self.publish.token_file]
        places.append(self.telemetry.traces_token_file)
        places += [target.address_file for target in self.alerts.targets]
        places += [entry.token_file for entry in self.api.tokens]
        for source in self.sources:
            places += [source.token_file, source.password_file, source.hand_token_file]
        return tuple(place for place in places if place)

    @model_validator(mode="after")
    def _has_a_cluster(self) -> Self:
        if self.placement.pool == "ray" and not self.ray_address:
            raise ValueError("`placement.pool: ray` needs `ray_address`: Ray's autoscaler is there")
        return self

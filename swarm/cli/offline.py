"""The world of the sequencer without a running swarm: one read-only look at the sources."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from swarm.api.read_model import ReadModel
from swarm.cli.progress import progress
from swarm.cli.survey import Findings, survey
from swarm.model.graph import PipelineSeen
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.sla import Sla
from swarm.sequencing.known import known_world
from swarm.sequencing.world import World

if TYPE_CHECKING:
    from swarm.config import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """What was read: the world, what is promised in it, and where names lead."""

    found: Findings
    world: World
    slas: tuple[Sla, ...]
    names: ReadModel

    def find(self, name: str) -> PipelineKey | TaskKey:
        """As the API finds it: `orchestrator/name`, or a bare name that only one has."""
        return self.names.find(name)


def look(settings: "Settings", without: Iterable[str] = ()) -> Look:
    """Read all sources; what fails is told on stderr, the rest goes on. The pipelines of the
    sources `without` are left out of the world."""
    with progress("Reading the sources") as course:
        found = asyncio.run(survey(settings, course.say))
    for failure in found.failures:
        typer.echo(f"swarm: {failure}", err=True)
    left_out = set(without)
    pipelines = [one for one in found.pipelines if one.key.orchestrator not in left_out]
    dependencies = [
        one
        for one in found.dependencies
        if not {one.key.upstream.orchestrator, one.key.downstream.orchestrator} & left_out
    ]
    names = ReadModel()
    for pipeline in pipelines:
        names.apply(PipelineSeen(pipeline), 0.0)
    slas = tuple(Sla.told(**dict(promise)) for promise in settings.slas)
    return Look(found, known_world(pipelines, dependencies, found.ran), slas, names)

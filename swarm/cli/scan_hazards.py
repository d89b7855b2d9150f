"""The hazards of a scan: what the runs that were read show of dependencies nobody declared."""

from collections.abc import Iterable

from swarm.model.findings import Finding
from swarm.model.graph import DependencyChanged, FindingChanged, PipelineSeen
from swarm.model.lineage import Dependency
from swarm.model.pipelines import Pipeline
from swarm.model.runs import Run
from swarm.sequencing.hazards import Hazards
from swarm.sequencing.known import known_world
from swarm.sequencing.world import World


def hazards_in(
    ran: Iterable[Run],
    pipelines: Iterable[Pipeline],
    dependencies: Iterable[Dependency],
    min_confidence: float,
    now_s: float,
) -> tuple[Finding, ...]:
    """Those of dependencies of at least `min_confidence`, on which most hangs on top."""
    history = known_world((), (), ran).history
    if not len(history):
        return ()
    hazards = Hazards(World(history=history), min_confidence)
    for pipeline in pipelines:
        hazards.apply(PipelineSeen(pipeline))
    for dependency in dependencies:
        if dependency.confidence >= min_confidence:
            hazards.apply(DependencyChanged(0, dependency))
    found = [told.finding for told in hazards.decide(now_s) if isinstance(told, FindingChanged)]
    return tuple(sorted(found, key=_stakes))


def _stakes(finding: Finding) -> tuple[int, float, int, str]:
    hazard = finding.hazard
    assert hazard is not None
    return -hazard.behind, -hazard.chance, -hazard.seen, str(finding)

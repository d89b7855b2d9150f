"""`swarm scan --explain`: one look at everything, then all that bears on one edge."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from swarm.api.explained import Explained
from swarm.api.read_model import ReadModel
from swarm.cli.edge_name import edge_name
from swarm.cli.hearing import Kept
from swarm.cli.survey import survey
from swarm.config import Settings
from swarm.connectors.contexts import naming_of
from swarm.lineage.trail import Trail, trails
from swarm.model.graph import PipelineSeen
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Proof


def explained(
    settings: Settings, edge: str, say: Callable[[str], None]
) -> tuple[Explained, tuple[str, ...]]:
    """Why `edge` is or is not, and which sources could not be read.

    Raises `InputError` where `edge` is not written as one, `UnknownKey` and `Rejected` where its
    names fit nothing or several.
    """
    asked = edge_name(edge)
    kept = Kept()
    found = asyncio.run(survey(settings, say, kept))
    names = ReadModel()
    for pipeline in found.pipelines:
        names.apply(PipelineSeen(pipeline), 0.0)
    why = found.ledger.explain(names.find(asked.upstream), names.find(asked.downstream))
    canonical = naming_of(settings).canonical
    files: dict[TaskKey, Mapping[str, str]] = {}

    def follow(proof: Proof, dataset: DatasetKey) -> Iterable[Trail]:
        if proof.task not in files:
            files[proof.task] = kept.files_of(proof.task)
        return trails(proof, dataset, kept.heard.values(), files[proof.task], canonical)

    return (
        Explained.of(why, settings.min_confidence, asked.dataset, follow=follow),
        found.failures,
    )

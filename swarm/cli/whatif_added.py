"""The pipelines of a manifest that is not deployed yet, as a what-if wants them."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from swarm.cli.survey import Findings, survey
from swarm.config import Settings, Source
from swarm.connectors.contexts import naming_of
from swarm.errors import InputError
from swarm.model.graph import EvidenceSeen
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import WARN_FROM, Access, Evidence
from swarm.model.pipelines import Pipeline

_DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (?:\*|1-5|mon-fri)", re.IGNORECASE)

Pairs = Iterable[tuple[PipelineKey, PipelineKey]]


def added_among(found: Findings, orchestrator: str) -> list[dict[str, Any]]:
    """The pipelines of one source among all that was found, beside those of the others."""
    pairs = [
        (one.key.upstream.pipeline_key, one.key.downstream.pipeline_key)
        for one in found.dependencies
        if one.confidence >= WARN_FROM
    ]
    return list(_added((p for p in found.pipelines if p.key.orchestrator == orchestrator), pairs))


def added_to(
    path: Path, settings: Settings, datasets: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The pipelines of the manifest at `path`, beside those that write or read its datasets in a
    running swarm."""
    source = Source(kind="manifest", name="new", path=path)
    alone = settings.model_copy(update={"sources": (source,)})
    found = asyncio.run(survey(alone, lambda _: None))
    if found.failures:
        raise InputError("; ".join(found.failures))
    known = {row["dataset"]: row for row in datasets}
    pairs: list[tuple[PipelineKey, PipelineKey]] = []
    naming = naming_of(settings)
    for record in found.ledger.records():
        if isinstance(record, EvidenceSeen):
            row = known.get(str(naming.canonical(record.evidence.dataset)))
            pairs += _beside(record.evidence, row) if row else ()
    pairs += (
        (one.key.upstream.pipeline_key, one.key.downstream.pipeline_key)
        for one in found.dependencies
    )
    return list(_added(found.pipelines, pairs))


def _beside(evidence: Evidence, row: Mapping[str, Any]) -> Pairs:
    own = evidence.task.pipeline_key
    if evidence.access is Access.READ:
        return [(TaskKey(**task).pipeline_key, own) for task in row["written_by"]]
    return [(own, TaskKey(**task).pipeline_key) for task in row["read_by"]]


def _added(pipelines: Iterable[Pipeline], pairs: Pairs) -> Iterator[dict[str, Any]]:
    between = list(pairs)
    for pipeline in pipelines:
        key = pipeline.key
        declared = [(edge.upstream.pipeline_key, key) for edge in pipeline.declared]
        around = dict.fromkeys((*declared, *between))
        if pipeline.expected_duration_s is None:
            raise InputError(
                f"{pipeline.place}: {key} has not run yet, so its lines have to say how long it "
                "takes: add `expected_duration_s`"
            )
        yield {
            "pipeline": str(key),
            "takes_s": pipeline.expected_duration_s,
            "at": _at(pipeline),
            "after": [str(up) for up, down in around if down == key and up != key],
            "before": [str(down) for up, down in around if up == key and down != key],
        }


def _at(pipeline: Pipeline) -> str | None:
    if not pipeline.schedule:
        return None
    daily = _DAILY.fullmatch(" ".join(pipeline.schedule.split()))
    if daily is None or int(daily[1]) > 59 or int(daily[2]) > 23:
        raise InputError(
            f"{pipeline.place}: the schedule `{pipeline.schedule}` of {pipeline.key} is no daily "
            "one; a new pipeline may have one like `30 5 * * *`, or none"
        )
    return f"{int(daily[2]):02}:{int(daily[1]):02}"

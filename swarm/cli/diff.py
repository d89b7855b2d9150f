"""`swarm diff`: what a pull request does to everybody else's pipelines."""

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import explained, reached
from swarm.cli.output import DiffOption, DiffOutput
from swarm.cli.scan import named_address
from swarm.cli.source_options import MinConfidenceOption, settings_file

if TYPE_CHECKING:  # slow to import, and not needed to show the help
    from swarm.cli.change import Change, Side
    from swarm.config import Settings
    from swarm.model.keys import PipelineKey

EXIT_FAILED = 1
EXIT_RING = 3


def diff(
    base: Annotated[str, typer.Option(metavar="[NAME=]FILE", help="Manifest before the change.")],
    head: Annotated[str, typer.Option(metavar="[NAME=]FILE", help="Manifest after it.")],
    config: Annotated[
        Path | None,
        settings_file(
            "Settings file (YAML): its SLAs count, and its other sources are read on both "
            "sides; the manifests take the place of the one called NAME (`manifest`)."
        ),
    ] = None,
    min_confidence: MinConfidenceOption = None,
    output: DiffOption = DiffOutput.TABLE,
) -> None:
    """Compare two manifests: new and removed dependencies, new rings, longer ways to an SLA.

    How long pipelines take is known from `runs` in the manifests, from the running swarm at
    SWARM_URL, or from `expected_duration_s`; where from none of them, the answer says so.

    Exit codes: 0 no new ring; 3 pipelines wait for each other in a new ring; 1 a source could not
    be read, so nothing was compared; 2 usage.
    """
    from swarm.cli import change, change_text

    found = _compare(base, head, config, min_confidence)
    if output is DiffOutput.JSON:
        typer.echo(json.dumps(change.as_json(found), indent=2))
    else:
        as_words = change_text.as_markdown if output is DiffOutput.MARKDOWN else change_text.as_text
        typer.echo(as_words(found))
    if found.rings:
        raise typer.Exit(EXIT_RING)


def _compare(base: str, head: str, config: Path | None, min_confidence: float | None) -> "Change":
    from swarm.cli.change import change
    from swarm.config import load
    from swarm.connectors.manifest import changed_pipelines
    from swarm.model.keys import PipelineKey
    from swarm.model.sla import Sla

    name, paths = _manifests(base, head)
    settings = load(config)
    least = settings.min_confidence if min_confidence is None else min_confidence
    sides = [_read(settings, name, path, least) for path in paths]
    slas = (Sla.told(**dict(promise)) for promise in settings.slas)
    promised = {sla.name: sla.pipeline for sla in slas}
    known_s: dict[PipelineKey, float] = {}
    if os.environ.get("SWARM_URL"):
        told, known_s = _told(config)
        promised |= told
    return change(
        *sides,
        touched=(PipelineKey(name, pipeline) for pipeline in changed_pipelines(*paths)),
        promised=promised,
        known_s=known_s,
        min_confidence=least,
    )


def _told(config: Path | None) -> "tuple[dict[str, PipelineKey], dict[PipelineKey, float]]":
    """The SLAs and the durations that the running swarm knows; none where it does not answer, since
    that must not stop everybody's changes."""
    from swarm.client import Client, Unreachable
    from swarm.model.keys import PipelineKey

    with explained():
        try:
            with Client(*reached(config), retry_for_s=0.0) as swarm:
                slas, durations = swarm.slas(), swarm.durations()
        except Unreachable as error:
            typer.echo(f"swarm: {error} What it knows of durations and SLAs is left out.", err=True)
            return {}, {}
    promised = {row["name"]: PipelineKey.told(row["pipeline"]) for row in slas}
    return promised, {PipelineKey.told(row["pipeline"]): row["p50_s"] for row in durations}


def _manifests(base: str, head: str) -> tuple[str, tuple[Path, Path]]:
    """Their one name, and where they are."""
    (one, first), (other, second) = named_address(base), named_address(head)
    if one and other and one != other:
        raise typer.BadParameter(
            f"the base is called `{one}` and the head `{other}`; they have to be of one scheduler",
            param_hint="--head",
        )
    for option, path in (("--base", first), ("--head", second)):
        if not Path(path).is_file():
            raise typer.BadParameter(f"there is no file `{path}`", param_hint=option)
    return one or other or "manifest", (Path(first), Path(second))


def _read(settings: "Settings", name: str, path: Path, min_confidence: float) -> "Side":
    """One side: the manifest at `path` under its name, and the other sources of the settings."""
    from swarm.cli.change import Side
    from swarm.cli.report import build
    from swarm.cli.survey import survey
    from swarm.config import Source

    others = tuple(source for source in settings.sources if source.instance != name)
    manifest = Source(kind="manifest", name=name, path=path)
    tree = settings.model_copy(update={"sources": (*others, manifest)})
    found = asyncio.run(survey(tree, lambda line: typer.echo(line, err=True)))
    for failure in found.failures:
        typer.echo(f"swarm: {failure}", err=True)
    if found.failures:
        raise typer.Exit(EXIT_FAILED)
    report = build(
        found.pipelines,
        found.dependencies,
        found.unresolved,
        min_confidence=min_confidence,
        generated_at_s=0.0,
    )
    return Side(report, found.dependencies, found.ran)

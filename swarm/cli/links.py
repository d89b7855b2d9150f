"""`swarm link`, `unlink`, `links`: pipelines that start by what others make."""

import getpass
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected, fail
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client.calls.decisions import Link


class Stretch(StrEnum):
    """As `Grain`, which is slow to import."""

    RUN = "run"
    HOUR = "hour"
    DAY = "day"
    BUSINESS_DAY = "business_day"
    WEEK = "week"
    MONTH = "month"


def link(  # noqa: PLR0913  (typer: one argument is one option)
    pipelines: Annotated[
        list[str],
        typer.Argument(metavar="A... B", help="`orchestrator/name` each; the last one starts."),
    ],
    every: Annotated[
        Stretch, typer.Option(help="One success of each A is needed for every such stretch.")
    ] = Stretch.RUN,
    per: Annotated[Stretch, typer.Option(help="What B starts once for.")] = Stretch.RUN,
    timezone: Annotated[str, typer.Option(help="Whose hours and days.")] = "UTC",
    shift_min: Annotated[
        float, typer.Option(help="Minutes from a run's planned start to what it is for.")
    ] = 0.0,
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Start B when what A made is there: `swarm link airflow/orders prefect/report/main`.

    Days off besides weekends can be named in the settings (`links`) and over HTTP.
    """
    if len(pipelines) < 2:
        fail("name at least two: what it waits for, and what starts", 2)
    with changing(path, dry_run, of=pipelines) as swarm:
        swarm.link(
            pipelines[:-1],
            pipelines[-1],
            by=getpass.getuser(),
            every=every,
            per=per,
            timezone=timezone,
            shift_s=60.0 * shift_min,
        )


def unlink(
    pipeline: Annotated[str, typer.Argument(help="The one that is started.")],
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Take a pipeline's link away."""
    with changing(path, dry_run) as swarm:
        if dry_run and pipeline not in {one["downstream"] for one in swarm.links()}:
            fail(f"No link starts {pipeline}; see `swarm links`.", 4)
        swarm.unlink(pipeline, by=getpass.getuser())


def links(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show which pipelines start by what others make, and what they wait for."""
    with connected(path) as swarm:
        found = swarm.links()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "links": found}, indent=2))
        return
    for row in found:
        typer.echo(_line(row))
    typer.echo(f"{len(found)} links", err=True)


def _line(row: "Link") -> str:
    upstreams = ", ".join(row["upstreams"])
    if row["ring"]:
        way = " -> ".join(row["ring"])
        return f"{upstreams} -> {row['downstream']}; starts nothing, links go round: {way}"
    grain = "" if row["per"] == "run" else f" once a {row['per']}, {row['timezone']}"
    missing = ", ".join(f"{one['runs']} of {one['pipeline']}" for one in row["missing"])
    waits = f"; {row['waits_in']} waits for {missing}" if missing else ""
    last = f"; last for {row['last']}" if row["last"] else ""
    return f"{upstreams} -> {row['downstream']}{grain}{last}{waits}"

"""`swarm findings`: what the running swarm has to tell people."""

import json
import time
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, connected
from swarm.cli.deps import Output, OutputOption


def findings(
    since_h: Annotated[
        float | None,
        typer.Option("--since", min=0, help="All news of so many hours, closed findings too."),
    ] = None,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show undeclared dependencies, rings of pipelines, missing workers, hazards, SLAs at risk."""
    since_s = None if since_h is None else max(0.0, time.time() - since_h * 3600)
    with connected(path) as swarm:
        found = list(swarm.findings(since_s=since_s))
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "findings": found}, indent=2))
        return
    for row in found:
        first = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["first_seen_s"]))
        level = "closed" if row["closed_at_s"] is not None else row["level"]
        typer.echo(f"{first}  {level:6}  {row['kind']:21}  {row['subject']}")
        if row["worker"] is not None and row["closed_at_s"] is None:
            for ran in row["worker"]["runs"]:
                typer.echo(f"{'':19}  {ran['pipeline']} {ran['task']} run {ran['run_id']}")
            typer.echo(f"{'':19}  {row['worker']['advice']}")
        if row["hazard"] is not None:
            typer.echo(f"{'':19}  {row['hazard']['story']}")
            typer.echo(f"{'':19}  {row['hazard']['remedy']}")
    typer.echo(f"{len(found)} findings", err=True)

"""`swarm audit`: who changed what over HTTP."""

import itertools
import json
import time
from typing import Annotated

import typer

from swarm.cli.connection import EXIT_FOUND, ConfigOption, connected, fail
from swarm.cli.output import Output, OutputOption

app = typer.Typer(help="Who changed what over HTTP.", no_args_is_help=True)


@app.command("ls")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show the changes that somebody asked for, newest first."""
    with connected(path) as swarm:
        found = list(itertools.islice(swarm.audit(), limit))
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "audit": found}, indent=2))
        return
    for row in found:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["at_s"]))
        typer.echo(f"{at}  {row['by']}  {row['asked']}  {row['types']}")
        typer.echo(f"{'':19}  {row['body'][:160]}")
    typer.echo(f"{len(found)} changes", err=True)


@app.command()
def verify(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Check that each change follows from the one before it; the exit code is 3 if one does not.

    Keep what it prints elsewhere: against an older print, changes cut off at the end show.
    """
    with connected(path) as swarm:
        found = swarm.verify_audit()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "streams": found}, indent=2))
    else:
        for row in found:
            trimmed = f" ({row['trimmed']} trimmed)" if row.get("trimmed") else ""
            typer.echo(f"{row['stream']}  {row['rows']} changes{trimmed}  {row['digest'] or '-'}")
    wrong = [f"{row['stream']}: {row['wrong']}" for row in found if row["wrong"]]
    if wrong:
        fail("\n".join(wrong), EXIT_FOUND)

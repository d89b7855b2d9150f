"""`swarm sla`: will what was promised be done in time?"""

import json
import time
from typing import Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, connected
from swarm.cli.deps import Output, OutputOption


def sla(
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Only those likely missed.")] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show how each SLA stands: the chance that it is missed, what decides it, and who is late."""
    with connected(path) as swarm:
        found = [row for row in swarm.slas() if row["standing"] == "at_risk" or not at_risk]
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "slas": found}, indent=2))
        return
    for row in sorted(found, key=lambda row: (-row["chance"], row["deadline_s"])):
        typer.echo(f"{row['standing']:8}  {row['chance']:4.0%} missed  {row['name']}{_end(row)}")
        if row["late"] is not None:
            typer.echo(f"{'':21}  late: {row['late']}; path: {' -> '.join(row['path'])}")
    typer.echo(f"{len(found)} SLAs", err=True)


def _end(row: dict[str, Any]) -> str:
    if row["expected_s"] is None:
        return "  too few runs to tell, or no such pipeline"
    done, due = (
        time.strftime("%H:%M", time.localtime(row[at])) for at in ("expected_s", "deadline_s")
    )
    return f"  done {done}, due {due} here"

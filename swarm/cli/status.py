"""`swarm status`: how the running swarm and each of its sources is doing."""

import json
import time

import typer

from swarm.cli.connection import ConfigOption, connected
from swarm.cli.deps import Output, OutputOption

DEGRADED = 3


def status(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show sources, counts and what could not be understood; exit 3 if a source is failing."""
    with connected(path) as swarm:
        now = swarm.status()
        unresolved = swarm.unresolved()
    failing = [row for row in now["connectors"] if row["state"] != "ok"]
    if output is Output.JSON:
        body = {"schema_version": 1} | now | {"unresolved": unresolved}
        typer.echo(json.dumps(body, indent=2))
    else:
        pipelines = ", ".join(f"{n} {name}" for name, n in sorted(now["pipelines"].items()))
        typer.echo(f"pipelines     {pipelines or 'none yet'}")
        typer.echo(f"dependencies  {now['dependencies']}, {now['undeclared']} of them undeclared")
        typer.echo(f"findings      {now['findings']} open; `swarm findings` lists them")
        if without := (now["detection"] or {}).get("without_beats"):
            typer.echo(f"workers       {len(without)} without beats: `swarm workers ls`")
        for row in now["connectors"]:
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["since_s"]))
            said = f": {row['message']}" if row["message"] else ""
            if row["unattributed"]:
                said += f"; {row['unattributed']:,} statements of nobody known"
            typer.echo(f"source        {row['source']} {row['state']} since {since}{said}")
        for row in unresolved:
            typer.echo(f"unresolved    {row['subject']} ({row['reason']}) {row['place']}")
            typer.echo(f"              {row['detail']}")
    if failing:
        raise typer.Exit(DEGRADED)

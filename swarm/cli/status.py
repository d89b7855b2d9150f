"""`swarm status` and `swarm quarantine`: how the running swarm and each of its sources is doing,
and the way out where a record of its journal stops it."""

import json
import time
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected, fail
from swarm.cli.output import Output, OutputOption

DEGRADED = 3


def status(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show sources, counts and what could not be understood; exit 3 if a source is failing, or a
    stream stands still."""
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
        if now["detection"] and (without := now["detection"]["without_beats"]):
            typer.echo(f"workers       {len(without)} without beats: `swarm workers ls`")
        for stream in now["standing"]:
            where = f"{stream['stream']} before record {stream['seq']}"
            typer.echo(f"stands still  {where}: {stream['why']}")
            typer.echo(f"              nothing new is taken until `{stream['fix']}`")
        for row in now["connectors"]:
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["since_s"]))
            said = f": {row['message']}" if row["message"] else ""
            if row["unattributed"]:
                said += f"; {row['unattributed']:,} statements of nobody known"
            typer.echo(f"source        {row['source']} {row['state']} since {since}{said}")
        for text in unresolved:
            typer.echo(f"unresolved    {text['subject']} ({text['reason']}) {text['place']}")
            typer.echo(f"              {text['detail']}")
    if failing or now["standing"]:
        raise typer.Exit(DEGRADED)


def quarantine(
    stream: Annotated[str, typer.Argument(help="The stream that stands still.")],
    seq: Annotated[int, typer.Argument(help="The record that stops it.")],
    by: Annotated[str, typer.Option(help="Who decides this.")],
    reason: Annotated[str, typer.Option(help="Why it may be left out.")],
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Set aside the record before which a stream of the journal stands still. What it told is then
    not known: a task it took, for instance. It stays in the journal, with your name and reason."""
    with changing(path, dry_run) as swarm:
        if dry_run:
            standing = {(one["stream"], one["seq"]) for one in swarm.status()["standing"]}
            if (stream, seq) not in standing:
                fail(f"{stream} does not stand still before record {seq}; see `swarm status`.", 7)
        swarm.quarantine(stream, seq, by=by, reason=reason)
    typer.echo(f"Record {seq} of {stream} is set aside; the stream goes on.")

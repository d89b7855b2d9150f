"""`swarm decisions`, `hold`, `release`: what is held, and a person's word on it."""

import getpass
import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected
from swarm.cli.how_long import seconds
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client.calls.decisions import Decision, Waited


def decisions(
    every: Annotated[
        bool, typer.Option("--all", help="The last decision about each pipeline.")
    ] = False,
    since_h: Annotated[
        float | None,
        typer.Option("--since", min=0, help="What waited in so many hours, and had begun by plan."),
    ] = None,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show what is held, for what and until when, and what came of it."""
    with connected(path) as swarm:
        if since_h is not None:
            _tell_waited(swarm.waited(since_s=max(0.0, time.time() - since_h * 3_600)), output)
            return
        found = swarm.decisions(every=every)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "decisions": found}, indent=2))
        return
    for row in found:
        typer.echo(_line(row))
    typer.echo(f"{len(found)} decisions", err=True)


def hold(
    pipeline: str,
    for_: Annotated[str, typer.Option("--for", help="How long at most: `90m`, `2h`.")] = "1h",
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Hold a pipeline until it is released, or the time is over."""
    with changing(path, dry_run, of=[pipeline]) as swarm:
        _tell(swarm.hold(pipeline, by=getpass.getuser(), for_s=seconds(for_)), output)


def release(
    pipeline: str,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Let a held pipeline go on; it is not held again for the same planned start."""
    with changing(path, dry_run, of=[pipeline]) as swarm:
        _tell(swarm.release(pipeline, by=getpass.getuser()), output)


def _tell(decision: "Decision", output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, **decision}, indent=2))
    else:
        typer.echo(_line(decision))


def _tell_waited(found: "list[Waited]", output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "waited": found}, indent=2))
        return
    for row in found:
        typer.echo(_waited_line(row))
    typer.echo(f"{len(found)} planned starts waited", err=True)


def _waited_line(row: "Waited") -> str:
    if row["until_s"] is None:
        went = f"is held until {_clock(row['latest_s'])} at the latest"
    elif row["left_out"]:
        went = f"was left out {_clock(row['until_s'])}"
    else:
        went = f"waited until {_clock(row['until_s'])}"
    return f"{_clock(row['due_s'])}  {row['pipeline']} {went}; {row['reason']}"


def _clock(at_s: float) -> str:
    return time.strftime("%a %H:%M", time.localtime(at_s))


def _line(row: "Decision") -> str:
    stands = f" until {_clock(row['until_s'])} here at the latest" if row["act"] == "hold" else ""
    mode = "" if row["mode"] == "gate" else f" ({row['mode']} only)"
    detail = f": {row['detail']}" if row["detail"] else ""
    outcome = f" [{row['outcome']}{detail}]" if row["outcome"] else ""
    return f"{row['act']:7}  {row['pipeline']}{mode}{stands}; {row['reason']}{outcome}"

"""`swarm sla`: will what was promised be done in time, and what could be promised?"""

import getpass
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client.calls.slas import Offer, Sla

app = typer.Typer(help="SLAs: how they stand, what is offered, accept and decline.")


@app.callback(invoke_without_command=True)
def sla(
    context: typer.Context,
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Only those likely missed.")] = False,
    score: Annotated[bool, typer.Option("--score", help="How right warnings were.")] = False,
    offered: Annotated[
        bool, typer.Option("--offered", help="What pipelines keep and have not promised.")
    ] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show how each SLA stands: the chance that it is missed, what decides it, and who is late."""
    if context.invoked_subcommand is not None:
        return
    with connected(path) as swarm:
        if offered:
            _show_offered(swarm.offered_slas(), output)
            return
        if score:
            _show_score(swarm.sla_score(), output)
            return
        found = [row for row in swarm.slas() if row["standing"] == "at_risk" or not at_risk]
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "slas": found}, indent=2))
        return
    for row in sorted(found, key=lambda row: (-row["chance"], row["deadline_s"])):
        origin = "" if row["origin"] == "settings" else f" ({row['origin']})"
        risk = f"{row['standing']:8}  {row['chance']:4.0%} missed"
        typer.echo(f"{risk}  {row['name']}{origin}{_end(row)}")
        if row["late"] is not None:
            typer.echo(f"{'':21}  late: {row['late']}; path: {' -> '.join(row['path'])}")
        if row["muted"]:
            typer.echo(f"{'':21}  its warnings are muted: {row['muted']}")
    typer.echo(f"{len(found)} SLAs", err=True)


@app.command()
def accept(  # noqa: PLR0913  (typer: one argument is one option)
    pipeline: Annotated[str, typer.Argument(help="`orchestrator/name`.")],
    at: Annotated[
        str | None, typer.Option(help="Another time of day than is offered, `07:30`.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Whose clock that is.")] = None,
    days: Annotated[str | None, typer.Option(help="Its days, `mon,tue`.")] = None,
    value: Annotated[float, typer.Option(help="What keeping it is worth beside others.")] = 1.0,
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Promise what is offered of a pipeline, or that it is done by another time."""
    of_week = None if days is None else [day.strip().lower() for day in days.split(",")]
    with changing(path, dry_run, of=[pipeline]) as swarm:
        made = swarm.accept_sla(
            pipeline, by=getpass.getuser(), at=at, timezone=timezone, days=of_week, value=value
        )
    typer.echo(f"{made['name']}, {', '.join(made['days'])}")


@app.command()
def decline(
    pipeline: Annotated[str, typer.Argument(help="`orchestrator/name`.")],
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Have no SLA of a pipeline offered, and end the one that was accepted."""
    with changing(path, dry_run, of=[pipeline]) as swarm:
        swarm.decline_sla(pipeline, by=getpass.getuser())


def _show_offered(found: "list[Offer]", output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "offers": found}, indent=2))
        return
    for row in found:
        typer.echo(f"{row['sla']['name']}  {', '.join(row['sla']['days'])}")
        kept = f"kept on {row['kept']} of {row['days']} good days ({row['confidence']:.0%} sure)"
        typer.echo(f"    {kept}, usually with {row['spare_s'] / 60:.0f} min to spare")
        if row["behind"]:
            after = row["read_after_s"]
            read = "" if after is None else f"; read from {after / 60:.0f} min after its end on"
            typer.echo(f"    {row['behind']} hang on it: {', '.join(row['nearest'])}{read}")
    typer.echo(f"{len(found)} offers; `swarm sla accept PIPELINE` makes one an SLA", err=True)


def _show_score(found: Mapping[str, Any], output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, **found}, indent=2))
        return
    columns = ("deadlines", "warned", "right", "missed")
    typer.echo(f"{'week of':10}  {'  '.join(columns)}  precision  recall  lead")
    for row in found["weeks"]:
        week = time.strftime("%Y-%m-%d", time.gmtime(row["starts_s"]))
        counts = "  ".join(f"{row[name]:{len(name)}}" for name in columns)
        shares = f"{_share(row['precision']):>9}  {_share(row['recall']):>6}"
        lead = "-" if row["lead_s"] is None else f"{row['lead_s'] / 60:.0f} min"
        typer.echo(f"{week}  {counts}  {shares}  {lead}")
    for row in found["rules"]:
        if row["muted"]:
            typer.echo(f"muted: {row['name']}: {row['muted']}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _end(row: "Sla") -> str:
    if row["expected_s"] is None:
        return "  too few runs to tell, or no such pipeline"
    done, due = (
        time.strftime("%H:%M", time.localtime(at_s))
        for at_s in (row["expected_s"], row["deadline_s"])
    )
    return f"  done {done}, due {due} here"

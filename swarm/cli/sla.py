"""`swarm sla`: will what was promised be done in time?"""

import json
import time
from typing import Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, connected
from swarm.cli.deps import Output, OutputOption


def sla(
    at_risk: Annotated[bool, typer.Option("--at-risk", help="Only those likely missed.")] = False,
    score: Annotated[bool, typer.Option("--score", help="How right warnings were.")] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show how each SLA stands: the chance that it is missed, what decides it, and who is late."""
    with connected(path) as swarm:
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


def _show_score(found: dict[str, Any], output: Output) -> None:
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


def _end(row: dict[str, Any]) -> str:
    if row["expected_s"] is None:
        return "  too few runs to tell, or no such pipeline"
    done, due = (
        time.strftime("%H:%M", time.localtime(row[at])) for at in ("expected_s", "deadline_s")
    )
    return f"  done {done}, due {due} here"

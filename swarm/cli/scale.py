"""`swarm plan`, `swarm scale`: how large the fleet is to be, and what was done about it."""

import itertools
import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, connected, fail
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client.calls.fleet import ScalingStep

app = typer.Typer(help="What was done about the fleet.", rich_markup_mode=None)

_COLUMNS = ("workers", "late", "done after", "rent", "in all")


def plan(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show the newest plan of the fleet: which fleets were thought of, their price, what spot
    risks, which was chosen and why, and what no worker will run."""
    with connected(path) as swarm:
        found = swarm.plan()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "plan": found}, indent=2))
        return
    typer.echo(f"{_time(found['at_s'])}  {found['what']}")
    typer.echo(found["why"])
    if found["foretold"]:
        typer.echo(found["foretold"])
    typer.echo("  ".join(f"{name:>10}" for name in _COLUMNS))
    for row in found["candidates"]:
        cells = (
            str(row["workers"]),
            f"{row['missed']:.2g}",
            f"{row['makespan_s'] / 60:.1f} min",
            f"${row['rent_usd']:.2f}",
            f"${row['total_usd']:.2f}",
        )
        mark = "  chosen" if row["chosen"] else ""
        typer.echo("  ".join(f"{cell:>10}" for cell in cells) + mark)
    for told in (*found["risks"], *found["moves"], *found["unplaced"], *found["proposed"]):
        typer.echo(told["why"])
    left = found["unplaced_all"] - len(found["unplaced"])
    if left > 0:
        typer.echo(f"and {left} more tasks that are not placed")
    more = found["proposed_all"] - len(found["proposed"])
    if more > 0:
        typer.echo(f"and {more} more tasks that spot or dedicated was chosen for")


@app.callback(invoke_without_command=True)
def scale(
    context: typer.Context,
    count: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 20,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show what was done about the fleet, newest first."""
    if context.invoked_subcommand is None:
        with connected(path) as swarm:
            found = list(itertools.islice(swarm.scaling(), count))
        _show(found, output)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="A node, its worker, or an offering.")],
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show why something came and went: all steps about a node, a worker or an offering."""
    with connected(path) as swarm:
        about = (row for row in swarm.scaling() if name in _names(row))
        found = list(itertools.islice(about, 1_000))
    if not found:
        fail(f"nothing was done about `{name}`; `swarm scale` names nodes and offerings", 4)
    _show(found, output)


def _names(row: "ScalingStep") -> tuple[str, ...]:
    return row["node"], row["worker"], row["offering"]


def _show(found: "list[ScalingStep]", output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "steps": found}, indent=2))
        return
    for row in found:
        plan_no = f"plan {row['plan']}" if row["plan"] else ""
        typer.echo(f"{_time(row['at_s'])}  {row['step']:11}  {plan_no:8}  {row['why']}")
    typer.echo(f"{len(found)} steps", err=True)


def _time(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_s))

"""`swarm plan`, `swarm scale`: how large the fleet is to be, and what was done about it."""

import itertools
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, connected, fail
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client.calls.fleet import Placement, ScalingStep, Unplaced
    from swarm.client.calls.tasks import Side

app = typer.Typer(help="What was done about the fleet.", rich_markup_mode=None)

_COLUMNS = ("workers", "late", "done after", "rent", "in all")


def plan(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show the newest plan of the fleet: which fleets were thought of, their price, what spot
    risks, which was chosen and why, what no worker will run, and who runs where and when."""
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
    for told in (*found["risks"], *found["moves"]):
        typer.echo(told["why"])
    _echo(found["unplaced"], found["unplaced_all"], "that are not placed")
    _echo(found["placements"], found["placements_all"], "that are placed")
    _echo(found["proposed"], found["proposed_all"], "that spot or dedicated was chosen for")


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


def _echo(rows: "Sequence[Unplaced | Placement | Side]", count: int, which: str) -> None:
    """Each with its reason, and how many there are beside them."""
    for row in rows:
        typer.echo(row["why"])
    if count > len(rows):
        typer.echo(f"and {count - len(rows)} more tasks {which}")


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

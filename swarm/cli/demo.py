"""`swarm demo`: the lab's real orchestrators, swarm on top of them, and what it finds in them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from swarm.cli.output import AsIsOption, Output


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop everything when the report is printed.")
    ] = False,
    output: AsIsOption = Output.TABLE,
    folder: Annotated[Path, typer.Option(help="Where the lab and its environments live.")] = Path(
        ".lab"
    ),
    warehouse: Annotated[
        Literal["sqlite", "postgres"],
        typer.Option(help="What the pipelines' tables are in; postgres has to be installed."),
    ] = "sqlite",
    morning: Annotated[
        bool,
        typer.Option(
            help="Also have a backfill leave room to a report that is due; then let upstreams in "
            "Airflow come late on two mornings, of three minutes each, and hold what reads them in "
            "Dagster on the second. On SQLite."
        ),
    ] = False,
) -> None:
    """Start Airflow, Dagster, Prefect and cron with pipelines, and show what swarm finds.

    The report compares the undeclared dependencies with an audit of what the pipelines really
    touched. Exit code 1: they differ.
    """
    from swarm.cli.showcase import show

    if morning and warehouse != "sqlite":
        raise typer.BadParameter("the mornings need --warehouse sqlite")
    if not show(folder, output, warehouse, leave=leave, morning=morning):
        raise typer.Exit(1)

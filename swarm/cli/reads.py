"""`swarm runs`, `swarm datasets`, `swarm events`, `swarm openapi`: what the running swarm knows."""

import itertools
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import PATIENT_S, ConfigOption, connected, fail
from swarm.cli.output import AsIsOption, Output, OutputOption, moment, name_of, print_table
from swarm.cli.yaml_form import document

if TYPE_CHECKING:
    from swarm.client.calls.graph import Run, TaskName

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")]


def runs(  # noqa: PLR0913  (typer: one argument is one option)
    pipeline: Annotated[
        str, typer.Argument(metavar="[PIPELINE]", help="Only its runs: its name, or a part of it.")
    ] = "",
    since_h: Annotated[
        float, typer.Option("--since", min=0, help="Of the last so many hours.")
    ] = 24.0,
    state: Annotated[
        str, typer.Option(help="Only those that are queued, running, succeeded, failed, ...")
    ] = "",
    newest: Annotated[bool, typer.Option("--newest", help="Of each pipeline the last.")] = False,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile", help="Not its runs: what PIPELINE and its tasks usually do, by these."
        ),
    ] = False,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show when pipelines ran, in all orchestrators, newest first."""
    if profile:
        if newest or state:
            fail("`--profile` is of all runs that are kept: leave out `--newest`, `--state`.", 2)
        _profile(pipeline, output, path)
        return
    with connected(path) as swarm:
        every = swarm.runs(since_s=max(0.0, time.time() - since_h * 3_600), newest=newest)
        fits = (
            row
            for row in every
            if pipeline in name_of(row["pipeline"]) and state in ("", row["state"])
        )
        found = list(itertools.islice(fits, limit))
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "runs": found}, indent=2))
        return
    print_table(
        ("pipeline", "run", "state", "planned", "began", "took"),
        (
            (
                name_of(row["pipeline"]),
                row["run_id"],
                row["state"],
                moment(row["scheduled_for_s"]),
                moment(row["started_at_s"]),
                _took(row),
            )
            for row in found
        ),
    )


def datasets(
    like: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Only those with this in their name.")
    ] = "",
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show the datasets that lie between two tasks, with who writes and who reads them."""
    with connected(path) as swarm:
        fits = (row for row in swarm.datasets() if like in row["dataset"])
        found = list(itertools.islice(fits, limit))
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "datasets": found}, indent=2))
        return
    print_table(
        ("dataset", "written by", "read by"),
        ((row["dataset"], _listed(row["written_by"]), _listed(row["read_by"])) for row in found),
    )


def events(
    after: Annotated[
        int | None, typer.Option(min=0, help="Begin after the event of this number, not now.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="Only of this kind: run, task, finding, sla, ...")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="End after so many.")
    ] = None,
    output: AsIsOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Follow what happens, one line each; with `-o json` one JSON object a line, with `-o
    yaml` one document each."""
    with connected(path, retry_for_s=PATIENT_S) as swarm:
        heard = (one for one in swarm.events(after) if not kind or one["kind"] in kind)
        try:
            for one in itertools.islice(heard, limit):
                if output is Output.JSON:
                    typer.echo(json.dumps(one))
                elif output is Output.YAML:
                    typer.echo(document(one), nl=False)
                else:
                    typer.echo(f"{moment(one['at_s'])}  {one['kind']:14}  {one['text']}")
        except KeyboardInterrupt:
            return


def openapi(output: OutputOption = Output.JSON, path: ConfigOption = None) -> None:
    """Print the description of the HTTP API (OpenAPI 3.1) that the running swarm gives."""
    with connected(path) as swarm:
        told = swarm.openapi()
    if output is Output.JSON:
        typer.echo(json.dumps(told, indent=2))
        return
    print_table(
        ("method", "path", "what"),
        (
            (method.upper(), route, what.get("summary", ""))
            for route, methods in told["paths"].items()
            for method, what in methods.items()
        ),
    )


def _profile(pipeline: str, output: Output, path: Path | None) -> None:
    from swarm.cli.profile_text import show

    if not pipeline:
        fail("Say of which pipeline: `swarm runs PIPELINE --profile`.", 2)
    with connected(path) as swarm:
        found = swarm.profile(pipeline)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, **found}, indent=2))
        return
    show(found)


def _listed(tasks: "Iterable[TaskName]") -> str:
    return ", ".join(map(name_of, tasks))


def _took(row: "Run") -> str:
    began_s, ended_s = row["started_at_s"], row["ended_at_s"]
    if began_s is None or ended_s is None:
        return ""
    minutes, seconds = divmod(round(ended_s - began_s), 60)
    return f"{minutes} m {seconds:02} s" if minutes else f"{seconds} s"

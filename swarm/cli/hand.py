"""`swarm hand`: the process beside an orchestrator that turns its knobs."""

import json
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, explained
from swarm.cli.output import Output, OutputOption

app = typer.Typer(help="Turns the knobs of one orchestrator, there and back.", no_args_is_help=True)


@app.command()
def run(path: ConfigOption = None) -> None:
    """Be the hand of the one source in the settings, until it is stopped.

    It needs no running swarm: what stands when nobody renews it, it turns back by itself.
    """
    from swarm import config
    from swarm.hands import process

    with explained():
        settings = config.load(path)
        source = process.source_of(settings)
    place = settings.hand
    typer.echo(f"The hand of {source.instance} listens on http://{place.host}:{place.port}")
    process.run(settings)


@app.command()
def show(
    path: ConfigOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many lines.")] = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """Print what the hand of the settings did last, the newest first."""
    import dataclasses
    from datetime import UTC, datetime

    from swarm import config
    from swarm.hands.file import acts_in
    from swarm.hands.process import file_of

    with explained():
        settings = config.load(path)
        acts = list(acts_in(file_of(settings), limit))
    if output is Output.JSON:
        rows = [dataclasses.asdict(act) for act in acts]
        typer.echo(json.dumps({"schema_version": 1, "acts": rows}, indent=2))
    else:
        for act in acts:
            at = datetime.fromtimestamp(act.at_s, UTC).isoformat(timespec="milliseconds")
            typer.echo("\t".join((at, act.intent, act.stage, act.outcome, act.detail)))

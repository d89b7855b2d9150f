"""`swarm alerts`: who is told of findings."""

import json
import time
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, explained, fail, unchanged
from swarm.cli.output import Output, OutputOption

app = typer.Typer(help="Who is told of findings.", no_args_is_help=True)


@app.command("test")
def try_targets(
    name: Annotated[str | None, typer.Argument(help="Only this target.")] = None,
    dry_run: DryRunOption = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Send a message to each target of the settings, from here, and say what came of it."""
    from swarm import config
    from swarm.alerts.senders import Undelivered, sender
    from swarm.alerts.wording import trial

    with explained():
        targets = [one for one in config.load(path).alerts.targets if name in (None, one.name)]
        sends = {target.name: sender(target) for target in targets}
    if not sends:
        known = f"called {name}" if name else "in the settings"
        fail(f"no target {known}; `alerts.targets` in configs/README.md says how to name one", 2)
    if dry_run:
        for target in sends:
            typer.echo(f"{target}: can be sent to, as far as its settings go")
        unchanged()
    refused: dict[str, str] = {}
    for target, send in sends.items():
        try:
            for alert in trial(target, time.time()):
                send(alert)
        except Undelivered as fault:
            refused[target] = str(fault)
        if output is Output.TABLE:
            why = f"not taken: {refused[target]}" if target in refused else "taken"
            typer.echo(f"{target}: {why}")
    if output is Output.JSON:
        rows = [{"target": one, "refused": refused.get(one)} for one in sends]
        typer.echo(json.dumps({"schema_version": 1, "targets": rows}, indent=2))
    if refused:
        raise typer.Exit(3)

"""`swarm alerts`: who is told of findings."""

import time
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, explained, fail

app = typer.Typer(help="Who is told of findings.", no_args_is_help=True)


@app.command("test")
def try_targets(
    name: Annotated[str | None, typer.Argument(help="Only this target.")] = None,
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
    refused = 0
    for target, send in sends.items():
        try:
            for alert in trial(target, time.time()):
                send(alert)
        except Undelivered as fault:
            refused += 1
            typer.echo(f"{target}: not taken: {fault}")
        else:
            typer.echo(f"{target}: taken")
    if refused:
        raise typer.Exit(3)

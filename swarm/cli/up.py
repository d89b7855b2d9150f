"""`swarm up` and `swarm down`: start and stop swarm on this machine."""

import json
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, explained, fail, unchanged


def up(
    path: ConfigOption = None,
    port: Annotated[int | None, typer.Option(help="Port of the HTTP API.")] = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay until it ends, for who restarts it then.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Start swarm: one actor for each source, the graph, and the HTTP API."""
    from swarm import config
    from swarm.actors.linking import refuse_rings
    from swarm.bootstrap.files import running_file
    from swarm.cli.process import launch, refuse_taken_port, running_pid, stay, told_to_end

    with explained():
        settings = config.load(path)
        refuse_rings(settings.links)
    if port is not None:
        settings = settings.model_copy(
            update={"api": settings.api.model_copy(update={"port": port})}
        )
    pid = running_pid(settings)
    if pid is not None:
        fail(f"swarm already runs here (pid {pid}); `swarm down` stops it.", 7)
    if not settings.sources:
        typer.echo(
            "No `sources` in the settings: only pushed events will be seen (see README).", err=True
        )
    if dry_run:
        refuse_taken_port(settings)
        for source in settings.sources:
            typer.echo(f"would read {source.instance} ({source.kind})")
        typer.echo(f"would answer at http://{settings.api.host}:{settings.api.port}/api/v1")
        unchanged()
    told = told_to_end() if foreground else None
    pid = launch(settings, told)
    running = json.loads(running_file(settings).read_text())
    typer.echo(f"swarm is up at {running['url']}/api/v1")
    typer.echo(f"The token is in {running['token_file']}")
    typer.echo("Next: swarm status, swarm deps, swarm impact NAME, swarm down")
    if told is not None and not stay(settings, pid, told):
        fail(f"swarm died; see {settings.state_dir / 'swarm.log'}", 1)


def down(path: ConfigOption = None, dry_run: DryRunOption = False) -> None:
    """Stop swarm; everything it knows stays in the journal."""
    from swarm import config
    from swarm.cli.process import clear, running_pid, stop

    with explained():
        settings = config.load(path)
    pid = running_pid(settings)
    if dry_run:
        typer.echo("swarm does not run here." if pid is None else f"would end process {pid}")
        unchanged()
    if pid is None:
        clear(settings)
        typer.echo("swarm does not run here.", err=True)
        return
    stop(settings, pid)
    typer.echo("swarm is down.")

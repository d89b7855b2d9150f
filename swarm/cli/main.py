"""The command line: one module per noun, listed here.

The modules named here must stay light: what is slow to import (settings, connectors, ray, the
HTTP client) is imported inside the functions that need it, so `swarm --help` answers at once.
"""

import sys
from typing import Annotated

import typer

from swarm import __version__
from swarm.cli import (
    agents,
    alerts,
    audit,
    cluster,
    completion,
    config,
    connections,
    cost,
    decisions,
    demo,
    deps,
    diff,
    doctor,
    findings,
    graph,
    hand,
    init,
    keys,
    links,
    reads,
    replay,
    run,
    scale,
    scan,
    simulate,
    sla,
    status,
    tasks,
    top,
    up,
)
from swarm.cli.terminal import text_alone
from swarm.errors import ConfigError, InputError, SwarmError

EXIT_FAILED = 1
EXIT_USAGE = 2

app = typer.Typer(
    name="swarm",
    help="Finds the dependencies between pipelines that nobody declared.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # the decorated help costs as much time as all the rest of it
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    init.init,
    doctor.check,
    doctor.doctor,
    scan.scan,
    diff.diff,
    up.up,
    status.status,
    top.top,
    reads.runs,
    reads.datasets,
    reads.events,
    reads.openapi,
    status.quarantine,
    findings.findings,
    findings.rate,
    findings.mute,
    findings.unmute,
    run.run,
    decisions.decisions,
    decisions.hold,
    decisions.release,
    simulate.simulate,
    links.link,
    links.unlink,
    links.links,
    replay.replay,
    scale.plan,
    cost.cost,
    deps.deps,
    graph.graph,
    deps.impact,
    deps.accept,
    deps.reject,
    up.down,
    demo.demo,
    completion.completion,
):
    app.command()(command)
app.add_typer(sla.app, name="sla")
app.add_typer(scale.app, name="scale")
app.add_typer(tasks.app, name="tasks")
app.add_typer(tasks.workers_app, name="workers")
app.add_typer(agents.app, name="agents")
app.add_typer(alerts.app, name="alerts")
app.add_typer(hand.app, name="hand")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(cluster.app, name="cluster")
app.add_typer(connections.app, name="connections")
app.add_typer(config.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"swarm {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version  # acted on by its callback


def main() -> None:
    """Run the command line; errors the user can act on are one message, not a traceback."""
    try:
        with text_alone():
            _run()
    except BrokenPipeError:
        # The reader of our output is gone (`swarm scan | head`): nobody is left to tell.
        sys.stdout = None
        sys.exit(EXIT_FAILED)


def _run() -> None:
    try:
        app()
    except SwarmError as error:
        typer.echo(f"swarm: {error}", err=True)
        sys.exit(EXIT_USAGE if isinstance(error, ConfigError | InputError) else EXIT_FAILED)

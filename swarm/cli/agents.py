"""`swarm agents`: long-running workers that handle items of a capability."""

import json
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.connection import ConfigOption, connected
from swarm.cli.deps import Output, OutputOption

app = typer.Typer(help="Agents that handle items.", no_args_is_help=True)

ClassArgument = Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="The agent's class.")]


@app.command()
def start(
    agent: ClassArgument,
    count: Annotated[int, typer.Option(min=1, help="How many of it are to live.")] = 1,
    memory_bytes: Annotated[int, typer.Option(min=0, help="Memory of each; 0: any.")] = 0,
    cwd: Annotated[Path, typer.Option(help="Folder to import it from.")] = Path(),
    path: ConfigOption = None,
) -> None:
    """Keep agents of a class alive, also when swarm is started again."""
    with connected(path) as swarm:
        swarm.keep_agents(agent, count, memory_bytes=memory_bytes, cwd=str(cwd.resolve()))


@app.command()
def stop(agent: ClassArgument, path: ConfigOption = None) -> None:
    """End the agents of a class; what they hold goes to others, or waits."""
    with connected(path) as swarm:
        swarm.keep_agents(agent, 0)


@app.command("ls")
def list_(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """List the agents that live, with what they hold."""
    with connected(path) as swarm:
        found = [row for row in swarm.workers() if any(row["capabilities"])]
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "agents": found}, indent=2))
        return
    for row in found:
        holds = f"{len(row['holds'])} of {row['slots']} slots"
        typer.echo(f"{row['worker']}  {' '.join(row['capabilities'])}  {holds}")

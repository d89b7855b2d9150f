"""`swarm agents`: long-running workers that handle items of a capability.

All but `run` speak of agents that the running swarm keeps; `run` hosts some on this machine, which
needs no Ray and no part in the cluster.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.actors.agent_seats import AgentSpec

app = typer.Typer(help="Agents that handle items.", no_args_is_help=True)

ClassArgument = Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="The agent's class.")]


@app.command()
def start(
    agent: ClassArgument,
    count: Annotated[int, typer.Option(min=1, help="How many of it are to live.")] = 1,
    memory_bytes: Annotated[int, typer.Option(min=0, help="Memory of each; 0: any.")] = 0,
    cwd: Annotated[Path, typer.Option(help="Folder to import it from.")] = Path(),
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Keep agents of a class alive, also when swarm is started again."""
    with changing(path, dry_run) as swarm:
        swarm.keep_agents(agent, count, memory_bytes=memory_bytes, cwd=str(cwd.resolve()))


@app.command()
def run(
    agent: ClassArgument,
    count: Annotated[int, typer.Option(min=1, help="How many of it live here.")] = 1,
    memory_bytes: Annotated[int, typer.Option(min=0, help="Memory of each; 0: any.")] = 0,
    cwd: Annotated[Path, typer.Option(help="Folder to import it from.")] = Path(),
    folder: Annotated[Path | None, typer.Option(help="Where its files are kept.")] = None,
    path: ConfigOption = None,
) -> None:
    """Host agents of a class in this process, for the swarm at `SWARM_URL` (its token, with the
    role `agent`, in the file `SWARM_TOKEN_FILE`), until it is ended."""
    import asyncio

    from swarm.actors.agent_seats import AgentSpec
    from swarm.cli.connection import explained, reached

    with explained():
        url, token = reached(path)
        spec = AgentSpec(agent, memory_bytes, str(cwd.resolve()))
        asyncio.run(_hosted(spec, count, url, token, folder or _own_folder(agent)))


@app.command()
def stop(agent: ClassArgument, dry_run: DryRunOption = False, path: ConfigOption = None) -> None:
    """End the agents of a class; what they hold goes to others, or waits."""
    with changing(path, dry_run) as swarm:
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


async def _hosted(spec: "AgentSpec", count: int, url: str, token: str, folder: Path) -> None:
    """Host until SIGTERM or SIGINT."""
    import asyncio
    import signal

    from swarm.actors.outside_host import Host
    from swarm.actors.outside_line import Line

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await Host(spec, count, Line(url, token), folder).run(stopped)


def _own_folder(agent: str) -> Path:
    """Of the hosts of a class on this machine."""
    state = Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser()
    return state / "swarm-agents" / agent.replace(":", ".")

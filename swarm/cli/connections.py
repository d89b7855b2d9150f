"""`swarm connections`: the sources of the settings, whether they can be read, and one more."""

import json
from typing import Annotated

import typer

from swarm.cli import new_source
from swarm.cli.connection import ConfigOption, explained, fail
from swarm.cli.first_batch import tried
from swarm.cli.output import Output, OutputOption

FAULTY = 3

app = typer.Typer(help="The sources of the settings.", no_args_is_help=True)
app.command("add")(new_source.add)


@app.command("list")
def list_(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """List the sources that the settings name."""
    from swarm import config
    from swarm.cli.output import print_table

    with explained():
        settings = config.load(path)
    rows = [
        {"name": one.instance, "kind": one.kind, "place": one.url or str(one.path or "")}
        for one in settings.sources
    ]
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "connections": rows}, indent=2))
        return
    print_table(("name", "kind", "place"), [tuple(row.values()) for row in rows])


@app.command("test")
def try_(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these sources.")
    ] = None,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Read the first answer of each source, as the running swarm would; changes nothing there.
    Exit 3 if one cannot be read."""
    import asyncio

    from swarm import config

    with explained():
        settings = config.load(path)
        known = {one.instance: one for one in settings.sources}
        for name in names or ():
            if name not in known:
                fail(f"no source is called `{name}`; there are: {', '.join(known)}", 4)
        asked = [known[name] for name in names] if names else list(known.values())
        rows = [asyncio.run(tried(source, settings)) for source in asked]
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "connections": rows}, indent=2))
    else:
        for row in rows:
            typer.echo(f"{'ok' if row['ok'] else 'fault':6} {row['name']}: {row['found']}")
    if not all(row["ok"] for row in rows):
        raise typer.Exit(FAULTY)

"""`swarm config`: what the settings are."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The settings.", no_args_is_help=True)


class Output(StrEnum):
    """How to print the settings."""

    YAML = "yaml"
    JSON = "json"


@app.command()
def show(
    config: Annotated[
        Path | None,
        typer.Option(
            help="Settings file.",
            envvar="SWARM_CONFIG",
            exists=True,
            dir_okay=False,
            metavar="FILE",
        ),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form.")] = Output.YAML,
) -> None:
    """Print the settings as swarm understands them, defaults filled in, passwords left out."""
    import json

    import yaml

    from swarm.config import load

    tree = load(config).model_dump(mode="json")
    tree["store_url"] = _without_password(tree["store_url"])
    if output is Output.JSON:
        typer.echo(json.dumps(tree, indent=2))
    else:
        typer.echo(yaml.safe_dump(tree, sort_keys=False), nl=False)


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, server = rest.rpartition("@")
    if not (separator and at and ":" in user):
        return url
    return f"{scheme}://{user.partition(':')[0]}:***@{server}"

"""`swarm config`: what the settings are."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from swarm.cli.output import AsIsOption, Output, print_table
from swarm.cli.source_options import settings_file

app = typer.Typer(help="The settings.", no_args_is_help=True)


@app.command()
def show(
    config: Annotated[
        Path | None,
        settings_file("Settings file."),
    ] = None,
    output: AsIsOption = Output.YAML,
    origin: Annotated[
        bool, typer.Option("--origin", help="One line a key, and who says so.")
    ] = False,
) -> None:
    """Print the settings as swarm understands them, defaults filled in, passwords left out."""
    import json

    import yaml

    from swarm.config import load

    tree = load(config).model_dump(mode="json")
    tree["store_url"] = _without_password(tree["store_url"])
    rows = list(_origins(tree, config, os.environ))
    if output is Output.TABLE:
        said = ((key, json.dumps(value, ensure_ascii=False), whence) for key, value, whence in rows)
        print_table(("key", "value", "origin"), said)
    elif origin:
        if output is Output.JSON:
            typer.echo(json.dumps({key: {"value": v, "origin": o} for key, v, o in rows}, indent=2))
            return
        for key, value, whence in rows:
            typer.echo(f"{key}: {json.dumps(value, ensure_ascii=False)}  # {whence}")
    elif output is Output.JSON:
        typer.echo(json.dumps(tree, indent=2))
    else:
        typer.echo(yaml.safe_dump(tree, sort_keys=False), nl=False)


def _origins(
    tree: Mapping[str, Any], config: Path | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, Any, str]]:
    """Each setting, its value, and whether a variable, the file or nobody says so."""
    import yaml

    said = {} if config is None else yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    variables = {name.upper() for name, value in environ.items() if value}

    def walk(branch: Mapping[str, Any], file: Any, way: tuple[str, ...]) -> Iterator[Any]:
        for name, value in branch.items():
            here = (*way, name)
            variable = "SWARM_" + "__".join(here).upper()
            in_file = isinstance(file, dict) and name in file
            if isinstance(value, dict) and value:
                yield from walk(value, file[name] if in_file else None, here)
            elif variable in variables:
                yield ".".join(here), value, f"variable {variable}"
            else:
                yield ".".join(here), value, f"file {config}" if in_file else "default"

    yield from walk(tree, said, ())


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, server = rest.rpartition("@")
    if not (separator and at and ":" in user):
        return url
    return f"{scheme}://{user.partition(':')[0]}:***@{server}"

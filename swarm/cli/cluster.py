"""`swarm cluster`: the files that Ray clusters are made from."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Ray clusters to run on.", no_args_is_help=True)


class Output(StrEnum):
    """How to print what was found."""

    TEXT = "text"
    JSON = "json"


@app.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(help="For `ray up`, or KubeRay's.", exists=True, dir_okay=False),
    ],
    output: Annotated[Output, typer.Option("--output", "-o", help="Form.")] = Output.TEXT,
) -> None:
    """Tell what is wrong with a cluster file, on which line, and what to write instead.

    By Ray's own schema, and by what swarm needs: labels, who is let in, what is open to the
    network, when a node counts as dead. It starts nothing. Exit code 1: something is wrong.
    """
    from swarm.capacity.clusterfile.check import check as checked
    from swarm.errors import InputError

    try:
        found = checked(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{file}: no text in UTF-8.") from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    if output is Output.JSON:
        tree = {"schema_version": 1, "findings": [asdict(one) for one in found]}
        typer.echo(json.dumps(tree, indent=2))
    else:
        for one in found:
            typer.echo(f"{file}:{one.line}: {one.place}: {one.problem}. Fix: {one.fix}")
        typer.echo(f"{len(found)} to fix" if found else f"{file}: nothing wrong", err=bool(found))
    if found:
        raise typer.Exit(1)

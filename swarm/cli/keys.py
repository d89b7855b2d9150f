"""`swarm keys`: who may reach swarm over HTTP, and as what."""

import json
import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected, fail
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client import Client
    from swarm.client.calls.access import Key, NewKey

app = typer.Typer(help="API keys: made, listed, rotated, revoked.", no_args_is_help=True)

_DAY_S = 86_400.0


class As(StrEnum):
    """As `Role`, which is slow to import."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    AGENT = "agent"
    WORKER = "worker"
    PLUGIN = "plug-in"


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The id of the key.")]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", help="Write the key there, for its owner alone; else it is printed."),
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who it is for.")],
    role: Annotated[list[As], typer.Option("--role", help="What it may do; may be repeated.")],
    days: Annotated[float, typer.Option(min=0.001, max=3_650, help="After so many it ends.")] = 90,
    file: FileOption = None,
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Make a key. It is shown once: swarm keeps only a digest of it."""
    _refuse_taken(file)
    with changing(path, dry_run) as swarm:
        _give(swarm.create_key(name, role, life_s=days * _DAY_S), file)


@app.command()
def rotate(
    key: KeyArgument,
    overlap_h: Annotated[
        float, typer.Option("--overlap", min=0, help="Hours for which the old one opens too.")
    ] = 24.0,
    file: FileOption = None,
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Make a key like KEY in its place, for as long as that was for."""
    _refuse_taken(file)
    with changing(path, dry_run) as swarm:
        if dry_run:
            _refuse_unknown(swarm, key)
        _give(swarm.rotate_key(key, overlap_s=overlap_h * 3_600), file)


@app.command()
def revoke(key: KeyArgument, dry_run: DryRunOption = False, path: ConfigOption = None) -> None:
    """End a key at once."""
    with changing(path, dry_run) as swarm:
        if dry_run:
            _refuse_unknown(swarm, key)
        swarm.revoke_key(key)
    typer.echo(f"key {key} opens nothing any more", err=True)


@app.command("ls")
def list_(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show all keys, without their secrets."""
    with connected(path) as swarm:
        found = swarm.keys()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "keys": found}, indent=2))
        return
    for row in found:
        typer.echo(_line(row))
    typer.echo(f"{len(found)} keys", err=True)


def _give(made: "NewKey", file: Path | None) -> None:
    if file is None:
        typer.echo(made["key"])
    else:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write(made["key"])
    until = _when(made["expires_at_s"])
    typer.echo(f"key {made['id']} ({', '.join(made['roles'])}) opens until {until}", err=True)


def _line(row: "Key") -> str:
    over_s = row["revoked_at_s"]
    ends = f"until {_when(row['expires_at_s'])}" if over_s is None else f"revoked {_when(over_s)}"
    used = f"used {_when(row['last_used_s'])}" if row["last_used_s"] else "never used"
    return f"{row['id']}  {ends}  {used}  {','.join(row['roles'])}  {row['name']}"


def _when(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


def _refuse_unknown(swarm: "Client", key: str) -> None:
    known = swarm.keys()
    if all(row["id"] != key for row in known):
        fail(f"No key has the id {key}; see `swarm keys ls`.", 4)


def _refuse_taken(file: Path | None) -> None:
    """Before the key is made: one that cannot be written down would be lost."""
    if file is not None and file.exists():
        fail(f"{file} is there already; name another file.", 7)

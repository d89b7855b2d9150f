"""`swarm init`: settings to begin with."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.connection import fail

_TAKEN = 7
_HEAD = """\
# Settings of swarm. All keys, with their defaults: `swarm config show -c {file}`.
# Next: `swarm check -c {file}`, then one look by `swarm scan -c {file}`, or `swarm up -c {file}`.
sources:
"""
_EXAMPLE = """\
  # Nothing was found on this machine; `swarm connections add` asks what you run. Or name it:
  # - {kind: airflow, url: "http://127.0.0.1:8080", username: me, password_file: airflow.password}
  # - {kind: dagster, url: "http://127.0.0.1:3000"}
  # - {kind: prefect, url: "http://127.0.0.1:4200/api"}
  # - {kind: dbt, path: target}
  []
"""


def init(
    file: Annotated[Path, typer.Argument(help="Where to.", dir_okay=False)] = Path("swarm.yaml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it only.")] = False,
) -> None:
    """Write settings to begin with: the orchestrators that this machine seems to have."""
    found = list(_found(os.environ, Path.home(), Path.cwd()))
    text = _HEAD.format(file=file) + ("".join(f"  - {one}\n" for one in found) or _EXAMPLE)
    if dry_run:
        typer.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        fail(f"{file} is there already; name another file: `swarm init OTHER.yaml`.", _TAKEN)
    except OSError as error:
        fail(f"{file}: {error.strerror}", 2)
    typer.echo(f"{file} names {len(found)} sources. Next: swarm check -c {file}", err=True)


def _found(environ: Mapping[str, str], home: Path, here: Path) -> Iterator[str]:
    """One source for each orchestrator that has left a trace."""
    if "AIRFLOW_HOME" in environ or (home / "airflow" / "airflow.cfg").exists():
        yield '{kind: airflow, url: "http://127.0.0.1:8080"}  # and token_file, or a user'
    if "DAGSTER_HOME" in environ:
        yield '{kind: dagster, url: "http://127.0.0.1:3000"}'
    if url := environ.get("PREFECT_API_URL"):
        yield f'{{kind: prefect, url: "{url}"}}'
    if (here / "target" / "manifest.json").exists():
        yield "{kind: dbt, path: target}"

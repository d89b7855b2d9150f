"""`swarm connections add`: one source more in the settings, tried before it is written."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, explained, fail
from swarm.cli.first_batch import tried
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.config import Settings, Source

_FAULTY = 3
_TAKEN = 7
_AT_HOME = {
    "airflow": "http://127.0.0.1:8080",
    "dagster": "http://127.0.0.1:3000",
    "prefect": "http://127.0.0.1:4200/api",
}
"""The kinds that are servers, and where one on this machine listens; the others are files."""
_WAYS = ("none", "token", "password")


def add(  # noqa: PLR0913  # an option each
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help="airflow, dagster, ...; asked for if not given.")
    ] = "",
    url: Annotated[str, typer.Option(help="Base URL of the server.")] = "",
    at: Annotated[str, typer.Option("--path", help="The file or folder, where it is one.")] = "",
    name: Annotated[str, typer.Option(help="Its name, else its kind.")] = "",
    token_file: Annotated[str, typer.Option(help="File with a bearer token.")] = "",
    username: Annotated[str, typer.Option(help="User for basic authentication.")] = "",
    password_file: Annotated[str, typer.Option(help="File with the user's password.")] = "",
    untried: Annotated[
        bool, typer.Option("--untried", help="Write it without asking it first.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try it, and print what would be written.")
    ] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Add a source to the settings, by these options or by answering questions. It is tried first,
    as the running swarm would read it; nothing there is changed. The other lines of the file stay
    as they are. Exit 3 if it cannot be read, 7 if its name is taken."""
    from swarm import config

    if path is None:
        fail("which settings? Name them: `-c swarm.yaml`, or set SWARM_CONFIG.", 2)
    given = {"kind": kind, "name": name, "url": url, "path": at, "token_file": token_file}
    given |= {"username": username, "password_file": password_file}
    with explained():
        settings = config.load(path if path.exists() else None)
        names = {one.instance for one in settings.sources}
        entry = {key: value for key, value in (given if kind else _asked(names)).items() if value}
        source = _checked(entry, settings, names)
        row = {"ok": None, "found": "was not tried"} if untried else _tried(source, settings)
        if row["ok"] is False:
            typer.echo(f"fault  {source.instance}: {row['found']}")
            fail("nothing was written; correct that, or add it all the same: --untried", _FAULTY)
        if dry_run:
            _print_block(entry)
            typer.echo(f"{source.instance}: {row['found']}", err=True)
            return
        _write(path, entry, source.instance)
    if output is Output.JSON:
        told = {"connection": entry, "written": str(path), "ok": row["ok"], "found": row["found"]}
        typer.echo(json.dumps({"schema_version": 1, **told}, indent=2))
    else:
        typer.echo(f"added  {source.instance}: {row['found']}")
    typer.echo(f"{path} has it now; `swarm up -c {path}` reads it at its next start.", err=True)


def _asked(names: set[str]) -> dict[str, str]:
    """What a person answers, one question after the other."""
    from swarm.connectors.registry import known_kinds

    kinds = sorted(known_kinds())
    kind = ""
    while kind not in kinds:
        kind = typer.prompt(f"What is it ({', '.join(kinds)})", err=True).strip()
    entry = {"kind": kind}
    if kind in _AT_HOME:
        entry["url"] = typer.prompt("Its base URL", _AT_HOME[kind], err=True)
    else:
        entry["path"] = typer.prompt("The file or folder", err=True)
    free = _free(kind, names)
    name = typer.prompt("Its name in swarm", free, err=True)
    entry["name"] = "" if name == kind else name
    if kind in _AT_HOME:
        entry |= _asked_way_in()
    return entry


def _asked_way_in() -> dict[str, str]:
    way = ""
    while way not in _WAYS:
        way = typer.prompt(f"What lets swarm in ({', '.join(_WAYS)})", _WAYS[0], err=True)
    where = "file that holds it, or secret://env/NAME"
    if way == "token":
        return {"token_file": typer.prompt(f"The token: {where}", err=True)}
    if way == "password":
        user = typer.prompt("The user", err=True)
        password = typer.prompt(f"The password: {where}", err=True)
        return {"username": user, "password_file": password}
    return {}


def _free(kind: str, names: set[str]) -> str:
    number, name = 1, kind
    while name in names:
        number += 1
        name = f"{kind}-{number}"
    return name


def _checked(entry: Mapping[str, str], settings: "Settings", names: set[str]) -> "Source":
    """That source, where it can be one beside the others. Raises `ConfigError`."""
    from pydantic import ValidationError

    from swarm.config import Source
    from swarm.connectors.registry import connect, known_kinds
    from swarm.errors import ConfigError

    kind = entry["kind"]
    wanted = "url" if kind in _AT_HOME else "path"
    if kind in known_kinds() and not (entry.get("url") or entry.get("path")):
        raise ConfigError(f"where is it? A {kind} needs `--{wanted}`.")
    try:
        source = Source.model_validate(entry)
    except ValidationError as error:
        said = (f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}." for e in error.errors())
        raise ConfigError("\n".join(said)) from None
    if source.instance in names:
        free = _free(kind, names)
        fail(f"a source is called `{source.instance}` already; add `--name {free}`.", _TAKEN)
    connect(source, settings)
    return source


def _tried(source: "Source", settings: "Settings") -> dict[str, Any]:
    import asyncio

    return asyncio.run(tried(source, settings))


def _write(path: Path, entry: Mapping[str, str], instance: str) -> None:
    """Put it into the file, whole or not at all."""
    from swarm import config
    from swarm.cli.settings_text import with_source

    file = path.resolve()
    there = file.exists()
    text = with_source(file.read_text(encoding="utf-8") if there else "", entry)
    if text is None:
        _print_block(entry)
        fail(f"{path} is written in a way of its own: paste that into it yourself.", 1)
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    new = Path(beside)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as written:
            written.write(text)
        read = config.load(new)
        if instance not in {one.instance for one in read.sources}:
            fail(f"a variable, SWARM_SOURCES, says what the sources are, not {path}.", 2)
        new.chmod(file.stat().st_mode & 0o777 if there else 0o644)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _print_block(entry: Mapping[str, str]) -> None:
    from swarm.cli.settings_text import entry_of

    typer.echo(f"sources:\n  - {entry_of(entry)}")

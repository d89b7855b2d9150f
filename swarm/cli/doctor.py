"""`swarm check` and `swarm doctor`: what is wrong with the set-up, and what mends it."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from swarm.cli.connection import ConfigOption
from swarm.cli.look import Look
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client import Client
    from swarm.config import Settings, Source

FAULTY = 3
_DIAL_S = 3.0


def check(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Look whether the settings can be used, and the files they name; starts and reads nothing."""
    _tell(_of_settings(path)[1], output)


def doctor(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Look for what is most likely wrong: settings, files, the store, ports, agents, plug-ins,
    sources, nodes, the running swarm."""
    from swarm.cli.nodes import of_nodes
    from swarm.cli.set_up import of_machine

    settings, looks = _of_settings(path)
    if settings is not None:
        looks += of_machine(settings)
        looks += [_dialled(source) for source in settings.sources if source.url]
        if settings.ray_address:
            looks += of_nodes(settings)
        looks += _of_running(path, settings)
    _tell(looks, output)


def _tell(looks: list[Look], output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "looks": [asdict(one) for one in looks]}))
    else:
        for one in looks:
            typer.echo(f"{'fault' if one.fix else 'ok':6} {one.what}: {one.found}")
            if one.fix:
                typer.echo(f"       {one.fix}")
    faults = sum(bool(one.fix) for one in looks)
    typer.echo(f"{faults} faults in {len(looks)} looks", err=True)
    if faults:
        raise typer.Exit(FAULTY)


def _of_settings(path: Path | None) -> tuple["Settings | None", list[Look]]:
    """The settings, None where they cannot be read, and what is to say of them."""
    from swarm import config
    from swarm.actors.linking import refuse_rings
    from swarm.errors import ConfigError

    name = "the defaults" if path is None else str(path)
    try:
        settings = config.load(path)
        refuse_rings(settings.links)
    except ConfigError as error:
        fix = "correct that line; `swarm config show` tells all keys"
        return None, [Look("settings", str(error), fix)]
    if not settings.sources:
        fix = "`swarm init` writes a file to begin with"
        return settings, [Look("settings", f"{name} name no sources", fix)]
    first = Look("settings", f"{name}, {len(settings.sources)} sources")
    return settings, [first, *(_usable(source, settings) for source in settings.sources)]


def _usable(source: "Source", settings: "Settings") -> Look:
    """Whether somebody knows the kind, and the files are there and nobody else's to read."""
    from swarm import secret
    from swarm.connectors.registry import connect
    from swarm.errors import ConfigError

    what = f"source {source.instance}"
    secrets = [
        one for one in (source.token_file, source.password_file, source.hand_token_file) if one
    ]
    if source.path and not os.access(source.path, os.R_OK):
        fix = f"ls -l {source.path}    # correct the path, or who may read it"
        return Look(what, f"{source.path} cannot be read", fix)
    for at in secrets:
        try:
            secret.read(at, what)
        except ConfigError as error:
            return Look(what, str(error), f"ls -l {at}    # correct the place, or who may read it")
        file = Path(at)
        if file.exists() and file.stat().st_mode & 0o077:
            return Look(what, f"others may read {file}", f"chmod 600 {file}")
    try:
        connect(source, settings)
    except ConfigError as error:
        return Look(what, str(error), "correct it in the settings")
    return Look(what, f"{source.kind} at {source.url or source.path or 'its default'}")


def _dialled(source: "Source") -> Look:
    """Whether anybody listens where a source is said to be."""
    import socket
    from urllib.parse import urlsplit

    what = f"line to {source.instance}"
    parts = urlsplit(source.url)
    place = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(place, _DIAL_S).close()
    except OSError as error:
        why = error.strerror or str(error)
        fix = f"curl -sI {source.url}    # start it, or correct `url`; is it behind a proxy?"
        return Look(what, f"{source.url}: {why}", fix)
    return Look(what, f"{source.url} answers")


def _of_running(path: Path | None, settings: "Settings") -> Iterator[Look]:
    from swarm.bootstrap.cluster import ray_logs
    from swarm.cli.connection import reached
    from swarm.client import ApiError, Client, Unreachable
    from swarm.errors import ConfigError

    logs = f"{settings.state_dir / 'swarm.log'}, and of its actors {ray_logs(settings)}"
    try:
        with Client(*reached(path), timeout_s=10.0, retry_for_s=0.0) as swarm:
            yield from _of_swarm(swarm)
    except Unreachable as error:
        yield Look("swarm", str(error), f"`swarm up` starts it; its logs are {logs}")
    except ApiError as error:
        fix = f"see {logs}"
        if error.status == 401:
            fix = "export SWARM_TOKEN_FILE=FILE    # where the token is that `swarm up` printed"
        yield Look("swarm", str(error), fix)
    except ConfigError as error:
        yield Look("swarm", str(error), "set `SWARM_TOKEN_FILE`")
    except OSError as error:
        fix = "export SWARM_TOKEN_FILE=FILE    # one that you may read"
        yield Look("swarm", f"token {error.filename}: {error.strerror}", fix)


def _of_swarm(swarm: "Client") -> Iterator[Look]:
    from swarm import __version__
    from swarm.cli.installed import source

    now, theirs = swarm.status(), swarm.openapi()["info"]["version"]
    same = theirs == __version__
    fix = (
        f"{sys.executable} -m pip install {source()}    # when {theirs} is there; or the other side"
    )
    yield Look(
        "swarm",
        f"answers, version {theirs}" + ("" if same else f", this command is {__version__}"),
        "" if same else fix,
    )
    ready = swarm.ready()
    yield Look("journal", "is read" if ready else "is still read", "" if ready else "wait a little")
    for row in now["connectors"]:
        well = row["state"] == "ok"
        found = row["state"] + (f": {row['message']}" if row["message"] else "")
        yield Look(
            f"reads {row['source']}", found, "" if well else "`swarm connections test` tries"
        )
    for stream in now["standing"]:
        found = f"stands still before record {stream['seq']}: {stream['why']}"
        yield Look(f"stream {stream['stream']}", found, f"`{stream['fix']}`")
    yield from _of_workers(swarm)


def _of_workers(swarm: "Client") -> Iterator[Look]:
    """Whether what waits can ever begin."""
    slots = sum(row["slots"] for row in swarm.workers())
    waits = next(iter(swarm.tasks(state="queued")), None)
    if slots or waits is None:
        yield Look("workers", f"{slots} slots" if slots else "none, and nothing waits for one")
        return
    fix = "SWARM_WORKER__SLOTS=4 swarm up    # after `swarm down`; or start nodes"
    yield Look("workers", f"none has a slot, and tasks wait, such as {waits['id']}", fix)

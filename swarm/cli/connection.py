"""How a command reaches the running swarm, and how its errors become exit codes."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from swarm.errors import ConfigError

if TYPE_CHECKING:
    from swarm.client import Client

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="SWARM_CONFIG", help="Settings file (YAML)."),
]

DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Look whether it can be done; print it, and change nothing."),
]

PATIENT_S = 15.0  # of what follows something: a restarted API is back by then

EXIT_FOUND = 3  # it worked, and found what it looks for: something wrong
EXIT_INTERRUPTED = 130  # Ctrl-C, as shells have it; typer's own answer to it is the same
_EXIT_OF_STATUS = {401: 5, 403: 5, 404: 4, 409: 7}


@contextlib.contextmanager
def connected(path: Path | None, retry_for_s: float = 0.0) -> Iterator["Client"]:
    """The running swarm of `SWARM_URL`, else of the settings. Every refusal of it becomes a
    message on stderr and an exit code: 4 not found, 5 token or its role, 6 unreachable, 7
    conflict. It is told at once; a command that goes on for long tries again for `retry_for_s`."""
    from swarm.client import Client

    with explained(), Client(*reached(path), retry_for_s=retry_for_s) as client:
        yield client


@contextlib.contextmanager
def changing(
    path: Path | None, dry_run: bool, *, of: Iterable[str] = (), retry_for_s: float = 0.0
) -> Iterator["Client"]:
    """As `connected`, for a command that changes something. In a `dry_run` the pipelines `of` which
    it speaks have to be known, and the first change is printed in place of being sent; the command
    ends there, with 0."""
    if not dry_run:
        with connected(path, retry_for_s) as client:
            yield client
        return
    from swarm.cli.rehearsal import Rehearsal, Rehearsed

    with explained(), Rehearsal(*reached(path), retry_for_s=retry_for_s) as client:
        try:
            for pipeline in of:
                client.impact(pipeline)
            yield client
        except Rehearsed as change:
            typer.echo(str(change))
            unchanged()


def unchanged() -> NoReturn:
    """Leave a dry run."""
    typer.echo("Nothing was changed: this was a dry run.", err=True)
    raise typer.Exit


def reached(path: Path | None) -> tuple[str, str]:
    """The URL and the token of the swarm of `SWARM_URL`, else of the one that runs with the
    settings."""
    from swarm import config
    from swarm.client import local

    url = os.environ.get("SWARM_URL")
    if url:
        file = os.environ.get("SWARM_TOKEN_FILE")
        if not file:
            raise ConfigError("SWARM_URL is set: set SWARM_TOKEN_FILE to the file of a token, too.")
        return url, Path(file).read_text().strip()
    return local(config.load(path).state_dir)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn the errors a user can act on into a message and an exit code."""
    from swarm.client import ApiError, Unreachable

    try:
        yield
    except ConfigError as error:
        fail(str(error), 2)
    except Unreachable as error:
        fail(str(error), 6)
    except ApiError as error:
        fail(str(error), _EXIT_OF_STATUS.get(error.status, 1))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", 2)


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong on stderr and leave."""
    typer.secho(message, fg=typer.colors.RED, err=True)
    raise typer.Exit(code)

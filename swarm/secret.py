"""Where a secret lies: a file, or a variable of the environment. Settings hold places, not secrets,
so that nothing that shows or copies settings shows or copies a secret.

`secret://env/NAME` is a variable of the process that reads it, `secret://file/PATH` and a plain
path are a file (`secret://file/etc/x` is `/etc/x`).
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from swarm.errors import ConfigError

PREFIX = "secret://"
HIDDEN = "SWARM_SECRET_VARIABLES"  # names that programs on the workers do not inherit
_ENV = re.compile(r"secret://env/([A-Za-z_]\w*)")
_FILE = re.compile(r"secret://file(/.+)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def place(text: str) -> str:
    """`text` as a place, `~` expanded. Raises `ValueError` for a `secret://` that is none."""
    if not text.startswith(PREFIX):
        return str(Path(text).expanduser())
    if _ENV.fullmatch(text) or _FILE.fullmatch(text):
        return text
    raise ValueError("has to be a path, `secret://env/NAME` or `secret://file/PATH`")


def read(at: str, key: str) -> str:
    """The secret at a place, without blanks around it. Raises `ConfigError`, which names the place
    and the setting, `key`; also for one with a line break within, which no header takes: whoever
    refused it would show it."""
    variable = _ENV.fullmatch(at)
    text = _of_file(at, key) if variable is None else os.environ.get(variable[1], "").strip()
    if variable is not None and not text:
        raise ConfigError(f"{key}: the environment variable {variable[1]} is not set.")
    if _CONTROL.search(text):
        raise ConfigError(f"{key}: {at} holds more than one line, or characters that are no text.")
    return text


def bearer(at: str | None, key: str) -> dict[str, str]:
    """The header that lets one in by the token that lies at a place now; none without a place.
    Raises `ConfigError` as `read`."""
    return {} if at is None else {"Authorization": f"Bearer {read(at, key)}"}


def _of_file(at: str, key: str) -> str:
    in_url = _FILE.fullmatch(at)
    path = Path(in_url[1] if in_url else at)
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is no text file.") from None


def variables(texts: Iterable[str]) -> frozenset[str]:
    """The names of variables that hold secrets, of whatever settings say."""
    return frozenset(found[1] for text in texts if (found := _ENV.fullmatch(text)))


def hide(names: Iterable[str]) -> None:
    """Programs that this process starts from now on do not inherit these variables."""
    os.environ[HIDDEN] = ",".join(sorted(names))


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What a program that is not swarm's own may have of an environment."""
    hidden = {HIDDEN, *environ.get(HIDDEN, "").split(",")}
    return {name: value for name, value in environ.items() if name not in hidden}

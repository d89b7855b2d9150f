"""The files of the process that `swarm up` starts: secrets, tokens, and where it can be found."""

import base64
import os
import secrets
from pathlib import Path

from swarm import secret as secrets_at
from swarm.config import Settings
from swarm.errors import ConfigError
from swarm.model.access import Caller, Role

_TOKEN_MIN = 20


def running_file(settings: Settings) -> Path:
    """Says which swarm runs with these settings: its pid, its URL, where its token is."""
    return settings.state_dir / "up.json"


def secret(settings: Settings, name: str) -> Path:
    """A file with a random token that only its owner can read; made at the first start."""
    path = settings.state_dir / name
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
    return path


def fernet_key(file: Path) -> bytes:
    """The key that a secret file of ours stands for."""
    return base64.urlsafe_b64encode(bytes.fromhex(file.read_text())[:32])


def tokens(settings: Settings) -> dict[str, Caller]:
    """The tokens of the settings. Raises `ConfigError` for a file that holds none."""
    found = {}
    for at, entry in enumerate(settings.api.tokens):
        token = secrets_at.read(entry.token_file, "api.tokens")
        if len(token) < _TOKEN_MIN:
            few = f"a token has {_TOKEN_MIN} characters at least"
            raise ConfigError(f"api.tokens: {entry.token_file}: {few}; `openssl rand -hex 32`.")
        roles = frozenset(Role(role) for role in entry.roles)
        found[token] = Caller(f"api.tokens[{at}]", roles)
    return found

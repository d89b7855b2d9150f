"""What a source's settings say about who we are."""

import base64

from swarm import secret
from swarm.config import Source
from swarm.errors import ConfigError


def headers_of(source: Source) -> dict[str, str]:
    """The Authorization header of a source: its token, else its user and password, else none."""
    if source.token_file is not None:
        return {"Authorization": f"Bearer {_secret(source, 'token_file', source.token_file)}"}
    if source.password_file is not None:
        pair = f"{source.username}:{password_of(source)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def password_of(source: Source) -> str:
    """The user's password, empty when there is none."""
    if source.password_file is None:
        return ""
    return _secret(source, "password_file", source.password_file)


def hand_token_of(source: Source) -> str:
    """The token of the hand beside the source."""
    if source.hand_token_file is None:
        raise ConfigError(f"source `{source.instance}`: `hand_url` needs `hand_token_file` too.")
    return _secret(source, "hand_token_file", source.hand_token_file)


def _secret(source: Source, key: str, at: str) -> str:
    return secret.read(at, f"source `{source.instance}`: `{key}`")

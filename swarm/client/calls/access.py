"""API keys, and who changed what."""

import secrets
from collections.abc import Sequence
from typing import TypedDict

from swarm.client.call import Call, Pages, get, nothing, part, post, said


class Key(TypedDict):
    """A key without its secret."""

    id: str
    name: str
    roles: list[str]
    made_at_s: float
    made_by: str
    expires_at_s: float
    revoked_at_s: float | None
    last_used_s: float | None
    replaces: str


class NewKey(Key):
    """A key that was just made: `key` is its text, which cannot be shown again."""

    key: str


class Change(TypedDict):
    """Who asked for what, and the records of its stream that it wrote (numbers 0: none)."""

    stream: str
    no: int
    at_s: float
    by: str
    asked: str
    types: str
    first_seq: int
    last_seq: int
    body: str
    digest: str


class Chain(TypedDict):
    """The chain of a stream: so many rows fit, the first `trimmed` of them by the seal that was
    left when they went; `wrong` is the first that does not, or empty."""

    stream: str
    rows: int
    digest: str
    wrong: str
    trimmed: int


def keys() -> Call[list[Key]]:
    """All API keys, without their secrets."""
    return get("keys")


def create_key(name: str, roles: Sequence[str], *, life_s: float | None = None) -> Call[NewKey]:
    """Make an API key; `key` is its text, which no other answer has."""
    body = {"name": name, "roles": list(roles), **said(life_s=life_s)}
    return post("keys", body, key=secrets.token_hex(16))


def rotate_key(key: str, *, overlap_s: float | None = None) -> Call[NewKey]:
    """Make a key like an old one, which goes on to open for `overlap_s`, a day if not said."""
    path = f"keys/{part(key)}/rotate"
    return post(path, said(overlap_s=overlap_s), key=secrets.token_hex(16))


def revoke_key(key: str) -> Call[None]:
    """End a key at once."""
    return post(f"keys/{part(key)}/revoke", None, nothing)


def audit() -> Pages[Change]:
    """Who changed what over HTTP, newest first."""
    return Pages("audit", {})


def verify_audit() -> Call[list[Chain]]:
    """The chain of changes of each stream: how many `rows` fit, and what is `wrong`."""
    return get("audit/verify")

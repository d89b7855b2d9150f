"""API keys in the store: a row for each, with a digest in place of its secret.

The digest is plain SHA-256, without salt and work factor: what those protect, a secret that people
chose and reuse, is not here. A secret of 256 random bits cannot be guessed from its digest, and
each request is checked, which a slow hash would turn into a way to keep swarm busy.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from swarm.errors import UnknownKey
from swarm.model.access import Key, Role
from swarm.store.audit import KEYS, Written, newest_at_s, note, trim
from swarm.store.database import Database
from swarm.store.tables import keys

_USED = (
    update(keys)
    .where(keys.c.id == bindparam("of"))
    .values(last_used_s=func.coalesce(bindparam("used_s"), keys.c.last_used_s))
)


class Keys:
    """All keys, those that are over too; any process may change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Key]:
        """The oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(keys).order_by(keys.c.made_at_s, keys.c.id)).all()
        return [_key(row._mapping) for row in rows]

    def add(self, key: Key, cause_id: str, old_expires_at_s: float | None = None) -> None:
        """Keep a new key, and let the one that it replaces end then, if not sooner."""
        row = asdict(key) | {"roles": " ".join(sorted(key.roles))}
        with self._database.writing() as connection:
            connection.execute(self._database.insert(keys).values(row))
            if old_expires_at_s is not None:
                older = (keys.c.id == key.replaces) & (keys.c.expires_at_s > old_expires_at_s)
                shorter = update(keys).where(older).values(expires_at_s=old_expires_at_s)
                connection.execute(shorter)
            told = row | {"digest": key.digest.hex()}
            _note(connection, key.made_at_s, cause_id, "KeyMade", told)

    def revoke(self, id_: str, at_s: float, cause_id: str) -> None:
        """End a key for good; one that was revoked stays as it is. Raises `UnknownKey`."""
        with self._database.writing() as connection:
            mine = keys.c.id == id_
            if connection.scalar(select(keys.c.id).where(mine)) is None:
                raise UnknownKey(f"there is no key {id_}; `swarm keys ls` lists them.")
            live = mine & keys.c.revoked_at_s.is_(None)
            revoked = update(keys).where(live).values(revoked_at_s=at_s)
            if connection.execute(revoked).rowcount:
                _note(connection, at_s, cause_id, "KeyRevoked", {"id": id_})

    def last_change_s(self) -> float | None:
        """When a key was changed last, None where none ever was."""
        with self._database.reading() as connection:
            return newest_at_s(connection, KEYS)

    def trim_audit(self, before_s: float, now_s: float) -> None:
        """Drop who changed keys before then, and seal that (`store/audit.py`)."""
        with self._database.writing() as connection:
            trim(connection, KEYS, before_s, now_s)

    def used(self, at_s: Mapping[str, float]) -> None:
        """Note when keys were used last."""
        if at_s:
            rows = [{"of": id_, "used_s": used_s} for id_, used_s in at_s.items()]
            with self._database.writing() as connection:
                connection.execute(_USED, rows)


def _key(row: Mapping[Any, Any]) -> Key:
    roles = frozenset(Role(role) for role in row["roles"].split())
    return Key(**dict(row) | {"roles": roles})


def _note(
    connection: Connection, at_s: float, cause_id: str, kind: str, told: Mapping[str, Any]
) -> None:
    note(connection, KEYS, at_s, [(cause_id, Written(0, kind, json.dumps(told)))])

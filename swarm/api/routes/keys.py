"""API keys: made, listed, rotated, revoked. The text of a key is in one answer and nowhere else."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from swarm.api.deps import Cause, Given, Once, Who
from swarm.api.keyring import Wish
from swarm.api.roles import ROOT
from swarm.model.access import Key, Role

router = APIRouter(prefix=ROOT, tags=["keys"])

_DAY_S = 86_400.0
_LIFE_S = 90 * _DAY_S
_LIFE_MAX_S = 3_650 * _DAY_S


class KeyBody(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$", description="Who it is for."
    )
    roles: list[Role] = Field(min_length=1, max_length=6, description="What it may do.")
    life_s: float = Field(
        _LIFE_S, ge=60, le=_LIFE_MAX_S, description="Seconds after which it expires."
    )


class RotateBody(BaseModel):
    """How a key gives way to the next."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: float = Field(
        _DAY_S, ge=0, le=_LIFE_MAX_S, description="Seconds for which the old key opens as well."
    )


class KeyRow(BaseModel):
    """A key without its secret. Times are seconds since the epoch."""

    id: str
    name: str
    roles: list[Role]
    made_at_s: float
    made_by: str
    expires_at_s: float
    revoked_at_s: float | None
    last_used_s: float | None
    replaces: str

    @classmethod
    def of(cls, key: Key) -> Self:
        shown = {name: getattr(key, name) for name in cls.model_fields if name in Key.__slots__}
        return cls(**shown | {"roles": sorted(key.roles)})


class NewKey(KeyRow):
    """A key that was just made: `key` is its text, which cannot be shown again."""

    key: str

    @classmethod
    def made(cls, key: Key, text: str) -> Self:
        return cls(**KeyRow.of(key).model_dump(), key=text)


@router.get("/keys")
async def keys(deps: Given) -> list[KeyRow]:
    """All keys, those that are over too."""
    return [KeyRow.of(key) for key in await deps.keyring.all()]


@router.post("/keys", status_code=201)
async def create(
    body: KeyBody, deps: Given, who: Who, cause: Cause, idempotency_key: Once = None
) -> NewKey:
    """Make a key. This answer is the only place that ever holds its text; for a day the same wish
    under the same `Idempotency-Key` is told it again."""
    wish = Wish(who.name, cause, idempotency_key)
    return NewKey.made(*await deps.keyring.make(body.name, body.roles, body.life_s, wish))


@router.post("/keys/{key}/rotate", status_code=201)
async def rotate(
    key: str,
    body: RotateBody,
    deps: Given,
    who: Who,
    cause: Cause,
    idempotency_key: Once = None,
) -> NewKey:
    """Make a key like an old one, which goes on to open for a while."""
    wish = Wish(who.name, cause, idempotency_key)
    return NewKey.made(*await deps.keyring.rotate(key, body.overlap_s, wish))


@router.post("/keys/{key}/revoke")
async def revoke(key: str, deps: Given, cause: Cause) -> None:
    """End a key at once."""
    await deps.keyring.revoke(key, cause)

"""Settings of the API: where it listens, and who may do what."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from swarm.config.section import SecretAt, Section

RoleName = Literal["viewer", "operator", "admin", "agent", "worker", "plug-in"]


_ROLES_OF_RIGHT: Mapping[str, tuple[RoleName, ...]] = {
    "read": ("viewer",),
    "tell": ("viewer", "worker"),
    "work": ("viewer", "worker", "agent"),
}


class ApiToken(Section):
    """A token that may do less than the one `swarm up` makes."""

    token_file: SecretAt = Field(
        description="File that holds the token, yours to make, or `secret://env/NAME`."
    )
    roles: tuple[RoleName, ...] = Field(
        ("viewer",),
        min_length=1,
        description="`viewer` looks, `operator` also decides, `admin` may do everything; `worker` "
        "sends lineage, runs and beats, `agent` hosts agents, `plug-in` has tasks run.",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_written_before(cls, tree: Any) -> Any:
        """What was a `right` is the roles that may do the same."""
        if not isinstance(tree, dict) or str(tree.get("right")) not in _ROLES_OF_RIGHT:
            return tree
        rest = {key: value for key, value in tree.items() if key != "right"}
        return rest | {"roles": _ROLES_OF_RIGHT[str(tree["right"])]}


def _of_issuer(url: str) -> str:
    parts = urlsplit(url)
    is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise ValueError("has to be an https:// URL, as its tokens have it in `iss`")
    return url


class Oidc(Section):
    """An OpenID Connect issuer whose bearer tokens open the API."""

    issuer: Annotated[str, AfterValidator(_of_issuer)] = Field(
        description="Its URL, exactly as its tokens have it in `iss`."
    )
    audience: str = Field(min_length=1, description="What its tokens for swarm have in `aud`.")
    roles_claim: str = Field(
        "roles", min_length=1, description="The claim that lists what somebody is there."
    )
    roles: dict[str, RoleName] = Field(
        default_factory=dict,
        description="Values of that claim, each with its role here; others count for nothing.",
    )
    leeway_s: float = Field(
        60.0, ge=0, le=300, description="Seconds by which its clock may differ from ours."
    )


class Api(Section):
    """Where the HTTP API listens."""

    host: str = Field("127.0.0.1", description="Address to bind.")
    port: int = Field(8642, ge=1, le=65535, description="Port to bind.")
    tokens: tuple[ApiToken, ...] = Field((), description="Further tokens, with roles of their own.")
    requests_per_s: float = Field(
        500.0,
        ge=1,
        le=100_000,
        description="Requests a second that one key may make for long; after ten seconds of rest "
        "ten times as many at once.",
    )
    oidc: Oidc | None = Field(None, description="An issuer whose bearer tokens open it, too.")

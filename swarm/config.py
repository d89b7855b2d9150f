"""Settings: one frozen tree, read once from YAML and `SWARM_` environment variables."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swarm.errors import ConfigError

_MAX_BYTES = 1_000_000


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SqlConnection(_Section):
    """Where the SQL of one connection runs."""

    dialect: str = Field("", description="sqlglot dialect of the server, empty for generic SQL.")
    namespace: str = Field("", description="OpenLineage namespace of the server.")
    default_catalog: str = Field("", description="Catalog of table names that name none.")
    default_schema: str = Field("", description="Schema of table names that name none.")


class Naming(_Section):
    """How the names that different tools use for the same dataset come together."""

    default_namespace: str = Field(
        "warehouse", description="Namespace of datasets whose server is not known."
    )
    namespaces: dict[str, str] = Field(
        default_factory=dict, description="Other spellings of a namespace, to the one to keep."
    )
    datasets: dict[str, str] = Field(
        default_factory=dict, description="Other names of a dataset, to the one to keep."
    )


class Source(_Section):
    """One orchestrator, or one file that describes one."""

    kind: Literal["airflow", "dagster", "prefect", "manifest", "catalog", "crontab"] = Field(
        description="What it is."
    )
    name: str = Field("", max_length=100, description="Name of the instance, its kind when empty.")
    url: str = Field("", description="Base URL of the server.")
    path: Path | None = Field(None, description="The manifest, catalog or crontab file.")
    token_file: Path | None = Field(None, description="File that holds a bearer token.")
    username: str = Field("", description="User for basic authentication.")
    password_file: Path | None = Field(None, description="File that holds the user's password.")
    poll_s: float = Field(5.0, ge=0.5, le=3600, description="Seconds between two passes.")
    lineage_namespace: str = Field(
        "", description="Job namespace of the OpenLineage events it sends, its name when empty."
    )
    timeout_s: float = Field(30.0, ge=1, le=600, description="Seconds one request may take.")

    @property
    def instance(self) -> str:
        return self.name or self.kind


class Api(_Section):
    """Where the HTTP API listens."""

    host: str = Field("127.0.0.1", description="Address to bind.")
    port: int = Field(8642, ge=1, le=65535, description="Port to bind.")


class Settings(_Section):
    """All of swarm's settings."""

    state_dir: Path = Field(
        default_factory=lambda: (
            Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "swarm"
        ),
        description="Folder of the journal, the token and what runs now.",
    )
    store_url: str = Field(
        "", description="PostgreSQL URL of the store; empty for SQLite in `state_dir`."
    )
    api: Api = Api()
    sources: tuple[Source, ...] = Field((), description="What swarm reads.")
    code: tuple[Path, ...] = Field(
        (), description="Checkouts of pipeline code that may be read to find what tasks touch."
    )
    connections: dict[str, SqlConnection] = Field(
        default_factory=dict,
        description="SQL connections by the name pipelines use; `default` for all others.",
    )
    naming: Naming = Naming()
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Dependencies below this probability are not shown."
    )


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file, then lay `SWARM_SECTION__KEY` variables over it.

    Raises `ConfigError` that names the file or variable, the key, and what was probably meant.
    """
    tree: dict[str, Any] = {}
    if path is not None:
        tree = _read(path)
    origins = dict.fromkeys(tree, str(path))
    for variable, value in sorted(environ.items()):
        if variable.startswith("SWARM_") and variable not in _NOT_SETTINGS:
            keys = variable.removeprefix("SWARM_").lower().split("__")
            _lay(tree, keys, _parse_value(variable, value))
            origins[keys[0]] = f"environment variable {variable}"
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(e, origins) for e in error.errors())) from None


# Read by the command line and by the process it starts, not part of the tree.
_NOT_SETTINGS = frozenset({"SWARM_CONFIG", "SWARM_URL", "SWARM_TOKEN_FILE"})


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: over {_MAX_BYTES} bytes; is this a settings file?")
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: the top level has to be `key: value` pairs.")
    return {str(key): value for key, value in tree.items()}


def _parse_value(variable: str, value: str) -> Any:
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"environment variable {variable}: not valid YAML: {error}") from None


def _lay(tree: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        below = tree.get(key)
        if not isinstance(below, dict):
            below = tree[key] = {}
        tree = below
    tree[keys[-1]] = value


def _explain(error: Any, origins: Mapping[str, str]) -> str:
    location = error["loc"]
    key = ".".join(str(part) for part in location)
    origin = origins.get(str(location[0]), "settings")
    if error["type"] != "extra_forbidden":
        return f"{origin}: `{key}`: {error['msg']}."
    close = difflib.get_close_matches(str(location[-1]), _keys_at(location[:-1]), n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return f"{origin}: unknown key `{key}`.{hint}"


_SECTIONS: Mapping[str, type[_Section]] = {
    "api": Api,
    "naming": Naming,
    "sources": Source,
    "connections": SqlConnection,
}


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    section = _SECTIONS.get(str(location[0]), Settings) if location else Settings
    return list(section.model_fields)

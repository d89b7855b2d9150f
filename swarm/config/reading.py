"""Reads settings from YAML and `SWARM_` variables, and says where they are wrong."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from swarm.config.access import Api
from swarm.config.alerts import Alerts
from swarm.config.rules import LinkRule, PipelineRule, Promise
from swarm.config.section import Section, UserPath
from swarm.config.settings import Settings
from swarm.config.sources import HandPlace, Naming, Publishing, Source, SqlConnection, Telemetry
from swarm.config.work import Placement, PoolPrices, Team
from swarm.errors import ConfigError

_MAX_BYTES = 1_000_000


# Read by the command line and by the process it starts, not part of the tree.
_NOT_SETTINGS = frozenset({"SWARM_CONFIG", "SWARM_URL", "SWARM_TOKEN_FILE"})


_SECTIONS: Mapping[str, type[Section]] = {
    "api": Api,
    "naming": Naming,
    "placement": Placement,
    "sources": Source,
    "hand": HandPlace,
    "connections": SqlConnection,
    "teams": Team,
    "prices": PoolPrices,
    "slas": Promise,
    "pipelines": PipelineRule,
    "links": LinkRule,
    "alerts": Alerts,
    "publish": Publishing,
    "telemetry": Telemetry,
}


def load(path: UserPath | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file, then lay `SWARM_SECTION__KEY` variables over it; empty ones count
    as not set.

    Raises `ConfigError` that names the file or variable, the key, and what was probably meant.
    """
    tree: dict[str, Any] = {} if path is None else _read(path)
    variables: dict[tuple[str, ...], str] = {}
    for variable, value in sorted(environ.items()):
        if variable.startswith("SWARM_") and variable not in _NOT_SETTINGS and value:
            keys = tuple(variable.removeprefix("SWARM_").lower().split("__"))
            _lay(tree, keys, variable, _parse_value(variable, value))
            variables[keys] = variable
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(e, variables, path) for e in error.errors())) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: over {_MAX_BYTES} bytes; is this a settings file?")
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    except (RecursionError, ValueError):
        raise ConfigError(f"{path}: not usable YAML: nested too deeply, or no such date.") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: the top level has to be `key: value` pairs.")
    return {str(key): value for key, value in tree.items()}


def _parse_value(variable: str, value: str) -> Any:
    try:
        return yaml.safe_load(value)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"environment variable {variable}: not valid YAML: {error}") from None


def _lay(tree: dict[str, Any], keys: tuple[str, ...], variable: str, value: Any) -> None:
    for key in keys[:-1]:
        below = tree.setdefault(key, {})
        if below is None:
            below = tree[key] = {}
        if not isinstance(below, dict):
            raise ConfigError(
                f"environment variable {variable}: `{key}` is no section with keys; "
                f"set the whole of it as YAML."
            )
        tree = below
    tree[keys[-1]] = value


def _explain(error: Any, variables: Mapping[tuple[str, ...], str], path: Path | None) -> str:
    location = tuple(str(part) for part in error["loc"])
    key = ".".join(location)
    origin = "settings" if path is None else str(path)
    for keys, variable in variables.items():
        if location[: len(keys)] == keys:
            origin = f"environment variable {variable}"
    if error["type"] != "extra_forbidden":
        return f"{origin}: `{key}`: {error['msg']}."
    close = difflib.get_close_matches(location[-1], _keys_at(location[:-1]), n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return f"{origin}: unknown key `{key}`.{hint}"


def _keys_at(location: tuple[str, ...]) -> list[str]:
    section = _SECTIONS.get(location[0], Settings) if location else Settings
    return list(section.model_fields)

"""What Ray itself says of a file for `ray up`: its schema, and the checks it makes before a start.

Ray stops at the first thing; here all that its schema finds is told.
"""

import contextlib
import copy
import difflib
import io
import json
import logging
from pathlib import Path as File
from typing import Any

import click
import ray.autoscaler
from jsonschema import Draft7Validator, ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config

from swarm.capacity.clusterfile.located import Document, Path, entries

_REFUSALS = (
    ValidationError,
    ValueError,
    RuntimeError,
    KeyError,
    AssertionError,
    click.ClickException,
)
_SCHEMA = File(ray.autoscaler.__file__).with_name("ray-schema.json")


def fits(document: Document) -> bool:
    """Whether Ray would take it; what it would refuse is noted."""
    before = len(document.findings)
    validator = Draft7Validator(json.loads(_SCHEMA.read_text()))
    tree = copy.deepcopy(document.tree)
    for _, kind in entries(tree, "available_node_types"):
        if isinstance(kind, dict):
            kind.setdefault("resources", {})  # Ray asks the cloud for them before it looks
    found = sorted(validator.iter_errors(tree), key=lambda error: list(map(str, error.path)))
    for error in found:
        _note(document, error)
    if not found:
        _prepare(document, tree)
    return len(document.findings) == before


def _note(document: Document, error: ValidationError) -> None:
    path: Path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(known)):
            close = difflib.get_close_matches(key, known, n=1)
            fix = f"did you mean `{close[0]}`?" if close else "leave it out"
            document.note((*path, key), "Ray knows no such key here", fix)
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        document.note(path, f"Ray needs `{', '.join(missing)}` here", f"add `{missing[0]}:`")
    else:
        document.note(path, f"Ray refuses it: {error.message}", _wanted(error))


def _wanted(error: ValidationError) -> str:
    if error.validator == "type" and isinstance(error.validator_value, str):
        return f"a value of type {error.validator_value}"
    return f"a value that fits `{error.validator}: {error.validator_value}`"


def _prepare(document: Document, tree: Any) -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # what is no fault it prints
            validate_config(prepare_config(tree))
    except _REFUSALS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        document.note(_place(reason), f"Ray refuses it: {reason}", "write it as Ray wants it")


def _place(reason: str) -> Path:
    """Ray names the key in its message, and no place."""
    keys = ("head_node_type", "available_node_types", "max_workers", "docker", "provider")
    return next(((key,) for key in keys if key in reason), ())

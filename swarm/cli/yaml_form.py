"""`-o yaml`: what a command prints as JSON, as YAML. No command needs to know of it."""

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def json_as_yaml() -> Iterator[None]:
    """What is printed in the block is one JSON text; at its end it is printed as YAML."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        if text := printed.getvalue():
            import yaml

            told = json.loads(text)
            sys.stdout.write(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))


def document(told: Any) -> str:
    """One of several in a stream."""
    import yaml

    return str(yaml.safe_dump(told, sort_keys=False, allow_unicode=True, explicit_start=True))

"""Values that refer to other values by name: `${a}/x` where `a` is `${b}`, through any hops.

A reference that leads back to itself, or to nothing, stays as it is written: whoever uses the
value sees a template without a known value there.
"""

import re
from collections.abc import Callable, Mapping

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
_MAX_HOPS = 12
_MAX_LENGTH = 100_000

Lookup = Callable[[str], str | None]


def resolve(text: str, lookup: Lookup, active: frozenset[str] = frozenset()) -> str:
    """`text` with every reference replaced by what `lookup` knows of it, again and again."""
    if len(active) > _MAX_HOPS or "${" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        found = lookup(name) if name not in active else None
        return match.group(0) if found is None else resolve(found, lookup, active | {name})

    found = _REFERENCE.sub(value, text)
    return found if len(found) <= _MAX_LENGTH else text


def resolved(values: Mapping[str, str], lookup: Lookup | None = None) -> dict[str, str]:
    """All `values`, with the references between them replaced."""
    known = lookup or values.get
    return {
        name: resolve(text, known, frozenset({name})) if "${" in text else text
        for name, text in values.items()
    }

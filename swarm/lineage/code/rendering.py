"""Texts that a program makes from templates whose text is known: jinja2 and `string.Template`."""

import re
from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.configuration import TEMPLATE, given_texts
from swarm.lineage.code.effects import flat
from swarm.lineage.code.texts import any_text, combine
from swarm.lineage.code.values import (
    Const,
    DictOf,
    External,
    Made,
    Member,
    Value,
    const,
    join,
    only,
)
from swarm.lineage.templates.render import render

_STRING_TEMPLATE = External("string.Template")
_JINJA = {"jinja2.Template", "jinja2.environment.Template", "airflow.templates.Template"}
_NAMED = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")


def rendered_text(call: Call) -> Value | None:
    """What rendering a template with known text gives; `None` for any other call."""
    function = call.function
    if not isinstance(function, Member) or not isinstance(function.owner, Made):
        return None
    made = function.owner
    if not made.args:
        return None
    given = _given(call)
    texts = [a.value for a in flat(made.args[0]) if isinstance(a, Const)]
    known = [text for text in texts if isinstance(text, str)]
    if not known:
        return None
    if made.maker == _STRING_TEMPLATE and call.name in {"substitute", "safe_substitute"}:
        return join(_substituted(text, given) for text in known)
    if call.name in {"render", "render_async"} and _is_jinja(made):
        return any_text(text for template in known for text in _rendered(template, given))
    return None


def _is_jinja(made: Made) -> bool:
    maker = made.maker
    if isinstance(maker, Member):
        return maker.name == "from_string"
    return maker == TEMPLATE or (isinstance(maker, External) and maker.name in _JINJA)


def _given(call: Call) -> dict[str, Value]:
    atom = only(call.args[0]) if call.args else None
    first = atom.items if isinstance(atom, DictOf) else {}
    return {**{str(key): value for key, value in first.items()}, **call.kwargs}


def _rendered(text: str, given: Mapping[str, Value]) -> list[str]:
    rendering = render(text, given_texts(given))
    return [rendering.restored(variant.text) for variant in rendering.variants]


def _substituted(text: str, given: Mapping[str, Value]) -> Value:
    parts: list[Value] = []
    at = 0
    for match in _NAMED.finditer(text):
        name = match.group(2) or match.group(3)
        parts.append(const(text[at : match.start()]))
        at = match.end()
        if match.group(1):
            parts.append(const("$"))
        else:
            parts.append(given.get(name) or const(match.group(0)))
    return combine([*parts, const(text[at:])])

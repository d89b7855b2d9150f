"""What methods of a text give: formats, trims, joins, parts."""

import re
import string
from collections.abc import Callable

from swarm.lineage.code.call import Call
from swarm.lineage.code.texts import MAX_TEXT, any_text, combine, holes, label, plain
from swarm.lineage.code.values import DictOf, ListOf, Value, const, elements, of, only, unknown

_TRIMS: dict[str, Callable[[str], str]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "capitalize": str.capitalize,
    "encode": str,
    "expandtabs": str,
    "as_posix": str,
    "as_string": str,
}


def text_method(call: Call, text: str) -> Value | None:
    if call.name in _TRIMS and not call.args:
        return any_text([_TRIMS[call.name](text)])
    if call.name in {"format", "format_map"}:
        return _format(text, call)
    if call.name == "join" and call.args:
        parts = elements(call.args[0])
        return unknown(label(call.args[0])) if parts is None else combine(parts, text)
    if call.name == "bindparams":
        return const(text)
    return _text_arguments(call, text)


def _text_arguments(call: Call, text: str) -> Value | None:
    given = [plain(arg) for arg in call.args]
    words = [word for word in given if word is not None]
    if len(words) != len(given) or call.kwargs:
        return None
    match call.name, words:
        case "replace", [old, new] if old and len(text) * (len(new) + 1) <= MAX_TEXT:
            return any_text([text.replace(old, new)])
        case (("strip" | "rstrip" | "lstrip"), [chars]):
            return const(getattr(text, call.name)(chars))
        case "removeprefix", [prefix]:
            return const(text.removeprefix(prefix))
        case "removesuffix", [suffix]:
            return const(text.removesuffix(suffix))
        case "startswith", [prefix] if not holes(text):
            return const(text.startswith(prefix))
        case "endswith", [suffix] if not holes(text):
            return const(text.endswith(suffix))
        case (("split" | "splitlines"), [] | [_]) if words != [""]:
            return of(ListOf([const(part) for part in getattr(text, call.name)(*words)]))
        case _:
            return None


def _format(text: str, call: Call) -> Value:
    """`str.format` without its field widths: those could make a text of any size."""
    named: dict[str, Value] = dict(call.kwargs)
    if call.name == "format_map" and call.args:
        atom = only(call.args[0])
        if isinstance(atom, DictOf):
            named.update({str(key): value for key, value in atom.items.items()})
    named.update({str(i): arg for i, arg in enumerate(call.args)})
    parts: list[Value] = []
    try:
        fields = list(string.Formatter().parse(text))
    except ValueError:
        return unknown("a broken format")
    for count, (before, name, spec, _) in enumerate(fields):
        parts.append(const(before))
        if name is not None:
            key = name or str(sum(1 for f in fields[:count] if f[1] == ""))
            parts.append(_spelled(named.get(key, unknown(key)), spec or ""))
    return combine(parts)


def _spelled(value: Value, spec: str) -> Value:
    return unknown(label(value)) if spec.strip("s") else value


def percent(text: str, right: Value) -> Value:
    """`text % right` for `%s`, `%d` and `%(name)s`."""
    atom = only(right)
    given = atom.items if isinstance(atom, ListOf) else [right]
    named = atom.items if isinstance(atom, DictOf) else {}
    parts: list[Value] = []
    at, used = 0, 0
    for match in re.finditer(r"%(?:\((\w+)\))?([#0\- +]?[\d.]*)([a-zA-Z%])", text):
        parts.append(const(text[at : match.start()]))
        at = match.end()
        if match.group(3) == "%":
            parts.append(const("%"))
            continue
        if match.group(1):
            value = named.get(match.group(1), unknown(match.group(1)))
        else:
            value = given[used] if used < len(given) else unknown("value")
            used += 1
        parts.append(_spelled(value, match.group(2)))
    parts.append(const(text[at:]))
    return combine(parts)

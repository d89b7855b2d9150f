"""What methods of a text give: formats, trims, joins, parts."""

import re
import string
from collections.abc import Callable

from swarm.lineage.code.call import Call
from swarm.lineage.code.texts import MAX_TEXT, any_text, combine, holes, label, plain
from swarm.lineage.code.values import (
    Const,
    DictOf,
    ListOf,
    Value,
    const,
    elements,
    of,
    only,
    unknown,
)

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
    if call.name in {"split", "rsplit"}:
        return _split(call, text)
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
        case (("partition" | "rpartition"), [mark]) if mark and not holes(text):
            return of(ListOf([const(part) for part in getattr(text, call.name)(mark)]))
        case "splitlines", []:
            return of(ListOf([const(part) for part in text.splitlines()]))
        case _:
            return None


def _split(call: Call, text: str) -> Value | None:
    """`split` and `rsplit` with a mark and how often, or without."""
    mark, count = call.argument(0, "sep"), call.argument(1, "maxsplit")
    times = only(count) if count is not None else Const(-1)
    known = plain(mark) if mark is not None and only(mark) != Const(None) else None
    is_known = mark is None or only(mark) == Const(None) or bool(known)
    in_hole = bool(holes(text)) and (known is None or known.isidentifier())
    if in_hole or not is_known or not isinstance(times, Const) or type(times.value) is not int:
        return None
    parts = text.split(known, times.value) if call.name == "split" else None
    parts = text.rsplit(known, times.value) if parts is None else parts
    return of(ListOf([const(part) for part in parts]))


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

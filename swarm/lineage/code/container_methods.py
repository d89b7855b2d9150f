"""What methods of lists and dicts give and change."""

from swarm.lineage.code.call import Call
from swarm.lineage.code.texts import MAX_TEXT, holes, label
from swarm.lineage.code.values import (
    Const,
    DictOf,
    ListOf,
    Value,
    const,
    elements,
    join,
    of,
    only,
    unknown,
)


def list_method(call: Call, listed: ListOf) -> Value | None:
    if call.name in {"append", "add"} and call.args:
        listed.items.append(call.args[0])
    elif call.name in {"extend", "update"} and call.args:
        extend(listed, call.args[0])
    elif call.name == "insert" and len(call.args) > 1:
        listed.items.append(call.args[1])
    elif call.name == "copy":
        return of(ListOf(list(listed.items), listed.is_open))
    elif call.name == "pop":
        return join(listed.items) if listed.items else unknown("an element")
    else:
        return None
    return const(None)


def extend(listed: ListOf, more: Value) -> None:
    """`listed += more`."""
    found = elements(more)
    if found is None:
        listed.is_open = True
    elif len(listed.items) + len(found) <= MAX_TEXT:
        listed.items.extend(found)


def dict_method(call: Call, items: DictOf) -> Value | None:
    if call.name == "get" and call.args:
        default = call.argument(1, "default") or const(None)
        return look_up(items, call.args[0], default)
    if call.name in {"items", "keys", "values", "copy"}:
        return of(_dict_view(call.name, items))
    if call.name in {"update", "setdefault", "pop"}:
        return _dict_change(call, items)
    return None


def _dict_view(name: str, items: DictOf) -> ListOf | DictOf:
    if name == "copy":
        return DictOf(dict(items.items), items.is_open)
    if name == "items":
        pairs = [of(ListOf([const(k), v])) for k, v in items.items.items()]
        return ListOf(pairs, items.is_open)
    found = list(items.items.values()) if name == "values" else [const(k) for k in items.items]
    return ListOf(found, items.is_open)


def _dict_change(call: Call, items: DictOf) -> Value:
    if call.name == "update":
        more = only(call.args[0]) if call.args else DictOf({})
        if isinstance(more, DictOf):
            items.items.update(more.items)
            items.is_open = items.is_open or more.is_open
        else:
            items.is_open = True
        items.items.update(call.kwargs)
        return const(None)
    key = only(call.args[0]) if call.args else None
    if not isinstance(key, Const):
        return unknown("an element")
    default = call.argument(1, "default") or unknown("an element")
    if call.name == "setdefault":
        return items.items.setdefault(key.value, default)
    return items.items.get(key.value, default)


def look_up(items: DictOf, key: Value, default: Value) -> Value:
    """`items[key]`; a key that is not known may be any of them."""
    found: list[Value] = []
    for atom in key.atoms:
        if not isinstance(atom, Const) or (isinstance(atom.value, str) and holes(atom.value)):
            return unknown(label(key))
        if atom.value in items.items:
            found.append(items.items[atom.value])
        else:
            found.append(unknown(str(atom.value)) if items.is_open else default)
    return join(found)

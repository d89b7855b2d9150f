"""Settings that a program reads from texts: what `yaml.safe_load` and its likes give back."""

import re
from collections.abc import Callable, Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.libraries import OWN
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import (
    Const,
    DictOf,
    External,
    ListOf,
    Made,
    Plain,
    Value,
    const,
    elements,
    of,
    unknown,
)
from swarm.lineage.configs.formats import Tree, read_as
from swarm.lineage.configs.parameters import as_text, flat
from swarm.lineage.configs.references import resolve

TEMPLATE = External(f"{OWN}.template")

_LOADERS: Mapping[str, str] = {
    **{f"yaml.{name}": "yaml" for name in ("safe_load", "load", "full_load", "unsafe_load")},
    **{f"yaml.{name}_all": "yamls" for name in ("safe_load", "load", "full_load")},
    **{f"{name}.load": "json" for name in ("json", "simplejson", "ujson", "orjson", "json5")},
    **{f"{name}.loads": "json" for name in ("json", "simplejson", "ujson", "orjson", "json5")},
    **{f"{name}.load": "toml" for name in ("toml", "tomllib", "tomli", "tomlkit", "pytoml")},
    **{f"{name}.loads": "toml" for name in ("toml", "tomllib", "tomli", "tomlkit", "pytoml")},
    "dotenv.dotenv_values": "env",
    "omegaconf.OmegaConf.load": "omegaconf",
    "omegaconf.OmegaConf.create": "omegaconf",
}
_DOCUMENT = re.compile(r"^---.*$", re.MULTILINE)
_PARSERS = {f"configparser.{name}ConfigParser" for name in ("", "Raw", "Safe")}
_PARSERS |= {"configparser.SafeConfigParser", "configobj.ConfigObj"}
_SECTION_GETTERS = frozenset({"get", "getint", "getfloat", "getboolean"})

Reader = Callable[[Value], str | None]


def parsed(call: Call, source: Reader) -> Value | None:
    """The settings that a known loader makes of a text; `source` tells what text a value is."""
    if not isinstance(call.function, External):
        return None
    name = call.function.name
    if name in _PARSERS:
        return of(DictOf({}, True, "configparser"))
    kind = _LOADERS.get(name)
    if kind is None or not (call.args or call.kwargs):
        return None
    text = source(call.args[0] if call.args else next(iter(call.kwargs.values())))
    if text is None:
        return None
    if kind == "yamls":
        read = [_value(read_as("yaml", one)) for one in _DOCUMENT.split(text) if one.strip()]
        return of(ListOf([one for one in read if one is not None]))
    return _interpolated(text) if kind == "omegaconf" else _value(read_as(kind, text))


def _value(tree: Tree) -> Value | None:
    return None if tree is None else tree_value(tree)


def _interpolated(text: str) -> Value | None:
    """OmegaConf resolves `${a.b}` to the value of that name."""
    tree = read_as("yaml", text)
    if tree is None:
        return None
    names = flat(tree)

    def known(part: Tree) -> Tree:
        match part:
            case dict():
                return {key: known(item) for key, item in part.items()}
            case list():
                return [known(item) for item in part]
            case str():
                return resolve(part, names.get)
        return part

    return tree_value(known(tree), "omegaconf")


def tree_value(tree: Tree, maker: str = "") -> Value:
    """A tree of settings as a value of the program."""
    match tree:
        case dict():
            named: dict[Plain, Value] = {key: tree_value(v, maker) for key, v in tree.items()}
            return of(DictOf(named, maker=maker))
        case list():
            return of(ListOf([tree_value(item, maker) for item in tree]))
    return const(tree)


def read_into(call: Call, items: DictOf, source: Callable[[str], str | None]) -> Value | None:
    """Methods of a `ConfigParser`: what it reads is in it afterwards."""
    if items.maker != "configparser":
        return None
    if call.name in {"read", "read_file", "read_string", "read_dict"} and call.args:
        for text in _texts(call.args[0], source):
            sections = read_as("ini", text)
            for name, section in sections.items() if isinstance(sections, dict) else ():
                items.items[name] = tree_value(section)
        return of(ListOf([]))
    if call.name == "sections":
        names = [const(name) for name in items.items if name != "DEFAULT"]
        return of(ListOf(names))
    if call.name in {*_SECTION_GETTERS, "items"} and call.args:
        return _of_section(call, items)
    return None


def _texts(value: Value, source: Callable[[str], str | None]) -> list[str]:
    found: list[str] = []
    for one in elements(value) or [value]:
        atom = one.atoms[0]
        known = plain(atom.args[0]) if isinstance(atom, Made) and atom.args else plain(one)
        if known is not None:
            text = source(known) if "\n" not in known else known
            found.extend([text] if text is not None else [])
    return found


def _of_section(call: Call, items: DictOf) -> Value | None:
    name = plain(call.args[0])
    found = items.items.get(name) if name is not None else None
    section = found.atoms[0] if found is not None else None
    if call.name == "items":
        pairs = section.items.items() if isinstance(section, DictOf) else ()
        listed = [of(ListOf([const(key), value])) for key, value in pairs]
        return of(ListOf(listed, section is None))
    key = plain(call.args[1]) if len(call.args) > 1 else None
    fallback = call.argument(-1, "fallback") or unknown(key or "an option")
    if not isinstance(section, DictOf) or key is None:
        return fallback
    return section.items.get(key) or section.items.get(key.lower()) or fallback


def rendered(text: str) -> Value:
    """A template of jinja2 whose text is known."""
    return of(Made(TEMPLATE, (const(text),)))


def given_texts(kwargs: Mapping[str, Value]) -> dict[str, str]:
    """The values handed to a template, as texts: those that are wholly known."""
    found: dict[str, str] = {}
    for name, value in kwargs.items():
        tree = tree_of(value)
        if tree is not None:
            found[name] = as_text(tree) if not isinstance(tree, dict | list) else ""
            found.update({f"{name}.{key}": known for key, known in flat(tree).items()})
            if isinstance(tree, list):
                found[name] = flat({name: tree})[name]
    return found


def tree_of(value: Value) -> Tree:
    """A value as a plain tree; `None` when not all of it is known."""
    atom = value.atoms[0] if len(value.atoms) == 1 else None
    match atom:
        case Const(value=bytes()) | None:
            return None
        case Const(value=plain_value) if not isinstance(plain_value, bytes):
            return plain(value) if isinstance(plain_value, str) else plain_value
        case ListOf(items=items, is_open=False):
            listed = [tree_of(item) for item in items]
            return None if None in listed else listed
        case DictOf(items=named):
            return {str(key): tree_of(item) for key, item in named.items()}
    return None

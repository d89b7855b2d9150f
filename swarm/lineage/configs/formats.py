"""What a configuration file says: one tree of dicts, lists and plain values for every format.

Known by the end of the name: Java properties, Hadoop XML, YAML, JSON, TOML, INI and `.env`.
Nothing of a file is executed: tags of YAML that would make objects keep only their value.
"""

import configparser
import json
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

import yaml

MAX_CONFIG = 1_000_000  # characters
_MAX_NODES = 50_000
_MAX_DEPTH = 40

Plain = str | int | float | bool | None
Tree = Plain | list["Tree"] | dict[str, "Tree"]

_PROPERTY = re.compile(r"((?:\\.|[^\s:=\\])+)[ \t\f]*[:= \t\f][ \t\f]*(.*)", re.DOTALL)
_VARIABLE = re.compile(r"^\s*(?:export\s+|set\s+)?([A-Za-z_][\w.]*)\s*=\s*(.*?)\s*$")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def format_of(path: str) -> str:
    """The format of a file by its name; empty when it is none of those known."""
    name = PurePosixPath(path.lower()).name
    if name == ".env" or name.startswith(".env."):
        return "env"
    return _SUFFIXES.get(PurePosixPath(name).suffix, "")


def read_config(path: str, text: str) -> Tree:
    """What a configuration file says; `None` when it is none, or cannot be understood."""
    return read_as(format_of(path), text)


def read_as(kind: str, text: str) -> Tree:
    """What a text in one of the formats (`json`, `yaml`, ...) says; `None`: not understood."""
    read = _READERS.get(kind)
    if read is None or len(text) > MAX_CONFIG:
        return None
    try:
        found = read(text)
        return found if _is_small(found) else None
    except (ValueError, yaml.YAMLError, configparser.Error, ElementTree.ParseError):
        return None
    except RecursionError:
        return None


def read_properties(text: str) -> dict[str, Tree]:
    """Java properties: `key = value`, `key: value` or `key value`, a backslash joins lines."""
    found: dict[str, Tree] = {}
    for line in _property_lines(text):
        match = _PROPERTY.fullmatch(line)
        key, value = (match.group(1), match.group(2)) if match else (line, "")
        found[_unescaped(key)] = _unescaped(value)
    return found


def _property_lines(text: str) -> Iterator[str]:
    pending = ""
    for line in text.splitlines():
        plain = line.lstrip()
        if not pending and (not plain or plain[0] in "#!"):
            continue
        pending += plain
        slashes = len(pending) - len(pending.rstrip("\\"))
        if slashes % 2:
            pending = pending[:-1]
            continue
        yield pending.rstrip()
        pending = ""
    if pending:
        yield pending.rstrip()


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        escape = match.group(1)
        return chr(int(escape[1:], 16)) if len(escape) == 5 else _ESCAPED.get(escape, escape)

    return _ESCAPE.sub(plain, text)


def read_variables(text: str) -> dict[str, Tree]:
    """A `.env` file: `NAME=value`, maybe with `export` and quotes."""
    found: dict[str, Tree] = {}
    for line in text.splitlines():
        match = _VARIABLE.match(line)
        if match is None:
            continue
        name, value = match.groups()
        if value[:1] in {'"', "'"} and value[0] in value[1:]:
            value = value[1 : value.index(value[0], 1)]
        else:
            value = re.sub(r"\s+#.*", "", value)
        found[name] = value
    return found


def _hadoop(text: str) -> dict[str, Tree]:
    """`<property><name>..</name><value>..</value></property>` of a `<configuration>`."""
    root = ElementTree.fromstring(text)
    return dict(properties_below(root)) if local_name(root) == "configuration" else {}


def properties_below(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Names and values of the Hadoop properties below an element, those with a value."""
    for element in root.iter():
        if local_name(element) != "property":
            continue
        parts = {local_name(child): (child.text or "").strip() for child in element}
        if parts.get("name") and "value" in parts:
            yield parts["name"], parts["value"]


def local_name(element: ElementTree.Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _ini(text: str) -> dict[str, Tree]:
    parser = configparser.ConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    found: dict[str, Tree] = {name: _section(parser, name) for name in parser.sections()}
    if parser.defaults():
        found["DEFAULT"] = dict(parser.defaults())
    return found


def _section(parser: configparser.ConfigParser, name: str) -> dict[str, Tree]:
    try:
        return dict(parser.items(name))
    except configparser.InterpolationError:
        return dict(parser.items(name, raw=True))


def _conf(text: str) -> dict[str, Tree]:
    """`.conf` and `.cfg` are used for several formats."""
    first = next((line.strip() for line in text.splitlines() if line.strip()[:1] not in "#;"), "")
    if first.startswith("["):
        return _ini(text)
    if re.search(r"[{\[]\s*$", text, re.MULTILINE):
        raise ValueError("a format that is not known")
    found = read_properties(text)
    return {key: _unquoted(value) for key, value in found.items()}


def _unquoted(value: Tree) -> Tree:
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] in "\"'"
    return value[1:-1] if isinstance(value, str) and quoted else value


class _Loader(yaml.SafeLoader):
    """A safe loader for which a tag that it does not know changes nothing."""


def _untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _untagged)
_Loader.add_multi_constructor("tag:", _untagged)


def _yaml(text: str) -> Tree:
    documents = list(yaml.load_all(text, _Loader))
    return _tree(documents[0] if len(documents) == 1 else documents, 0, [_MAX_NODES])


def _json(text: str) -> Tree:
    return _tree(json.loads(text), 0, [_MAX_NODES])


def _toml(text: str) -> Tree:
    return _tree(tomllib.loads(text), 0, [_MAX_NODES])


def _tree(value: object, depth: int, left: list[int]) -> Tree:
    """As plain values; an alias of YAML that is used often could make far more than the text."""
    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH:
        raise ValueError("too much in one file")
    if isinstance(value, Mapping):
        return {str(key): _tree(item, depth + 1, left) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(item, depth + 1, left) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _is_small(tree: Tree) -> bool:
    return not isinstance(tree, dict | list) or len(tree) <= _MAX_NODES


_SUFFIXES = {
    ".properties": "properties",
    ".job": "properties",
    ".xml": "hadoop",
    ".yml": "yaml",
    ".yaml": "yaml",
    ".flow": "yaml",
    ".project": "yaml",
    ".json": "json",
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "conf",
    ".conf": "conf",
    ".env": "env",
}
_READERS: Mapping[str, Callable[[str], Tree]] = {
    "properties": read_properties,
    "hadoop": _hadoop,
    "yaml": _yaml,
    "json": _json,
    "toml": _toml,
    "ini": _ini,
    "conf": _conf,
    "env": read_variables,
}

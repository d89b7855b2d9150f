"""One more source in the text of a settings file, and not a letter of the rest another.

Where the source goes is asked of the YAML parser, which knows what stands where; the result is
parsed again, and has to say what the text said before and the source, else there is none.
"""

from collections.abc import Mapping
from typing import Any

import yaml

_KEY = "sources"


def entry_of(source: Mapping[str, str]) -> str:
    """A source on one line."""
    parts = (f"{key}: {_scalar(value)}" for key, value in source.items())
    return "{" + ", ".join(parts) + "}"


def with_source(text: str, source: Mapping[str, str]) -> str | None:
    """The settings with one source more, None where they are written in a way that a person had
    better change: no mapping, or sources that stand elsewhere, as with an anchor."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        before = yaml.safe_load(text)
        found = _placed(text, root, entry_of(source))
        if found is None or yaml.safe_load(found) != _wanted(before, source):
            return None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return None
    return found


def _wanted(before: Any, source: Mapping[str, str]) -> dict[str, Any]:
    """What the new text has to say."""
    tree = dict(before or {})
    return tree | {_KEY: [*(tree.get(_KEY) or ()), dict(source)]}


def _placed(text: str, root: yaml.Node | None, entry: str) -> str | None:
    if root is None:
        return f"{_ended(text)}{_KEY}:\n  - {entry}\n"
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    mine = [(key, value) for key, value in root.value if key.value == _KEY]
    if not mine:
        return f"{_ended(text)}{_KEY}:\n  - {entry}\n"
    if len(mine) > 1:
        return None
    ((key, value),) = mine
    if isinstance(value, yaml.ScalarNode) and not value.value:
        return _after_line(text, key.end_mark.index, f"  - {entry}")
    if not isinstance(value, yaml.SequenceNode) or value.start_mark.index < key.end_mark.index:
        return None  # what an alias names stands before it
    if not value.flow_style:
        indent = " " * value.start_mark.column
        return _after_line(text, _end(value), f"{indent}- {entry}")
    return _in_brackets(text, key, value, entry)


def _in_brackets(text: str, key: yaml.Node, value: yaml.SequenceNode, entry: str) -> str:
    begin, end = value.start_mark.index, value.end_mark.index
    if value.value:
        return f"{text[: end - 1].rstrip()}, {entry}{text[end - 1 :]}"
    same_line = value.start_mark.line == key.end_mark.line
    before = f"{text[:begin].rstrip()}\n  " if same_line else text[:begin]
    return f"{before}- {entry}{text[end:]}"


def _end(node: yaml.Node) -> int:
    """Where the last letter of a node is: blocks themselves go on to the next token."""
    while node.value and isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        node = last[-1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end


def _after_line(text: str, index: int, line: str) -> str:
    """`line` behind the one in which `index` is, or which ends right before it."""
    if index and text[index - 1] == "\n":
        return f"{text[:index]}{line}\n{text[index:]}"
    end = text.find("\n", index)
    if end < 0:
        return f"{text}\n{line}\n"
    return f"{text[: end + 1]}{line}\n{text[end + 1 :]}"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _scalar(value: str) -> str:
    plain = yaml.safe_dump(value, width=10**6, allow_unicode=True, default_flow_style=True)
    plain = plain.removesuffix("\n").removesuffix("\n...")
    quoted = ":" in plain or any(mark in plain for mark in "{}[],#")
    return yaml.safe_dump(value, default_style='"', width=10**6).strip() if quoted else plain

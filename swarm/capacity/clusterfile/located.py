"""YAML whose every value knows its line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from swarm.errors import InputError

Path = tuple[str | int, ...]
# (where it is, what is wrong, what to write instead)
Note = Callable[[Path, str, str], None]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. `place` is the key, `a.b.0.c`."""

    line: int
    place: str
    problem: str
    fix: str


@dataclass(slots=True)
class Document:
    """A YAML document, and what was found in it."""

    tree: Any
    lines: Mapping[Path, int]
    findings: list[Finding] = field(default_factory=list)

    def note(self, path: Path, problem: str, fix: str) -> None:
        place = ".".join(map(str, path)) or "the file"
        self.findings.append(Finding(self.line(path), place, problem, fix))

    def line(self, path: Path) -> int:
        """Of the value, else of the nearest thing around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def documents(text: str) -> list[Document]:
    """Those of a file. Raises `InputError` with the line where it is no YAML."""
    loader = yaml.SafeLoader(text)
    found: list[Document] = []
    try:
        while loader.check_node():
            node = loader.get_node()
            lines: dict[Path, int] = {}
            doubles = list(_walk(node, (), lines, set()))
            document = Document(loader.construct_document(node), lines)
            for path in doubles:
                document.note(path, "is there twice; only the last one counts", "keep one of them")
            found.append(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InputError(
            f"line {line}: not valid YAML: {error.problem or error.context}."
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"not usable YAML: {str(error).splitlines()[0]}.") from None
    finally:
        loader.dispose()
    return found


def _walk(node: Any, path: Path, lines: dict[Path, int], seen: set[int]) -> Iterator[Path]:
    """Note the lines; tells keys that are there twice. What an alias repeats has one place."""
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            below = (*path, str(key.value))
            if str(key.value) in keys:
                yield below
            keys.add(str(key.value))
            lines[below] = key.start_mark.line + 1
            yield from _walk(value, below, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, (*path, number), lines, seen)


def at(tree: Any, *path: str | int) -> Any:
    """What is there; None where the way does not lead on."""
    for part in path:
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, Sequence) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def entries(tree: Any, *path: str | int) -> list[tuple[str, Any]]:
    """The keys and values of the mapping that is there."""
    found = at(tree, *path)
    return [(str(key), value) for key, value in found.items()] if isinstance(found, Mapping) else []


def items(tree: Any, *path: str | int) -> list[Any]:
    """What the list that is there holds."""
    found = at(tree, *path)
    return found if isinstance(found, list) else []


def texts(tree: Any, *path: str | int) -> list[str]:
    """The strings of the list that is there; what is none is empty, so that places stay."""
    return [one if isinstance(one, str) else "" for one in items(tree, *path)]

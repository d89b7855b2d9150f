"""Folders of the program that it lists itself: DAGs from a folder of YAML, statements from one of
SQL files.

Only texts that people write for programs count; other files are data, which may be there or not
when the program runs.
"""

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from swarm.lineage.code.call import Call
from swarm.lineage.code.program import Program
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import (
    External,
    ListOf,
    Member,
    PathText,
    Value,
    const,
    of,
)

_TEXTS = (
    *(".sql", ".hql", ".ddl", ".j2", ".jinja", ".jinja2", ".tpl", ".template", ".json", ".py"),
    *(".yml", ".yaml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".env", ".xml"),
)
_GLOBS = frozenset({"glob.glob", "glob.iglob"})
_LISTS = frozenset({"os.listdir", "os.scandir"})
_OF_PATHS = frozenset({"glob", "rglob", "iterdir"})


def listed(call: Call, program: Program) -> Value | None:
    """The files that a call lists, `None` when it lists none that are known."""
    match call.function:
        case External(name=name) if name in _GLOBS:
            return _globbed(call, program)
        case External(name="os.walk"):
            return _walked(call, program)
        case External(name=name) if name in _LISTS:
            folder = plain(call.args[0]) if call.args else "."
            names = sorted({path.split("/")[0] for path in below(folder, call, program)})
            if name == "os.scandir" and folder is not None:
                return _paths([posixpath.join(folder, name) for name in names])
            return of(ListOf([const(name) for name in names])) if names else None
        case Member(owner=PathText(text=folder), name=name) if name in _OF_PATHS:
            return _of_path(call, folder, program)
    return None


def _globbed(call: Call, program: Program) -> Value | None:
    pattern = plain(call.args[0]) if call.args else None
    root = call.kwargs.get("root_dir")
    if pattern is None:
        return None
    top = plain(root) if root is not None else ""
    folder, rest = _fixed(pattern)
    found = [
        posixpath.join(folder, path)
        for path in below(posixpath.join(top or "", folder) or ".", call, program)
        if _fits(path, rest)
    ]
    return of(ListOf([const(path) for path in found])) if found else None


def _of_path(call: Call, folder: str, program: Program) -> Value | None:
    pattern = plain(call.args[0]) if call.args else "*"
    if pattern is None:
        return None
    if call.name == "rglob":
        pattern = f"**/{pattern}"
    found = [path for path in below(folder, call, program) if _fits(path, pattern)]
    if call.name == "iterdir":
        found = sorted({path.split("/")[0] for path in below(folder, call, program)})
    return _paths([posixpath.join(folder, path) for path in found])


def _walked(call: Call, program: Program) -> Value | None:
    """`for folder, folders, names in os.walk(top)`."""
    top = plain(call.args[0]) if call.args else None
    if top is None:
        return None
    folders: dict[str, list[str]] = {}
    for path in below(top, call, program):
        head, name = posixpath.split(path)
        folders.setdefault(head, []).append(name)
    rows = [
        of(
            ListOf(
                [
                    const(posixpath.join(top, head) if head else top),
                    of(ListOf([], is_open=True)),
                    of(ListOf([const(name) for name in names])),
                ]
            )
        )
        for head, names in folders.items()
    ]
    return of(ListOf(rows)) if rows else None


def _paths(found: list[str]) -> Value | None:
    return of(ListOf([of(PathText(path)) for path in found])) if found else None


def _fixed(pattern: str) -> tuple[str, str]:
    """What of a pattern is a plain folder, and the rest."""
    parts = pattern.split("/")
    at = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts) - 1)
    return "/".join(parts[:at]), "/".join(parts[at:])


def _fits(path: str, pattern: str) -> bool:
    """As `glob` has it: `*` stays within a folder, `**/` is any number of them."""
    head, star, tail = pattern.partition("**/")
    if star and not head:
        parts = path.split("/")
        return any(_fits("/".join(parts[at:]), tail) for at in range(len(parts)))
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def below(folder: str | None, call: Call, program: Program) -> Iterator[str]:
    """The texts in a folder and below, seen from there, in the order of their names."""
    if folder is None:
        return
    home = program.find_folder(folder, call.module)
    if home is None:
        return
    start = f"{home}/" if home else ""
    for path in sorted(program.sources):
        if path.startswith(start) and path.casefold().endswith(_TEXTS):
            yield path.removeprefix(start)

"""The values that the configuration files of a task give to the texts that it runs."""

import json
from collections.abc import Iterator, Mapping

from swarm.lineage.configs.formats import Plain, Tree, format_of, read_config
from swarm.lineage.configs.references import resolved

MAX_PARAMETERS = 5_000
_HOLDERS = frozenset(
    {"parameters", "params", "variables", "vars", "env", "environment", "default", "config"}
)
"""Names of sections whose entries are meant by their own name alone."""


def as_text(value: Plain) -> str:
    """A value as it is put into a text: `true`, not `True`."""
    return value if isinstance(value, str) else json.dumps(value)


def whole_text(value: Tree) -> str:
    """Any value as one text; what is no text, as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def flat(tree: Tree) -> dict[str, str]:
    """Every value by its dotted name; a list also as a whole, as JSON.

    The entries of a section that only holds parameters (`vars:`) are also there by their own.
    """
    found: dict[str, str] = {}
    for path, value in _leaves(tree, ()):
        if len(found) >= MAX_PARAMETERS:
            break
        found.setdefault(".".join(path), value)
        if len(path) > 1 and path[-2].lower() in _HOLDERS:
            found.setdefault(path[-1], value)
    return found


def _leaves(tree: Tree, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    match tree:
        case dict():
            for key, value in tree.items():
                yield from _leaves(value, (*path, key))
        case list():
            if path:
                yield path, json.dumps(tree)
            for at, value in enumerate(tree):
                yield from _leaves(value, (*path, str(at)))
        case None:
            return
        case _ if path:
            yield path, as_text(tree)


def file_parameters(files: Mapping[str, str]) -> dict[str, str]:
    """What all configuration files among `files` say, by dotted name and by last name.

    A name to which two files or two sections give different values says nothing: which of them
    counts is for the program to know.
    """
    by_name: dict[str, set[str]] = {}
    by_end: dict[str, set[str]] = {}
    for path, text in files.items():
        for name, value in flat(read_config(path, text)).items():
            by_name.setdefault(name, set()).add(value)
            by_end.setdefault(name.rpartition(".")[2], set()).add(value)
    ends = {name: values for name, values in by_end.items() if not name.isdigit()}
    return {
        name: next(iter(values)) for name, values in {**ends, **by_name}.items() if len(values) == 1
    }


def task_parameters(files: Mapping[str, str], given: Mapping[str, Tree]) -> dict[str, str]:
    """All parameters of a task: those `given` win over those of its files; references resolved.

    What is given as a list or dict is there as a whole, as JSON, and by the names of its parts.
    """
    return resolved({**file_parameters(files), **_given(given)})


def environment_parameters(files: Mapping[str, str], given: Mapping[str, Tree]) -> dict[str, str]:
    """What a program of the task finds in its environment: `given`, and files of variables."""
    found: dict[str, str] = {}
    for path, text in files.items():
        if format_of(path) == "env":
            found.update(flat(read_config(path, text)))
    return resolved({**found, **_orchestrator_variables(files), **_given(given)})


def _orchestrator_variables(files: Mapping[str, str]) -> dict[str, str]:
    """What files to import variables of Airflow say; of two that disagree on a name, neither."""
    found: dict[str, set[str]] = {}
    for path, text in files.items():
        if format_of(path) in {"json", "yaml"} and "variables" in path.rpartition("/")[2].lower():
            tree = read_config(path, text)
            for name, value in _given(tree if isinstance(tree, dict) else {}).items():
                found.setdefault(name, set()).add(value)
    return {name: min(values) for name, values in found.items() if len(values) == 1}


def _given(given: Mapping[str, Tree]) -> dict[str, str]:
    parts: dict[str, Tree] = {}
    parts.update({name: tree for name, tree in given.items() if isinstance(tree, dict | list)})
    whole = {name: whole_text(value) for name, value in given.items()}
    return {**flat(parts), **whole}

"""What dbt writes to its `target` folder, as typed values: manifest, run results, catalog.

Only the fields that are used are read. Other schema versions than the known ones are read all the
same, and reported; an entry that does not fit costs only itself.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from swarm.errors import MalformedResponse

KNOWN_MANIFESTS = range(9, 13)
_RUNNING = frozenset({"", "run", "build", "seed", "snapshot", "retry"})
_VERSION = re.compile(r"/v(\d+)(?:\.json)?$")

Problem = tuple[str, str]
"""A place in the artefacts and what is wrong there."""


class _Part(BaseModel):
    """A part of an artefact; `null` counts as absent."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: below for key, below in value.items() if below is not None}
        return value


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _as_hook(value: object) -> object:
    return [{"sql": hook} if isinstance(hook, str) else hook for hook in _sequence(_listed(value))]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


class Hook(_Part):
    """SQL that runs before or after a node; its templates are still in it."""

    sql: str = ""


_Hooks = Annotated[tuple[Hook, ...], BeforeValidator(_as_hook)]
_Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class NodeConfig(_Part):
    """The settings of a node that decide what it does."""

    enabled: bool = True
    materialized: str = ""
    schema_: str = Field("", alias="schema")
    database: str = ""
    pre_hook: _Hooks = Field((), alias="pre-hook")
    post_hook: _Hooks = Field((), alias="post-hook")
    meta: dict[str, Any] = Field(default_factory=dict)
    group: str = ""


class DependsOn(_Part):
    """The ids of the nodes that stand before a node."""

    nodes: tuple[str, ...] = ()


class Node(_Part):
    """A model, seed, snapshot, operation, test or analysis."""

    unique_id: str
    name: str
    resource_type: str
    package_name: str = ""
    version: str | int | float = ""
    relation_name: str = ""
    database: str = ""
    schema_: str = Field("", alias="schema")
    alias: str = ""
    path: str = ""
    original_file_path: str = ""
    language: str = "sql"
    raw_code: str = ""
    compiled_code: str = ""
    config: NodeConfig = NodeConfig()
    depends_on: DependsOn = DependsOn()
    meta: dict[str, Any] = Field(default_factory=dict)
    group: str = ""
    tags: _Texts = ()
    index: int = 0

    @property
    def is_ephemeral(self) -> bool:
        return self.resource_type == "model" and self.config.materialized == "ephemeral"

    @property
    def is_elsewhere(self) -> bool:
        """Another project's public model: this one refers to it and does not build it."""
        return self.resource_type == "model" and not self.path and not self.original_file_path


class External(_Part):
    """Where the data of an external table lie."""

    location: str = ""


class SourceTable(_Part):
    """A table that dbt reads and somebody else writes."""

    unique_id: str
    name: str
    source_name: str = ""
    relation_name: str = ""
    database: str = ""
    schema_: str = Field("", alias="schema")
    identifier: str = ""
    original_file_path: str = ""
    external: External = External()


class Timing(_Part):
    """One of the two phases of a result, `compile` and `execute`."""

    name: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None


class Result(_Part):
    """How one node ended."""

    unique_id: str
    status: str
    timing: tuple[Timing, ...] = ()
    compiled_code: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A manifest. `owners` are those of its groups, `views` the ids that the catalog file says are
    views in the warehouse."""

    name: str
    adapter: str
    invocation_id: str
    nodes: Mapping[str, Node]
    sources: Mapping[str, SourceTable]
    owners: Mapping[str, str]
    views: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Invocation:
    """A run of dbt that ran nodes; times are seconds since the epoch."""

    invocation_id: str
    started_at_s: float | None
    ended_at_s: float | None
    results: tuple[Result, ...]
    problems: tuple[Problem, ...] = ()


P = TypeVar("P", bound=_Part)


def read_manifest(tree: object, views: frozenset[str] = frozenset()) -> Project:
    """The project of a manifest; raises `MalformedResponse` when it is no manifest."""
    sections = _object(tree)
    if not isinstance(sections.get("nodes"), dict):
        raise MalformedResponse("manifest.json has no `nodes`: it is not a dbt manifest.")
    metadata = _object(sections.get("metadata"))
    problems = list(_strange_version(str(metadata.get("dbt_schema_version", ""))))
    nodes = _parts(Node, _named(sections["nodes"]), problems)
    sources = _parts(SourceTable, _named(_object(sections.get("sources"))), problems)
    return Project(
        name=_project_name(metadata, nodes),
        adapter=str(metadata.get("adapter_type") or ""),
        invocation_id=str(metadata.get("invocation_id") or ""),
        nodes={id_: node for id_, node in nodes.items() if node.config.enabled},
        sources=sources,
        owners=dict(_group_owners(_object(sections.get("groups")))),
        views=views,
        problems=tuple(problems),
    )


def read_invocation(tree: object) -> Invocation | None:
    """What ran, by the run results; None when dbt only compiled, tested or described.

    Raises `MalformedResponse` when it is no file of run results.
    """
    sections = _object(tree)
    if not isinstance(sections.get("results"), list):
        raise MalformedResponse("run_results.json has no `results`: these are no dbt run results.")
    if str(_object(sections.get("args")).get("which") or "") not in _RUNNING:
        return None
    metadata = _object(sections.get("metadata"))
    problems: list[Problem] = []
    rows = {str(number): row for number, row in enumerate(sections["results"], start=1)}
    results = _parts(Result, rows, problems, "run_results.json: result ")
    ended_at_s = _seconds(metadata.get("generated_at"))
    elapsed_s = sections.get("elapsed_time")
    started_at_s = None
    if ended_at_s is not None and isinstance(elapsed_s, int | float):
        started_at_s = ended_at_s - elapsed_s
    return Invocation(
        invocation_id=str(metadata.get("invocation_id") or ""),
        started_at_s=started_at_s,
        ended_at_s=ended_at_s,
        results=tuple(results.values()),
        problems=tuple(problems),
    )


def read_views(tree: object) -> frozenset[str]:
    """The ids of the nodes that the catalog file says are views in the warehouse."""
    rows = _object(_object(tree).get("nodes"))
    return frozenset(
        id_
        for id_, row in rows.items()
        if str(_object(_object(row).get("metadata")).get("type")).upper().endswith("VIEW")
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _parts(
    model: type[P], rows: Mapping[str, Any], problems: list[Problem], place: str = ""
) -> dict[str, P]:
    found: dict[str, P] = {}
    for id_, row in rows.items():
        try:
            found[id_] = model.model_validate(_with_old_names(row))
        except ValidationError as error:
            wrong = error.errors()[0]
            key = ".".join(map(str, wrong["loc"])) or "entry"
            detail = f"`{key}`: {wrong['msg']}; it is left out."
            problems.append((f"{place}{id_}", detail))
    return found


def _named(rows: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a section, each under the id that the section has for it."""
    return {
        id_: row | {"unique_id": id_} if isinstance(row, dict) else row for id_, row in rows.items()
    }


def _with_old_names(row: Any) -> Any:
    """Before dbt 1.3 code was called SQL; other tools that write manifests still do so."""
    if isinstance(row, dict):
        for old, new in (("compiled_sql", "compiled_code"), ("raw_sql", "raw_code")):
            if old in row and new not in row:
                row = {**row, new: row[old]}
    return row


def _strange_version(schema: str) -> Iterator[Problem]:
    match = _VERSION.search(schema)
    if match is None or int(match.group(1)) not in KNOWN_MANIFESTS:
        known = f"v{KNOWN_MANIFESTS[0]} to v{KNOWN_MANIFESTS[-1]}"
        detail = f"Schema version `{schema[:100]}` is not known (known are {known}); "
        yield "manifest.json", f"{detail}it is used as far as it fits."


def _project_name(metadata: Mapping[str, Any], nodes: Mapping[str, Node]) -> str:
    """The manifest's own word; older ones only hold its MD5, which one of the packages has."""
    if name := metadata.get("project_name"):
        return str(name)
    packages = Counter(node.package_name for node in nodes.values() if node.package_name)
    for package in packages:
        digest = hashlib.md5(package.encode(), usedforsecurity=False).hexdigest()
        if digest == metadata.get("project_id"):
            return package
    return packages.most_common(1)[0][0] if packages else "dbt"


def _group_owners(groups: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group in map(_object, groups.values()):
        name = str(group.get("name") or "")
        owner = _object(group.get("owner"))
        yield name, str(owner.get("name") or owner.get("email") or name)


def _seconds(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None

"""A dbt project by its artefacts: one pipeline, its tasks the nodes that dbt executes.

`path` is dbt's `target` folder, or the manifest in it. The manifest says what there is; the run
results beside it, if any, what ran; the catalog file, if any, which relations are views. A
manifest that cannot be used ends the pass: dbt may be writing it, and nothing is taken back.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic_core import from_json

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.contexts import sql_context
from swarm.connectors.dbt.artifacts import (
    read_invocation,
    read_manifest,
    read_views,
)
from swarm.connectors.dbt.lineage import ran_by, task_items
from swarm.connectors.dbt.mapping import DbtProject
from swarm.connectors.files import Chunk, FileConnector, file_state, path_of
from swarm.errors import MalformedResponse, Unavailable
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Unresolved, UnresolvedReason, View, ViewInventory
from swarm.model.pipelines import Inventory

MAX_BYTES = 500_000_000
_TASKS_PER_CHUNK = 50

T = TypeVar("T")


def connect(source: Source, settings: Settings) -> FileConnector:
    """The connector to the dbt project at `source.path`. Raises `ConfigError`."""
    path = path_of(source)

    def read(now_s: float) -> Iterator[Chunk]:
        return read_project(path, source.instance, settings, now_s)

    return FileConnector(source, lambda: _state(path, settings), read, SystemClock())


def read_project(
    path: Path, orchestrator: str, settings: Settings, now_s: float
) -> Iterator[Chunk]:
    """The pipeline, then its tasks' data in chunks, then what views there are, and the last run.

    Raises `Unavailable` or `MalformedResponse` when there is no manifest that can be used.
    """
    manifest = _manifest(path)
    tree = _load(manifest)
    problems: list[Unresolved] = []
    folder = manifest.parent
    views = _beside(folder / "catalog.json", read_views, orchestrator, problems) or frozenset()
    project = read_manifest(tree, views)
    del tree
    base = sql_context(settings, project.name, orchestrator, "dbt")
    dbt = DbtProject(project, orchestrator, base, str(manifest))
    invocation = _beside(folder / "run_results.json", read_invocation, orchestrator, problems)
    external = tuple(dbt.external_tables())
    yield (dbt.pipeline(), *external)
    stated = _stated_views(external)
    ran = ran_by(dbt, invocation, now_s)
    ids = iter(dbt.tasks)
    while some := tuple(islice(ids, _TASKS_PER_CHUNK)):
        chunk: list[Item] = []
        for id_ in some:
            found = list(task_items(dbt, id_, ran, now_s))
            stated |= _stated_views(found)
            own = dbt.relation(project.nodes[id_])
            if own and any(isinstance(item, Unresolved) for item in found):
                stated.add(own)  # a view that is not understood now is none that is gone
            chunk += found
        yield tuple(chunk)
    strange = (*project.problems, *(invocation.problems if invocation else ()))
    listing = () if project.problems else (ViewInventory(tuple(sorted(stated))),)
    yield (
        *listing,
        *(dbt.run_items(invocation) if invocation else ()),
        *problems,
        *(_broken(orchestrator, place, detail) for place, detail in strange),
        Inventory(orchestrator, (project.name,)),
    )


def _stated_views(items: Iterable[Item]) -> set[DatasetKey]:
    return {item.dataset for item in items if isinstance(item, View)}


def _manifest(path: Path) -> Path:
    return path if path.suffix == ".json" else path / "manifest.json"


def _state(path: Path, settings: Settings) -> str:
    """Changes with any of the artefacts; raises `Unavailable` without a manifest."""
    manifest = _manifest(path)
    if not manifest.exists():
        fix = "run `dbt compile`, and name dbt's `target` folder"
        raise Unavailable(f"{manifest}: there is no manifest; {fix}.")
    parts = [file_state(manifest, settings)]
    for name in ("run_results.json", "catalog.json"):
        beside = manifest.with_name(name)
        parts.append(file_state(beside, settings) if beside.is_file() else "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _load(path: Path) -> object:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MalformedResponse(f"{path}: over {MAX_BYTES} bytes ({size}); it is not read.")
        return from_json(path.read_bytes(), allow_inf_nan=False)
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read ({error.strerror}).") from None
    except ValueError as error:
        fix = "if dbt is writing it, it is read again"
        raise MalformedResponse(f"{path}: not valid JSON ({error}); {fix}.") from None


def _beside(
    path: Path, read: Callable[[object], T], orchestrator: str, problems: list[Unresolved]
) -> T | None:
    """An artefact that need not be there; what is wrong with it is told and costs only itself."""
    if not path.is_file():
        return None
    try:
        return read(_load(path))
    except (Unavailable, MalformedResponse) as error:
        problems.append(_broken(orchestrator, path.name, str(error)))
        return None


def _broken(orchestrator: str, place: str, detail: str) -> Unresolved:
    return Unresolved(orchestrator, UnresolvedReason.MALFORMED, place, detail)

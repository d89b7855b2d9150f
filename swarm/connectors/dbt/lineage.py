"""What the tasks of a dbt project touch: by what dbt states, and by their SQL.

1. What dbt states is complete for what goes through `ref` and `source`. Tables that SQL names by
   itself come only from the SQL.
2. A model's SQL is a SELECT and dbt stores its result in the model's relation, so each reading of
   its SQL shows that write too. Reading its own relation (`{{ this }}`) is no dependency.
3. A view reads what it selects from, as dbt states it, and is a `View` onto that.
4. SQL is what ran, where the run results say that it ran with success; and what the manifest
   holds, compiled or else with its templates. Hooks are always templates in the manifest.
5. The program of a Python model is read for what it takes besides `ref` and `source`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from swarm.connectors.dbt.artifacts import Invocation, Node
from swarm.connectors.dbt.mapping import (
    DbtProject,
    execution_of,
    kind_of,
    relation_text,
    state_of,
)
from swarm.connectors.dbt.python_models import python_model
from swarm.connectors.sighting import covered, sighted
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import SqlContext
from swarm.model.connectors import Item
from swarm.model.keys import DatasetKey
from swarm.model.lineage import (
    Access,
    Channel,
    Coverage,
    Extraction,
    Touch,
    Unresolved,
    UnresolvedReason,
    View,
)
from swarm.model.runs import RunState

_VIEWS = frozenset({"view", "materialized_view"})
_NOT_SQL = frozenset({"seed"})
_BUILT = ("model.", "seed.", "snapshot.", "source.")

_REF = re.compile(
    r"""\bref\(\s*(?:['"](?P<package>[^'"]+)['"]\s*,\s*)?['"](?P<name>[^'"]+)['"]\s*"""
    r"""(?:,\s*v(?:ersion)?\s*=\s*['"]?(?P<version>[\w.]+)['"]?\s*)?\)"""
)
_SOURCE = re.compile(
    r"""\bsource\(\s*['"](?P<source>[^'"]+)['"]\s*,\s*['"](?P<name>[^'"]+)['"]\s*\)"""
)

Ran = Mapping[str, tuple[str, float]]
"""By node id the SQL that ran and when it was done, in seconds since the epoch."""


def ran_by(dbt: DbtProject, invocation: Invocation | None, now_s: float) -> Ran:
    """What ran with success. Results of another invocation than the manifest's may only be
    trusted with the SQL they hold themselves."""
    if invocation is None:
        return {}
    same = invocation.invocation_id == dbt.project.invocation_id
    found = {}
    for result in invocation.results:
        node = dbt.project.nodes.get(result.unique_id)
        if node is not None and state_of(result) is RunState.SUCCEEDED:
            text = result.compiled_code or (node.compiled_code if same else "")
            if text and node.language == "sql":
                found[result.unique_id] = (text, execution_of(result)[1] or now_s)
    return found


def task_items(dbt: DbtProject, id_: str, ran: Ran, now_s: float) -> Iterator[Item]:
    """Everything that is known of the data of the task of node `id_`."""
    node, key = dbt.project.nodes[id_], dbt.tasks[id_]
    stated = _stated(dbt, node)
    yield from sighted(key, stated, Channel.DECLARED, now_s)
    yield Coverage(key, Channel.DECLARED, now_s)
    hooks = [extract_sql(*text) for text in _hooks(dbt, node)]
    body = [extract_sql(*text) for text in _body(dbt, node)]
    yield from _view(dbt, node, [stated, *body])
    readings = [(Channel.SQL_SOURCE, body, now_s)]
    if id_ in ran:
        text, at_s = ran[id_]
        as_run = extract_sql(text, dbt.context, f"{_place(node)} (compiled)")
        readings.append((Channel.SQL_RUN, [as_run], at_s))
    program = python_model(node, dbt.context, _place(node))
    if program is not None:  # no coverage: what it stores dbt does
        yield from sighted(key, program, Channel.CODE, now_s)
    told: set[Unresolved] = set()
    for channel, texts, at_s in readings:
        found = _joined(dbt, node, texts, hooks)
        fresh = replace(found, unresolved=tuple(u for u in found.unresolved if u not in told))
        yield from sighted(key, fresh, channel, at_s)
        told.update(found.unresolved)
        if texts:  # without it this is not all that the task does
            yield from covered(key, found, channel, at_s)


def _stated(dbt: DbtProject, node: Node) -> Extraction:
    """What dbt itself says: the relation a node builds, and those behind `ref` and `source`."""
    place, own = _place(node), dbt.relation(node)
    touches: dict[DatasetKey, Touch] = {}
    unresolved = []
    if own is not None:
        text = f"{kind_of(node)} {relation_text(node)}"
        touches[own] = Touch(Access.WRITE, own, place, text)
    elif node.resource_type != "operation":
        detail = f"{node.unique_id} has no relation; what it writes is not known."
        unresolved.append(Unresolved("", UnresolvedReason.MALFORMED, place, detail))
    for id_ in dbt.above(node):
        above = dbt.project.nodes.get(id_) or dbt.project.sources.get(id_)
        if above is not None:
            for dataset in dbt.datasets(above):
                text = f"depends on {id_}"
                touches.setdefault(dataset, Touch(Access.READ, dataset, place, text))
        elif id_.startswith(_BUILT) and not node.compiled_code:
            detail = f"{id_} is not in the manifest; `dbt compile` shows which relation it is."
            unresolved.append(Unresolved("", UnresolvedReason.MISSING_SOURCE, place, detail))
    return Extraction(touches=tuple(touches.values()), unresolved=tuple(unresolved))


def _place(node: Node) -> str:
    return node.original_file_path or node.unique_id


Text = tuple[str, SqlContext, str]


def _body(dbt: DbtProject, node: Node) -> Iterator[Text]:
    """The SQL of the node as the manifest holds it, with that of ephemeral models put in."""
    if node.language != "sql" or node.resource_type in _NOT_SQL:
        return
    if node.compiled_code:
        yield node.compiled_code, dbt.context, f"{_place(node)} (compiled)"
        return
    for part in (node, *dbt.inlined(node)):
        if part.raw_code:
            yield _filled(dbt, part, part.raw_code), _context(dbt, part), _place(part)


def _hooks(dbt: DbtProject, node: Node) -> Iterator[Text]:
    for name, hooks in (("pre", node.config.pre_hook), ("post", node.config.post_hook)):
        for hook in hooks:
            if hook.sql.strip():
                text = _filled(dbt, node, hook.sql)
                yield text, _context(dbt, node), f"{_place(node)} ({name}-hook)"


def _context(dbt: DbtProject, node: Node) -> SqlContext:
    """With what templates of a node may name: itself, and where the project lies."""
    values = {
        "this": relation_text(node),
        "this.database": node.database,
        "this.schema": node.schema_,
        "this.name": node.alias,
        "this.table": node.alias,
        "this.identifier": node.alias,
        "target.database": dbt.context.default_catalog,
        "target.schema": dbt.context.default_schema,
    }
    known = {name: value for name, value in values.items() if value}
    return replace(dbt.context, parameters={**dbt.context.parameters, **known})


def _filled(dbt: DbtProject, node: Node, text: str) -> str:
    """`text` with the relation in place of each `ref` and `source`."""
    project = dbt.project
    nodes = [project.nodes[id_] for id_ in node.depends_on.nodes if id_ in project.nodes]
    sources = [project.sources[id_] for id_ in node.depends_on.nodes if id_ in project.sources]

    def of_ref(match: re.Match[str]) -> str:
        package, name, version = match.group("package", "name", "version")
        for one in nodes:
            fits = package in (None, one.package_name) and version in (None, str(one.version))
            if fits and one.name == name:
                return _quoted("(SELECT 1)" if one.is_ephemeral else relation_text(one))
        return _unknown(name)

    def of_source(match: re.Match[str]) -> str:
        for one in sources:
            if (one.source_name, one.name) == match.group("source", "name"):
                return _quoted(relation_text(one))
        return _unknown(match.group("name"))

    return _SOURCE.sub(of_source, _REF.sub(of_ref, text))


def _unknown(name: str) -> str:
    """A template variable without a value: what it names is reported and not guessed."""
    return "relation_of." + re.sub(r"\W", "_", name)


def _quoted(relation: str) -> str:
    escaped = relation.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _joined(
    dbt: DbtProject, node: Node, body: list[Extraction], hooks: list[Extraction]
) -> Extraction:
    """All SQL of a node as one text: dbt stores the result of its body in its relation."""
    own = dbt.relation(node)
    parts = (*body, *hooks)
    touches = [touch for part in parts for touch in part.touches if touch.dataset != own]
    if body and own is not None:
        touches.insert(0, Touch(Access.WRITE, own, _place(node), f"result of {node.name}"))
    return Extraction(
        touches=tuple(touches),
        views=tuple(view for part in parts for view in part.views),
        unresolved=tuple(one for part in parts for one in part.unresolved),
    )


def _view(dbt: DbtProject, node: Node, parts: list[Extraction]) -> Iterator[View]:
    own = dbt.relation(node)
    is_view = node.config.materialized in _VIEWS or node.unique_id in dbt.project.views
    if own is None or not is_view or node.resource_type != "model":
        return
    touches = [touch for part in parts for touch in part.touches]
    reads = {touch.dataset for touch in touches if touch.access is Access.READ} - {own}
    if reads:
        yield View(own, tuple(sorted(reads)), _place(node), f"dbt {kind_of(node)} {node.name}")

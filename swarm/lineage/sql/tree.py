"""What a SQL script reads and writes by the syntax trees of its statements, templates filled in.

The slow and thorough way; `extract.py` asks it for what nothing faster can tell.
"""

from swarm.lineage.naming import split_name
from swarm.lineage.sql.clients import ClientText
from swarm.lineage.sql.effects import Accessed, Name, NotUnderstood
from swarm.lineage.sql.run import Count, Run
from swarm.lineage.sql.script import Script
from swarm.lineage.templates.render import render
from swarm.lineage.text import DEFAULT_CONVENTION, Parameters, SqlContext, Where
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, Tier, Touch, Unresolved, UnresolvedReason, View

_MAX_EXCERPT = 160
_SURE_IF_PASSED = 0.9  # dbt orders by it; nearly every macro reads what it is given


def tree_extraction(text: str, where: Where, parameters: Parameters) -> Extraction:
    """As `extract_sql`, with places relative to the text (`:3` is its third line).

    Its confidence is the share of the statements that were understood.
    """
    dialect, namespace, catalog, schema = where[:4]
    convention = where[4] if len(where) == 5 else DEFAULT_CONVENTION
    context = SqlContext(dialect, namespace, catalog, schema, dict(parameters), convention)
    if dialect == "athena":  # two engines with two ways to quote
        dialect = "hive" if "`" in text else "trino"
    try:
        rendering = render(text, context.parameters)
    except RecursionError:
        return _failed(UnresolvedReason.TEMPLATE, 1, "the template is nested too deeply")
    original = text.splitlines()
    identity = tuple(range(1, len(original) + 1))
    touches: dict[tuple[Access, DatasetKey], Touch] = {}
    views: dict[DatasetKey, View] = {}
    count = Count()
    problems: dict[NotUnderstood, None] = {}
    if rendering.problem is not None:
        problems[NotUnderstood(UnresolvedReason.TEMPLATE, *rendering.problem)] = None
    for variant in rendering.variants:
        script = Script(context, rendering)
        client = ClientText(dialect, context.parameters, script.not_given, script.holes_in)
        sent = client.of(variant.text)
        script.apply(client.problems, variant.lines)
        Run(script, dialect, count).text(sent, variant.lines)
        for name, line in rendering.passed:
            passed = Name(split_name(name), line)
            script.apply([Accessed(Access.READ, passed, _SURE_IF_PASSED)], identity)
        problems.update(dict.fromkeys(script.problems))
        for entry in script.entries:
            place, words = f":{entry.line}", excerpt(original, entry.line)
            touch = Touch(entry.access, entry.dataset, place, words, entry.confidence)
            before = touches.setdefault((entry.access, entry.dataset), touch)
            if before.confidence < touch.confidence:
                touches[entry.access, entry.dataset] = touch
        for key, (reads, line) in script.views.items():
            known = views[key].reads if key in views else ()
            merged = tuple(dict.fromkeys((*known, *reads)))
            views[key] = View(key, merged, f":{line}", excerpt(original, line))
    unresolved = tuple(
        Unresolved("", problem.reason, f":{problem.line}", problem.detail)
        for problem in problems
        if len(rendering.variants) == 1
        or problem.reason is not UnresolvedReason.SYNTAX
        or problem.line not in count.understood  # one branch of a template may be no SQL
    )
    return Extraction(
        tuple(touches.values()),
        tuple(views.values()),
        unresolved,
        dialect=dialect,
        tier=Tier.TREE,
        confidence=1 - count.failed / count.statements if count.statements else 1.0,
    )


def _failed(reason: UnresolvedReason, line: int, detail: str) -> Extraction:
    problem = Unresolved("", reason, f":{line}", detail)
    return Extraction(unresolved=(problem,), confidence=0.0)


def excerpt(lines: list[str], line: int) -> str:
    """The few words that show what is on `line` (from 1)."""
    return lines[line - 1].strip()[:_MAX_EXCERPT] if 0 < line <= len(lines) else ""

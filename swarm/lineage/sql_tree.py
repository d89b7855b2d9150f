"""What a SQL script reads and writes by the syntax trees of its statements, templates filled in.

The slow and thorough way; `sql.py` asks it for what nothing faster can tell.
"""

from dataclasses import dataclass, field

from sqlglot.errors import TokenError

from swarm.lineage.naming import split_name
from swarm.lineage.sql_effects import Accessed, Name, Nested, NotUnderstood
from swarm.lineage.sql_script import Script, original_line
from swarm.lineage.sql_split import statements
from swarm.lineage.sql_statements import statement_effects
from swarm.lineage.sql_tokens import Tokens, tokenize
from swarm.lineage.templates import Rendered, render
from swarm.lineage.text import Parameters, SqlContext, Where
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, Tier, Touch, Unresolved, UnresolvedReason, View

_MAX_EXCERPT = 160
_SURE_IF_PASSED = 0.9  # dbt orders by it; nearly every macro reads what it is given
_MAX_NESTING = 4  # texts run by a text that is run by a text


@dataclass(slots=True)
class _Count:
    """Statements of a script: the lines of those understood, how many there are, how many not."""

    understood: set[int] = field(default_factory=set)
    statements: int = 0
    failed: int = 0


def tree_extraction(text: str, where: Where, parameters: Parameters) -> Extraction:
    """As `extract_sql`, with places relative to the text (`:3` is its third line).

    Its confidence is the share of the statements that were understood.
    """
    context = SqlContext(*where, parameters=dict(parameters))
    dialect = context.dialect
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
    count = _Count()
    problems: dict[NotUnderstood, None] = {}
    if rendering.problem is not None:
        problems[NotUnderstood(UnresolvedReason.TEMPLATE, *rendering.problem)] = None
    for variant in rendering.variants:
        script = Script(context, rendering)
        _run(variant, script, dialect, count)
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


def _tokens(text: str, dialect: str) -> Tokens:
    try:
        return tokenize(text, dialect)
    except TokenError:
        if not dialect:
            raise
        return tokenize(text, "")


def _run(variant: Rendered, script: Script, dialect: str, count: _Count) -> None:
    """Feed all statements of `variant` to `script`."""
    waiting = [(variant.text, variant.lines, 0)]
    while waiting:
        text, lines, depth = waiting.pop()
        try:
            tokens = _tokens(text, dialect)
        except TokenError as error:
            problem = str(error).splitlines()[0][:_MAX_EXCERPT]
            detail = f"cannot be cut into statements: {problem}"
            script.apply([NotUnderstood(UnresolvedReason.SYNTAX, 1, detail)], lines)
            count.statements, count.failed = count.statements + 1, count.failed + 1
            continue
        for statement in statements(tokens, dialect):
            effects = statement_effects(statement, text, dialect)
            script.apply(effects, lines)
            count.statements += 1
            if any(isinstance(effect, NotUnderstood) for effect in effects):
                count.failed += 1
            else:
                count.understood.add(original_line(statement.line, lines))
            for effect in effects:
                if isinstance(effect, Nested) and depth == _MAX_NESTING:
                    detail = f"texts that run texts, more than {_MAX_NESTING} deep"
                    deep = NotUnderstood(UnresolvedReason.SYNTAX, effect.line, detail)
                    script.apply([deep], lines)
                elif isinstance(effect, Nested):
                    first = effect.line - effect.text.count("\n")
                    height = effect.text.count("\n") + 1
                    inner = tuple(original_line(first + i, lines) for i in range(height))
                    waiting.append((effect.text, inner, depth + 1))

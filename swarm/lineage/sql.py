"""What a SQL script reads and writes, by table.

What counts as a read and a write is in README.md beside this file. In short: a statement reads
the tables its queries name, and writes a table whose rows may be different afterwards. Its own
target is a write and never a read. A table that only lives inside the script is neither.
"""

from dataclasses import replace
from functools import lru_cache

from sqlglot.dialects.dialect import Dialects
from sqlglot.errors import TokenError

from swarm.lineage.sql_effects import Nested, NotUnderstood
from swarm.lineage.sql_script import Script, original_line
from swarm.lineage.sql_split import statements
from swarm.lineage.sql_statements import statement_effects
from swarm.lineage.sql_tokens import Tokens, tokenize
from swarm.lineage.templates import Rendered, render
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, Touch, Unresolved, UnresolvedReason, View

MAX_TEXT_BYTES = 1_000_000
_MAX_CACHED = 65_536  # characters; longer texts are rare and would fill the memory
_MAX_EXCERPT = 160
_MAX_NESTING = 4  # texts run by a text that is run by a text
_DIALECTS = frozenset(dialect.value for dialect in Dialects)


def extract_sql(text: str, context: SqlContext, place: str) -> Extraction:
    """Find every table that the script `text` reads or writes. Never raises.

    `place` names the text; what is found is at `place:line`. Touches and views come once per
    dataset, at the first line that shows them. What cannot be understood is in `unresolved`,
    and the statements around it still count.
    """
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_TEXT_BYTES:
        detail = f"the SQL text has {size} bytes; the limit is {MAX_TEXT_BYTES}"
        return Extraction(
            unresolved=(Unresolved(place, UnresolvedReason.TOO_LARGE, place, detail),)
        )
    if context.dialect not in _DIALECTS:
        detail = (
            f"unknown SQL dialect {context.dialect!r}; known are {', '.join(sorted(_DIALECTS))}"
        )
        return Extraction(unresolved=(Unresolved(place, UnresolvedReason.SYNTAX, place, detail),))
    where = (
        context.dialect,
        context.namespace,
        context.default_catalog,
        context.default_schema,
    )
    parameters = tuple(sorted(context.parameters.items()))
    extract = _cached if len(text) <= _MAX_CACHED else _extract
    found = extract(text, where, parameters)
    return Extraction(
        tuple(replace(touch, place=place + touch.place) for touch in found.touches),
        tuple(replace(view, place=place + view.place) for view in found.views),
        tuple(replace(u, subject=place, place=place + u.place) for u in found.unresolved),
    )


def _extract(
    text: str, where: tuple[str, str, str, str], parameters: tuple[tuple[str, str], ...]
) -> Extraction:
    """As `extract_sql`, with places relative to the text (`:3` is its third line)."""
    context = SqlContext(*where, parameters=dict(parameters))
    dialect = context.dialect
    if dialect == "athena":  # two engines with two ways to quote
        dialect = "hive" if "`" in text else "trino"
    try:
        rendering = render(text, context.parameters)
    except RecursionError:
        return _failed(UnresolvedReason.TEMPLATE, 1, "the template is nested too deeply")
    original = text.splitlines()
    touches: dict[tuple[Access, DatasetKey], Touch] = {}
    views: dict[DatasetKey, View] = {}
    understood: set[int] = set()
    problems: dict[NotUnderstood, None] = {}
    if rendering.problem is not None:
        problems[NotUnderstood(UnresolvedReason.TEMPLATE, *rendering.problem)] = None
    for variant in rendering.variants:
        script = Script(context, rendering)
        understood |= _run(variant, script, dialect)
        problems.update(dict.fromkeys(script.problems))
        for entry in script.entries:
            place, excerpt = f":{entry.line}", _excerpt(original, entry.line)
            touch = Touch(entry.access, entry.dataset, place, excerpt)
            touches.setdefault((entry.access, entry.dataset), touch)
        for key, (reads, line) in script.views.items():
            known = views[key].reads if key in views else ()
            merged = tuple(dict.fromkeys((*known, *reads)))
            views[key] = View(key, merged, f":{line}", _excerpt(original, line))
    unresolved = tuple(
        Unresolved("", problem.reason, f":{problem.line}", problem.detail)
        for problem in problems
        if len(rendering.variants) == 1
        or problem.reason is not UnresolvedReason.SYNTAX
        or problem.line not in understood  # one branch of a template may be no SQL
    )
    return Extraction(tuple(touches.values()), tuple(views.values()), unresolved)


_cached = lru_cache(maxsize=2048)(_extract)


def _failed(reason: UnresolvedReason, line: int, detail: str) -> Extraction:
    return Extraction(unresolved=(Unresolved("", reason, f":{line}", detail),))


def _excerpt(lines: list[str], line: int) -> str:
    return lines[line - 1].strip()[:_MAX_EXCERPT] if 0 < line <= len(lines) else ""


def _tokens(text: str, dialect: str) -> Tokens:
    try:
        return tokenize(text, dialect)
    except TokenError:
        if not dialect:
            raise
        return tokenize(text, "")


def _run(variant: Rendered, script: Script, dialect: str) -> set[int]:
    """Feed all statements of `variant` to `script`; the lines of those that were understood."""
    understood: set[int] = set()
    waiting = [(variant.text, variant.lines, 0)]
    while waiting:
        text, lines, depth = waiting.pop()
        try:
            tokens = _tokens(text, dialect)
        except TokenError as error:
            problem = str(error).splitlines()[0][:_MAX_EXCERPT]
            detail = f"cannot be cut into statements: {problem}"
            script.apply([NotUnderstood(UnresolvedReason.SYNTAX, 1, detail)], lines)
            continue
        for statement in statements(tokens, dialect):
            effects = statement_effects(statement, text, dialect)
            script.apply(effects, lines)
            if not any(isinstance(effect, NotUnderstood) for effect in effects):
                understood.add(original_line(statement.line, lines))
            for effect in effects:
                if isinstance(effect, Nested) and depth == _MAX_NESTING:
                    detail = f"texts that run texts, more than {_MAX_NESTING} deep"
                    deep = NotUnderstood(UnresolvedReason.SYNTAX, effect.line, detail)
                    script.apply([deep], lines)
                elif isinstance(effect, Nested):
                    first = effect.line - effect.text.count("\n")
                    count = effect.text.count("\n") + 1
                    inner = tuple(original_line(first + i, lines) for i in range(count))
                    waiting.append((effect.text, inner, depth + 1))
    return understood

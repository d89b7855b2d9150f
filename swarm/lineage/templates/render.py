"""Fills in the templates that are still in a SQL text, without running any of their code.

Jinja is parsed, never executed (`variants`); marks of shells, drivers and schedulers are replaced.
What has no known value becomes a stand-in (`holes`).
"""

import re
from collections.abc import Mapping

import jinja2

from swarm.lineage.templates.expressions import fill_expressions
from swarm.lineage.templates.holes import Holes, Rendered, Rendering
from swarm.lineage.templates.variants import MAX_TEXT, variants_of

_MAX_HOPS = 5  # from a parameter to another that its value names

_JINJA = re.compile(r"\{\{|\{%|\{#")
_NAMED = re.compile(r"[$&]?\{([A-Za-z_][\w.]*(?::[\w.\-]*)?)\}")
# Python's own marks: `%(name)s` anywhere, `%s` only where a value is due, and not in a text that
# a server formats.
_PYTHON_NAMED = re.compile(r"%\(([A-Za-z_]\w*)\)[sdif]")
_PYTHON_NEXT = re.compile(
    r"([=<>(,]\s*|\b(?:IN|LIKE|AND|OR|BETWEEN|LIMIT|OFFSET|SELECT|THEN|ELSE)\s+)"
    r"%[sdif]\b",
    re.IGNORECASE,
)
_FORMATS = re.compile(r"\bformat\s*\(", re.IGNORECASE)
_TAG = re.compile(r"\{\{(.*?)\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PREFIX = re.compile(r"^(?:hiveconf|hivevar|env|system):")


def render(text: str, parameters: Mapping[str, str]) -> Rendering:
    """Fill in `{{ }}`, `{% %}`, `${name}` and `{name}`. Raises nothing but `RecursionError`."""
    holes = Holes()
    problem: tuple[int, str] | None = None
    variants: list[Rendered]
    if _JINJA.search(text):
        try:
            # Parsed only, so no sandbox is needed: nothing of the template is ever called.
            tree = jinja2.Environment(
                extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], keep_trailing_newline=True
            ).parse(text)
        except jinja2.TemplateSyntaxError as error:
            variants = [_plain(_blank(text, holes))]
            if _TAG.search(text):
                problem = (error.lineno, f"template does not parse: {error.message}")
        else:
            variants, problem = variants_of(tree, text, parameters, holes)
    else:
        variants = [_plain(text)]
    filled = tuple(
        Rendered(_fill(variant.text, parameters, holes), variant.lines)
        for variant in dict.fromkeys(variants)
    )
    return Rendering(filled, tuple(holes.known), problem, tuple(holes.passed.items()))


def _plain(text: str) -> Rendered:
    return Rendered(text, tuple(range(1, text.count("\n") + 2)))


def _fill(text: str, parameters: Mapping[str, str], holes: Holes) -> str:
    named = _fill_named(_fill_python(text, parameters, holes), parameters, holes)
    return fill_expressions(named, parameters, holes.stand_in)


def _fill_named(text: str, parameters: Mapping[str, str], holes: Holes) -> str:
    longest = max(map(len, parameters.values()), default=0)
    if text.count("{") * longest > MAX_TEXT:
        parameters = {}

    def filled(text: str, active: frozenset[str]) -> str:
        def value(match: re.Match[str]) -> str:
            name = _PREFIX.sub("", match.group(1)).partition(":")[0]
            if name in parameters and name not in active:
                return filled(parameters[name], active | {name})  # it may name others
            return holes.stand_in(match.group(0))

        return _NAMED.sub(value, text) if "{" in text and len(active) <= _MAX_HOPS else text

    return filled(text, frozenset())


def _fill_python(text: str, parameters: Mapping[str, str], holes: Holes) -> str:
    """The marks that Python's database drivers and `%` replace."""
    if "%" not in text:
        return text
    longest = max(map(len, parameters.values()), default=0)
    if text.count("%") * longest > MAX_TEXT:
        parameters = {}

    def value(match: re.Match[str]) -> str:
        known = parameters.get(match.group(1))
        return holes.stand_in(match.group(0)) if known is None else known

    named = _PYTHON_NAMED.sub(value, text)
    if _FORMATS.search(text):
        return named
    return _PYTHON_NEXT.sub(lambda match: match.group(1) + holes.stand_in("%s"), named)


def _blank(text: str, holes: Holes) -> str:
    """The text with every tag taken out, line ends kept."""

    def value(match: re.Match[str]) -> str:
        filler = holes.stand_in(match.group(1).strip()) if match.group(1) is not None else ""
        return filler + "\n" * match.group(0).count("\n")

    return _TAG.sub(value, text)

"""Fills in the templates that are still in a SQL text, without running any of their code.

Jinja is parsed, never executed: a small interpreter over its syntax tree knows `set`, loops over
constants, and of expressions what template_values knows. The rest becomes a stand-in: a plain
word that parses in most places of a statement and that `holes_in` finds again. Both sides of
every `if` are looked at: each is in some variant.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import jinja2
from jinja2 import nodes

from swarm.lineage.templates.expressions import fill_expressions
from swarm.lineage.templates.values import Told, Unknown, Value, Values, listed, source_of

MAX_VARIANTS = 16
MAX_TEXT = 4_000_000  # characters of all variants together, and of work for one of them

_NODE_WORK = 100  # what a node costs, counted in characters
_MACRO_WORK = 1_000  # the same of a macro each time it is called
_MAX_SOURCE = 200  # characters of a template in a report
_MAX_HOPS = 5  # from a parameter to another that its value names

_HOLE = re.compile(r"swarm_hole_(\d+)_")
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


@dataclass(frozen=True, slots=True)
class Rendered:
    """One variant of a text; `lines[i]` is the line of the original that line `i + 1` is from."""

    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """All variants of a text. `holes[i]` is what stand-in `i` stands for; `problem` is the line
    and the reason why a part of the text could not be looked at. `passed` are the names, with the
    line, that dbt's `ref` and `source` give to macros that are not known."""

    variants: tuple[Rendered, ...]
    holes: tuple[str, ...] = ()
    problem: tuple[int, str] | None = None
    passed: tuple[tuple[str, int], ...] = ()

    def holes_in(self, name: str) -> tuple[str, ...]:
        """The templates without a known value that are part of `name`."""
        found = (int(number) for number in _HOLE.findall(name))
        return tuple(self.holes[number] for number in found if number < len(self.holes))

    def with_hole(self, source: str) -> "tuple[Rendering, str]":
        """The same with one more template, `source`, and its stand-in."""
        source = source[:_MAX_SOURCE]
        if source in self.holes:
            return self, _stand_in(self.holes.index(source))
        return replace(self, holes=(*self.holes, source)), _stand_in(len(self.holes))

    def restored(self, text: str) -> str:
        """`text` with the templates back in the places of their stand-ins."""

        def source(match: re.Match[str]) -> str:
            number = int(match.group(1))
            known = number < len(self.holes)
            return "{{ " + self.holes[number] + " }}" if known else match.group(0)

        return _HOLE.sub(source, text)


def _stand_in(number: int) -> str:
    return f"swarm_hole_{number}_"


def is_hole(text: str) -> bool:
    """Whether `text` is one stand-in and nothing else."""
    return _HOLE.fullmatch(text) is not None


def render(text: str, parameters: Mapping[str, str]) -> Rendering:
    """Fill in `{{ }}`, `{% %}`, `${name}` and `{name}`. Raises nothing but `RecursionError`."""
    holes = _Holes()
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
            variants, problem = _variants(tree, text, parameters, holes)
    else:
        variants = [_plain(text)]
    filled = tuple(
        Rendered(_fill(variant.text, parameters, holes), variant.lines)
        for variant in dict.fromkeys(variants)
    )
    return Rendering(filled, tuple(holes.known), problem, tuple(holes.passed.items()))


def _plain(text: str) -> Rendered:
    return Rendered(text, tuple(range(1, text.count("\n") + 2)))


def _fill(text: str, parameters: Mapping[str, str], holes: "_Holes") -> str:
    named = _fill_named(_fill_python(text, parameters, holes), parameters, holes)
    return fill_expressions(named, parameters, holes.stand_in)


def _fill_named(text: str, parameters: Mapping[str, str], holes: "_Holes") -> str:
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


def _fill_python(text: str, parameters: Mapping[str, str], holes: "_Holes") -> str:
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


def _blank(text: str, holes: "_Holes") -> str:
    """The text with every tag taken out, line ends kept."""

    def value(match: re.Match[str]) -> str:
        filler = holes.stand_in(match.group(1).strip()) if match.group(1) is not None else ""
        return filler + "\n" * match.group(0).count("\n")

    return _TAG.sub(value, text)


class _Holes:
    """Numbers the templates without a value; the same template has the same number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.passed: dict[str, int] = {}

    def stand_in(self, source: str) -> str:
        source = source[:_MAX_SOURCE]
        return _stand_in(self.known.setdefault(source, len(self.known)))

    def take(self, name: str, line: int) -> None:
        self.passed.setdefault(name, line)


@dataclass(slots=True)
class _Output:
    parts: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    at_line_start: bool = True

    def emit(self, text: str, line: int, *, literal: bool) -> None:
        """Append `text`; a `literal` spans lines of the original, a value stays on its line."""
        for index, piece in enumerate(text.split("\n")):
            if index:
                if self.at_line_start:
                    self.lines.append(line)
                self.parts.append("\n")
                self.at_line_start = True
                line += literal
            if piece and self.at_line_start:
                self.lines.append(line)
                self.at_line_start = False
            self.parts.append(piece)


def _variants(
    tree: nodes.Template, text: str, parameters: Mapping[str, str], holes: _Holes
) -> tuple[list[Rendered], tuple[int, str] | None]:
    """Render until every branch of every `if` was in some variant."""
    limit = max(2, min(MAX_VARIANTS, MAX_TEXT // max(1, len(text))))
    waiting: list[dict[int, int]] = [{}]
    planned: set[tuple[int, int]] = set()
    found: list[Rendered] = []
    while waiting:
        if len(found) == limit:
            return found, (1, f"the template has more branches than {limit} variants can show")
        run = _Run(parameters, holes, waiting.pop(0))
        run.body(tree.body)
        run.finish()
        if run.cut:
            return found, (1, f"loops and macros of the template make over {MAX_TEXT} characters")
        found.append(Rendered("".join(run.output.parts), tuple(run.output.lines or [1])))
        for point, branches, path in run.met:
            for branch in range(branches):
                if (point, branch) not in planned:
                    planned.add((point, branch))
                    if branch != run.choices.get(point, 0):
                        waiting.append({**path, point: branch})
    return found, None


class _Run:
    """Renders one variant; `choices` says which branch to take at which point of the tree.

    `met` has every point met, its branches and the choices that lead there. `cut`: the loops
    are longer than one variant may be.
    """

    def __init__(
        self, parameters: Mapping[str, str], holes: _Holes, choices: dict[int, int]
    ) -> None:
        self.output = _Output()
        self.choices = choices
        self.met: list[tuple[int, int, dict[int, int]]] = []
        self.cut = False
        self._path: dict[int, int] = {}
        self._work = 0
        self._stand_in = holes.stand_in
        self._macros: dict[str, nodes.Macro] = {}
        self._inside: list[nodes.Macro] = []
        self._ran: dict[str, int] = {}
        self._values = Values(
            parameters,
            Told(holes.stand_in, self._choose, holes.take, self._expanded, self._ran.setdefault),
        )

    def body(self, body: list[nodes.Node]) -> None:
        for node in body:
            self._work += _NODE_WORK
            if self._work > MAX_TEXT:
                self.cut = True
                return
            self._node(node)

    def _node(self, node: nodes.Node) -> None:
        match node:
            case nodes.Output():
                self._output(node)
            case nodes.If():
                self._if(node)
            case nodes.For():
                self._for(node)
            case nodes.Assign() | nodes.AssignBlock() | nodes.With():
                self._assign(node)
            case nodes.CallBlock() if source_of(node.call.node) == "statement":
                self._apart(lambda: self.body(node.body), node.lineno)  # dbt runs it by itself
            case nodes.Block() | nodes.FilterBlock() | nodes.Scope() | nodes.CallBlock():
                self.body(node.body)
            case nodes.ScopedEvalContextModifier():
                self.body(node.body)
            case _:
                self._other(node)

    def _other(self, node: nodes.Node) -> None:
        """What leaves no text of this template where it stands. Imports only make names known:
        what is called by them is a stand-in there."""
        match node:
            case nodes.Macro():
                self._macros[node.name] = node
            case nodes.ExprStmt():
                self._values.value(node.node)
            case nodes.Include():
                name = self._stand_in(f"include {source_of(node.template)}")
                self.output.emit(name, node.lineno, literal=False)
            case nodes.Extends():
                name = self._stand_in(f"extends {source_of(node.template)}")
                self._apart(lambda: self.output.emit(name, node.lineno, literal=False), node.lineno)

    def _apart(self, emit: Callable[[], None], line: int) -> None:
        """Something that is a statement of its own."""
        self.output.emit(";", line, literal=False)
        emit()
        self.output.emit(";", line, literal=False)

    def _expanded(self, call: nodes.Call) -> str | None:
        """What a macro of this template leaves where it is called; None: it is none of them."""
        macro = self._macros.get(source_of(call.node))
        if macro is None or macro in self._inside:
            return None
        self._work += _MACRO_WORK
        outside = self._values.names
        self._values.names = outside | self._given(macro, call)
        self._inside.append(macro)
        text = self._captured(macro.body)
        self._inside.pop()
        self._values.names = outside
        return text

    def _given(self, macro: nodes.Macro, call: nodes.Call) -> dict[str, Value]:
        names = [argument.name for argument in macro.args]
        given = dict(zip(names[::-1], macro.defaults[::-1], strict=False))
        given |= dict(zip(names, call.args, strict=False))
        given |= {one.key: one.value for one in call.kwargs}
        return {
            name: self._values.value(given[name]) if name in given else Unknown(name)
            for name in names
        }

    def finish(self) -> None:
        """Texts that the template runs itself, each as a statement behind its own."""
        for text, line in self._ran.items():
            self.output.emit(f"; {' '.join(text.split())}", line, literal=False)

    def _output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            literal = isinstance(part, nodes.TemplateData)
            text = self._values.text(self._values.value(part))
            self._work += len(text)
            if self._work > MAX_TEXT:
                self.cut = True
                return
            self.output.emit(text, part.lineno, literal=literal)

    def _assign(self, node: nodes.Assign | nodes.AssignBlock | nodes.With) -> None:
        names = self._values.names
        match node:
            case nodes.Assign(target=nodes.Name(name=name)):
                names[name] = self._values.value(node.node)
            case nodes.AssignBlock(target=nodes.Name(name=name)):
                names[name] = self._captured(node.body)
            case nodes.With():
                for target, value in zip(node.targets, node.values, strict=True):
                    if isinstance(target, nodes.Name):
                        names[target.name] = self._values.value(value)
                self.body(node.body)

    def _if(self, node: nodes.If) -> None:
        branches = [node.body, *(other.body for other in node.elif_), node.else_]
        known = self._values.value(node.test)
        if isinstance(known, bool) and not node.elif_:
            self.body(branches[0] if known else branches[1])
            return
        outside = self._path
        chosen = self._choose(node, len(branches))
        self._path = {**outside, id(node): chosen}
        self.body(branches[chosen])
        self._path = outside

    def _choose(self, point: nodes.Node, branches: int) -> int:
        self.met.append((id(point), branches, self._path))
        return self.choices.get(id(point), 0)

    def _for(self, node: nodes.For) -> None:
        items, names = listed(self._values.value(node.iter)), self._values.names
        if items is None:  # unknown: once, for what the body says besides the loop's variable
            if node.else_ and self._choose(node, 2):
                items = []
            else:
                items = [Unknown(f"{source_of(node.target)} in {source_of(node.iter)}")]
        if not items:
            self.body(node.else_)
        targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
        for index, item in enumerate(items):
            for position, target in enumerate(targets):
                if isinstance(target, nodes.Name):
                    parts = item if isinstance(item, list) and len(targets) > 1 else []
                    names[target.name] = parts[position] if position < len(parts) else item
            names["loop.first"] = index == 0
            names["loop.last"] = index == len(items) - 1
            names["loop.index"] = str(index + 1)
            names["loop.index0"] = str(index)
            self.body(node.body)
            if self.cut:
                return

    def _captured(self, body: list[nodes.Node]) -> str:
        outer, self.output = self.output, _Output()
        self.body(body)
        captured, self.output = "".join(self.output.parts), outer
        return captured

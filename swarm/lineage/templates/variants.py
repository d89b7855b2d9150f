"""The variants of a template: a small interpreter over the syntax tree of Jinja.

It knows `set`, macros, loops over constants, and of expressions what `values` knows. Both sides of
every `if` are looked at: each is in some variant.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from swarm.lineage.templates.holes import Holes, Rendered
from swarm.lineage.templates.values import Told, Unknown, Value, Values, listed, source_of

MAX_VARIANTS = 16
MAX_TEXT = 4_000_000  # characters of all variants together, and of work for one of them
_NODE_WORK = 100  # what a node costs, counted in characters
_MACRO_WORK = 1_000  # the same of a macro each time it is called


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


def variants_of(
    tree: nodes.Template, text: str, parameters: Mapping[str, str], holes: Holes
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
        self, parameters: Mapping[str, str], holes: Holes, choices: dict[int, int]
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

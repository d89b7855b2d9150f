"""Fills in the templates that are still in a SQL text, without running any of their code.

Jinja is parsed, never executed: a small interpreter over its syntax tree knows parameters,
constants, `set`, loops over constants, a few string filters, the dates of Airflow and the
`ref` and `source` of dbt. Whatever it does not know becomes a stand-in: a plain word that
parses in most places of a statement and that `holes_in` finds again. Dates that only the run
knows become one fixed date. Both sides of every `if` are looked at: each is in some variant.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import jinja2
from jinja2 import nodes

MAX_VARIANTS = 16
MAX_TEXT = 4_000_000  # characters of all variants together

_HOLE = re.compile(r"swarm_hole_(\d+)_")
_JINJA = re.compile(r"\{\{|\{%|\{#")
_NAMED = re.compile(r"\$?\{([A-Za-z_][\w.]*(?::[\w.\-]*)?)\}")
_TAG = re.compile(r"\{\{(.*?)\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PREFIX = re.compile(r"^(?:hiveconf|hivevar|env|system):")

_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - a stand-in, of no time zone
_MOMENTS = frozenset(
    "execution_date logical_date data_interval_start data_interval_end next_execution_date "
    "prev_execution_date prev_data_interval_start_success prev_data_interval_end_success "
    "prev_start_date_success yesterday tomorrow".split()
)
_DAYS = frozenset("ds next_ds prev_ds yesterday_ds tomorrow_ds".split())
_SILENT = frozenset("config log print docs".split())  # calls that leave no text


@dataclass(frozen=True, slots=True)
class Rendered:
    """One variant of a text; `lines[i]` is the line of the original that line `i + 1` is from."""

    text: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rendering:
    """All variants of a text. `holes[i]` is what stand-in `i` stands for; `problem` is the line
    and the reason why a part of the text could not be looked at."""

    variants: tuple[Rendered, ...]
    holes: tuple[str, ...] = ()
    problem: tuple[int, str] | None = None

    def holes_in(self, name: str) -> tuple[str, ...]:
        """The templates without a known value that are part of `name`."""
        found = (int(number) for number in _HOLE.findall(name))
        return tuple(self.holes[number] for number in found if number < len(self.holes))

    def restored(self, text: str) -> str:
        """`text` with the templates back in the places of their stand-ins."""
        for number, source in enumerate(self.holes):
            text = text.replace(_stand_in(number), "{{ " + source + " }}")
        return text


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
            tree = jinja2.Environment(  # noqa: S701
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
        Rendered(_fill_named(variant.text, parameters, holes), variant.lines)
        for variant in dict.fromkeys(variants)
    )
    return Rendering(filled, tuple(holes.known), problem)


def _plain(text: str) -> Rendered:
    return Rendered(text, tuple(range(1, text.count("\n") + 2)))


def _fill_named(text: str, parameters: Mapping[str, str], holes: "_Holes") -> str:
    def value(match: re.Match[str]) -> str:
        name = _PREFIX.sub("", match.group(1)).partition(":")[0]
        return parameters[name] if name in parameters else holes.stand_in(match.group(0))

    return _NAMED.sub(value, text)


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

    def stand_in(self, source: str) -> str:
        return _stand_in(self.known.setdefault(source, len(self.known)))


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A value only the run knows; `source` is how the template names it."""

    source: str


_Value = str | bool | datetime | list["_Value"] | _Unknown  # what a template expression gives


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
        found.append(Rendered("".join(run.output.parts), tuple(run.output.lines or [1])))
        for point, branches, path in run.met:
            for branch in range(branches):
                if (point, branch) not in planned:
                    planned.add((point, branch))
                    if branch != run.choices.get(point, 0):
                        waiting.append({**path, point: branch})
    return found, None


class _Run:
    """Renders one variant; `choices` says which branch to take at which point of the tree."""

    def __init__(
        self, parameters: Mapping[str, str], holes: _Holes, choices: dict[int, int]
    ) -> None:
        self.output = _Output()
        self.choices = choices
        self.met: list[tuple[int, int, dict[int, int]]] = []
        self._path: dict[int, int] = {}
        self._parameters = parameters
        self._holes = holes
        self._names: dict[str, _Value] = {}

    def body(self, body: list[nodes.Node]) -> None:
        for node in body:
            self._node(node)

    def _node(self, node: nodes.Node) -> None:
        match node:
            case nodes.Output():
                for part in node.nodes:
                    if isinstance(part, nodes.TemplateData):
                        self.output.emit(part.data, part.lineno, literal=True)
                    else:
                        shown = self._text(self._value(part))
                        self.output.emit(shown, part.lineno, literal=False)
            case nodes.If():
                self._if(node)
            case nodes.For():
                self._for(node)
            case nodes.Assign(target=nodes.Name(name=name)):
                self._names[name] = self._value(node.node)
            case nodes.AssignBlock(target=nodes.Name(name=name)):
                self._names[name] = self._captured(node.body)
            case nodes.With():
                for target, value in zip(node.targets, node.values, strict=True):
                    if isinstance(target, nodes.Name):
                        self._names[target.name] = self._value(value)
                self.body(node.body)
            case nodes.Block() | nodes.FilterBlock() | nodes.Scope() | nodes.CallBlock():
                self.body(node.body)
            case _:  # macros, imports, `do`: they leave no text where they stand
                pass

    def _if(self, node: nodes.If) -> None:
        branches = [node.body, *(other.body for other in node.elif_), node.else_]
        known = self._value(node.test)
        if isinstance(known, bool) and not node.elif_:
            self.body(branches[0] if known else branches[1])
            return
        with_point = dict(self._path)
        chosen = self._choose(id(node), len(branches))
        self._path = {**with_point, id(node): chosen}
        self.body(branches[chosen])
        self._path = with_point

    def _choose(self, point: int, branches: int) -> int:
        self.met.append((point, branches, dict(self._path)))
        return self.choices.get(point, 0)

    def _for(self, node: nodes.For) -> None:
        values = self._value(node.iter)
        items: list[_Value]
        if isinstance(values, list):
            items = values[:1000]
        else:
            items = [_Unknown(f"{_source(node.target)} in {_source(node.iter)}")]
        for index, item in enumerate(items):
            targets = node.target.items if isinstance(node.target, nodes.Tuple) else [node.target]
            for position, target in enumerate(targets):
                if isinstance(target, nodes.Name):
                    several = isinstance(item, list) and len(targets) > 1
                    one = item[position] if several and position < len(item) else item
                    self._names[target.name] = one
            self._names["loop.first"] = index == 0
            self._names["loop.last"] = index == len(items) - 1
            self._names["loop.index"] = str(index + 1)
            self._names["loop.index0"] = str(index)
            self.body(node.body)

    def _captured(self, body: list[nodes.Node]) -> str:
        outer, self.output = self.output, _Output()
        self.body(body)
        captured, self.output = "".join(self.output.parts), outer
        return captured

    def _text(self, value: _Value) -> str:
        if isinstance(value, _Unknown):
            return self._holes.stand_in(value.source)
        if isinstance(value, list):
            return "[" + ", ".join(repr(self._text(item)) for item in value) + "]"
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        return str(value)

    def _value(self, node: nodes.Node) -> _Value:
        match node:
            case nodes.Const():
                return node.value if isinstance(node.value, bool) else str(node.value)
            case nodes.TemplateData():
                return node.data
            case nodes.List() | nodes.Tuple():
                return [self._value(item) for item in node.items]
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._named(node)
            case nodes.Concat():
                return self._joined(node.nodes)
            case nodes.Add():
                return self._joined([node.left, node.right])
            case nodes.Not():
                inner = self._value(node.node)
                return (not inner) if isinstance(inner, bool) else _Unknown(_source(node))
            case nodes.CondExpr():
                options = [node.expr1, *([node.expr2] if node.expr2 is not None else [])]
                return self._value(options[self._choose(id(node), len(options))])
            case nodes.Filter() if node.node is not None:
                return self._filtered(node)
            case nodes.Call():
                return self._called(node)
        return _Unknown(_source(node))

    def _joined(self, parts: list[nodes.Expr]) -> _Value:
        values = [self._value(part) for part in parts]
        if all(isinstance(value, list) for value in values):
            return [item for value in values if isinstance(value, list) for item in value]
        return "".join(self._text(value) for value in values)

    def _named(self, node: nodes.Node) -> _Value:
        path = _source(node)
        last = path.rpartition(".")[2]
        for name in (path, path.removeprefix("params.").removeprefix("var.value.")):
            if name in self._names:
                return self._names[name]
            if name in self._parameters:
                return self._parameters[name]
        if path.startswith("dag_run."):
            path = last
        return _airflow_date(path) or _Unknown(_source(node))

    def _filtered(self, node: nodes.Filter) -> _Value:
        value = self._value(node.node) if node.node is not None else ""
        arguments = [self._value(argument) for argument in node.args]
        if node.name in ("default", "d") and isinstance(value, _Unknown):
            return arguments[0] if arguments else value
        if isinstance(value, datetime) and (shown := _airflow_date(node.name)):
            return shown
        if node.name == "join" and isinstance(value, list):
            glue = self._text(arguments[0]) if arguments else ""
            return glue.join(self._text(item) for item in value)
        if isinstance(value, str):
            return _string_filter(node.name, value, [self._text(a) for a in arguments]) or value
        return value

    def _called(self, node: nodes.Call) -> _Value:
        name = _source(node.node)
        arguments = [self._value(argument) for argument in node.args]
        texts = [self._text(argument) for argument in arguments]
        if name in _SILENT:
            return ""
        if name == "ref" and texts:
            return texts[-1]
        if name == "source" and len(texts) == 2:
            return ".".join(texts)
        if name in ("var", "env_var") and texts:
            known = self._parameters.get(texts[0])
            return known if known is not None else (arguments[1:2] or [_Unknown(_source(node))])[0]
        if isinstance(node.node, nodes.Getattr):
            return self._method(node.node, texts, _source(node))
        return _Unknown(_source(node))

    def _method(self, target: nodes.Getattr, texts: list[str], source: str) -> _Value:
        owner = _source(target.node)
        if owner == "macros":
            if target.attr == "ds_format" and len(texts) == 3:
                return _MOMENT.strftime(texts[2])
            return _MOMENT if target.attr == "datetime" else _airflow_date("ds") or ""
        value = self._value(target.node)
        if isinstance(value, datetime):
            if target.attr == "strftime" and texts:
                return value.strftime(texts[0])
            if target.attr == "format" and texts:
                return _pendulum_format(texts[0])
            shown = {"date": "ds", "to_date_string": "ds", "isoformat": "ts"}.get(target.attr)
            return (_airflow_date(shown) if shown else None) or value  # `.subtract(...)` is a date
        if isinstance(value, str):
            changed = _string_filter(target.attr, value, texts)
            return changed if changed is not None else _Unknown(source)
        return _Unknown(source)


def _airflow_date(name: str) -> _Value | None:
    """The stand-in date for a name that Airflow gives to a date of the run."""
    plain = name.removesuffix("_nodash")
    if name in _MOMENTS:
        return _MOMENT
    if plain in _DAYS:
        return _MOMENT.strftime("%Y%m%d" if name != plain else "%Y-%m-%d")
    if name == "ts":
        return _MOMENT.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    if name in ("ts_nodash", "ts_nodash_with_tz"):
        return _MOMENT.strftime("%Y%m%dT%H%M%S")
    return None


def _pendulum_format(pattern: str) -> str:
    for token, value in (("YYYY", "2000"), ("MM", "01"), ("DD", "01"), ("HH", "00"), ("mm", "00")):
        pattern = pattern.replace(token, value)
    return pattern


def _string_filter(name: str, value: str, arguments: list[str]) -> str | None:
    simple = {"lower": str.lower, "upper": str.upper, "trim": str.strip, "strip": str.strip}
    if name in simple:
        return simple[name](value)
    if name == "replace" and len(arguments) == 2:
        return value.replace(arguments[0], arguments[1])
    if name == "format" and arguments:
        return value.replace("%s", arguments[0]).replace("{}", arguments[0])
    return None


def _source(node: nodes.Node) -> str:
    """How a template expression reads, short: for the report and for looking names up."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_source(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=value)):
            return f"{_source(node.node)}.{value}"
        case nodes.Call():
            return f"{_source(node.node)}({', '.join(_source(argument) for argument in node.args)})"
        case nodes.Const():
            return repr(node.value)
        case nodes.Filter() if node.node is not None:
            return f"{_source(node.node)} | {node.name}"
    return ", ".join(_source(child) for child in _children(node)) or type(node).__name__.lower()


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    yield from node.iter_child_nodes()

"""What the expressions of a template are worth, as far as that is known before the run.

Nothing of a template is executed. Known are parameters, names that the template sets itself,
constants, a few string filters, the dates of Airflow (one fixed date stands for all of them), and
`ref`, `source`, `var` and `env_var` of dbt.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from jinja2 import nodes

# fmt: off
_MOMENTS = frozenset({
    "execution_date", "logical_date", "data_interval_start", "data_interval_end",
    "next_execution_date", "prev_execution_date", "prev_data_interval_start_success",
    "prev_data_interval_end_success", "prev_start_date_success", "yesterday", "tomorrow",
})
_DAYS = frozenset({"ds", "next_ds", "prev_ds", "yesterday_ds", "tomorrow_ds"})
_SILENT = frozenset({"config", "log", "print", "docs"})  # calls that leave no text
# fmt: on
MAX_VALUE = 100_000  # characters of one value; longer ones are only made to hurt
MAX_ITEMS = 10_000
MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - a stand-in, of no time zone


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value only the run knows; `source` is how the template names it."""

    source: str


Value = str | bool | datetime | list["Value"] | Unknown  # what a template expression gives


@dataclass(frozen=True, slots=True)
class Told:
    """What `Values` asks and tells while it works.

    `stand_in` gives the word that stands for an unknown value inside of a text, `choose` the
    branch to take of so many at a point of the tree, `passed` is told what `ref` and `source` give
    to a call that is not known, and the line; `expanded` gives what a macro of the template
    leaves (None: it is none of its macros), `ran` is told a text that the template runs itself,
    and the line.
    """

    stand_in: Callable[[str], str]
    choose: Callable[[nodes.Node, int], int]
    passed: Callable[[str, int], None]
    expanded: Callable[[nodes.Call], str | None]
    ran: Callable[[str, int], object]


class Values:
    """Works expressions out. `names` are the variables the template has set so far."""

    def __init__(self, parameters: Mapping[str, str], told: Told) -> None:
        self.names: dict[str, Value] = {}
        self._parameters = parameters
        self._stand_in = told.stand_in
        self._choose = told.choose
        self._passed = told.passed
        self._expanded = told.expanded
        self._ran = told.ran

    def text(self, value: Value) -> str:
        if isinstance(value, Unknown):
            return self._stand_in(value.source)
        if isinstance(value, list):
            if any(isinstance(item, list) for item in value):
                return self._stand_in("a list of lists")
            items = _limited(", ", [repr(self.text(item)) for item in value])
            return self._stand_in("a long list") if items is None else f"[{items}]"
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        return str(value)

    def value(self, node: nodes.Node) -> Value:
        match node:
            case nodes.Const():
                return node.value if isinstance(node.value, bool) else str(node.value)
            case nodes.TemplateData():
                return node.data
            case nodes.List() | nodes.Tuple():
                return [self.value(item) for item in node.items]
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._named(node)
            case nodes.Call():
                return self._called(node)
        return self._combined(node)

    def _combined(self, node: nodes.Node) -> Value:
        match node:
            case nodes.Concat():
                return self._joined(node.nodes, source_of(node))
            case nodes.Add():
                return self._joined([node.left, node.right], source_of(node))
            case nodes.Not():
                inner = self.value(node.node)
                return (not inner) if isinstance(inner, bool) else Unknown(source_of(node))
            case nodes.CondExpr():
                options = [node.expr1, *([node.expr2] if node.expr2 is not None else [])]
                return self.value(options[self._choose(node, len(options))])
            case nodes.Filter() if node.node is not None:
                return self._filtered(node)
        return Unknown(source_of(node))

    def _joined(self, parts: list[nodes.Expr], source: str) -> Value:
        values = [self.value(part) for part in parts]
        lists = [value for value in values if isinstance(value, list)]
        if len(lists) == len(values):
            items = [item for value in lists for item in value]
            return items if len(items) <= MAX_ITEMS else Unknown(source)
        text = _limited("", [self.text(value) for value in values])
        return Unknown(source) if text is None else text

    def _named(self, node: nodes.Node) -> Value:
        path = source_of(node)
        last = path.rpartition(".")[2]
        for name in (path, path.removeprefix("params.").removeprefix("var.value.")):
            if name in self.names:
                return self.names[name]
            if name in self._parameters:
                return self._parameters[name]
        if path.startswith("dag_run."):
            path = last
        return _airflow_date(path) or Unknown(source_of(node))

    def _filtered(self, node: nodes.Filter) -> Value:
        value = self.value(node.node) if node.node is not None else ""
        arguments = [self.value(argument) for argument in node.args]
        if node.name in ("default", "d") and isinstance(value, Unknown):
            return arguments[0] if arguments else value
        if isinstance(value, datetime) and (shown := _airflow_date(node.name)):
            return shown
        if node.name == "join" and isinstance(value, list):
            glue = self.text(arguments[0]) if arguments else ""
            text = _limited(glue, [self.text(item) for item in value])
            return Unknown(source_of(node)) if text is None else text
        if isinstance(value, str):
            changed = _changed(node.name, value, [self.text(a) for a in arguments])
            return value if changed is None else changed
        return value

    def _called(self, node: nodes.Call) -> Value:
        name, source = source_of(node.node), source_of(node)
        if name in _SILENT:
            return ""
        if (expanded := self._expanded(node)) is not None:
            return expanded
        if name == "run_query" and node.args:
            self._ran(self.text(self.value(node.args[0])), node.lineno)
            return Unknown(source)
        return self._known_call(node, name, source)

    def _known_call(self, node: nodes.Call, name: str, source: str) -> Value:
        if name.startswith("macros."):
            return self._macro(name, node.args)
        arguments = [self.value(argument) for argument in node.args]
        if name == "ref" and arguments:
            return arguments[-1]
        if name == "source" and len(arguments) == 2:
            return ".".join(self.text(argument) for argument in arguments)
        if name in ("var", "env_var") and arguments:
            known = self._parameters.get(self.text(arguments[0]))
            return known if known is not None else (arguments[1:2] or [Unknown(source)])[0]
        if isinstance(node.node, nodes.Getattr):
            texts = [self.text(argument) for argument in arguments]
            found = self._method(self.value(node.node.node), node.node.attr, texts, source)
            if not isinstance(found, Unknown):
                return found
        for given in (*node.args, *node.kwargs):
            for call in _references(given):
                self._passed(self.text(self.value(call)), node.lineno)
        return Unknown(source)

    def _macro(self, name: str, arguments: list[nodes.Expr]) -> Value:
        """Airflow's macros give dates, one like the other here."""
        if name == "macros.ds_format" and len(arguments) == 3:
            shown = _strftime(self.text(self.value(arguments[2])))
            return Unknown(name) if shown is None else shown
        return MOMENT if name.startswith("macros.date") else MOMENT.strftime("%Y-%m-%d")

    def _method(self, value: Value, name: str, texts: list[str], source: str) -> Value:
        if isinstance(value, datetime):
            if name == "strftime" and texts:
                shown = _strftime(texts[0])
                return Unknown(source) if shown is None else shown
            if name == "format" and texts:
                return _pendulum_format(texts[0])
            like = {"date": "ds", "to_date_string": "ds", "isoformat": "ts"}.get(name)
            return (_airflow_date(like) if like else None) or value  # `.subtract(...)` is a date
        changed = _changed(name, value, texts) if isinstance(value, str) else None
        return changed if changed is not None else Unknown(source)


def listed(value: Value) -> list[Value] | None:
    """The items of a list, also of one that a parameter holds as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("[") and len(value) <= MAX_VALUE:
        try:
            found = json.loads(value)
        except ValueError:
            return None
        if isinstance(found, list):
            return [item if isinstance(item, str) else json.dumps(item) for item in found]
    return value if isinstance(value, list) else None


def _references(node: nodes.Node) -> Iterator[nodes.Call]:
    """The calls of `ref` and `source` in an expression."""
    if isinstance(node, nodes.Call) and source_of(node.node) in ("ref", "source"):
        yield node
        return
    for child in node.iter_child_nodes():
        yield from _references(child)


def _airflow_date(name: str) -> Value | None:
    """The stand-in date for a name that Airflow gives to a date of the run."""
    plain = name.removesuffix("_nodash")
    if name in _MOMENTS:
        return MOMENT
    if plain in _DAYS:
        return MOMENT.strftime("%Y%m%d" if name != plain else "%Y-%m-%d")
    if name == "ts":
        return MOMENT.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    if name in ("ts_nodash", "ts_nodash_with_tz"):
        return MOMENT.strftime("%Y%m%dT%H%M%S")
    return None


def _strftime(pattern: str) -> str | None:
    try:
        return MOMENT.strftime(pattern)
    except ValueError:  # a zero byte or half a character in the pattern
        return None


def _limited(glue: str, parts: list[str]) -> str | None:
    """The parts in one text, None if that would be too long."""
    length = sum(len(part) + len(glue) for part in parts)
    return glue.join(parts) if length <= MAX_VALUE else None


def _pendulum_format(pattern: str) -> str:
    for token, value in (("YYYY", "2000"), ("MM", "01"), ("DD", "01"), ("HH", "00"), ("mm", "00")):
        pattern = pattern.replace(token, value)
    return pattern


def _changed(name: str, value: str, arguments: list[str]) -> str | None:
    """What a string filter or method makes of `value`; None: not one of those known."""
    match name, len(arguments):
        case "lower", 0:
            return value.lower()
        case "upper", 0:
            return value.upper()
        case "trim" | "strip", 0:
            return value.strip()
        case "replace", 2:
            return _replaced(value, arguments[0], arguments[1])
        case "format", 1:
            return _replaced(value, "%s" if "%s" in value else "{}", arguments[0])
    return None


def _replaced(value: str, old: str, new: str) -> str | None:
    too_long = value.count(old) * len(new) + len(value) > MAX_VALUE
    return None if too_long else value.replace(old, new)


def source_of(node: nodes.Node) -> str:
    """How a template expression reads, short: for the report and for looking names up."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{source_of(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const(value=value)):
            return f"{source_of(node.node)}.{value}"
        case nodes.Call():
            arguments = ", ".join(source_of(argument) for argument in node.args)
            return f"{source_of(node.node)}({arguments})"
        case nodes.Const():
            return repr(node.value)
        case nodes.Filter() if node.node is not None:
            return f"{source_of(node.node)} | {node.name}"
    inner = ", ".join(source_of(child) for child in node.iter_child_nodes())
    return inner or type(node).__name__.lower()

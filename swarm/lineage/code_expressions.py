"""From an expression of a program to what its value may be."""

import ast
import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from swarm.lineage.code_library import (
    as_paths,
    extend,
    from_environment,
    join_path,
    look_up,
    path_attribute,
    percent,
)
from swarm.lineage.code_values import (
    MAX_TEXT,
    Atom,
    Class,
    Const,
    DictOf,
    External,
    Function,
    Instance,
    ListOf,
    Member,
    ModuleOf,
    PathText,
    Scope,
    Super,
    Unknown,
    Value,
    any_text,
    combine,
    const,
    elements,
    holes,
    join,
    label,
    of,
    only,
    texts,
    truth,
    unknown,
)

_MAX_NESTING = 120
_BUILTINS = frozenset(dir(builtins))


class Runner(Protocol):
    """What expressions need of whoever walks the program."""

    parameters: Mapping[str, str]

    def spend(self) -> bool: ...

    def call(
        self,
        function: Value,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value: ...

    def member_of_module(self, path: str, name: str) -> Value: ...

    def define(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
    ) -> Value: ...


class Expressions:
    """Evaluates one expression at a time in a scope; never fails, unknown is a value."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._depth = 0
        self._kinds: dict[type[ast.AST], Callable[..., Value]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
            ast.BinOp: self._binary,
            ast.JoinedStr: self._joined,
            ast.FormattedValue: self._formatted,
            ast.IfExp: self._either,
            ast.BoolOp: self._boolean,
            ast.Compare: self._compare,
            ast.UnaryOp: self._unary,
            ast.List: self._list,
            ast.Tuple: self._list,
            ast.Set: self._list,
            ast.Dict: self._dict,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._dict_comprehension,
            ast.Lambda: self._lambda,
            ast.Await: self._inner,
            ast.Starred: self._inner,
            ast.NamedExpr: self._walrus,
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield_from,
        }

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        """What `node` may be in `scope`; calls in it are walked."""
        kind = self._kinds.get(type(node))
        if kind is None or self._depth >= _MAX_NESTING or not self._runner.spend():
            return unknown("an expression")
        self._depth += 1
        try:
            return kind(node, scope)
        finally:
            self._depth -= 1

    def bind(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """`target = value`."""
        if isinstance(target, ast.Name):
            self._bind_name(target.id, value, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value, scope)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, scope)
        elif isinstance(target, ast.Attribute):
            for atom in self.evaluate(target.value, scope).atoms:
                if isinstance(atom, Instance | Class):
                    atom.members[target.attr] = value
        elif isinstance(target, ast.Subscript):
            self._bind_item(target, value, scope)

    def attribute(self, owner: Value, name: str, node: ast.AST, scope: Scope) -> Value:
        """`owner.name`."""
        found = join(self._member(atom, owner, name, node, scope) for atom in owner.atoms)
        names = (*found.names, name, *(n for n in owner.names if n != name))
        return Value(found.atoms, tuple(dict.fromkeys(names)), owner.soft or found.soft)

    # --- names -------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant, scope: Scope) -> Value:
        value = node.value
        if isinstance(value, str):
            return any_text([value.replace("\x00", "")])
        return const(value) if isinstance(value, int | float | bytes | None) else unknown("...")

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        found = scope.find(node.id)
        if found is None:
            if node.id in _BUILTINS:
                return of(External(f"builtins.{node.id}"))
            return Value((Unknown(node.id),), (node.id,))
        if node.id in found.names:
            return found
        return Value(found.atoms, (*found.names, node.id), found.soft)

    def _bind_name(self, name: str, value: Value, scope: Scope) -> None:
        if name not in scope.outer_names:
            scope.names[name] = value
            return
        outer: Scope | None = scope.parent
        while outer is not None and name not in outer.names:
            outer = outer.parent
        (outer or scope.top()).names[name] = value

    def _unpack(self, targets: Sequence[ast.expr], value: Value, scope: Scope) -> None:
        found = elements(value)
        starred = [i for i, t in enumerate(targets) if isinstance(t, ast.Starred)]
        if found is None or (not starred and len(found) != len(targets)):
            for target in targets:
                self.bind(target, self._part(target, value), scope)
            return
        if starred:
            at = starred[0]
            rest = len(targets) - at - 1
            middle = of(ListOf(found[at : len(found) - rest]))
            found = [*found[:at], middle, *(found[len(found) - rest :] if rest else [])]
        for target, item in zip(targets, found, strict=False):
            self.bind(target, item, scope)

    def _part(self, target: ast.expr, value: Value) -> Value:
        name = target.id if isinstance(target, ast.Name) else label(value)
        return Value((Unknown(name),), (name,))

    def _bind_item(self, target: ast.Subscript, value: Value, scope: Scope) -> None:
        key = only(self.evaluate(target.slice, scope))
        for atom in self.evaluate(target.value, scope).atoms:
            if isinstance(atom, DictOf):
                if isinstance(key, Const):
                    atom.items[key.value] = value
                else:
                    atom.is_open = True
            elif isinstance(atom, ListOf):
                atom.is_open = True

    # --- members -----------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        return self.attribute(self.evaluate(node.value, scope), node.attr, node, scope)

    def _member(self, atom: Atom, owner: Value, name: str, node: ast.AST, scope: Scope) -> Value:
        match atom:
            case ModuleOf(path=path):
                return self._runner.member_of_module(path, name)
            case External(name=dotted):
                return of(External(f"{dotted}.{name}"))
            case Instance() | Class() | Super():
                return self._member_of_class(atom, name, node, scope)
            case PathText(text=text):
                return path_attribute(text, name) or of(Member(atom, name))
            case Const(value=str()) if name in {"value", "name"}:
                return of(atom)  # a member of an enum
            case _:
                return of(Member(atom, name, owner.names))

    def _member_of_class(
        self, atom: Instance | Class | Super, name: str, node: ast.AST, scope: Scope
    ) -> Value:
        if isinstance(atom, Instance) and name in atom.members:
            return atom.members[name]
        if name == "__class__" and isinstance(atom, Instance):
            return of(atom.of)
        target = atom.owner if isinstance(atom, Super) else atom
        start = target.of if isinstance(target, Instance) else target
        family = start.family()
        if isinstance(atom, Super) and atom.after in family:
            family = family[family.index(atom.after) + 1 :]
        for one in family:
            if name in one.members:
                found = one.members[name]
                parts = [self._bound(f, target, node, scope) for f in found.atoms]
                return Value(join(parts).atoms, found.names, found.soft)
        return of(Member(target, name))

    def _bound(self, atom: Atom, owner: Instance | Class, node: ast.AST, scope: Scope) -> Value:
        if not isinstance(atom, Function):
            return of(atom)
        marks = {_last_name(mark) for mark in atom.decorators}
        if "staticmethod" in marks:
            return of(atom)
        if "classmethod" in marks:
            owner = owner.of if isinstance(owner, Instance) else owner
        elif isinstance(owner, Class):
            return of(atom)
        method = Function(
            atom.node, atom.scope, atom.name, owner, atom.home, atom.decorators, atom.defaults
        )
        if marks & {"property", "cached_property"}:
            return self._runner.call(of(method), (), {}, node, scope)
        return of(method)

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        owner = self.evaluate(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            return self._slice(owner, node.slice, scope)
        key = self.evaluate(node.slice, scope)
        return join(self._item(atom, owner, key) for atom in owner.atoms)

    def _item(self, atom: Atom, owner: Value, key: Value) -> Value:
        index = only(key)
        plain = index.value if isinstance(index, Const) else None
        match atom:
            case External(name="os.environ"):
                return from_environment(str(plain), self._runner.parameters)
            case DictOf():
                return look_up(atom, key, unknown(label(key)))
            case ListOf(items=items) if isinstance(plain, int) and -len(items) <= plain < len(
                items
            ):
                return items[plain]
            case ListOf(items=items, is_open=False) if items and not isinstance(index, Const):
                return join(items)
            case Const(value=str() as text) if isinstance(plain, int):
                return const(text[plain]) if -len(text) <= plain < len(text) else unknown("text")
            case Class():
                return atom.members.get(str(plain), of(atom))
            case _:
                name = str(plain) if isinstance(plain, str) else label(owner)
                return Value((Member(atom, name, owner.names),), (name, *owner.names))

    def _slice(self, owner: Value, node: ast.Slice, scope: Scope) -> Value:
        bounds = [None if b is None else self.evaluate(b, scope) for b in (node.lower, node.upper)]
        numbers: list[int | None] = []
        for bound in bounds:
            atom = only(bound) if bound is not None else Const(None)
            if not isinstance(atom, Const) or not isinstance(atom.value, int | None):
                return unknown(label(owner))
            numbers.append(atom.value)
        atom = only(owner)
        cut = slice(*numbers)
        if node.step is None and isinstance(atom, ListOf):
            return of(ListOf(atom.items[cut], atom.is_open))
        if node.step is None and isinstance(atom, Const) and isinstance(atom.value, str):
            return unknown(label(owner)) if holes(atom.value) else const(atom.value[cut])
        return unknown(label(owner))

    # --- calls -------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        function = self.evaluate(node.func, scope)
        args: list[Value] = []
        for arg in node.args:
            value = self.evaluate(arg, scope)
            if isinstance(arg, ast.Starred):
                args.extend(elements(value) or [])
            else:
                args.append(value)
        kwargs: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, scope)
            atom = only(value)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            elif isinstance(atom, DictOf):
                kwargs.update({str(key): item for key, item in atom.items.items()})
        return self._runner.call(function, args, kwargs, node, scope)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Value:
        return self._runner.define(node, scope)

    def _inner(self, node: ast.Await | ast.Starred, scope: Scope) -> Value:
        return self.evaluate(node.value, scope)

    def _walrus(self, node: ast.NamedExpr, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        self.bind(node.target, value, scope)
        return value

    def _yield(self, node: ast.Yield, scope: Scope) -> Value:
        scope.yielded.append(self.evaluate(node.value, scope) if node.value else const(None))
        return unknown("sent value")

    def _yield_from(self, node: ast.YieldFrom, scope: Scope) -> Value:
        scope.yielded.extend(elements(self.evaluate(node.value, scope)) or [])
        return unknown("sent value")

    # --- operators ---------------------------------------------------------------------------

    def _binary(self, node: ast.BinOp, scope: Scope) -> Value:
        left, right = self.evaluate(node.left, scope), self.evaluate(node.right, scope)
        match node.op:
            case ast.Add():
                return self._add(left, right)
            case ast.Div():
                if any(isinstance(a, PathText) for a in (*left.atoms, *right.atoms)):
                    return as_paths(join_path(left, right))
                known = [a for a in left.atoms if isinstance(a, Const)]
                return unknown("a number") if known else as_paths(join_path(left, right))
            case ast.Mod():
                if any(isinstance(a, Const) and isinstance(a.value, str) for a in left.atoms):
                    return join(percent(text, right) for text in texts(left))
            case ast.Mult():
                return self._times(left, right)
        return unknown("an expression")

    def _add(self, left: Value, right: Value) -> Value:
        one, two = only(left), only(right)
        if isinstance(one, ListOf):
            found = ListOf(list(one.items), one.is_open)
            extend(found, right)
            return of(found)
        numbers = [a.value for a in (one, two) if isinstance(a, Const) and type(a.value) is int]
        if len(numbers) == 2 and all(abs(n) < 10**12 for n in numbers):
            return const(sum(numbers))
        return combine([left, right])

    def _times(self, left: Value, right: Value) -> Value:
        one, two = only(left), only(right)
        if not isinstance(one, Const) or not isinstance(two, Const):
            return unknown("an expression")
        text, count = (
            (one.value, two.value) if isinstance(one.value, str) else (two.value, one.value)
        )
        if isinstance(text, str) and type(count) is int and 0 <= len(text) * count <= MAX_TEXT:
            return const(text * count)
        return unknown("an expression")

    def _joined(self, node: ast.JoinedStr, scope: Scope) -> Value:
        return combine([self.evaluate(part, scope) for part in node.values])

    def _formatted(self, node: ast.FormattedValue, scope: Scope) -> Value:
        value = self.evaluate(node.value, scope)
        # a format changes the text in ways that are not followed
        return value if node.format_spec is None else unknown(label(value))

    def _either(self, node: ast.IfExp, scope: Scope) -> Value:
        fixed = truth(self.evaluate(node.test, scope))
        branches = (
            [node.body, node.orelse] if fixed is None else [node.body if fixed else node.orelse]
        )
        return join(self.evaluate(branch, scope) for branch in branches)

    def _boolean(self, node: ast.BoolOp, scope: Scope) -> Value:
        wanted = isinstance(node.op, ast.Or)
        found: list[Value] = []
        for part in node.values:
            value = self.evaluate(part, scope)
            fixed = truth(value)
            found.append(value)
            if fixed is wanted:
                break
        kept = [value for value in found[:-1] if not self._skipped(value, wanted)]
        return join([*kept, found[-1]])

    def _skipped(self, value: Value, wanted: bool) -> bool:
        """Whether `or` (`and`) always goes on past the value."""
        return all(isinstance(a, Const) and bool(a.value) is not wanted for a in value.atoms)

    def _compare(self, node: ast.Compare, scope: Scope) -> Value:
        values = [self.evaluate(part, scope) for part in (node.left, *node.comparators)]
        if len(values) != 2:
            return unknown("a condition")
        left, right = only(values[0]), only(values[1])
        answer = _compared(node.ops[0], left, right)
        if answer is None:
            return unknown("a condition")
        return Value((Const(answer),), (), values[0].soft or values[1].soft)

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Value:
        value = self.evaluate(node.operand, scope)
        fixed = truth(value)
        if isinstance(node.op, ast.Not) and fixed is not None:
            return const(not fixed)
        atom = only(value)
        if isinstance(node.op, ast.USub) and isinstance(atom, Const) and type(atom.value) is int:
            return const(-atom.value)
        return unknown("an expression")

    # --- lists and dicts ---------------------------------------------------------------------

    def _list(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Value:
        listed = ListOf([])
        for item in node.elts:
            value = self.evaluate(item, scope)
            if isinstance(item, ast.Starred):
                extend(listed, value)
            else:
                listed.items.append(value)
        return of(listed)

    def _dict(self, node: ast.Dict, scope: Scope) -> Value:
        items = DictOf({})
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.evaluate(value_node, scope)
            atom = only(value)
            key = only(self.evaluate(key_node, scope)) if key_node is not None else None
            if isinstance(key, Const):
                items.items[key.value] = value
            elif key_node is None and isinstance(atom, DictOf):
                items.items.update(atom.items)
                items.is_open = items.is_open or atom.is_open
            else:
                items.is_open = True
        return of(items)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope
    ) -> Value:
        found: list[Value] = []
        inner = Scope(scope.module, {}, scope, scope.function)
        complete = self._each(
            node.generators, inner, lambda: found.append(self.evaluate(node.elt, inner))
        )
        return of(ListOf(found, not complete))

    def _dict_comprehension(self, node: ast.DictComp, scope: Scope) -> Value:
        items = DictOf({})
        inner = Scope(scope.module, {}, scope, scope.function)

        def add() -> None:
            key, value = only(self.evaluate(node.key, inner)), self.evaluate(node.value, inner)
            if isinstance(key, Const):
                items.items[key.value] = value
            else:
                items.is_open = True

        complete = self._each(node.generators, inner, add)
        items.is_open = items.is_open or not complete
        return of(items)

    def _each(
        self, loops: Sequence[ast.comprehension], scope: Scope, visit: Callable[[], None]
    ) -> bool:
        """Visits every turn of the loops; false when not all turns are known."""
        if not loops:
            visit()
            return True
        loop, rest = loops[0], loops[1:]
        source = self.evaluate(loop.iter, scope)
        found = elements(source)
        complete = found is not None
        for item in found if found is not None else [loop_item(loop.target, source)]:
            self.bind(loop.target, item, scope)
            tests = [truth(self.evaluate(test, scope)) for test in loop.ifs]
            if False in tests:
                continue
            complete = self._each(rest, scope, visit) and complete
        return complete


def loop_item(target: ast.expr, source: Value) -> Value:
    """What a loop variable is when the turns are not known."""
    known = [a.items for a in source.atoms if isinstance(a, ListOf)]
    rest = [unknown(target.id if isinstance(target, ast.Name) else label(source))]
    return join([*(item for items in known for item in items), *rest])


def _last_name(value: Value) -> str:
    atom = value.atoms[0]
    return atom.name.rpartition(".")[2] if isinstance(atom, External | Member) else ""


def _compared(operator: ast.cmpop, left: Atom | None, right: Atom | None) -> bool | None:
    if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, ListOf):
        found = _contains(right, left)
        return found if found is None or isinstance(operator, ast.In) else not found
    if not isinstance(left, Const) or not isinstance(right, Const):
        return None
    if any(isinstance(c.value, str) and holes(c.value) for c in (left, right)):
        return None
    match operator:
        case ast.Eq() | ast.Is():
            return left.value == right.value
        case ast.NotEq() | ast.IsNot():
            return left.value != right.value
        case _:
            return None


def _contains(listed: ListOf, item: Atom | None) -> bool | None:
    atoms = [only(value) for value in listed.items]
    if not isinstance(item, Const) or listed.is_open:
        return None
    if item in atoms:
        return True
    return False if all(isinstance(atom, Const) for atom in atoms) else None

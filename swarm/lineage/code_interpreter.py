"""Walks what a program reaches from an entry, statement by statement, without running it.

Both sides of a condition are walked unless it is constant; a loop over known elements is walked
once for each, any other loop once. Nothing after a `return` or `raise` is reached. What is called
outside the program is told to a `Watcher`, which knows what those calls mean.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from swarm.lineage.code_expressions import Expressions, loop_item
from swarm.lineage.code_frames import (
    any_of,
    as_load,
    at_home,
    bound_arguments,
    catches_all,
    given_back,
    is_function,
    is_repeated,
    merged,
    place_of,
    super_of,
    turn_of,
)
from swarm.lineage.code_library import Call, made, result
from swarm.lineage.code_memory import Memory
from swarm.lineage.code_program import Program
from swarm.lineage.code_values import (
    MAX_ALTERNATIVES,
    Atom,
    Bound,
    Class,
    Const,
    External,
    Function,
    Instance,
    ListOf,
    Made,
    Member,
    ModuleOf,
    Scope,
    Unknown,
    Value,
    const,
    elements,
    join,
    of,
    only,
    truth,
    unknown,
)
from swarm.lineage.code_watcher import Watcher
from swarm.model.lineage import Unresolved, UnresolvedReason

MAX_STEPS = 100_000
_MAX_CALLS = 25  # calls inside each other
_MAX_TURNS = 500  # of one loop
_RUNS = frozenset(
    ["to_thread", "run", "run_sync", "run_in_executor", "submit", "register", "start_soon", "call"]
)


class Interpreter:
    """One walk. `contexts` are the `with` objects around the current statement.

    With `quiet_imports` what modules do while they are imported is not told to the watcher.
    """

    def __init__(
        self,
        program: Program,
        parameters: Mapping[str, str],
        watcher: Watcher,
        quiet_imports: bool = True,
    ) -> None:
        self.program = program
        self.parameters = parameters
        self.contexts: list[Value] = []
        self.unresolved: list[Unresolved] = []
        self.watcher = watcher
        self._quiet_imports = quiet_imports
        self._quiet = 0
        self._steps = 0
        self._modules: dict[str, Scope] = {}
        self._active: list[Function] = []
        self._memory = Memory()
        self._expressions = Expressions(self)
        self._statements: dict[type[ast.stmt], Callable[..., bool]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AnnAssign: self._assign_annotated,
            ast.AugAssign: self._assign_augmented,
            ast.Return: self._return,
            ast.Raise: self._raise,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.Match: self._match,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Global: self._outer,
            ast.Nonlocal: self._outer,
            ast.Break: lambda node, scope: True,
            ast.Continue: lambda node, scope: True,
        }

    def module(self, path: str, main: bool = False) -> Scope:
        """The scope of a module after its body was walked once."""
        if path in self._modules:
            return self._modules[path]
        dotted = path.removesuffix(".py").replace("/", ".")
        name = "__main__" if main else dotted
        scope = Scope(path, {"__name__": const(name), "__file__": const(path)})
        self._modules[path] = scope
        tree = self.program.tree(path)
        if isinstance(tree, Unresolved):
            self.unresolved.append(tree)
            return scope
        quiet = self._quiet_imports and not main
        self._quiet += quiet
        active, self._active = self._active, []
        self.block(tree.body, scope)
        self._active = active
        self._quiet -= quiet
        return scope

    def watch(self, watcher: Watcher) -> None:
        """Tells another watcher from here on."""
        self.watcher = watcher
        self._active.clear()
        self.contexts.clear()
        self._steps = 0
        self._memory = Memory()

    def call_entry(
        self, function: Value, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> Value | None:
        """Calls a function of the program from outside; `None` when it is not one."""
        if not any(isinstance(atom, Function | Bound | Instance) for atom in function.atoms):
            return None
        return self.call(function, args, kwargs, ast.Pass(), Scope("", {}))

    def spend(self) -> bool:
        """Takes one step; false when the walk is over its limit."""
        self._steps += 1
        if self._steps == MAX_STEPS:
            place = self._active[-1].scope.module if self._active else ""
            detail = f"the program takes more than {MAX_STEPS} steps to read"
            self.unresolved.append(Unresolved(place, UnresolvedReason.TOO_LARGE, place, detail))
        return self._steps < MAX_STEPS

    def evaluate(self, node: ast.expr, scope: Scope) -> Value:
        return self._expressions.evaluate(node, scope)

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> bool:
        """Walks statements; true when control never gets past them."""
        for node in body:
            if not self.spend():
                return True
            kind = self._statements.get(type(node))
            if kind is not None and kind(node, scope):
                return True
        return False

    # --- simple statements -------------------------------------------------------------------

    def _expression(self, node: ast.Expr, scope: Scope) -> bool:
        self.evaluate(node.value, scope)
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return isinstance(called, ast.Attribute) and ast.unparse(called) in {"sys.exit", "os._exit"}

    def _assign(self, node: ast.Assign, scope: Scope) -> bool:
        value = self.evaluate(node.value, scope)
        for target in node.targets:
            self._expressions.bind(target, value, scope)
        return False

    def _assign_annotated(self, node: ast.AnnAssign, scope: Scope) -> bool:
        if node.value is not None:
            self._expressions.bind(node.target, self.evaluate(node.value, scope), scope)
        return False

    def _assign_augmented(self, node: ast.AugAssign, scope: Scope) -> bool:
        whole = ast.BinOp(as_load(node.target), node.op, node.value)
        value = self.evaluate(ast.copy_location(whole, node), scope)
        self._expressions.bind(node.target, value, scope)
        return False

    def _return(self, node: ast.Return, scope: Scope) -> bool:
        scope.returned.append(self.evaluate(node.value, scope) if node.value else const(None))
        return True

    def _raise(self, node: ast.Raise, scope: Scope) -> bool:
        if node.exc is not None:
            self.evaluate(node.exc, scope)
        return True

    def _outer(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> bool:
        scope.outer_names.update(node.names)
        return False

    # --- control -----------------------------------------------------------------------------

    def _if(self, node: ast.If, scope: Scope) -> bool:
        fixed = truth(self.evaluate(node.test, scope))
        if fixed is not None:
            return self.block(node.body if fixed else node.orelse, scope)
        return self._branches([node.body, node.orelse], scope)

    def _branches(self, bodies: Sequence[Sequence[ast.stmt]], scope: Scope) -> bool:
        """Walks alternatives from the same start; afterwards a name may be what any left it."""
        before = dict(scope.names)
        after: list[dict[str, Value]] = []
        for body in bodies:
            scope.names = dict(before)
            if not self.block(body, scope):
                after.append(scope.names)
        scope.names = merged(after) if after else before
        return not after

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> bool:
        source = self.evaluate(node.iter, scope)
        found = elements(source)
        if found is None or len(found) > _MAX_TURNS:
            before = dict(scope.names)
            self._expressions.bind(node.target, loop_item(node.target, source), scope)
            self.block(node.body, scope)
            scope.names = merged([before, scope.names])
        else:
            for item in found:
                self._expressions.bind(node.target, item, scope)
                self.block(node.body, scope)
        self.block(node.orelse, scope)
        return False

    def _while(self, node: ast.While, scope: Scope) -> bool:
        fixed = truth(self.evaluate(node.test, scope))
        if fixed is not False:
            before = dict(scope.names)
            self.block(node.body, scope)
            scope.names = merged([before, scope.names])
        self.block(node.orelse, scope)
        return False

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
        opened: list[Value] = []
        for item in node.items:
            value = self.evaluate(item.context_expr, scope)
            inner = self._method(value, "__enter__", (), node, scope)
            inner = inner or self._method(value, "__aenter__", (), node, scope) or value
            if item.optional_vars is not None:
                self._expressions.bind(item.optional_vars, inner, scope)
            self.contexts.append(value)
            opened.append(value)
        ended = self.block(node.body, scope)
        for value in reversed(opened):
            self.contexts.pop()
            self._method(value, "__exit__", (const(None),) * 3, node, scope)
        return ended

    def _method(
        self, value: Value, name: str, args: Sequence[Value], node: ast.AST, scope: Scope
    ) -> Value | None:
        """What a special method of an object of the program gives, if there is one."""
        if not isinstance(only(value), Instance):
            return None
        method = self._expressions.attribute(value, name, node, scope)
        if not isinstance(only(method), Function):
            return None
        return self.call(method, args, {}, node, scope)

    def _try(self, node: ast.Try | ast.TryStar, scope: Scope) -> bool:
        before = dict(scope.names)
        ended = self.block(node.body, scope) or self.block(node.orelse, scope)
        after = [] if ended else [scope.names]
        middle = merged([before, scope.names])
        for handler in node.handlers:
            scope.names = dict(middle)
            if handler.name:
                scope.names[handler.name] = unknown(handler.name)
            if not self.block(handler.body, scope):
                after.append(scope.names)
        scope.names = merged(after) if after else middle
        return self.block(node.finalbody, scope) or not after

    def _match(self, node: ast.Match, scope: Scope) -> bool:
        subject = self.evaluate(node.subject, scope)
        bodies: list[Sequence[ast.stmt]] = []
        complete = False
        for case in node.cases:
            fits = self._fits(case.pattern, subject, scope)
            if fits is False:
                continue
            bodies.append(case.body)
            if (fits or catches_all(case.pattern)) and case.guard is None:
                complete = True
                break
        return self._branches(bodies if complete else [*bodies, []], scope)

    def _fits(self, pattern: ast.pattern, subject: Value, scope: Scope) -> bool | None:
        if isinstance(pattern, ast.MatchValue) and not subject.soft:
            left, right = only(subject), only(self.evaluate(pattern.value, scope))
            if isinstance(left, Const) and isinstance(right, Const):
                return left.value == right.value
        return None

    # --- definitions -------------------------------------------------------------------------

    def define(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope
    ) -> Value:
        """The function that a `def` or `lambda` makes."""
        name = "lambda" if isinstance(node, ast.Lambda) else node.name
        marks = [] if isinstance(node, ast.Lambda) else node.decorator_list
        decorators = tuple(self.evaluate(mark, scope) for mark in marks)
        found = of(
            Function(node, scope, name, None, None, decorators, self._defaults(node.args, scope))
        )
        for mark in reversed(decorators):
            wrapper = only(mark)
            if isinstance(wrapper, Function | Bound | Class | Instance):
                found = self.call(mark, [found], {}, node, scope)
        return found

    def _defaults(self, args: ast.arguments, scope: Scope) -> dict[str, Value]:
        names = [a.arg for a in (*args.posonlyargs, *args.args)]
        found: dict[str, Value] = {}
        start = len(names) - len(args.defaults)
        for name, default in zip(names[start:], args.defaults, strict=True):
            found[name] = self.evaluate(default, scope)
        for arg, given in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if given is not None:
                found[arg.arg] = self.evaluate(given, scope)
        return found

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> bool:
        scope.names[node.name] = self.define(node, scope)
        return False

    def _class(self, node: ast.ClassDef, scope: Scope) -> bool:
        bases = tuple(a for base in node.bases for a in self.evaluate(base, scope).atoms)
        inner = Scope(scope.module, {}, scope)
        self.block(node.body, inner)
        fields = tuple(
            s.target.id
            for s in node.body
            if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
        )
        inherited = [f for b in bases if isinstance(b, Class) for f in b.fields]
        made_class = Class(node.name, scope, bases, {}, tuple(dict.fromkeys([*inherited, *fields])))
        for name, value in inner.names.items():
            atoms = tuple(at_home(a, made_class, inner, scope) for a in value.atoms)
            made_class.members[name] = Value(atoms, value.names, value.soft)
        scope.names[node.name] = of(made_class)
        return False

    def _import(self, node: ast.Import, scope: Scope) -> bool:
        for alias in node.names:
            path = self.program.find_module(alias.name, scope.module)
            if path is not None:
                self.module(path)
            if alias.asname or "." not in alias.name:
                name = alias.asname or alias.name
                scope.names[name] = of(ModuleOf(path) if path else External(alias.name))
            else:
                self._import_package(alias.name, scope)
        return False

    def _import_package(self, dotted: str, scope: Scope) -> None:
        first = dotted.split(".")[0]
        path = self.program.find_module(first, scope.module)
        if path is None and self.program.find_module(dotted, scope.module):
            scope.names[first] = of(ModuleOf(first))  # a package without an __init__ file
        else:
            scope.names[first] = of(ModuleOf(path) if path else External(first))

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> bool:
        dotted = node.module or ""
        path = self.program.find_module(dotted, scope.module, node.level)
        for alias in node.names:
            if alias.name == "*":
                if path is not None:
                    scope.names.update(self.module(path).names)
                continue
            scope.names[alias.asname or alias.name] = self._imported(node, path, alias.name, scope)
        return False

    def _imported(self, node: ast.ImportFrom, path: str | None, name: str, scope: Scope) -> Value:
        if path is not None:
            found = self.module(path).names.get(name)
            if found is not None:
                return found
        dotted = f"{node.module}.{name}" if node.module else name
        inner = self.program.find_module(dotted, scope.module, node.level)
        if inner is not None:
            self.module(inner)
            return of(ModuleOf(inner))
        if path is not None:
            return Value((Unknown(name),), (name,))
        return of(External("." * node.level + dotted))

    def member_of_module(self, path: str, name: str) -> Value:
        """`module.name` for a module of the program."""
        if path in self.program.sources:
            found = self.module(path).names.get(name)
            if found is not None:
                return found
        folder = path.removesuffix("__init__.py").removesuffix(".py").rstrip("/")
        inner = self.program.find_module(f"{folder.replace('/', '.')}.{name}", path)
        return of(ModuleOf(inner)) if inner else Value((Unknown(name),), (name,))

    # --- calls -------------------------------------------------------------------------------

    def call(
        self,
        function: Value,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        """What calling `function` may give; functions of the program are walked."""
        return join(self._call(atom, args, kwargs, node, scope) for atom in function.atoms)

    def _call(
        self,
        atom: Atom,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        match atom:
            case Function():
                return self.run(atom, args, kwargs)
            case Bound():
                both = {**atom.kwargs, **kwargs}
                return self.call(atom.function, [*atom.args, *args], both, node, scope)
            case Class():
                return self._instantiate(atom, args, kwargs, node, scope)
            case Instance():
                found = self._method(of(atom), "__call__", args, node, scope)
                return found or Value((Made(atom, tuple(args), kwargs),))
            case External(name="builtins.super"):
                return super_of(scope)
            case Member(owner=Function() | Bound() as function, name=name):
                return self._call_of_function(function, name, args, kwargs, node, scope)
            case _:
                return self._call_outside(atom, args, kwargs, node, scope)

    def run(self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        """Walks a function with these arguments and answers what it returns."""
        if len(self._active) >= _MAX_CALLS or is_repeated(function, self._active):
            return unknown(f"{function.name}()")
        if not self._quiet:
            instead = self.watcher.entered(function, args, kwargs)
            if instead is not None:
                return instead
        known, answer = self._memory.recall(function, args, kwargs, self._active, self.contexts)
        if answer is not None:
            return answer
        scope = Scope(function.scope.module, {}, function.scope, function)
        given = [of(function.owner), *args] if function.owner is not None else list(args)
        scope.names.update(bound_arguments(function, given, kwargs))
        self._active.append(function)
        if isinstance(function.node, ast.Lambda):
            scope.returned.append(self.evaluate(function.node.body, scope))
        elif not self.block(function.node.body, scope):
            scope.returned.append(const(None))
        self._active.pop()
        if not self._quiet:
            self.watcher.left(function)
        return self._memory.keep(known, given_back(function, scope))

    def _instantiate(
        self,
        one: Class,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        instance = Instance(one, {})
        value = of(instance)
        if self._method(value, "__init__", args, node, scope) is None or one.fields:
            for name, given in zip(one.fields, args, strict=False):
                instance.members[name] = given
        method = self._expressions.attribute(value, "__init__", node, scope)
        if isinstance(only(method), Function):
            instance.members.clear()
            self.call(method, args, kwargs, node, scope)
        else:
            instance.members.update(kwargs)
            self._method(value, "__post_init__", (), node, scope)
        if not self._quiet:
            self.watcher.created(instance, kwargs, place_of(node, scope))
        return value

    def _call_of_function(
        self,
        function: Function | Bound,
        name: str,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        """`task.submit(...)`, `task.map([...])`, `task.with_options(...)` and their like."""
        if name in {"with_options", "override", "options", "with_resources", "configured"}:
            if isinstance(function, Bound):
                return of(function)
            option = of(Made(External(name), (), kwargs))
            return of(replace(function, decorators=(*function.decorators, option)))
        if name == "partial":
            return of(Bound(of(function), tuple(args), kwargs))
        if name == "expand":
            return self.call(
                of(function), (), {k: any_of(v) for k, v in kwargs.items()}, node, scope
            )
        if name in {"map", "starmap"}:
            return self._mapped(of(function), args, kwargs, node, scope)
        if name in {"apply_async", "apply"}:
            given = elements(args[0]) if args else []
            return self.call(of(function), given or [], {}, node, scope)
        if name == "expand_kwargs":
            return self.call(of(function), (), {}, node, scope)
        return self.call(of(function), args, kwargs, node, scope)

    def _mapped(
        self,
        function: Value,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        """Calls a function for each element of its list arguments."""
        columns = [elements(arg) for arg in args]
        named = {key: elements(value) for key, value in kwargs.items()}
        sizes = [len(c) for c in (*columns, *named.values()) if c is not None]
        found: list[Value] = []
        for at in range(min(max(sizes, default=1), MAX_ALTERNATIVES)):
            row = [turn_of(column, at, arg) for column, arg in zip(columns, args, strict=True)]
            more = {key: turn_of(column, at, kwargs[key]) for key, column in named.items()}
            found.append(self.call(function, row, more, node, scope))
        return of(ListOf(found, not sizes))

    def _call_outside(
        self,
        atom: Atom,
        args: Sequence[Value],
        kwargs: Mapping[str, Value],
        node: ast.AST,
        scope: Scope,
    ) -> Value:
        call = Call(
            atom, tuple(args), kwargs, place_of(node, scope), scope.module, in_scope=scope.find
        )
        if isinstance(atom, External) and atom.name == "functools.partial" and args:
            return of(Bound(args[0], tuple(args[1:]), kwargs))
        if isinstance(atom, External) and atom.name == "functools.wraps":
            return made(call)
        if not self._quiet:
            answer = self.watcher.called(call)
            if answer is not None:
                return answer
        answer = result(call, self.parameters)
        if answer is not None:
            return answer
        return self._callbacks(call, node, scope) or made(call)

    def _callbacks(self, call: Call, node: ast.AST, scope: Scope) -> Value | None:
        """Functions of the program handed to something outside: that may call them."""
        target = call.kwargs.get("target")
        if target is not None and is_function(target):  # a thread or process
            given = elements(call.kwargs.get("args", unknown("args"))) or []
            return self.call(target, given, {}, node, scope)
        at = next((i for i, arg in enumerate(call.args) if is_function(arg)), None)
        if at is None:
            return None
        function, rest = call.args[at], call.args[at + 1 :]
        if call.name in {"map", "imap", "imap_unordered", "starmap", "map_async"}:
            return self._mapped(function, rest, {}, node, scope)
        if isinstance(call.function, External) and call.name not in _RUNS:
            return function  # a decorator used as a function
        if call.name == "apply_async":
            rest = tuple(elements(rest[0]) or []) if rest else ()
        answer = self.call(function, rest, call.kwargs, node, scope)
        return join([function, answer]) if isinstance(call.function, Made) else answer

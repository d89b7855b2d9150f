"""How a call is followed: into functions and classes of the program, or told to the watcher."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarm.lineage.code.arguments import (
    is_group,
    marked_arguments,
    of_command_line,
    run_commands,
    signature_arguments,
)
from swarm.lineage.code.call import Call, made
from swarm.lineage.code.environment import load_environment, of_settings
from swarm.lineage.code.frames import (
    any_of,
    bound_arguments,
    given_back,
    is_function,
    is_repeated,
    place_of,
    super_of,
    turn_of,
)
from swarm.lineage.code.libraries import OWN
from swarm.lineage.code.library import result
from swarm.lineage.code.members import attribute, special_method
from swarm.lineage.code.records import field_defaults
from swarm.lineage.code.reflection import looked_up
from swarm.lineage.code.rendering import rendered_text
from swarm.lineage.code.values import (
    MAX_ALTERNATIVES,
    Atom,
    Bound,
    Class,
    External,
    Function,
    Instance,
    ListOf,
    Made,
    Member,
    Scope,
    Value,
    const,
    elements,
    join,
    of,
    only,
    unknown,
)
from swarm.lineage.code.walk import Walk

_MAX_CALLS = 25  # calls inside each other
_RUNS = frozenset({"run", "run_sync", "register", "call"})
_POOLS = frozenset({"to_thread", "run_in_executor", "submit", "start_soon", "apply_async"})
_COMMAND_LINES = frozenset({"typer.run", "fire.Fire"})
_MAPS = frozenset({"map", "imap", "imap_unordered", "starmap", "map_async"})


def call_atom(
    walk: Walk,
    atom: Atom,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
    node: ast.AST,
    scope: Scope,
) -> Value:
    """What calling one thing may give."""
    match atom:
        case Function():
            answer = run(walk, atom, args, kwargs)
            run_commands(walk, atom, node, scope)
            return answer
        case Bound():
            both = {**atom.kwargs, **kwargs}
            return walk.call(atom.function, [*atom.args, *args], both, node, scope)
        case Class():
            return _instantiate(walk, atom, args, kwargs, node, scope)
        case Instance():
            found = special_method(walk, of(atom), "__call__", args, node, scope)
            return found or Value((Made(atom, tuple(args), kwargs),))
        case External(name="builtins.super"):
            return super_of(scope)
        case Member(owner=Function() | Bound()):
            return _call_of_function(walk, atom, args, kwargs, node, scope)
        case Made(maker=External(name="typer.Typer")):
            run_commands(walk, atom, node, scope)
            return const(None)
        case _:
            return _call_outside(walk, atom, args, kwargs, node, scope)


def run(
    walk: Walk, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """Walks a function with these arguments and answers what it returns."""
    if len(walk.active) >= _MAX_CALLS:
        walk.give_up(function.node, function.scope, f"more than {_MAX_CALLS} calls in each other")
        return unknown(f"{function.name}()")
    if is_repeated(function, walk.active):  # what it does was walked above
        return unknown(f"{function.name}()")
    if not walk.quiet:
        instead = walk.watcher.entered(function, args, kwargs)
        if instead is not None:
            return instead
    known, answer = walk.memory.recall(function, args, kwargs, walk.active, walk.contexts)
    if answer is not None:
        return answer
    if not args and not kwargs:
        kwargs = marked_arguments(walk, function)
    scope = Scope(function.scope.module, {}, function.scope, function)
    given = [of(function.owner), *args] if function.owner is not None else list(args)
    scope.names.update(bound_arguments(function, given, kwargs))
    walk.active.append(function)
    if isinstance(function.node, ast.Lambda):
        scope.returned.append(walk.evaluate(function.node.body, scope))
    elif not walk.block(function.node.body, scope):
        scope.returned.append(const(None))
    walk.active.pop()
    if not walk.quiet:
        walk.watcher.left(function)
    return walk.memory.keep(known, given_back(function, scope))


def _instantiate(
    walk: Walk,
    one: Class,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
    node: ast.AST,
    scope: Scope,
) -> Value:
    instance = Instance(one, {})
    value = of(instance)
    method = attribute(walk, value, "__init__", node, scope)
    if isinstance(only(method), Function):
        walk.call(method, args, kwargs, node, scope)
    else:
        instance.members.update(field_defaults(walk, one, node, scope))
        instance.members.update(zip(one.fields, args, strict=False))
        instance.members.update(kwargs)
        special_method(walk, value, "__post_init__", (), node, scope)
    if not walk.quiet:
        walk.watcher.created(instance, kwargs, place_of(node, scope))
    return value


def _call_of_function(
    walk: Walk,
    member: Member,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
    node: ast.AST,
    scope: Scope,
) -> Value:
    """`task.submit(...)`, `task.map([...])`, `task.with_options(...)` and their like."""
    function, name = member.owner, member.name
    if name in {"command", "group"} and is_group(function):
        return of(Made(member, tuple(args), kwargs))
    if name in {"with_options", "override", "options", "with_resources", "configured"}:
        if not isinstance(function, Function):
            return of(function)
        option = of(Made(External(f"{OWN}.{name}"), (), kwargs))
        return of(replace(function, decorators=(*function.decorators, option)))
    if name == "partial":
        return of(Bound(of(function), tuple(args), kwargs))
    if name == "expand":
        return walk.call(of(function), (), {k: any_of(v) for k, v in kwargs.items()}, node, scope)
    if name in {"map", "starmap"}:
        return _mapped(walk, of(function), args, kwargs, node, scope)
    if name in {"apply_async", "apply"}:
        given = elements(args[0]) if args else []
        return walk.call(of(function), given or [], {}, node, scope)
    if name == "expand_kwargs":
        return walk.call(of(function), (), {}, node, scope)
    return walk.call(of(function), args, kwargs, node, scope)


def _mapped(
    walk: Walk,
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
    if max(sizes, default=1) > MAX_ALTERNATIVES:
        walk.give_up(node, scope, f"a call is made for more than {MAX_ALTERNATIVES} elements")
    for at in range(min(max(sizes, default=1), MAX_ALTERNATIVES)):
        row = [turn_of(column, at, arg) for column, arg in zip(columns, args, strict=True)]
        more = {key: turn_of(column, at, kwargs[key]) for key, column in named.items()}
        found.append(walk.call(function, row, more, node, scope))
    return of(ListOf(found, not sizes))


def _call_outside(
    walk: Walk,
    atom: Atom,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
    node: ast.AST,
    scope: Scope,
) -> Value:
    call = Call(atom, tuple(args), kwargs, place_of(node, scope), scope.module)
    if isinstance(atom, External) and atom.name == "functools.partial" and args:
        return of(Bound(args[0], tuple(args[1:]), kwargs))
    if isinstance(atom, External) and atom.name == "functools.wraps":
        return made(call)
    found = looked_up(walk, call, node, scope)
    if found is not None:
        return found
    answer = walk.watcher.content(call) or of_command_line(walk, call)
    if answer is None and not walk.quiet:
        answer = walk.watcher.called(call)
    answer = answer or _known_answer(walk, call)
    if answer is not None:
        return answer
    return _callbacks(walk, call, node, scope) or made(call)


def _known_answer(walk: Walk, call: Call) -> Value | None:
    found = rendered_text(call) or of_settings(call, walk.parameters, walk.defaults)
    found = found or load_environment(call, walk.program, walk.parameters)
    return found or result(call, walk.parameters)


def _callbacks(walk: Walk, call: Call, node: ast.AST, scope: Scope) -> Value | None:
    """Functions handed to something outside: that may call them."""
    target = call.kwargs.get("target")
    if target is not None and (is_function(target) or _is_external(target)):
        # a thread or process
        given = elements(call.kwargs.get("args", unknown("args"))) or []
        return walk.call(target, given, {}, node, scope)
    at = next((i for i, arg in enumerate(call.args) if is_function(arg)), None)
    if at is None and call.name in _POOLS | _MAPS:
        at = next((i for i, arg in enumerate(call.args) if _is_external(arg)), None)
    if at is None:
        return None
    function, rest = call.args[at], call.args[at + 1 :]
    if isinstance(call.function, External) and call.function.name in _COMMAND_LINES:
        atom = function.atoms[0]
        named = signature_arguments(walk, atom) if isinstance(atom, Function) else {}
        return walk.call(function, (), named, node, scope)
    if call.name in _MAPS:
        return _mapped(walk, function, rest, {}, node, scope)
    if isinstance(call.function, External) and call.name not in _RUNS | _POOLS:
        return function  # a decorator used as a function
    if call.name == "apply_async":
        rest = tuple(elements(rest[0]) or []) if rest else ()
    answer = walk.call(function, rest, call.kwargs, node, scope)
    return join([function, answer]) if isinstance(call.function, Made) else answer


def _is_external(value: Value) -> bool:
    return isinstance(only(value), External)

"""The command line of a program: `sys.argv`, argparse, click, typer and their likes.

What the command line gives counts, else a parameter of the same name, else the default the
program itself has. A default rules out no branch where the command line is not known.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import chain
from swarm.lineage.code.libraries import OWN
from swarm.lineage.code.marks import last_name
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import (
    Atom,
    Class,
    Const,
    DictOf,
    External,
    Function,
    Instance,
    ListOf,
    Made,
    Member,
    Scope,
    Unknown,
    Value,
    const,
    elements,
    join,
    of,
    only,
)
from swarm.lineage.code.walk import Walk

_DECLARED = f"{OWN}.declared"
_PARSERS = {"argparse.ArgumentParser", "configargparse.ArgParser", "configargparse.ArgumentParser"}
_FLAGS = {"store_true", "store_false", "count", "help", "version", "store_const"}
_TYPER = External("typer.Typer")
_OPTION_MAKERS = {"option", "argument"}


@dataclass(frozen=True, slots=True)
class Declared:
    """An argument that a program takes: `flags` (`--table`, `-t`), none when it has a place."""

    dest: str
    flags: tuple[str, ...] = ()
    default: Value | None = None
    is_flag: bool = False
    many: bool = False
    convert: Value | None = None
    of: str = ""  # the subcommand it belongs to


def program_arguments(walk: Walk, module: str) -> Value | None:
    """`sys.argv`; `None` when the command line is not known."""
    if walk.arguments is None:
        return None
    return of(ListOf([const(module), *(const(word) for word in walk.arguments)]))


def of_command_line(walk: Walk, call: Call) -> Value | None:
    """What a call about the command line gives; `None` for any other call."""
    function = call.function
    if isinstance(function, External):
        if function.name in _PARSERS:
            parser = Made(function, call.args, {**call.kwargs, _DECLARED: of(ListOf([]))})
            return of(parser)
        if function.name == "awsglue.utils.getResolvedOptions":
            return _glue_options(walk, call)
        if function.name == "builtins.vars" and call.args:
            return _as_dict(call.args[0])
        return None
    if not isinstance(function, Member):
        return None
    declared = _declared_in(function.owner)
    if declared is None:
        return None
    if call.name in {"add_argument", "set_defaults", "add_subparsers"}:
        declared.items.append(of(Made(function, call.args, call.kwargs)))
        return None
    if call.name in {"parse_args", "parse_known_args", "parse_intermixed_args"}:
        found = _namespace(walk, call, declared)
        return of(ListOf([found, of(ListOf([], True))])) if "known" in call.name else found
    return None


def _declared_in(atom: Atom) -> ListOf | None:
    """The list in which a parser keeps what it takes."""
    for link in chain(atom):
        if isinstance(link, Made) and _DECLARED in link.kwargs:
            kept = only(link.kwargs[_DECLARED])
            return kept if isinstance(kept, ListOf) else None
    return None


def _namespace(walk: Walk, call: Call, declared: ListOf) -> Value:
    words = walk.arguments
    if call.args:
        given = [plain(item) for item in elements(call.args[0]) or []]
        words = [word for word in given if word is not None] if given else words
    takes: list[Declared] = []
    fixed: dict[str, list[tuple[str, Value]]] = {}
    for item in declared.items:
        atom = item.atoms[0]
        if not isinstance(atom, Made) or not isinstance(atom.maker, Member):
            continue
        sub = _subcommand(atom.maker.owner)
        if atom.maker.name == "set_defaults":
            for name, value in atom.kwargs.items():
                fixed.setdefault(name, []).append((sub, value))
        elif (one := _taken(atom, sub)) is not None:
            takes.append(one)
    chosen = [one for one in takes if not one.of or words is None or one.of in words]
    members = values_of(walk, chosen, words)
    for name, values in fixed.items():
        fits = [v for sub, v in values if not sub or words is None or sub in words]
        if fits and (name not in members or members[name].soft):
            members[name] = join(fits)
    return of(Instance(Class("Namespace", Scope("", {}), (), {}), members))


def _subcommand(atom: Atom) -> str:
    for link in chain(atom):
        maker = link.maker if isinstance(link, Made) else None
        if isinstance(link, Made) and isinstance(maker, Member) and maker.name == "add_parser":
            return (plain(link.args[0]) if link.args else None) or ""
    return ""


def _taken(declared: Made, sub: str) -> Declared | None:
    options = declared.kwargs
    names = [name for arg in declared.args if (name := plain(arg)) is not None]
    if isinstance(declared.maker, Member) and declared.maker.name == "add_subparsers":
        dest = _word(options.get("dest"))
        return Declared(dest or f"{OWN}.subcommand")
    if not names:
        return None
    flags = tuple(name for name in names if name.startswith("-"))
    return Declared(
        _word(options.get("dest")) or destination(names),
        flags,
        options.get("default"),
        _word(options.get("action")) in _FLAGS,
        "nargs" in options and _word(options["nargs"]) != "?",
        options.get("type"),
        sub,
    )


def destination(names: Sequence[str]) -> str:
    """The name an argument has in the program, from those on the command line."""
    long = [name for name in names if name.startswith("--")]
    first = (long or [name for name in names if not name.startswith("-")] or list(names))[0]
    return first.lstrip("-").partition("/")[0].replace("-", "_")


def _word(value: Value | None) -> str:
    return (plain(value) if value is not None else None) or ""


def values_of(
    walk: Walk, takes: Sequence[Declared], words: Sequence[str] | None
) -> dict[str, Value]:
    """What each declared argument is."""
    given = _given(takes, words or ())
    found: dict[str, Value] = {}
    for one in takes:
        values = given.get(one.dest)
        if values:
            known = [_converted(walk, one, const(word)) for word in values]
            value = of(ListOf(known)) if one.many else known[-1]
            if one.is_flag:
                value = const(True)
        elif one.dest in walk.parameters:
            value = _converted(walk, one, const(walk.parameters[one.dest]))
        else:
            value = _by_default(one, words is not None)
        if one.dest not in found or not value.soft:
            found[one.dest] = Value(value.atoms, (one.dest,), value.soft)
    return found


def _by_default(one: Declared, known: bool) -> Value:
    if one.is_flag:
        return Value((Const(False),), (), not known)
    if one.default is not None:
        return Value(one.default.atoms, (), not known)
    if known and one.flags:
        return const(None)
    return Value((Unknown(one.dest),), (one.dest,))


def _converted(walk: Walk, one: Declared, value: Value) -> Value:
    if one.convert is None:
        return value
    atom = only(one.convert)
    if isinstance(atom, Function):
        return walk.call(one.convert, [value], {}, atom.node, atom.scope)
    return value


def _given(takes: Sequence[Declared], words: Sequence[str]) -> dict[str, list[str]]:
    """The words of the command line by the argument they belong to."""
    by_flag = {flag: one for one in takes for flag in one.flags}
    places = [one for one in takes if not one.flags]
    found: dict[str, list[str]] = {}
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        one = by_flag.get(name) or by_flag.get(word[:2] if word[:1] == "-" != word[1:2] else "")
        at += 1
        if one is None:
            if not word.startswith("-") and places:
                found.setdefault(places[0].dest, []).append(word)
                places = places if places[0].many else places[1:]
            continue
        kept = found.setdefault(one.dest, [])
        if one.is_flag:
            kept.append("")
        elif name in by_flag and equals:
            kept.append(value)
        elif name not in by_flag:
            kept.append(word[2:])
        else:
            while at < len(words) and not (words[at].startswith("-") and words[at] in by_flag):
                kept.append(words[at])
                at += 1
                if not one.many:
                    break
    return found


def _glue_options(walk: Walk, call: Call) -> Value | None:
    """The job arguments of AWS Glue: `--name value`, used by name."""
    names = [plain(item) for item in elements(call.args[1]) or []] if len(call.args) > 1 else []
    takes = [Declared(name, (f"--{name}",)) for name in names if name]
    return of(DictOf(dict(values_of(walk, takes, walk.arguments).items())))


def _as_dict(value: Value) -> Value | None:
    atom = only(value)
    return of(DictOf(dict(atom.members.items()))) if isinstance(atom, Instance) else None


def marked_arguments(walk: Walk, function: Function) -> Mapping[str, Value]:
    """What click hands to a command, by the decorators of the function."""
    takes: list[Declared] = []
    for mark in function.decorators:
        atom = mark.atoms[0]
        if not isinstance(atom, Made) or not isinstance(atom.maker, External | Member):
            continue
        kind = atom.maker.name.rpartition(".")[2]
        if kind in _OPTION_MAKERS and atom.args:
            takes.append(_option(atom, kind))
    return values_of(walk, takes[::-1], walk.arguments) if takes else {}


def is_group(atom: Atom) -> bool:
    """Whether a function of the program, or an app of typer, holds commands."""
    if isinstance(atom, Made):
        return atom.maker == _TYPER
    return isinstance(atom, Function) and any(
        last_name(mark.atoms[0]) == "group" for mark in atom.decorators
    )


def run_commands(walk: Walk, group: Atom, node: ast.AST, scope: Scope) -> None:
    """Calls the command of a group that the command line names; each, when it is not known."""
    if not is_group(group):
        return
    found = list(_commands_of(group, scope))
    words = walk.arguments
    for name, function in found:
        if words is not None and len(found) > 1 and name not in words:
            continue
        rest = words[words.index(name) + 1 :] if words is not None and name in words else words
        walk.arguments = rest
        if is_group(function):
            run_commands(walk, function, node, scope)
        else:
            named = signature_arguments(walk, function) if isinstance(group, Made) else {}
            walk.call(of(function), (), named, node, scope)
        walk.arguments = words


def _commands_of(group: Atom, scope: Scope) -> Iterator[tuple[str, Function]]:
    """The functions that a group has as commands, by name."""
    for value in list(scope.top().names.values()):
        for atom in value.atoms:
            for mark in atom.decorators if isinstance(atom, Function) else ():
                made = mark.atoms[0]
                maker = made.maker if isinstance(made, Made) else None
                if isinstance(maker, Member) and maker.owner is group and isinstance(made, Made):
                    given = made.kwargs.get("name") or (made.args[0] if made.args else None)
                    assert isinstance(atom, Function)
                    yield _word(given) or atom.name.replace("_", "-"), atom


def _option(mark: Made, kind: str) -> Declared:
    names = [name for arg in mark.args if (name := plain(arg)) is not None]
    bare = [name for name in names if not name.startswith("-")]
    many = mark.kwargs.get("multiple") or mark.kwargs.get("nargs")
    return Declared(
        bare[0].lower() if bare else destination(names).lower(),
        tuple(name for name in names if name.startswith("-")),
        mark.kwargs.get("default"),
        "is_flag" in mark.kwargs,
        many is not None,
    )


def signature_arguments(walk: Walk, function: Function) -> Mapping[str, Value]:
    """What typer and fire hand to a function, by its signature."""
    spec = function.node.args
    names = [*spec.posonlyargs, *spec.args]
    takes = [_parameter(arg, function.defaults.get(arg.arg)) for arg in names]
    takes += [_parameter(arg, function.defaults.get(arg.arg), True) for arg in spec.kwonlyargs]
    return values_of(walk, takes, walk.arguments)


def _parameter(arg: ast.arg, default: Value | None, named: bool = False) -> Declared:
    flag = f"--{arg.arg.replace('_', '-')}"
    atom = default.atoms[0] if default is not None else None
    if isinstance(atom, Made) and isinstance(atom.maker, External):
        kind = atom.maker.name.rpartition(".")[2]
        flags = tuple(name for a in atom.args[1:] if (name := plain(a)) and name[:1] == "-")
        first = atom.args[0] if atom.args else None
        required = first is None or only(first) == Const(None) or plain(first) is None
        known = None if required else first
        return Declared(arg.arg, (flags or (flag,)) if kind == "Option" else (), known)
    is_option = named or default is not None
    return Declared(arg.arg, (flag, f"--{arg.arg}") if is_option else (), default)

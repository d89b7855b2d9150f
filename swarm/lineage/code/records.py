"""What the fields of data classes and of settings classes are when nobody gives them."""

import ast
from collections.abc import Mapping

from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import (
    Class,
    Const,
    DictOf,
    External,
    Made,
    Scope,
    Value,
    only,
)
from swarm.lineage.code.walk import Walk

_FIELDS = {"field", "Field", "attrib", "ib"}


def field_defaults(walk: Walk, one: Class, node: ast.AST, scope: Scope) -> dict[str, Value]:
    """The fields of a new object that differ from what stands in the class.

    `field(default_factory=list)` makes one for each object; a settings class takes what the
    environment has under the name of the field.
    """
    found: dict[str, Value] = {}
    environment = _environment(walk.parameters, one)
    for each in reversed(one.family()):
        for name in each.fields:
            value = each.members.get(name)
            made = only(value) if value is not None else None
            alias = name
            if isinstance(made, Made) and _is_field(made):
                alias = _alias(made) or name
                value = _default(walk, made, node, scope)
                if value is not None:
                    found[name] = value
            known = environment.get(alias.casefold(), environment.get(name.casefold()))
            if known is not None:
                found[name] = Value((Const(known),), (name,))
    return found


def _is_field(made: Made) -> bool:
    maker = made.maker
    return isinstance(maker, External) and maker.name.rpartition(".")[2] in _FIELDS


def _alias(made: Made) -> str:
    for key in ("env", "validation_alias", "alias"):
        known = plain(made.kwargs[key]) if key in made.kwargs else None
        if known:
            return known
    return ""


def _default(walk: Walk, made: Made, node: ast.AST, scope: Scope) -> Value | None:
    factory = made.kwargs.get("default_factory") or made.kwargs.get("factory")
    if factory is not None:
        return walk.call(factory, (), {}, node, scope)
    first = made.args[0] if made.args else None
    default = made.kwargs.get("default", first)
    return default


def _environment(parameters: Mapping[str, str], one: Class) -> dict[str, str]:
    """The variables a settings class looks at, by lower case without its prefix."""
    bases = [base for each in one.family() for base in each.bases]
    names = {base.name.rpartition(".")[2] for base in bases if isinstance(base, External)}
    if "BaseSettings" not in names:
        return {}
    prefix = _prefix(one).casefold()
    return {
        name.casefold().removeprefix(prefix): value
        for name, value in parameters.items()
        if name.casefold().startswith(prefix)
    }


def _prefix(one: Class) -> str:
    for each in one.family():
        for holder in ("model_config", "Config"):
            atom = only(each.members[holder]) if holder in each.members else None
            given: dict[str, Value] = {}
            if isinstance(atom, Made):
                given = dict(atom.kwargs)
            elif isinstance(atom, DictOf):
                given = {str(key): value for key, value in atom.items.items()}
            elif isinstance(atom, Class):
                given = dict(atom.members)
            if "env_prefix" in given:
                return plain(given["env_prefix"]) or ""
    return ""

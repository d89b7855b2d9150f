"""What decorators say of a function: which of a library it carries and with what options."""

from collections.abc import Set

from swarm.lineage.code.values import Atom, Class, External, Function, Made, Member, Value


def last_name(atom: Atom) -> str:
    """The last part of the name of something external."""
    if isinstance(atom, Made):
        return last_name(atom.maker)
    if isinstance(atom, External | Member | Class):
        return atom.name.rpartition(".")[2]
    return ""


def mark_named(function: Function, library: str, names: Set[str]) -> Value | None:
    """The decorator of `library` called one of `names`, if the function has one."""
    for mark in function.decorators:
        atom = mark.atoms[0]
        maker = atom.maker if isinstance(atom, Made) else atom
        if not isinstance(maker, External) or last_name(maker) not in names:
            continue
        if maker.name.split(".")[0] == library:
            return mark
    return None


def mark_values(function: Function) -> dict[str, Value]:
    """The options of all decorators of a function; later ones (`with_options`) win."""
    options: dict[str, Value] = {}
    for mark in function.decorators:
        atom = mark.atoms[0]
        if isinstance(atom, Made):
            options.update(atom.kwargs)
    return options

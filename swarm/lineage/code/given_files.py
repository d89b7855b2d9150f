"""Files of the program that it reads itself: not data, but texts and settings that are known."""

from swarm.lineage.code.call import Call
from swarm.lineage.code.configuration import parsed, read_into, rendered
from swarm.lineage.code.effects import TouchesPath
from swarm.lineage.code.known_calls import accesses
from swarm.lineage.code.libraries import OWN
from swarm.lineage.code.listing import listed
from swarm.lineage.code.program import Program
from swarm.lineage.code.texts import any_text, plain, texts
from swarm.lineage.code.values import (
    DictOf,
    External,
    ListOf,
    Made,
    Member,
    Value,
    const,
    of,
    only,
)
from swarm.model.lineage import Access

_HANDLE = External(f"{OWN}.file_of_the_program")
_WHOLE = frozenset({"read_text", "read_bytes"})
_LINES = frozenset({"readlines", "splitlines"})
# Files that people write for programs. JSON is left out: programs write it, too.
_NEVER_DATA = (
    *(".sql", ".hql", ".ddl", ".j2", ".jinja", ".jinja2", ".tpl", ".template"),
    *(".yml", ".yaml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".env", ".xml", ".py"),
)
_TEMPLATES = frozenset({"get_template", "from_string"})


def content(call: Call, program: Program) -> Value | None:
    """What a call reads from a file of the program; `None` when it reads none of them."""
    function = call.function
    if isinstance(function, Member):
        owner = function.owner
        if isinstance(owner, Made) and owner.maker == _HANDLE:
            return _of_handle(call, owner)
        if isinstance(owner, DictOf) and owner.maker:
            return read_into(call, owner, lambda path: _text_of(call, path, program))
        if call.name == "get_template" and call.args:
            return _template(call, program)
    found = listed(call, program)
    if found is not None:
        return found
    found = parsed(call, lambda value: _source_of(call, value, program))
    return found if found is not None else _opened(call, program)


def may_be_data(found: TouchesPath) -> bool:
    """Is a file that lies with the program perhaps data, and not only a text or settings?"""
    return any(not path.casefold().endswith(_NEVER_DATA) for path in texts(found.path))


def _opened(call: Call, program: Program) -> Value | None:
    if call.name.startswith(("read_", "scan_")) and call.name not in _WHOLE:
        return None  # a table that lies beside the program is data
    found = accesses(call)
    one = found[0] if len(found) == 1 else None
    if not isinstance(one, TouchesPath) or one.access is not Access.READ:
        return None
    sources = [_text_of(call, path, program) for path in texts(one.path)]
    known = [source for source in sources if source is not None]
    if not known or len(known) < len(sources):
        return None
    source = any_text(known)
    return source if call.name in _WHOLE else of(Made(_HANDLE, (source,)))


def _text_of(call: Call, path: str, program: Program) -> str | None:
    given = program.find_file(path, call.module, program.folder)
    return None if given is None else program.read(given)


def _source_of(call: Call, value: Value, program: Program) -> str | None:
    """The text that a handle, a path or a text of a settings file stands for."""
    atom = only(value)
    if isinstance(atom, Made) and atom.maker == _HANDLE:
        return plain(atom.args[0])
    known = plain(value)
    if known is None:
        return None
    found = _text_of(call, known, program) if "\n" not in known else None
    return found if found is not None else known


def _of_handle(call: Call, handle: Made) -> Value | None:
    text = handle.args[0]
    if call.name in {"read", "read_text", "read_bytes"}:
        return text
    known = plain(text)
    if call.name in _LINES and known is not None:
        return of(ListOf([const(line) for line in known.splitlines()]))
    return None


def _template(call: Call, program: Program) -> Value | None:
    """`environment.get_template(name)`: looked for by the end of its path."""
    name = plain(call.args[0])
    if name is None:
        return None
    given = program.find_file(name, call.module, program.folder) or program.find_named(name)
    return None if given is None else rendered(program.read(given))

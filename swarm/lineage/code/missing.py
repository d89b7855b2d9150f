"""Which calls lead into code that is neither given nor known: what they do with data is hidden.

Silence about such a call would make a reading look complete that is not. Errors that are raised
and loggers are left out, wherever they come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import chain
from swarm.lineage.code.libraries import STANDARD, is_known
from swarm.lineage.code.library import is_pure
from swarm.lineage.code.sql_calls import reads_like_sql
from swarm.lineage.code.sqlalchemy_calls import has_table
from swarm.lineage.code.texts import label
from swarm.lineage.code.values import Atom, Class, Const, External, Function, Instance, Member

_SILENT = {"print", "echo", "secho", "format", "parse", "parse_one", "transpile", "dedent", "split"}
_WRITERS = {"sqlparse", "sqlglot", "structlog", "loguru", "rich", "click", "typer", "jinja2"}
_LOGGING = """
    log logger logging get_logger getLogger make_logger setup_logging configure_logging
"""
_HARMLESS = frozenset(_LOGGING.split())
_ERRORS = ("Error", "Exception", "Warning")


@dataclass(frozen=True, slots=True)
class Missing:
    """A function and the module it comes from, which is not among those given."""

    module: str
    function: str


def missing_source(function: Atom) -> Missing | None:
    """Where the code behind a called function would have to be, if it is not at hand."""
    links = chain(function)
    if any(_is_harmless(_name(link)) for link in links):
        return None
    last = links[-1]
    if isinstance(last, External):
        return _of_external(last)
    if isinstance(last, Instance | Class) and len(links) > 1:
        return _inherited(last if isinstance(last, Class) else last.of, _name(links[-2]))
    return None


def gets_sql(call: Call) -> bool:
    """Whether a function outside the program, known for something else, is handed a SQL text."""
    if call.name in _SILENT or is_pure(call.function):
        return False
    root = call.function.name.partition(".")[0] if isinstance(call.function, External) else ""
    if root in STANDARD or root in _WRITERS:
        return False
    given = [atom for value in (*call.args, *call.kwargs.values()) for atom in value.atoms]
    return any(isinstance(a, Const) and reads_like_sql(str(a.value)) for a in given)


def code_made_at_run_time(call: Call) -> str:
    """What a program runs that only exists at run time; empty for most calls."""
    if not isinstance(call.function, External) or not call.args:
        return ""
    what = label(call.args[0])
    if call.function.name == "importlib.import_module":
        return f"module `{what}`"
    return f"Python code `{what}`" if call.function.name == "builtins.exec" else ""


def missing_around(function: Function) -> Iterator[Missing]:
    """Decorators of a function of the program whose source is not at hand."""
    for mark in function.decorators:
        for atom in mark.atoms:
            found = missing_source(atom)
            if found is not None:
                yield found


def _name(atom: Atom) -> str:
    return atom.name if isinstance(atom, External | Member) else ""


def _is_harmless(name: str) -> bool:
    parts = name.split(".")
    return parts[-1].endswith(_ERRORS) or not _HARMLESS.isdisjoint(parts)


def _of_external(function: External) -> Missing | None:
    if is_known(function.name):
        return None
    dots = function.name[: len(function.name) - len(function.name.lstrip("."))]
    parts = function.name.lstrip(".").split(".")
    at = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    at = max(at, 0 if dots else 1)
    module, name = ".".join(parts[:at]), ".".join(parts[at:])
    return Missing(dots + module, name or module)


def _inherited(one: Class, method: str) -> Missing | None:
    """A method that no class of the program has may come from a base that is not given."""
    if has_table(one):
        return None
    for base in (base for each in one.family() for base in each.bases):
        last = chain(base)[-1]
        found = _of_external(last) if isinstance(last, External) else None
        if found is not None:
            return Missing(found.module, f"{found.function}.{method}")
    return None

"""From the calls a walk meets to touches, by task."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarm.lineage.code.call import Call
from swarm.lineage.code.commands import Commands
from swarm.lineage.code.effects import (
    Effect,
    HidesTable,
    RunsCommand,
    RunsSql,
    TouchesPath,
    TouchesTable,
    flat,
    is_own,
)
from swarm.lineage.code.findings import Findings
from swarm.lineage.code.given_files import content, may_be_data
from swarm.lineage.code.known_calls import accesses
from swarm.lineage.code.missing import (
    Missing,
    code_made_at_run_time,
    gets_sql,
    missing_around,
    missing_source,
)
from swarm.lineage.code.program import Program
from swarm.lineage.code.servers import PRIVATE, is_configured, server_of
from swarm.lineage.code.sql_calls import reads_like_sql
from swarm.lineage.code.sqlalchemy_calls import tables_of_statement
from swarm.lineage.code.texts import fill, holes, label, shown, texts
from swarm.lineage.code.values import (
    Atom,
    Const,
    External,
    Function,
    Instance,
    PathText,
    Value,
)
from swarm.lineage.naming import dataset_from_table, dataset_from_url, is_path_namespace
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, UnresolvedReason

MAX_FOUND = 100_000
MAX_TEXTS = 3_000
_TEMPORARY = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:local\s+|global\s+)?temp(?:orary)?\s+(?:table|view)\s+"
    r"(?:if\s+not\s+exists\s+)?[\"`]?([\w.]+)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?s")


class Recorder:
    """A watcher that keeps in `findings` what each call accesses."""

    def __init__(self, program: Program, context: CodeContext) -> None:
        self.findings = Findings()
        self._program = program
        self._context = context
        self._hidden: set[str] = set()
        self._ran: set[tuple[str, ...]] = set()
        self._found = 0
        self.commands = Commands(program, self.findings, context.parameters, self.record)
        self._reported: set[tuple[str, str]] = set()
        if context.default.told is not None:
            context.default.told.files(program.sources)

    # --- what the walk tells -----------------------------------------------------------------

    def entered(
        self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]
    ) -> Value | None:
        for missing in missing_around(function):
            self._report(missing, f"{function.scope.module}:{function.node.lineno}")
        return None

    def left(self, function: Function) -> None:
        return None

    def created(self, instance: Instance, kwargs: Mapping[str, Value], place: str) -> None:
        return None

    def content(self, call: Call) -> Value | None:
        """What a call reads of the program's own files. One that may be data is read as such,
        too: what lies beside a program today may be what another task wrote there."""
        found = content(call, self._program)
        if found is not None:
            for one in accesses(call):
                if isinstance(one, TouchesPath) and may_be_data(one):
                    self.record(one, call.place, call)
        return found

    def called(self, call: Call) -> Value | None:
        """Records what the call accesses."""
        found = accesses(call)
        for one in found:
            self.record(one, call.place, call)
        if not any(_is_understood(one) for one in found):
            self._missing(call)
        return None

    def record(self, found: Effect, place: str, call: Call | None = None) -> None:
        """Keeps one access under the current task."""
        self._found += 1
        if self._found > MAX_FOUND:
            detail = f"more than {MAX_FOUND} accesses"
            self.findings.fail(UnresolvedReason.TOO_LARGE, f"{place.partition(':')[0]}:1", detail)
            return
        match found:
            case RunsSql():
                self._sql(found, place, call)
            case TouchesTable():
                self._table(found, place)
            case TouchesPath():
                self._path(found, place)
            case RunsCommand(command=command, folder=folder):
                self.commands.run(command, place, call.module if call else place, folder)
            case HidesTable(name=name):
                self._hidden.update(text.casefold() for text in texts(name))

    # --- SQL and tables ----------------------------------------------------------------------

    def _sql(self, found: RunsSql, place: str, call: Call | None) -> None:
        server = _at(server_of(found.server, self._context), found)
        if found.address and not is_configured(found.server, self._context):
            server = replace(server, namespace=found.address)
            self.findings.served_by(found.address, self._context.default.namespace)
        for atom in flat(found.text):
            text = _sql_text(atom)
            if text is None:
                self._no_text(found, atom, place)
                continue
            if found.bare_table and re.fullmatch(r"[\w.\"`\-]+", text.strip()):
                self._touch_table(
                    TouchesTable(Access.READ, found.text, found.server),
                    text.strip(),
                    server,
                    place,
                    text,
                )
            elif reads_like_sql(text) or (found.sure and " " in text.strip()):
                self._run_sql(text, server, place, found.has_values, call)
            elif found.sure and holes(text):
                self.findings.fail(UnresolvedReason.DYNAMIC, place, f"SQL text `{shown(text)}`")

    def _no_text(self, found: RunsSql, atom: Atom, place: str) -> None:
        """A statement that is an object: built by SQLAlchemy, of the program, or not known."""
        tables = tables_of_statement(atom, found.server)
        for one in tables:
            self._table(one, place)
        if tables or _is_program_object(atom):
            return
        missing = missing_source(atom) if isinstance(atom, External) else None
        if missing is not None:
            self._report(missing, place)
        elif found.sure:
            what = label(Value((atom,), found.text.names))
            self.findings.fail(UnresolvedReason.DYNAMIC, place, f"SQL text `{what}`")

    def _run_sql(
        self, text: str, server: SqlContext, place: str, has_values: bool, call: Call | None
    ) -> None:
        if has_values:
            text = _PLACEHOLDER.sub("NULL", text)
        once = (self.findings.task, place, text, server.namespace, server.dialect)
        if once in self._ran or len(self._ran) > MAX_TEXTS:  # a loop comes by many times
            return
        self._ran.add(once)
        if len(self._ran) > MAX_TEXTS:
            self.findings.fail(
                UnresolvedReason.TOO_LARGE, place, f"more than {MAX_TEXTS} SQL texts"
            )
            return
        self._hidden.update(name.casefold() for name in _TEMPORARY.findall(text))
        found = extract_sql(fill(text), server, place)
        in_file = place in self._program.sources  # its own lines are the places
        for touch in found.touches:
            if not self._is_hidden(touch.dataset, server, call):
                where = touch.place if in_file else place
                self.findings.touch(
                    touch.access, touch.dataset, where, touch.excerpt or shown(text)
                )
        for one in found.unresolved:
            is_hole = any(name and name in one.detail for name in holes(text))
            dynamic = one.reason is UnresolvedReason.TEMPLATE and is_hole
            reason = UnresolvedReason.DYNAMIC if dynamic else one.reason
            self.findings.fail(reason, one.place if in_file else place, one.detail)

    def _is_hidden(self, dataset: DatasetKey, server: SqlContext, call: Call | None) -> bool:
        """Temporary tables, and what a database inside the program keeps to itself."""
        if is_path_namespace(dataset.namespace) and dataset.namespace != server.namespace:
            return False
        if server.namespace == PRIVATE:
            return True
        return any(dataset_from_table(name, server) == dataset for name in self._hidden)

    def _table(self, found: TouchesTable, place: str) -> None:
        server = server_of(found.server, self._context)
        schemas = texts(found.schema) if found.schema is not None else [""]
        for name in texts(found.name):
            for schema in schemas:
                known = schema if schema != "None" else ""
                full = f"{known}.{name}" if known and "." not in name else name
                if found.instead_of_read and not holes(full):
                    self.findings.retract(Access.READ, dataset_from_table(full, server), place)
                self._touch_table(found, full, server, place, name)

    def _touch_table(
        self, found: TouchesTable, name: str, server: SqlContext, place: str, excerpt: str
    ) -> None:
        if holes(name) or not name or name == "None":
            self.findings.fail(UnresolvedReason.DYNAMIC, place, f"table `{shown(name)}`")
            return
        if server.namespace == PRIVATE or name.casefold() in self._hidden:
            return
        dataset = dataset_from_table(name, server)
        self.findings.touch(found.access, dataset, place, excerpt, found.confidence)

    # --- files -------------------------------------------------------------------------------

    def _path(self, found: TouchesPath, place: str) -> None:
        for atom in flat(found.path):
            if not isinstance(atom, Const | PathText) and is_own(atom):
                continue
            text = texts(Value((atom,), found.path.names))[0]
            if isinstance(atom, Const) and not isinstance(atom.value, str):
                if found.path.names and atom.value is None and len(found.path.atoms) == 1:
                    detail = f"path `{label(found.path)}`"
                    self.findings.fail(UnresolvedReason.DYNAMIC, place, detail)
            elif holes(text) or not text:
                self.findings.fail(UnresolvedReason.DYNAMIC, place, f"path `{shown(text)}`")
            elif not text.startswith(("/dev/", "/proc/")):
                dataset = dataset_from_url(text)
                self.findings.touch(found.access, dataset, place, text, found.confidence)

    # --- keeping -----------------------------------------------------------------------------

    def _missing(self, call: Call) -> None:
        """What a function does whose source is neither given nor known is hidden."""
        missing = missing_source(call.function)
        made_at_run_time = code_made_at_run_time(call)
        if made_at_run_time:
            self.findings.fail(UnresolvedReason.DYNAMIC, call.place, made_at_run_time)
        elif missing is not None:
            self._report(missing, call.place)
        elif isinstance(call.function, External) and gets_sql(call):
            detail = f"`{call.function.name}` gets SQL and its source is not given"
            self.findings.fail(UnresolvedReason.MISSING_SOURCE, call.place, detail)

    def _report(self, missing: Missing, place: str) -> None:
        """Tells once per task of a module that is not given, at the first call into it."""
        key = (self.findings.task, missing.module)
        if key in self._reported:
            return
        self._reported.add(key)
        detail = (
            f"what `{missing.function}` of module `{missing.module}` does is not known: "
            "its source is not at hand; add its folder to `code`"
        )
        self.findings.fail(UnresolvedReason.MISSING_SOURCE, place, detail)


def _at(server: SqlContext, found: RunsSql) -> SqlContext:
    """The server, with the catalog, schema and dialect that the command itself asks for."""
    fits = not found.dialects or server.dialect in found.dialects
    return replace(
        server,
        dialect=server.dialect if fits else found.dialects[0],
        default_catalog=found.catalog or server.default_catalog,
        default_schema=found.schema or server.default_schema,
    )


def _sql_text(atom: Atom) -> str | None:
    if isinstance(atom, Const) and isinstance(atom.value, str):
        return atom.value if atom.value.strip() else None
    return None


def _is_understood(found: Effect) -> bool:
    """Whether an effect is sure, and not only a function of a name that often runs SQL."""
    if isinstance(found, HidesTable):
        return False
    if not isinstance(found, RunsSql):
        return True
    known = [text for text in texts(found.text) if holes(text) or reads_like_sql(text)]
    return bool(known)


def _is_program_object(atom: Atom) -> bool:
    """`executor.execute(job)` with an object of the program is no SQL."""
    return isinstance(atom, Instance | Function)

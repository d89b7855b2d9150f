"""What the commands that a program or a scheduler starts access."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from swarm.lineage.code.effects import Effect, RunsSql, TouchesPath, TouchesTable
from swarm.lineage.code.findings import Findings
from swarm.lineage.code.hints import hints
from swarm.lineage.code.program import Program
from swarm.lineage.code.shell import commands
from swarm.lineage.code.shell_clients import address_of, with_values
from swarm.lineage.code.shell_command import Command
from swarm.lineage.code.shell_variables import Surroundings
from swarm.lineage.code.texts import holes, shown, texts
from swarm.lineage.code.values import ListOf, Value, const, of
from swarm.model.lineage import Access, UnresolvedReason

_MAX_SCRIPTS = 500  # that one command starts, however deep
_SCRIPTS = frozenset({".sh", ".bash", ".ksh", ".py"})
_SQL = frozenset({".sql", ".hql"})


@dataclass(frozen=True, slots=True)
class Start:
    """What a program is started with: the words of its command line, variables of the shell."""

    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


class Commands:
    """Follows commands into the scripts and SQL files they start.

    `record` keeps an effect at a place. `run_script` walks a Python file of the program,
    `run_code` a Python text in the place of a file.
    """

    def __init__(
        self,
        program: Program,
        findings: Findings,
        variables: Mapping[str, str],
        record: Callable[[Effect, str], None],
    ) -> None:
        self.run_script: Callable[[str, Start], None] | None = None
        self.run_code: Callable[[str, str, Start], None] | None = None
        self._program = program
        self._findings = findings
        self._variables = variables
        self._record = record
        self._walked: set[tuple[str, ...]] = set()

    def run(self, command: Value, place: str, module: str, folder: str = "") -> None:
        """Records what a command does that stands at `place` in the file `module`."""
        outside, self._program.folder = self._program.folder, folder or self._program.folder
        start = Start((), self._variables)
        for text in _command_texts(command):
            self._text(text, start, place, module)
        self._program.folder = outside

    def _text(self, text: str | list[str], start: Start, place: str, module: str) -> None:
        """Follows a text; the commands of a file stand at its lines."""
        folder = self._program.folder
        is_file = place in self._program.sources

        def read(inner: str, path: str) -> str | None:
            given = self._program.find_file(path, module, posixpath.join(folder, inner))
            return None if given is None else self._program.read(given)

        def matching(inner: str, pattern: str) -> list[str]:
            return self._program.matching(pattern, module, posixpath.join(folder, inner))

        around = Surroundings(start.variables, start.arguments, module, read, matching)
        for one in commands(text, around):
            self._program.folder = posixpath.join(folder, one.folder)
            self._one(one, f"{place}:{one.line}" if is_file else place, module)
        self._program.folder = folder

    def _one(self, command: Command, place: str, module: str) -> None:
        if command.missing:
            self._findings.fail(UnresolvedReason.MISSING_SOURCE, place, command.missing)
            self._hints(command, place)
            self._launched(command, place, module)
        for access, path in command.paths:
            is_program = access is Access.READ and self._given(path, module) is not None
            if not is_program:
                self._record(TouchesPath(access, const(path)), place)
        for access, name in command.tables:
            self._record(TouchesTable(access, const(name), const(command.server)), place)
        for text in command.sql:
            self._sql(text, command, place)
        for path in command.sql_files:
            self._sql_file(path, command, place, module)
        if command.script:
            self._script(command, place, module)
        if command.code:
            self._code(command, place, module)
        if command.text:
            self._text(command.text, _start(command), place, module)

    def _sql_file(self, path: str, command: Command, place: str, module: str) -> None:
        given = self._given(path, module)
        if given is None:
            detail = f"the SQL file `{shown(path)}` is not among the files given"
            self._findings.fail(UnresolvedReason.MISSING_SOURCE, place, detail)
        else:
            self._sql(self._program.read(given), command, given)

    def _sql(self, text: str, command: Command, place: str) -> None:
        """SQL of a client; a `place` without a line is the file that the text is."""
        given = command.given
        if command.style == "hive":
            given = {**command.variables, **given}
        known = with_values(text, command.style, given)
        catalog, schema = ("" if holes(n) else n for n in (command.catalog, command.schema))
        address = _address(command)
        if not catalog and address.startswith("postgres"):
            catalog = command.variables.get("PGDATABASE", "")
        names = [command.server, address.partition("://")[2].partition(":")[0], address]
        found = RunsSql(
            const(known),
            of(ListOf([const(name) for name in names if name])),
            dialects=command.dialects,
            catalog=catalog,
            schema=schema,
            address=address,
        )
        self._record(found, place)

    def _given(self, path: str, module: str) -> str | None:
        return self._program.find_file(path, module, self._program.folder)

    def _script(self, command: Command, place: str, module: str) -> None:
        given = self._given(command.script, module)
        start = _start(command)
        if given is None:
            detail = f"the program `{shown(command.script)}` is not among the files given"
            self._findings.fail(UnresolvedReason.MISSING_SOURCE, place, detail)
            self._hints(command, place)
        elif PurePosixPath(given).suffix == ".py":
            if self.run_script is not None:
                self.run_script(given, start)
        else:
            seen = (*start.arguments, *sorted(f"{k}={v}" for k, v in start.variables.items()))
            once = (self._findings.task, given, self._program.folder, *seen)
            if once in self._walked:
                return
            if len(self._walked) >= _MAX_SCRIPTS:
                detail = f"more than {_MAX_SCRIPTS} scripts are started"
                self._findings.fail(UnresolvedReason.TOO_LARGE, place, detail)
            else:
                self._walked.add(once)
                self._text(self._program.read(given), start, given, given)

    def _launched(self, command: Command, place: str, module: str) -> None:
        """Follows the script and the SQL files that a program which is not known is given."""
        for at, word in enumerate(command.arguments):
            kind = PurePosixPath(word).suffix
            if kind not in _SCRIPTS | _SQL:
                continue
            given = self._given(word, module) or self._program.find_named(word)
            if given is not None and kind in _SQL:
                self._sql_file(given, command, place, module)
            elif given is not None:
                rest = command.arguments[at + 1 :]
                self._script(replace(command, script=given, arguments=rest), place, module)
                return

    def _hints(self, command: Command, place: str) -> None:
        """What the arguments of a program that is not known say."""
        for hint in hints(command.arguments):
            name = const(hint.name)
            if hint.is_path:
                self._record(TouchesPath(hint.access, name, hint.confidence), place)
            else:
                server, sure = const(command.server), hint.confidence
                self._record(TouchesTable(hint.access, name, server, confidence=sure), place)

    def _code(self, command: Command, place: str, module: str) -> None:
        """Python in a command is walked like a file in the folder where the command runs."""
        code = command.code
        if holes(code):
            self._findings.fail(UnresolvedReason.DYNAMIC, place, "Python code in a command")
        elif self.run_code is not None:
            name = f"{posixpath.basename(place)} python"
            folder = self._program.folder or posixpath.dirname(module)
            self.run_code(posixpath.join(folder, name), code, _start(command))


def _address(command: Command) -> str:
    """The server of a client: as its words have it, for psql also as its environment has it."""
    variables = command.variables
    if command.address or command.dialects[:1] != ("postgres",) or "://" in command.server:
        return command.address
    return address_of("postgres", variables.get("PGHOST", ""), variables.get("PGPORT", ""))


def _start(command: Command) -> Start:
    return Start(command.arguments, {**command.variables, **command.given})


def _command_texts(command: Value) -> list[str | list[str]]:
    found: list[str | list[str]] = []
    for atom in command.atoms:
        if isinstance(atom, ListOf):
            found.append([texts(item)[0] for item in atom.items])
        else:
            found.append(texts(Value((atom,), command.names))[0])
    return found

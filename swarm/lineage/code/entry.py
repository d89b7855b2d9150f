"""What a Python program reads and writes, found by reading its source.

Nothing is ever executed. The walk (`code_interpreter`) follows what the entry reaches, values are
sets of what an expression may be (`code_values`), known calls are tables (`code_calls`). What is
not reached yields nothing; a table or path that only exists at run time is unresolved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swarm.lineage.code.commands import Start
from swarm.lineage.code.effects import RunsCommand
from swarm.lineage.code.interpreter import Interpreter
from swarm.lineage.code.jobs import Job
from swarm.lineage.code.program import Program
from swarm.lineage.code.recorder import Recorder
from swarm.lineage.code.values import (
    Class,
    Function,
    Instance,
    ListOf,
    Scope,
    Value,
    const,
    of,
    only,
)
from swarm.lineage.text import CodeContext
from swarm.model.lineage import Extraction, Unresolved, UnresolvedReason

_MAX_STARTED = 200  # programs that one command starts


@dataclass(frozen=True, slots=True)
class Reading:
    """What a program was found to do, and which of the files given it reads or starts."""

    extraction: Extraction
    used: frozenset[str] = frozenset()


def extract_code(modules: Mapping[str, str], entry: str, context: CodeContext) -> Extraction:
    """Find what the program that starts at `entry` reads and writes. Never raises."""
    return read_code(modules, entry, context).extraction


def read_code(modules: Mapping[str, str], entry: str, context: CodeContext) -> Reading:
    """Find what the program that starts at `entry` does. Never raises.

    `modules` maps file path to source: the entry's file, those it imports, and SQL files it may
    run. `entry` is `path.py:function` (`path.py:Class.method`) or `path.py` for the whole file as
    a script. Parameters of the entry function take their value from `context.parameters`.
    """
    path, _, name = entry.partition(".py:")
    path = f"{path}.py" if name else entry
    program = Program(modules)
    recorder = Recorder(program, context)
    walk = Interpreter(
        program, context.parameters, recorder, bool(name), arguments=context.arguments
    )
    follow_scripts(walk, recorder, program, context)
    try:
        if name:
            missing = _run_function(walk, path, name, context)
        else:
            walk.module(path, main=True)
            missing = []
    except RecursionError:
        detail = "the program is nested too deep to be read"
        missing = [Unresolved(path, UnresolvedReason.TOO_LARGE, f"{path}:1", detail)]
    found = recorder.findings.extraction("", [*walk.unresolved, *missing])
    return Reading(found, frozenset(program.used))


def extract_shell(
    command: str,
    modules: Mapping[str, str],
    context: CodeContext,
    place: str,
    folder: str = "",
    checkouts: Sequence[str] = (),
) -> Extraction:
    """Find what a shell command reads and writes; scripts it starts are taken from `modules`.

    Their relative paths are seen from `folder`, where the command runs. A script that the command
    calls by another path is looked for below `checkouts` by the end of that path.
    """
    job = Job("", place, command=command, folder=folder)
    return read_command(job, modules, context, checkouts).extraction


def read_command(
    job: Job, modules: Mapping[str, str], context: CodeContext, checkouts: Sequence[str] = ()
) -> Reading:
    """Find what the command of a job does, and which files of `modules` it uses."""
    program = Program(modules, checkouts)
    given = {**context.parameters, **job.variables}
    recorder = Recorder(program, replace(context, parameters=given))
    walk = Interpreter(program, given, recorder, quiet_imports=False)
    follow_scripts(walk, recorder, program, context)
    text = of(ListOf([const(word) for word in job.words])) if job.words else const(job.command)
    try:
        recorder.record(RunsCommand(text, job.folder), job.place)
    except RecursionError:
        walk.unresolved.append(
            Unresolved(
                job.place, UnresolvedReason.TOO_LARGE, job.place, "nested too deep to be read"
            )
        )
    found = recorder.findings.extraction("", walk.unresolved)
    return Reading(found, frozenset(program.used))


def follow_scripts(
    walk: Interpreter, recorder: Recorder, program: Program, context: CodeContext
) -> None:
    """Lets commands that start Python be followed into it, each program once."""
    started: set[tuple[str, tuple[str, ...]]] = set()

    def run_code(path: str, code: str, start: Start) -> None:
        run(Program({**program.sources, path: code}), path, start)

    def run_script(path: str, start: Start) -> None:
        program.used.add(path)
        if (path, start.arguments) in started:
            return
        if len(started) >= _MAX_STARTED:
            detail = f"more than {_MAX_STARTED} programs are started"
            recorder.findings.fail(UnresolvedReason.TOO_LARGE, f"{path}:1", detail)
        else:
            started.add((path, start.arguments))
            run(program, path, start)

    def run(program: Program, path: str, start: Start) -> None:
        given = {**context.parameters, **start.variables}
        script = Interpreter(program, given, recorder, False, arguments=start.arguments)
        script.module(path, main=True)
        walk.unresolved.extend(script.unresolved)

    recorder.commands.run_script = run_script
    recorder.commands.run_code = run_code


def _run_function(
    walk: Interpreter, path: str, name: str, context: CodeContext
) -> list[Unresolved]:
    scope = walk.module(path)
    function = find_function(scope, name)
    if function is None:
        if walk.unresolved:
            return []
        detail = f"there is no function `{name}` in the file"
        return [Unresolved(path, UnresolvedReason.MISSING_SOURCE, f"{path}:1", detail)]
    walk.run(function, (), entry_arguments(function, context.parameters))
    return []


def entry_arguments(
    function: Function, parameters: Mapping[str, str], given: int = 0
) -> dict[str, Value]:
    """The parameters of an entry function that are known by name, after the first `given`."""
    spec = function.node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)][given:]
    names.extend(a.arg for a in spec.kwonlyargs)
    return {name: const(parameters[name]) for name in names if name in parameters}


def find_function(scope: Scope, dotted: str) -> Function | None:
    """A function or method by its dotted name; methods are bound to an object."""
    first, *rest = dotted.split(".")
    found = scope.find(first)
    for name in rest:
        atom = only(found) if found is not None else None
        if not isinstance(atom, Class):
            return None
        found = next((one.members[name] for one in atom.family() if name in one.members), None)
        method = only(found) if found is not None else None
        if isinstance(method, Function):
            owner = Instance(atom, {})
            found = of(
                Function(
                    method.node,
                    method.scope,
                    method.name,
                    owner,
                    method.home,
                    method.decorators,
                    method.defaults,
                )
            )
    function = only(found) if found is not None else None
    return function if isinstance(function, Function) else None

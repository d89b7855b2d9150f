"""Which calls read or write data, as tables of rules.

A call is known by its full name when the program imports it (`pandas.read_csv`), else by the
name of the method alone: the class of most objects is not known to who only reads the program.
"""

from collections.abc import Mapping

from swarm.lineage.code.blob_calls import of_blob
from swarm.lineage.code.call import Call
from swarm.lineage.code.effects import Effect, Rule, RunsCommand
from swarm.lineage.code.filesystem_calls import of_filesystem
from swarm.lineage.code.path_calls import PATHS_BY_FULL_NAME, PATHS_BY_NAME, of_path
from swarm.lineage.code.spark_calls import of_reader_or_writer
from swarm.lineage.code.sql_calls import SQL_BY_FULL_NAME, SQL_BY_NAME
from swarm.lineage.code.sqlalchemy_calls import of_session
from swarm.lineage.code.table_calls import TABLES_BY_FULL_NAME, TABLES_BY_NAME
from swarm.lineage.code.texts import combine
from swarm.lineage.code.values import Const, External, Member, PathText, elements


def accesses(call: Call) -> tuple[Effect, ...]:
    """What the call reads, writes or runs; empty when it is not a known call."""
    if isinstance(call.function, External):
        rule = _BY_FULL_NAME.get(call.function.name)
        if rule is not None:
            return rule(call)
    if isinstance(call.function, Member):
        owner = call.function.owner
        if isinstance(owner, PathText):
            return of_path(call, owner)
        if isinstance(owner, Const) and owner.value is not None:
            return ()
    found = of_reader_or_writer(call)
    if found is not None:
        return found
    mapped = of_session(call) or of_blob(call) or of_filesystem(call)
    if mapped:
        return mapped
    rule = _BY_NAME.get(call.name)
    return rule(call) if rule is not None else ()


def _command(call: Call) -> tuple[Effect, ...]:
    command = call.argument(0, "args", "cmd", "command")
    return () if command is None else (RunsCommand(command),)


def _command_of_args(call: Call) -> tuple[Effect, ...]:
    """`create_subprocess_exec(program, *args)`."""
    found = elements(call.args[0]) if len(call.args) == 1 else None
    words = found if found is not None else list(call.args)
    return (RunsCommand(combine(words, " ")),)


_BY_NAME: Mapping[str, Rule] = {**PATHS_BY_NAME, **SQL_BY_NAME, **TABLES_BY_NAME}

_BY_FULL_NAME: Mapping[str, Rule] = {
    **PATHS_BY_FULL_NAME,
    **SQL_BY_FULL_NAME,
    **TABLES_BY_FULL_NAME,
    "subprocess.run": _command,
    "subprocess.call": _command,
    "subprocess.check_call": _command,
    "subprocess.check_output": _command,
    "subprocess.Popen": _command,
    "subprocess.getoutput": _command,
    "asyncio.create_subprocess_shell": _command,
    "asyncio.create_subprocess_exec": _command_of_args,
    "os.system": _command,
    "os.popen": _command,
}

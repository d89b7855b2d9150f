"""Records what a process really reads and writes; Python imports this file by itself at start.

It stands on PYTHONPATH of the orchestrators' processes and of cron's, uses the standard library
alone and changes nothing a pipeline can notice, except that a connection to the warehouse has
all its schemas attached, as a warehouse's has, and that one to PostgreSQL has a name.

The record is one JSON line per distinct access and process: who, read or write, what, when.
Tables come from SQLite's own authorizer, so views show as the tables below them and names in
comments or strings do not show; files from the interpreter's audit events. Who is taken from
what the orchestrator keeps about the running task; an access without a task is left out.

A warehouse on PostgreSQL keeps the record of its tables itself. Then this names each connection
(`application_name`) after the task that opens it, and writes down which name is whose.
"""

import json
import os
import re
import sqlite3
import sys
import time
from pathlib import Path

_AUDIT = os.environ.get("LAB_AUDIT", "")
_WAREHOUSE = os.environ.get("LAB_WAREHOUSE", "")
_VIEWS = os.environ.get("LAB_VIEWS", "")
_LAKE = os.environ.get("LAB_LAKE", "")
_CONNECTIONS = os.environ.get("LAB_CONNECTIONS", "")
_LAKE_NAME = os.path.basename(_LAKE)

_WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_CREATES = {sqlite3.SQLITE_CREATE_TABLE}
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR

_connect = sqlite3.connect
_seen = set()
_busy = False


def _who():
    """The running task, as its orchestrator names it, or nothing."""
    if "AIRFLOW_CTX_TASK_ID" in os.environ:
        return "airflow", os.environ["AIRFLOW_CTX_DAG_ID"], os.environ["AIRFLOW_CTX_TASK_ID"]
    if "LAB_CRON_SCRIPT" in os.environ:
        return "cron", os.environ["LAB_CRON_SCRIPT"], os.environ["LAB_CRON_SCRIPT"]
    dagster = sys.modules.get("dagster._core.execution.context.compute")
    context = dagster.current_execution_context.get() if dagster else None
    if context is not None:
        context = getattr(context, "op_execution_context", context)
        if context.has_assets_def:
            return "dagster", context.job_name, "/".join(context.asset_key.path)
        return "dagster", context.job_name, str(context.op_handle)
    prefect = sys.modules.get("prefect.context")
    flow = prefect.FlowRunContext.get() if prefect else None
    if flow is not None and flow.flow_run is not None:
        task = prefect.TaskRunContext.get()
        name = task.task.name if task else flow.flow.name
        return "prefect", f"{flow.flow.name}|{flow.flow_run.deployment_id}", name
    return None


def _record(access, kind, name):
    who = _who()
    if who is None or (who, access, name) in _seen:
        return
    _seen.add((who, access, name))
    orchestrator, pipeline, task = who
    line = {
        "orchestrator": orchestrator,
        "pipeline": pipeline,
        "task": task,
        "access": access,
        "kind": kind,
        "name": name,
        "at_s": time.time(),
        "pid": os.getpid(),
    }
    _append(_AUDIT, line)


def _append(path, line):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, (json.dumps(line) + "\n").encode())
    finally:
        os.close(fd)


def _watch(connection):
    """Note what statements may touch when they are compiled; write it down when they run."""
    reads, writes, bare = set(), set(), set()

    def authorize(action, first, _second, schema, _inside):
        if schema != "temp" and first and not first.startswith("sqlite_"):
            if action == sqlite3.SQLITE_READ:
                # Of what no column is used, only the words of the statement are told.
                (reads if schema else bare).add(f"{schema}.{first}" if schema else first)
            elif action in _WRITES or action in _CREATES:
                writes.add(f"{schema}.{first}")
        return sqlite3.SQLITE_OK

    def runs(statement):
        for name in bare:
            reads.update(_quietly(_tables_called, name, statement) or ())
        # What a statement changes it also looks through; that is no read of its own.
        seen = [("read", name) for name in reads - writes] + [("write", name) for name in writes]
        for names in (reads, writes, bare):
            names.clear()
        for access, name in seen:
            _quietly(_record, access, "table", name)

    connection.set_authorizer(authorize)
    connection.set_trace_callback(runs)


def _tables_called(name, statement):
    """The table that a bare name means, unless the statement itself defines the name."""
    if re.search(rf"(?i)\b{re.escape(name)}\s*(\([^)]*\)\s*)?AS\s[\s\w]*\(", statement):
        return []
    main = Path(_WAREHOUSE)
    for file in (main, *_schemas()):
        plain = _connect(f"file:{file}?mode=ro", uri=True)
        try:
            query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
            if plain.execute(query, (name,)).fetchone()[0]:
                return [f"{'main' if file == main else file.stem}.{name}"]
        finally:
            plain.close()
    return []


def _schemas():
    main = Path(_WAREHOUSE)
    return [file for file in sorted(main.parent.glob("*.db")) if file.stem != main.stem]


def _open_warehouse(connection):
    connection.execute("PRAGMA busy_timeout = 30000")
    for file in _schemas():
        connection.execute(f"ATTACH DATABASE '{file}' AS {file.stem}")
    for line in Path(_VIEWS).read_text().splitlines():
        view = json.loads(line)
        schema, _, name = view["name"].partition(".")
        if schema == "main":  # SQLite keeps no view over several schemas, so it is made anew
            connection.execute(f"CREATE TEMP VIEW {name} AS {view['sql']}")
    connection.commit()
    _watch(connection)


def _is_warehouse(database):
    path = os.fsdecode(database)
    if path.startswith("file:"):
        path = path[5:].partition("?")[0]
    return os.path.realpath(path) == os.path.realpath(_WAREHOUSE)


def connect(database, *args, **kwargs):
    """`sqlite3.connect`, except that the warehouse is watched."""
    if not _quietly(_is_warehouse, database):
        return _connect(database, *args, **kwargs)
    if len(args) < 6:
        kwargs["cached_statements"] = 0  # a cached statement is not compiled again
    connection = _connect(database, *args, **kwargs)
    _open_warehouse(connection)
    return connection


def _hook(event, args):
    global _busy
    if event != "open" or _busy or not isinstance(args[0], str | bytes):
        return
    path = os.fsdecode(args[0])
    if _LAKE_NAME not in path:
        return
    _busy = True
    try:
        _quietly(_file, path, args[1], args[2])
    finally:
        _busy = False


def _file(path, mode, flags):
    path = os.path.abspath(path)
    if not path.startswith(_LAKE + os.sep) or os.path.isdir(path):
        return
    writes = any(c in mode for c in "wax+") if mode else bool(flags & _WRITE_FLAGS)
    reads = "r" in mode if mode else not flags & os.O_WRONLY
    name = os.path.relpath(path, os.path.dirname(_LAKE))
    if reads:
        _record("read", "file", name)
    if writes:
        _record("write", "file", name)


class _Drivers:
    """Finds PostgreSQL's drivers as Python does, and has their connections named."""

    def find_spec(self, name, path=None, target=None):
        if name not in ("psycopg", "psycopg2"):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            _quietly(_watch_driver, module)

        spec.loader.exec_module = exec_module
        return spec


def _watch_driver(module):
    if module.__name__ == "psycopg2":
        module.connect = _named(module.connect)
        return
    cls = module.Connection
    cls.connect = classmethod(_named(cls.connect.__func__))
    module.connect = cls.connect


def _named(connect_):
    def connect(*args, **kwargs):
        name = _quietly(_connection_name)
        if name:
            kwargs["application_name"] = name
        return connect_(*args, **kwargs)

    return connect


def _connection_name():
    """A short name of the running task: PostgreSQL keeps 63 characters of one."""
    who = _who()
    if who is None:
        return None
    name = sha256("\n".join(who).encode()).hexdigest()[:32]
    if name not in _seen:
        keys = ("name", "orchestrator", "pipeline", "task")
        _append(_CONNECTIONS, dict(zip(keys, (name, *who), strict=True)))
        _seen.add(name)
    return name


def _quietly(function, *args):
    """A fault of the audit is noted beside the audit and never reaches the pipeline."""
    try:
        return function(*args)
    except Exception as error:  # noqa: BLE001  the host process has to go on whatever this is
        with open(_AUDIT + ".errors", "a") as errors:
            errors.write(f"{function.__name__}{args}: {error!r}\n")
        return None


if _AUDIT and _LAKE:
    sys.addaudithook(_hook)
    if _WAREHOUSE:
        sqlite3.connect = sqlite3.dbapi2.connect = connect
    if _CONNECTIONS:
        from hashlib import sha256
        from importlib.machinery import PathFinder

        sys.meta_path.insert(0, _Drivers())

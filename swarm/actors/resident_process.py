"""The process in which a slot's calls run: it imports a function once and calls it again and again.

Standard library only, beside what the functions import; started by `slot_resident.py`. Over the
socket come lines of JSON: `{"path", "args", "output", "marks", "context"}` is a call of a function.
Back goes what it returned (`{"result": JSON text}`) or why there is nothing (`{"error": text}`),
with the CPU and the memory it took. `last`: it left threads behind, so this process ends with it.
`stale`: the function's package has changed on disk; nothing was called, a new process has to.
"""

import functools
import importlib
import inspect
import json
import os
import resource
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from swarm.actors.printing import open_output
from swarm.agents import Context

RESULT_MAX_BYTES = 256 * 1024
_DETAIL_LINES = 3  # of a traceback, in the detail; all of it is in the output
_DETAIL_CHARACTERS = 1_000


class NotCallable(Exception):
    """There is no such function; says what was tried."""


def main() -> None:
    """`... FD`: call until the other end is closed."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a real file
    with socket.socket(fileno=int(sys.argv[1])) as control:
        _serve(control)


def found(path: str) -> Callable[..., Any]:
    """The function at `package.module:function`. Raises `NotCallable`."""
    module, _, name = path.partition(":")
    try:
        if module not in sys.modules:
            importlib.invalidate_caches()  # it may have been written a moment ago
        target: Any = importlib.import_module(module)
    except BaseException as error:  # what a module does when imported is its own
        tried = f"{module} cannot be imported: {_last_line(error)}"
        where = ", ".join(place or "." for place in sys.path)
        raise NotCallable(f"{tried}; looked in {where}") from error
    for part in name.split("."):
        target = getattr(target, part, None)
    if not callable(target):
        at = getattr(sys.modules[module], "__file__", "no file")
        raise NotCallable(f"{module} ({at}) has no function {name}")
    called: Callable[..., Any] = target
    return called


def called(function: Callable[..., Any], args: dict[str, Any], context: Context) -> dict[str, Any]:
    """What the function returned, as JSON text, or why there is nothing; a traceback is printed."""
    try:
        if "context" not in args and _takes_context(function):
            args = args | {"context": context}
        value = function(**args)
        if inspect.iscoroutine(value):
            import asyncio

            value = asyncio.run(value)
    except BaseException as error:  # noqa: BLE001  # a call that exits must not end its process
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        lines = traceback.format_exception(type(error), error, trace)
        print("".join(lines), end="", file=sys.stderr)  # noqa: T201
        last = "".join(lines).rstrip().split("\n")[-_DETAIL_LINES:]
        return {"error": "\n".join(last)[-_DETAIL_CHARACTERS:]}
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return {"error": f"its result is not JSON: {error}"}
    if len(text) > RESULT_MAX_BYTES:
        return {
            "error": f"its result has {len(text)} bytes and may have {RESULT_MAX_BYTES}; "
            "write it to a store and return its place"
        }
    return {"result": text}


class Modules:
    """The files of the packages that were called, as they were when they were imported."""

    def __init__(self) -> None:
        self._seen = 0  # modules, when they were last looked at
        self._packages: set[str] = set()
        self._changed_ns: dict[str, int] = {}

    def note(self, path: str) -> None:
        package = path.partition(":")[0].partition(".")[0]
        if package in self._packages and len(sys.modules) == self._seen:
            return
        self._packages.add(package)
        self._seen = len(sys.modules)
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name.partition(".")[0] in self._packages and file and file not in self._changed_ns:
                self._changed_ns[file] = _changed_ns(file)

    def stale(self) -> bool:
        return any(_changed_ns(file) != was for file, was in self._changed_ns.items())


def _serve(control: socket.socket) -> None:
    modules = Modules()
    for line in control.makefile("rb"):
        call = json.loads(line)
        if modules.stale():
            _say(control, {"stale": True})
            return
        answer = _answer(call, modules)
        last = threading.active_count() > 1
        _say(control, answer | {"last": last or "fault" in answer})
        if last:
            os._exit(0)  # its threads would hold up an orderly exit


def _answer(call: dict[str, Any], modules: Modules) -> dict[str, Any]:
    began_s = time.process_time()
    before = {name: os.environ.get(name) for name in call["marks"]}
    os.environ.update(call["marks"])
    output = _Output(call["output"])
    try:
        with output:
            try:
                function = found(call["path"])
            except NotCallable as error:
                answer = {"error": str(error)}
            else:
                modules.note(call["path"])
                answer = called(function, call["args"], Context(**call["context"]))
    except OSError as error:
        answer = {"error": f"its output could not be written: {error.strerror}", "fault": "disk"}
    finally:
        _put_back(before)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return answer | {
        "silent": output.silent,
        "cpu_s": time.process_time() - began_s,
        "peak_memory_bytes": usage.ru_maxrss * 1024,
    }


def _put_back(before: dict[str, str | None]) -> None:
    """The next call may have no such mark; the pass of this one is none of its business."""
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _Output:
    """Everything this process prints in its block, and what it starts, goes to the file `path`. If
    that is nothing, it is `silent` and there is no file: shipping it costs more than a call."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.silent = False

    def __enter__(self) -> None:
        with open_output(self._path) as file:
            _redirect(file.fileno())

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fstat(1).st_size == 0:
            os.unlink(self._path)  # while it is locked, nobody takes it for whole
            self.silent = True
        with open(os.devnull, "wb") as nowhere:
            _redirect(nowhere.fileno())


def _redirect(descriptor: int) -> None:
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


@functools.lru_cache
def _takes_context(function: Callable[..., Any]) -> bool:
    try:
        return "context" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a built-in one without a signature
        return False


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()


def _changed_ns(file: str) -> int:
    try:
        return os.stat(file).st_mtime_ns
    except OSError:
        return 0


def _say(control: socket.socket, what: dict[str, Any]) -> None:
    control.sendall(json.dumps(what).encode() + b"\n")

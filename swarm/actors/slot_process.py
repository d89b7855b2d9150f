"""The process around one task: starts it, watches it, and leaves nothing of it behind.

Standard library only; started by `slot.py` with `CONTROL_FD FENCE_S` as its arguments. It is
single-threaded and the subreaper of its tree (prctl(2)), so whatever a task forks, double forks
or moves into a session of its own stays below this process and can be found and ended.

Over the control socket come lines of JSON: `{"run": {...}}` starts a program, `{"call": {...}}` has
a function called in the resident process, `{"hold": {...}}` starts one that works on `{"item":
{...}}` until its end, `{"kill": null}` ends what runs, `{"beat": null}` says that the worker is in
contact. Back go `{"started": {...}}`, but for a call that ends at once, and `{"ended": {...}}`. The
worker's death closes the socket, however it died: then everything ends.
So it does when no beat came for FENCE_S seconds, which also covers a worker that stands still.
"""

import contextlib
import ctypes
import json
import math
import os
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import Any

from swarm.actors.printing import open_output
from swarm.actors.process_tree import (
    descendants,
    end_descendants,
    kill,
    kills_for_memory,
    memory_bytes,
)
from swarm.actors.slot_resident import Resident

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PART_BYTES = 1 << 18
_LOOK_S = 0.1  # how often memory and the fence are looked at
_AT_ONCE_S = 0.02  # a call that ends sooner has one word, not two: each of them wakes its worker
_KILLS_S = 1.0  # so long ago is known well enough how many the kernel has killed
_NICE = 5  # a task leaves a core to whatever keeps it: its worker, the beats, the dispatcher
_SEARCH_SHARE = 0.01  # of a core, for finding what the task has forked
_libc = ctypes.CDLL(None, use_errno=True)


class Slot:
    """At most one program or call at a time. The resident process stays from call to call; it ends
    before a program runs, so that what it holds in memory is nobody else's."""

    def __init__(self, control: socket.socket, fence_s: float) -> None:
        self._control = control
        self._begun = b""  # a line of which the rest has not arrived
        self._fence_s = fence_s
        self._beat_s = time.monotonic()
        self._ready = selectors.DefaultSelector()
        self._child: subprocess.Popen[bytes] | None = None  # it works
        self._resident: Resident | None = None  # at work too while it is the child
        self._home: dict[str, Any] = {}
        self._holding = False  # it works on items until its end
        self._items = 0  # that it has not answered yet
        self._limits: dict[str, Any] = {}
        self._deadline_s: float | None = None
        self._tell_s: float | None = None  # when it is told that the call has started
        self._look_s = 0.0
        self._family: list[int] = []  # the task's processes, as far as they are known
        self._search_s = 0.0
        self._peak_bytes = 0
        self._kills = 0  # of the kernel for want of memory, before the task
        self._kills_s = -math.inf  # when that was read
        self._why = ""

    def serve(self) -> None:
        """Until the worker is gone or must be taken for gone."""
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        # Should this slot stand still when its worker dies, it goes on then, and ends its task.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGCONT, 0, 0, 0)
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(wake_write)
        ready = self._ready
        ready.register(self._control, selectors.EVENT_READ)
        ready.register(wake_read, selectors.EVENT_READ)
        self._control.setblocking(True)
        try:
            while True:
                busy = self._child is not None
                for key, _ in ready.select(self._patience_s()):
                    if key.fileobj is self._control:
                        if not self._listen():
                            return
                    elif key.fileobj == wake_read:
                        os.read(wake_read, 4096)  # before the look: who ends then wakes us again
                        self._reap()
                    else:
                        self._hear()
                self._look()
                idle = self._holding and not self._items
                if busy and not idle and time.monotonic() - self._beat_s > self._fence_s:
                    return
        finally:
            end_descendants()
            self._remove_files()

    def _patience_s(self) -> float | None:
        """After how long something has to be looked at, if nothing happens."""
        if self._child is None:
            return None
        if self._tell_s is None:
            return _LOOK_S
        return max(0.0, self._tell_s - time.monotonic())

    def _listen(self) -> bool:
        """Do what has arrived, all of it: nothing tells of it again. False at the end of the
        conversation."""
        try:
            part = self._control.recv(_PART_BYTES)
        except ConnectionError:
            part = b""
        *lines, self._begun = (self._begun + part).split(b"\n")
        for line in lines:
            self._obey(line)
        return bool(part)

    def _obey(self, line: bytes) -> None:
        ((word, what),) = json.loads(line).items()
        self._beat_s = time.monotonic()
        if word == "run":
            self._run(what)
        elif word == "call":
            self._call(what)
        elif word == "hold":
            self._call(what)
            self._holding = True
        elif word == "item" and self._resident is not None:
            self._items += 1
            with contextlib.suppress(OSError):  # its death is told anyway
                self._resident.send(what)
        elif word == "kill" and self._child is not None:
            self._end("killed")

    def _limit(self, what: dict[str, Any]) -> None:
        self._holding, self._items = False, 0
        self._limits, self._peak_bytes, self._why = what, 0, ""
        now_s, timeout_s = time.monotonic(), what.get("timeout_s")
        if now_s - self._kills_s > _KILLS_S:
            self._kills, self._kills_s = kills_for_memory(), now_s
        self._deadline_s = None if timeout_s is None else now_s + timeout_s

    def _run(self, what: dict[str, Any]) -> None:
        self._end_resident()
        self._limit(what)
        try:
            with open_output(what["output"]) as output:
                self._child = subprocess.Popen(
                    what["argv"],
                    env=what["env"],
                    cwd=what["cwd"] or None,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_begin_task,  # this process has one thread
                )
        except OSError as error:
            self._remove_files()
            self._say("ended", {"error": f"{what['argv'][0]}: {error.strerror}"})
            return
        self._began(self._child, tell_s=0.0)

    def _began(self, child: "subprocess.Popen[bytes]", tell_s: float) -> None:
        now_s = time.monotonic()
        self._child, self._family = child, [child.pid]
        self._look_s = self._search_s = now_s + _LOOK_S
        self._tell_s = now_s + tell_s
        if not tell_s:
            self._tell()

    def _tell(self) -> None:
        if self._child is not None and self._tell_s is not None:
            self._tell_s = None
            self._say("started", {"pid": self._child.pid})

    def _call(self, what: dict[str, Any]) -> None:
        """Have a function called, in the resident process if that suits, else in a new one. A call
        without a home has that of the last one."""
        what["home"] = self._home = what["home"] or self._home
        resident = self._resident
        if resident is not None and not resident.suits(what["home"], what.get("memory_bytes")):
            self._end_resident()
        self._limit(what)
        try:
            self._began(self._asked().process, tell_s=_AT_ONCE_S if "request" in what else 0.0)
        except OSError as error:
            self._end_resident()
            self._remove_files()
            program = what["home"]["argv"][0]
            self._say("ended", {"error": f"{program}: no call could begin: {error}"})

    def _asked(self) -> Resident:
        """The resident process, which has the call. Raises `OSError`."""
        if self._resident is None:
            what = self._limits
            self._resident = Resident(what["home"], what["output"], _begin_task)
            self._ready.register(self._resident.socket, selectors.EVENT_READ)
        if "request" in self._limits:
            self._resident.send(self._limits["request"])
        return self._resident

    def _hear(self) -> None:
        """What the resident process says: its call has come to an end."""
        if self._resident is None:
            return
        for answer in self._resident.answers():
            if self._holding:
                self._items -= "id" in answer
                self._say("item", answer)
                continue
            if answer.get("stale"):
                self._end_resident()
                self._child = self._asked().process
                return
            if self._child is not None:
                self._returned(self._resident, answer)
                return
        if self._resident.closed:  # that it is gone is told by its exit
            with contextlib.suppress(KeyError):
                self._ready.unregister(self._resident.socket)

    def _returned(self, resident: Resident, answer: dict[str, Any]) -> None:
        self._child = None
        if answer.pop("last") or resident.left_something():
            self._end_resident()
        self._remove_files()
        answer.pop("fault", None)
        self._say("ended", answer | {"exit_code": 0 if "result" in answer else None})

    def _end_resident(self) -> None:
        """And whatever is below it."""
        if self._resident is None:
            return
        with contextlib.suppress(KeyError):
            self._ready.unregister(self._resident.socket)
        self._resident.close()
        self._resident = None
        end_descendants()

    def _reap(self) -> None:
        """Collect every child that ended, the task's own and those it left to us."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self._resident is not None and pid == self._resident.pid:
                self._hear()  # its last word counts, if it is one
            if self._child is not None and pid == self._child.pid:
                self._ended(self._report(status, usage))

    def _ended(self, report: dict[str, Any]) -> None:
        self._child = None
        end_descendants()
        self._remove_files()
        if self._resident is not None:
            self._end_resident()
            if report["exit_code"] == 0:
                report["error"] = "its process ended before it returned, with exit code 0"
        self._say("ended", report)

    def _report(self, status: int, usage: resource.struct_rusage) -> dict[str, Any]:
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL and kills_for_memory() > self._kills:
            self._why = self._why or "out_of_memory"  # as far as one can tell from outside
            self._kills_s = -math.inf
        return {
            "exit_code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "why": self._why,
            "peak_memory_bytes": max(self._peak_bytes, usage.ru_maxrss * 1024),
            "cpu_s": usage.ru_utime + usage.ru_stime,
        }

    def _look(self) -> None:
        """End a task that uses too much memory or time."""
        if self._child is None:
            return
        now_s = time.monotonic()
        if self._tell_s is not None and now_s >= self._tell_s:
            self._tell()
        if now_s < self._look_s:
            return
        self._look_s = now_s + _LOOK_S
        if now_s >= self._search_s:
            self._search()
        most = self._limits.get("memory_bytes") or sys.maxsize
        uses_bytes = memory_bytes(self._family, most)
        self._peak_bytes = max(self._peak_bytes, uses_bytes)
        if uses_bytes > most:
            self._end("out_of_memory")
        elif self._deadline_s is not None and now_s > self._deadline_s:
            self._end("timeout")

    def _remove_files(self) -> None:
        if self._limits.get("files"):
            shutil.rmtree(self._limits["files"], ignore_errors=True)

    def _search(self) -> None:
        """Find the task's processes, as often as that stays cheap beside many other slots."""
        began_s = time.process_time()
        self._family = descendants()
        took_s = time.process_time() - began_s
        self._search_s = time.monotonic() + took_s / _SEARCH_SHARE

    def _end(self, why: str) -> None:
        self._why = self._why or why
        for pid in descendants():
            kill(pid)

    def _say(self, word: str, what: dict[str, Any]) -> None:
        try:
            self._control.sendall(json.dumps({word: what}).encode() + b"\n")
        except OSError:
            return  # the worker is gone; the next read says so


def _begin_task() -> None:
    """In the new process: should this slot be killed, the kernel kills the task at once. Should the
    machine's memory run out, it kills the task before anything of swarm."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.nice(_NICE)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def main() -> None:
    """`... CONTROL_FD FENCE_S`."""
    descriptor, fence_s = int(sys.argv[1]), float(sys.argv[2])
    with socket.socket(fileno=descriptor) as control:
        Slot(control, fence_s).serve()

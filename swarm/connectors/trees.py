"""Reads SQL texts by their syntax trees in processes of their own, which may be killed.

Texts come from other people, and sqlglot needs exponential time for some short ones. A text that
takes over 2 s of CPU, too much memory, or the process with it is `too_slow`, and the rest goes
on. CPU time and not the clock decides, so that a busy machine finds what an idle one finds.

Plain pipes, because `multiprocessing` would import the main module again, which in a Ray worker
is Ray's own, and `fork` does not go with threads.
"""

import atexit
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection

from swarm.lineage.text import Parameters, Where
from swarm.model.lineage import Extraction, Unresolved, UnresolvedReason

CPU_S = 2.0
MEMORY_BYTES = 2 << 30
_WALL_S = 30.0  # the process does not even get its CPU time: it is stopped, or the machine is
_START_S = 60.0
_TEXTS_PER_PROCESS = 5_000  # then a new one, whatever the old one has lost


class Trees:
    """At most `processes` at a time, started when they are needed. Safe to use from threads."""

    def __init__(
        self,
        processes: int = os.cpu_count() or 1,
        cpu_s: float = CPU_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._cpu_s, self._memory_bytes = cpu_s, memory_bytes
        self._free = threading.BoundedSemaphore(processes)
        self._idle: queue.SimpleQueue[_Process] = queue.SimpleQueue()

    def read(self, text: str, where: Where, parameters: Parameters) -> Extraction:
        """What `tree_extraction` says of the text, or that it is too slow. Waits for its turn."""
        request = pickle.dumps((text, where, parameters))
        with self._free:
            answer = self._ask(request)
            if answer is None:  # perhaps what earlier texts left behind: once more, with a new one
                answer = self._ask(request, fresh=True)
        if isinstance(answer, Extraction):
            return answer
        detail = answer or "the process that reads it breaks down: too deep, or too much memory"
        problem = Unresolved("", UnresolvedReason.TOO_SLOW, ":1", detail)
        return Extraction(unresolved=(problem,), dialect=where[0], confidence=0.0)

    def _ask(self, request: bytes, *, fresh: bool = False) -> Extraction | str | None:
        """The answer, why there is none, or `None` if the process broke down."""
        process = None if fresh else self._waiting()
        process = process or _Process(self._cpu_s, self._memory_bytes)
        answer = None
        try:
            answer = process.ask(request)
        finally:
            if isinstance(answer, Extraction) and process.asked < _TEXTS_PER_PROCESS:
                self._idle.put(process)
            else:
                process.end()
        return answer

    def _waiting(self) -> "_Process | None":
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """End the processes that are idle; the next text starts a new one."""
        while (process := self._waiting()) is not None:
            process.end()


class _Process:
    """One reading process and its pipes."""

    def __init__(self, cpu_s: float, memory_bytes: int) -> None:
        self.asked = 0
        self._cpu_s = cpu_s
        program = (sys.executable, "-m", "swarm.connectors.tree_worker")
        self._process = subprocess.Popen(
            (*program, str(cpu_s), str(memory_bytes)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._answers = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()
        if not self._answers.poll(_START_S):
            self.end()
            raise RuntimeError("a process to read SQL does not start")
        self._answers.recv_bytes()

    def ask(self, request: bytes) -> Extraction | str | None:
        """As `Trees._ask`; without an answer the process is of no more use."""
        self.asked += 1
        try:
            self._requests.send_bytes(request)
            if not self._answers.poll(_WALL_S):
                return f"not read within {_WALL_S:g} s"
            answer: Extraction | None = pickle.loads(self._answers.recv_bytes())
        except (EOFError, OSError):
            is_slow = self._process.wait() == -signal.SIGPROF
            return f"takes over {self._cpu_s:g} s of CPU to read" if is_slow else None
        return answer

    def end(self) -> None:
        """Stop at once, and leave nothing behind."""
        self._requests.close()
        self._answers.close()
        self._process.kill()
        self._process.wait()


TREES = Trees()
atexit.register(TREES.close)

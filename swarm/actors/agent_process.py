"""The process that holds an agent: one instance, whose `handle` is called in as many threads as it
has slots.

Standard library only, beside what the agent imports; started by `slot_resident.py` with the agent's
path. First goes `{"ready": {"capability", "slots"}}`, or `{"error"}` and nothing more. Then come
lines `{"id", "item", "context", "output"}`, and back goes what came of each, under its id.
"""

import io
import json
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TextIO

from swarm.actors.printing import open_output
from swarm.actors.resident_process import NotCallable, called, found
from swarm.agents import Agent, Context


def main() -> None:
    """`... PATH FD`: handle items until the other end is closed."""
    path = sys.argv[1]
    with socket.socket(fileno=int(sys.argv[2])) as control:
        said = threading.Lock()

        def say(what: dict[str, Any]) -> None:
            with said:
                control.sendall(json.dumps(what).encode() + b"\n")

        try:
            kind = found(path)
            agent = getattr(kind, "swarm_agent", None)
            if not isinstance(agent, Agent):
                raise NotCallable(f"{path} is no agent: decorate the class with `@swarm.agent`")
            instance: Any = kind()
        except Exception as error:
            say({"error": str(error) or repr(error)})
            raise
        printed = _Printed(sys.stdout)
        sys.stdout = sys.stderr = printed
        say({"ready": {"capability": agent.capability, "slots": agent.slots}})
        with ThreadPoolExecutor(agent.slots, "item") as threads:
            for line in control.makefile("rb"):
                threads.submit(_handle, instance, json.loads(line), printed, say)


def _handle(instance: Any, asked: dict[str, Any], printed: "_Printed", say: Any) -> None:
    began_s = time.thread_time()
    try:
        with open_output(asked["output"]) as file, io.TextIOWrapper(file) as text:
            printed.of_thread.file = text
            try:
                args = {"item": asked["item"]}
                answer = called(instance.handle, args, Context(**asked["context"]))
            finally:
                printed.of_thread.file = None
    except OSError as error:
        answer = {"error": f"its output could not be written: {error.strerror}"}
    say(answer | {"id": asked["id"], "cpu_s": time.thread_time() - began_s})


class _Printed(io.TextIOBase):
    """What a thread prints goes where its item's output is; all else to the agent's own."""

    def __init__(self, own: TextIO) -> None:
        self.of_thread = threading.local()
        self._own = own

    def _file(self) -> TextIO:
        file: TextIO | None = getattr(self.of_thread, "file", None)
        return file or self._own

    def write(self, text: str) -> int:
        file = self._file()
        count = file.write(text)
        if "\n" in text:
            file.flush()
        return count

    def flush(self) -> None:
        self._file().flush()

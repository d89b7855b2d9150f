"""A terminal with a command on it, as a person has one: what is shown, what is pressed."""

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator

from rich.cells import cell_len

# The command leads its session on the terminal, so that the terminal's signals come to it.
_LED = 'exec "$0" "$@" <"$TERMINAL" >"$TERMINAL" 2>&1'
_HOME = "\x1b[H"
_ORDERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE_S = 180.0
READ_BYTES = 65_536


class Terminal:
    """What `process` has written to it by now is `said`; `modes` are how it was before."""

    def __init__(
        self, ends: tuple[int, int], size: tuple[int, int], *argv: str, environ: dict[str, str]
    ) -> None:
        self.said = ""
        self._decoded = codecs.getincrementaldecoder("utf-8")().decode
        self._master, self._slave = ends
        self.resize(*size)
        self.modes = self.modes_now()
        unset = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        more = {"TERM": "xterm-256color", "TERMINAL": os.ttyname(self._slave)}
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", _LED, sys.executable, "-m", "swarm", *argv],
            env=kept | more | environ,
            start_new_session=True,
        )

    def modes_now(self) -> list[object]:
        return termios.tcgetattr(self._slave)

    def resize(self, columns: int, lines: int) -> None:
        self._columns, self._lines = columns, lines
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def frame(self) -> list[str]:
        """The lines of the last drawing of the screen, if it is whole and of its size."""
        _, *drawn = self.said.split(_HOME)
        lines = _ORDERS.sub("", drawn[-1]).splitlines() if drawn else []
        whole = len(lines) == self._lines and cell_len(lines[-1]) == self._columns
        return lines if whole else []

    def shows(self, look: Callable[[list[str]], bool]) -> list[str]:
        """The first drawing that is so."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (self.frame and look(self.frame)):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline_s, self.said.rpartition(_HOME)[2]
            self._read()
        return self.frame

    def ends(self) -> int:
        """With which code the command ends."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline_s, self.said
            self._read()
        while self._read():
            pass
        return code

    def _read(self) -> bool:
        """Whether there was something."""
        ready = select.select([self._master], (), (), 0.1)[0]
        if ready:
            self.said += self._decoded(os.read(self._master, READ_BYTES))
        return bool(ready)


@contextlib.contextmanager
def on_a_terminal(
    *argv: str, columns: int = 120, lines: int = 50, **environ: str
) -> Iterator[Terminal]:
    """`swarm ...` on a terminal of that size; it is ended where the block leaves it running."""
    master, slave = pty.openpty()
    terminal = Terminal((master, slave), (columns, lines), *argv, environ=environ)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(master)
        os.close(slave)

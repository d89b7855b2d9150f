"""How far something long is: a line at the foot of a terminal that goes when it is done.

It is drawn on stderr, so what is piped on is the data alone, and where stderr is no terminal either
nothing is said.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from swarm.cli.terminal import drawn_on, plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Course:
    """Something that takes long, as it goes on."""

    def say(self, line: str) -> None:
        """What is being done now; names in it may be those of others."""

    def reach(self, share: float) -> None:
        """So much of it is done, from 0 to 1."""


class _Drawn(Course):
    def __init__(self, bar: "Progress", task: "TaskID") -> None:
        self._bar, self._task = bar, task

    def say(self, line: str) -> None:
        self._bar.update(self._task, description=plain(line))

    def reach(self, share: float) -> None:
        self._bar.update(self._task, total=1.0, completed=share)


@contextlib.contextmanager
def progress(doing: str) -> Iterator[Course]:
    """In the block a person at a terminal sees what is being done and for how long already; how far
    it is, once somebody knows."""
    stream = drawn_on(sys.stderr)
    if not stream.isatty():
        yield Course()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(file=stream, highlight=False),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        yield _Drawn(bar, bar.add_task(plain(doing), total=None))

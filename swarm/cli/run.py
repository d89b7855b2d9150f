"""`swarm run`: a line of a crontab, or any program, as a run of a pipeline.

It must never eat a run: whatever swarm does or does not, the program is run. The one exception is
a pipeline's own policy, `at_latest: skip`, and swarm's living word for it.
"""

import contextlib
import math
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from swarm.cli.connection import ConfigOption
from swarm.errors import InputError

if TYPE_CHECKING:
    from swarm.cli.run_child import Signals
    from swarm.cli.run_reports import Reports, Swarm

_LOOK_S = 1.0
_LAST_WORD_S = 0.3
# Around its latest start swarm's word is waited for that a run is left out: so far apart may clocks
# be, and so long may that word take. Without it the run begins.
_CLOCKS_S, _WORD_S = 1.0, 10.0
_LEFT_OUT = os.EX_TEMPFAIL
_MINUTE_S = 60.0


def run(
    pipeline: Annotated[
        str,
        typer.Argument(help="What it is a run of: `ORCHESTRATOR/PIPELINE`, or one of `crontab`."),
    ],
    argv: Annotated[
        list[str], typer.Argument(metavar="-- PROGRAM...", help="What to run, after `--`.")
    ],
    path: ConfigOption = None,
) -> None:
    """Run a program as a run of a pipeline: `swarm run crontab/load -- python load.py`.

    Its start and end are told, later where swarm is down; while the pipeline is held it waits. It
    starts anyway where swarm has not answered within 2 s. Input, output, signals and exit code are
    the program's own; 75 where the pipeline's policy leaves out what is held until its latest
    start (`at_latest: skip`).
    """
    from swarm.cli.run_child import Signals
    from swarm.cli.run_reports import Reports

    orchestrator, _, name = (pipeline if "/" in pipeline else f"crontab/{pipeline}").partition("/")
    if not (orchestrator and name):
        raise InputError(f"{pipeline!r} names no pipeline: write ORCHESTRATOR/PIPELINE")
    signals = Signals()
    swarm = _reached(path)
    reports = Reports(_folder(), swarm)
    code = _Run(orchestrator, name, reports).run(signals, swarm, argv)
    with _said():
        reports.close(_LAST_WORD_S)
    raise typer.Exit(code)


class _Run:
    """One run, as it is told."""

    def __init__(self, orchestrator: str, name: str, reports: "Reports") -> None:
        self._key, self._orchestrator = f"{orchestrator}/{name}", orchestrator
        self._reports = reports
        self._came_s = came_s = time.time()
        self._told: dict[str, Any] = {
            "pipeline": name,
            "run_id": uuid.uuid4().hex,
            "scheduled_for_s": came_s - came_s % _MINUTE_S,  # cron starts with the minute
        }

    def run(self, signals: "Signals", swarm: "Swarm | None", argv: list[str]) -> int:
        if swarm is not None and (code := self._held_until(signals, swarm)):
            state = "skipped" if code == _LEFT_OUT else "cancelled"
            self._tell(state=state, ended_at_s=time.time())
            return code
        self._tell(state="running", started_at_s=time.time())
        code = signals.run(argv)
        state = "succeeded" if code == 0 else "failed"
        self._tell(state=state, ended_at_s=time.time(), exit_code=code)
        return code

    def _held_until(self, signals: "Signals", swarm: "Swarm") -> int:
        """Wait while the pipeline is held; 0 where the program is to be run then, else the exit
        code: it is left out, or a signal ended the wait."""
        why_before, left_out_s = "", math.inf
        while True:
            asked_s = time.monotonic()
            try:
                held = swarm.ask(f"holds/{quote(self._key, safe='')}?came_s={self._came_s}")
                why, for_s, left_s, is_left_out = _word(held, self._came_s)
            except (OSError, KeyError, TypeError, ValueError) as error:
                _say(f"{error}: it starts anyway")
                return 0
            if for_s > 0:
                left_out_s = asked_s + left_s
                self._say_held(why, why_before)
                why_before = why
            elif why_before and is_left_out:
                _say(f"{self._key} was held until its latest start: it is left out")
                return _LEFT_OUT
            elif not left_out_s - _CLOCKS_S <= asked_s < left_out_s + _WORD_S:
                return 0
            if by := signals.wait(min(for_s, _LOOK_S) if for_s > 0 else _LOOK_S):
                return 128 + by

    def _say_held(self, why: str, why_before: str) -> None:
        if not why_before:
            self._tell(state="queued")
        if why != why_before:
            _say(f"{self._key} is held: {why}")

    def _tell(self, **news: Any) -> None:
        self._told |= news
        with _said():
            self._reports.tell(self._orchestrator, self._told)


def _word(held: Any, came_s: float) -> tuple[str, float, float, bool]:
    """What swarm says of a hold to a run that came then: why, for how long, in how long it is left
    out, and that it is."""
    why, for_s = str(held["reason"]), float(held["for_s"])
    if came_s < float(held.get("from_s", 0.0)):
        for_s = 0.0  # the hold is for later ones
    left_s = held.get("left_out_in_s")
    return why, for_s, math.inf if left_s is None else float(left_s), held.get("left_out") is True


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """What goes wrong here is said, and stops nothing."""
    try:
        yield
    except OSError as error:
        _say(f"swarm is not told of it: {error}")


def _reached(path: Path | None) -> "Swarm | None":
    """The swarm of `SWARM_URL`, else of the settings, whose reading takes longer."""
    from swarm.cli.run_reports import Swarm

    try:
        if url := os.environ.get("SWARM_URL"):
            return Swarm(url, Path(os.environ.get("SWARM_TOKEN_FILE", "")).read_text().strip())
        from swarm.cli.connection import reached
        from swarm.client import Unreachable
        from swarm.errors import ConfigError
    except OSError as error:
        _say(f"SWARM_TOKEN_FILE: {error}: it starts without swarm")
        return None
    try:
        return Swarm(*reached(path))
    except (OSError, Unreachable, ConfigError) as error:
        _say(f"{error} It starts without swarm.")
        return None


def _folder() -> Path:
    """Where reports wait for swarm."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state) / "swarm" / "runs"


def _say(text: str) -> None:
    sys.stderr.write(f"swarm: {text}\n")

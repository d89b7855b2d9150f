"""`swarm top`: the state of everything in the terminal, drawn again and again."""

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import PATIENT_S, ConfigOption, connected
from swarm.cli.output import name_of
from swarm.cli.terminal import drawn_on, plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

    from swarm.client import Client
    from swarm.client.calls.health import Status
    from swarm.client.calls.slas import Sla
    from swarm.client.calls.tasks import Worker

_SHOWN = 12


def top(
    every_s: Annotated[
        float, typer.Option("--every", min=0.2, help="Seconds between two looks.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    path: ConfigOption = None,
) -> None:
    """Watch SLAs, holds, failing pipelines and workers until `q` is pressed; where no terminal is,
    look once."""
    from rich.console import Console

    console = Console(highlight=False, file=drawn_on(sys.stdout))
    with connected(path, retry_for_s=0.0 if once else PATIENT_S) as swarm:
        if once or not console.is_terminal:
            console.print(_look(swarm))
            return
        try:
            _watch(swarm, console, every_s)
        except KeyboardInterrupt:
            return


def _watch(swarm: "Client", console: "Console", every_s: float) -> None:
    from rich.live import Live

    from swarm.cli.keyboard import GONE, RESIZED, watched

    live = Live(_look(swarm), console=console, screen=True, auto_refresh=False)
    with watched(sys.stdin) as wait:
        try:  # not `with live`: the first drawing may be interrupted, too
            live.start(refresh=True)
            next_s = time.monotonic() + every_s
            while True:
                told = wait(max(0.0, next_s - time.monotonic()))
                if told == RESIZED:
                    live.refresh()
                elif told is None:
                    live.update(_look(swarm), refresh=True)
                    next_s = time.monotonic() + every_s
                elif told == GONE or "q" in told.lower():
                    return
        finally:
            live.stop()


@dataclass(frozen=True)
class _Screen:
    """What was seen, drawn within the size of the terminal of that moment."""

    sentence: str
    parts: Sequence[tuple[str, Sequence[str]]]

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterable[Text]":
        from rich.text import Text

        head = Text(self.sentence, "bold")
        yield head
        shown = _SHOWN
        if console.is_alt_screen:
            lines = options.size.height - len(head.wrap(console, options.max_width))
            shown = _room([len(rows) for _, rows in self.parts], lines)
        for title, rows in self.parts:
            yield Text(f"\n{title} ({len(rows)})", "dim", no_wrap=True, overflow="ellipsis")
            for row in rows[:shown]:
                yield Text(plain(row), no_wrap=True, overflow="ellipsis")
            if 0 < shown < len(rows):
                yield Text(f"and {len(rows) - shown} more", "dim")


def _room(counts: Sequence[int], lines: int) -> int:
    """How many rows of each part are shown, so that no part is off the screen for the rows of
    another one. With none, its title still says how many there are."""
    for shown in range(_SHOWN, 0, -1):
        if sum(2 + min(count, shown) + (count > shown) for count in counts) <= lines:
            return shown
    return 0


def _look(swarm: "Client") -> _Screen:
    now = swarm.status()
    slas = [one for one in swarm.slas() if one["standing"] in ("at_risk", "missed")]
    held = [one for one in swarm.decisions() if one["act"] == "hold"]
    failed = [one for one in swarm.runs(newest=True) if one["state"] == "failed"]
    return _Screen(
        time.strftime("%H:%M:%S  ") + _sentence(now, slas),
        (
            ("At risk", [f"{one['chance']:4.0%}  {one['name']}{_cause(one)}" for one in slas]),
            (
                "Held",
                [
                    f"{one['pipeline']}  until {_clock(one['until_s'])}  {one['reason']}"
                    for one in held
                ],
            ),
            ("Failing", [f"{name_of(one['pipeline'])}  {one['run_id']}" for one in failed]),
            ("Workers", [_worker(one) for one in swarm.workers()]),
            (
                "Sources",
                [f"{one['source']}  {one['state']}  {one['message']}" for one in now["connectors"]],
            ),
        ),
    )


def _sentence(now: "Status", slas: "list[Sla]") -> str:
    pipelines = sum(now["pipelines"].values())
    risk = f"{len(slas)} SLAs at risk or missed" if slas else "On track"
    implicit, found = now["undeclared"], now["findings"]
    return f"{risk}. {pipelines} pipelines, {implicit} implicit dependencies, {found} findings open"


def _cause(sla: "Sla") -> str:
    due = f"  due {_clock(sla['deadline_s'])}"
    return f"{due}, waits for {sla['late']}" if sla["late"] else due


def _worker(worker: "Worker") -> str:
    state = "drains" if worker["draining"] else "works"
    return f"{worker['worker']}  {state}  {len(worker['holds'])} of {worker['slots']} slots"


def _clock(at_s: float) -> str:
    return time.strftime("%H:%M", time.localtime(at_s))

"""`swarm top`: the state of everything in the terminal, drawn again and again."""

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import PATIENT_S, ConfigOption, connected
from swarm.cli.output import name_of
from swarm.cli.terminal import drawn_on, plain

if TYPE_CHECKING:
    from rich.console import Group

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
    """Watch SLAs, holds, failing pipelines and workers; where no terminal is, look once."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False, file=drawn_on(sys.stdout))
    with connected(path, retry_for_s=0.0 if once else PATIENT_S) as swarm:
        if once or not console.is_terminal:
            console.print(_screen(swarm))
            return
        try:
            with Live(_screen(swarm), console=console, screen=True, auto_refresh=False) as live:
                while True:
                    time.sleep(every_s)
                    live.update(_screen(swarm), refresh=True)
        except KeyboardInterrupt:
            return


def _screen(swarm: "Client") -> "Group":
    from rich.console import Group
    from rich.text import Text

    now = swarm.status()
    slas = [one for one in swarm.slas() if one["standing"] in ("at_risk", "missed")]
    held = [one for one in swarm.decisions() if one["act"] == "hold"]
    failed = [one for one in swarm.runs(newest=True) if one["state"] == "failed"]
    lines = [Text(time.strftime("%H:%M:%S  ") + _sentence(now, slas), "bold")]
    for title, rows in (
        ("At risk", [f"{one['chance']:4.0%}  {one['name']}{_cause(one)}" for one in slas]),
        (
            "Held",
            [f"{one['pipeline']}  until {_clock(one['until_s'])}  {one['reason']}" for one in held],
        ),
        ("Failing", [f"{name_of(one['pipeline'])}  {one['run_id']}" for one in failed]),
        ("Workers", [_worker(one) for one in swarm.workers()]),
        (
            "Sources",
            [f"{one['source']}  {one['state']}  {one['message']}" for one in now["connectors"]],
        ),
    ):
        lines.append(Text(f"\n{title} ({len(rows)})", "dim"))
        lines += [Text(plain(row), no_wrap=True, overflow="ellipsis") for row in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            lines.append(Text(f"and {len(rows) - _SHOWN} more", "dim"))
    return Group(*lines)


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

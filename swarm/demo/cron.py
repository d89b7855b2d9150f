"""A stand-in for the cron daemon: runs the lines of the lab's crontab once, one by one."""

import sys
from collections.abc import Mapping
from pathlib import Path

from swarm.demo.processes import Processes
from swarm.demo.progress import Progress


def install(folder: Path, crontab: str, programs: Mapping[str, str]) -> Path:
    """Write the crontab and the programs its lines use, given as lines of shell, beside a
    `python`; returns the crontab's path."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name, line in {"python": f'exec {sys.executable} "$@"', **programs}.items():
        _script(bin_folder / name, line)
    path = folder / "crontab"
    path.write_text(crontab.replace("{folder}", str(folder)))
    return path


def run_all(processes: Processes, crontab: Path, env: Mapping[str, str], progress: Progress) -> int:
    """Run every line to its end and return their number. Raises `LabError` with the output of
    the one that fails."""
    lines = commands(crontab.read_text())
    for done, command in enumerate(lines, start=1):
        name = script(command)
        own = {**env, "PATH": f"{crontab.parent}/bin:{env['PATH']}", "LAB_CRON_SCRIPT": name}
        own["PGAPPNAME"] = name  # psql's connections carry it
        processes.run(f"cron-{name}", ["/bin/sh", "-c", command], own, crontab.parent)
        progress.report("cron", done, len(lines))
    return len(lines)


def commands(crontab: str) -> list[str]:
    """The command of each line that is not a comment and not a variable."""
    lines = [line.strip() for line in crontab.splitlines()]
    fields = [line.split(maxsplit=5) for line in lines if line and not line.startswith("#")]
    return [found[5] for found in fields if len(found) == 6]


def script(command: str) -> str:
    """The name of a line's pipeline: its script without folder and ending."""
    return Path(command.split()[-1]).stem


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)

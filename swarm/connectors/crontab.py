"""A crontab: each line is a pipeline of one task, known by the name of the script it runs.

Scripts are read where they lie inside the folders of the `code` setting or beside the crontab, and
nowhere else. Without a `cd`, relative paths in a line are seen from the crontab's folder: in whose
home cron starts it is not known here. What a line runs and nobody can read is reported; a line
that is no crontab line is reported with its number and the rest is used.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.contexts import code_context, sql_context
from swarm.connectors.crontab_lines import BrokenLine, CronJob, parse_crontab
from swarm.connectors.files import Chunk, FileConnector, path_of, understanding
from swarm.connectors.programs import Command, Program, items_of
from swarm.errors import Unavailable
from swarm.lineage.code.jobs import Job
from swarm.lineage.code.shell import commands
from swarm.model.connectors import Item
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.pipelines import Inventory, Pipeline, Task
from swarm.sequencing.crons import cron

_JOBS_PER_CHUNK = 20
_MAX_SLUG = 60
_RUN = re.compile(r"\bswarm\s+run\s+(?:[^/\s]+/)?(\S+)\s+--\s")
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class _Crontab:
    """A crontab with the program files that its lines may run."""

    path: Path
    folders: CodeFolders
    settings: Settings

    def text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise Unavailable(f"{self.path}: cannot be read ({error.strerror}).") from None

    def lines(self) -> tuple[CronJob | BrokenLine, ...]:
        system = self.path.parent.name == "cron.d" or self.path == Path("/etc/crontab")
        return tuple(parse_crontab(self.text(), system=system))

    def state(self) -> str:
        """Changes with the lines, with any of the files and with how they are understood."""
        parts = (understanding(self.settings), self.text(), self.folders.state())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def connect(source: Source, settings: Settings) -> FileConnector:
    """The connector to the crontab at `source.path`. Raises `ConfigError`."""
    path = path_of(source)
    crontab = _Crontab(path, CodeFolders(settings.code, beside=path.parent), settings)

    def read(now_s: float) -> Iterator[Chunk]:
        return _chunks(crontab, source.instance, now_s)

    return FileConnector(source, crontab.state, read, SystemClock())


def _chunks(crontab: _Crontab, orchestrator: str, now_s: float) -> Iterator[Chunk]:
    """All jobs with what their programs touch. Raises `Unavailable`.

    The inventory is left out while a line is broken: the line may be a job that still exists.
    """
    path, lines = crontab.path, crontab.lines()
    files = crontab.folders.texts()
    jobs = [line for line in lines if isinstance(line, CronJob)]
    names = _names(jobs)
    chunk: list[Item] = []
    for job, name in zip(jobs, names, strict=True):
        key = PipelineKey(orchestrator, name)
        chunk.extend(_job_items(job, key, crontab, files, now_s))
        if job.number % _JOBS_PER_CHUNK == 0:
            yield tuple(chunk)
            chunk = []
    chunk.extend(crontab.folders.left_out(orchestrator))
    broken = [line for line in lines if isinstance(line, BrokenLine)]
    for line in broken:
        place = f"{path.name}:{line.number}"
        chunk.append(Unresolved(orchestrator, UnresolvedReason.MALFORMED, place, line.detail))
    if not broken:
        chunk.append(Inventory(orchestrator, tuple(names)))
    yield tuple(chunk)


def _job_items(
    job: CronJob, key: PipelineKey, crontab: _Crontab, files: Mapping[str, str], now_s: float
) -> Iterator[Item]:
    path, settings = crontab.path, crontab.settings
    task = TaskKey(key.orchestrator, key.name, key.name)
    place = f"{path.name}:{job.number}"
    told = cron(job.schedule, job.variables.get("CRON_TZ", ""))  # of whose place else is not told
    yield Pipeline(
        key=key,
        tasks=(Task(task, "cron"),),
        schedule=job.schedule,
        place=f"{path}:{job.number}",
        crons=(told,) if told else (),
    )
    context = replace(sql_context(settings, key.orchestrator).of(task), parameters=job.variables)
    command = Command(
        Job("", place, command=_script(job), folder=str(path.parent.resolve())),
        {**files, _input_file(job): job.stdin} if job.stdin else files,
        code_context(settings, context),
        checkouts=tuple(map(str, crontab.folders.folders)),
    )
    yield from items_of(Program(task, code=(command,)), now_s)


def _script(job: CronJob) -> str:
    """The command for a shell: variables put in, and what follows the `%` as a file it reads."""
    text = _REFERENCE.sub(
        lambda match: job.variables.get(match.group(1) or match.group(2), match.group(0)),
        job.command,
    )
    return f"{text} < {_input_file(job)}" if job.stdin else text


def _input_file(job: CronJob) -> str:
    return f"line-{job.number}-input.sql"


def _names(jobs: list[CronJob]) -> list[str]:
    """One name per job; equal ones get `#2`, `#3` in the order of the lines."""
    names: dict[str, None] = {}
    for job in jobs:
        name = base = _name(job)
        number = 1
        while name in names:
            number += 1
            name = f"{base}#{number}"
        names[name] = None
    return list(names)


def _name(job: CronJob) -> str:
    """What `swarm run` calls it, else the base name of the first script that is started, else words
    of the command."""
    if (run := _RUN.search(job.command)) is not None:
        return run.group(1)
    for command in commands(_script(job)):
        for started in (command.script, *command.sql_files):
            if started and started != _input_file(job):
                return PurePosixPath(started).stem
    slug = re.sub(r"[^a-z0-9]+", "-", job.command.lower()).strip("-")
    return slug[:_MAX_SLUG].rstrip("-") or "job"

"""A crontab: each line is a pipeline of one task, known by the name of the script it runs.

Scripts are read where they lie inside the folders of the `code` setting or beside the crontab, and
nowhere else. What a line runs and nobody can read is reported; a line that is no crontab line is
reported with its number and the rest is used.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.crontab_lines import BrokenLine, CronJob, parse_crontab
from swarm.connectors.files import Chunk, FileConnector, path_of, understanding
from swarm.connectors.programs import Command, Program, code_context, items_of, sql_context
from swarm.connectors.readable import ProgramFiles, program_files
from swarm.errors import Unavailable
from swarm.lineage.code_shell import commands
from swarm.model.journal import Item
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason
from swarm.model.pipelines import Inventory, Pipeline, Task

_JOBS_PER_CHUNK = 20
_MAX_SLUG = 60
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class _Crontab:
    lines: tuple[CronJob | BrokenLine, ...]
    files: ProgramFiles
    digest: str


def connect(source: Source, settings: Settings) -> FileConnector:
    """The connector to the crontab at `source.path`."""
    path = path_of(source)

    def read(now_s: float) -> Iterator[Chunk]:
        return read_crontab(path, source.instance, settings, now_s)

    return FileConnector(source, lambda: _load(path, settings).digest, read, SystemClock())


def read_crontab(
    path: Path, orchestrator: str, settings: Settings, now_s: float
) -> Iterator[Chunk]:
    """All jobs with what their programs touch, in chunks. Raises `Unavailable`.

    The inventory is left out while a line is broken: the line may be a job that still exists.
    """
    crontab = _load(path, settings)
    jobs = [line for line in crontab.lines if isinstance(line, CronJob)]
    names = _names(jobs)
    chunk: list[Item] = []
    for job, name in zip(jobs, names, strict=True):
        key = PipelineKey(orchestrator, name)
        chunk.extend(_job_items(job, key, path, crontab.files, settings, now_s))
        if job.number % _JOBS_PER_CHUNK == 0:
            yield tuple(chunk)
            chunk = []
    for left_out in crontab.files.left_out:
        chunk.append(Unresolved(orchestrator, UnresolvedReason.TOO_LARGE, left_out, "Not read."))
    broken = [line for line in crontab.lines if isinstance(line, BrokenLine)]
    for line in broken:
        place = f"{path.name}:{line.number}"
        chunk.append(Unresolved(orchestrator, UnresolvedReason.MALFORMED, place, line.detail))
    if not broken:
        chunk.append(Inventory(orchestrator, tuple(names)))
    yield tuple(chunk)


def _load(path: Path, settings: Settings) -> _Crontab:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read ({error.strerror}).") from None
    system = path.parent.name == "cron.d" or path == Path("/etc/crontab")
    files = program_files((*settings.code, path.parent))
    digest = hashlib.sha256(f"{understanding(settings)}\n{text}".encode())
    for name, source in files.texts.items():
        digest.update(f"\0{name}\0{source}".encode())
    return _Crontab(tuple(parse_crontab(text, system=system)), files, digest.hexdigest())


def _job_items(
    job: CronJob,
    key: PipelineKey,
    path: Path,
    files: ProgramFiles,
    settings: Settings,
    now_s: float,
) -> Iterator[Item]:
    task = TaskKey(key.orchestrator, key.name, key.name)
    place = f"{path.name}:{job.number}"
    yield Pipeline(
        key=key, tasks=(Task(task, "cron"),), schedule=job.schedule, place=f"{path}:{job.number}"
    )
    context = replace(sql_context(settings, key.orchestrator), parameters=job.variables)
    texts = {**files.texts, _input_file(job): job.stdin} if job.stdin else files.texts
    command = Command(place, _script(job), texts, code_context(settings, context))
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
    """The base name of the first script that is started, else words of the command."""
    for command in commands(_script(job)):
        for started in (command.script, *command.sql_files):
            if started and started != _input_file(job):
                return PurePosixPath(started).stem
    slug = re.sub(r"[^a-z0-9]+", "-", job.command.lower()).strip("-")
    return slug[:_MAX_SLUG].rstrip("-") or "job"

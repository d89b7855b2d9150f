"""What the files of a scheduler itself start: the actions of Oozie, the jobs of Azkaban."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Job:
    """One action: `words` of a command, or a `command` text, with what it finds around it.

    `reads` and `writes` are the URLs that the scheduler itself says are its data; `missing` says
    what of the action is not known. `folder` is where the command runs.
    """

    name: str
    place: str
    words: tuple[str, ...] = ()
    command: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    missing: str = ""
    folder: str = ""


def chosen(jobs: list[Job], task: str) -> tuple[Job, ...]:
    """The jobs that are `task`, by name; all, when none has that name."""
    named = [job for job in jobs if job.name.casefold() == task.casefold()]
    if not named:
        return tuple(jobs)
    return (*named, *(job for job in jobs if not job.name))


def line_of(text: str, name: str) -> int:
    """The line where an element of that name begins."""
    at = max(text.find(f'name="{name}"'), text.find(f"name='{name}'"), 0)
    return text.count("\n", 0, at) + 1

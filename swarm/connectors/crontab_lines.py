"""The lines of a crontab. Nothing is read or run here.

A line is five time fields or `@daily` and the like, in a system crontab the user, then the
command. `NAME=value` lines hold for the lines below them. In a command the first `%` that no
backslash precedes ends it; what follows is its input, in which further ones are line ends.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_NICKNAMES = frozenset(
    {"@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_VARIABLE = re.compile(r"^\s*([A-Za-z_]\w*|\"[^\"]+\"|'[^']+')\s*=\s*(.*)$")
_LOGIN = re.compile(r"^[a-z_][a-z0-9_-]*\$?$")
_USER_HEADER = re.compile(r"\bdow\s+user(-name)?\s+command\b")
# Words that start a command and are no login names, however much they look like one.
_PROGRAM = re.compile(
    r"^(python|pypy)[\d.]*$|^(sh|bash|dash|zsh|env|cd|test|nice|ionice|nohup|exec|sudo|timeout|flock"
    r"|psql|sqlite3|duckdb|mysql|bq|aws|dbt|spark-submit|uv|poetry|curl|wget|find|docker|make|echo"
    r"|rsync|cp|mv|rm|touch|date|sleep|cat|gzip|tar|chronic|php|perl|ruby|node|java)$"
)
_STEP = re.compile(r"^(\*|[^/]+)(?:/(\d+))?$")
_PERCENT = re.compile(r"(\\%)|%")


@dataclass(frozen=True, slots=True)
class CronJob:
    """A line that runs something; `stdin` is what the `%` hands to the command."""

    number: int
    schedule: str
    command: str
    stdin: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no job; `detail` tells what to do about it."""

    number: int
    detail: str


def parse_crontab(text: str, *, system: bool = False) -> Iterator[CronJob | BrokenLine]:
    """The jobs of a crontab in order; lines count from 1.

    `system`: the file is known to have a user field, as /etc/crontab has. Otherwise it is told by
    the usual header, or by a login name before the program in every line.
    """
    found: list[CronJob | BrokenLine] = []
    variables: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        plain = line.strip()
        if not plain or plain.startswith("#"):
            system = system or _USER_HEADER.search(plain) is not None
        elif match := _VARIABLE.match(line):
            variables = variables | {_unquoted(match.group(1)): _unquoted(match.group(2).strip())}
        else:
            found.append(_job(number, plain, variables))
    jobs = [line for line in found if isinstance(line, CronJob)]
    system = system or (bool(jobs) and all(_names_user(job.command) for job in jobs))
    for entry in found:
        yield _finished(entry, system) if isinstance(entry, CronJob) else entry


def _job(number: int, line: str, variables: Mapping[str, str]) -> CronJob | BrokenLine:
    if line.startswith("@"):
        schedule, _, command = line.partition(" ") if " " in line else line.partition("\t")
        if schedule not in _NICKNAMES:
            return BrokenLine(number, f"`{schedule}` is no schedule; use @daily or five fields.")
    else:
        words = line.split(None, len(_FIELDS))
        schedule, command = " ".join(words[:5]), " ".join(words[5:])
        for field, word in zip(_FIELDS, words, strict=False):
            if not _is_time(word, *field[1:]):
                detail = f"`{word[:50]}` is no {field[0]}; a line is five time fields, a command."
                return BrokenLine(number, detail)
    if not command.strip():
        return BrokenLine(number, "No command; a line is five time fields and a command.")
    return CronJob(number, schedule, command.strip(), "", variables)


def _is_time(text: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    for part in text.lower().split(","):
        match = _STEP.match(part)
        if match is None or match.group(2) == "0":
            return False
        if match.group(1) == "*":
            continue
        ends = match.group(1).split("-")
        values = [names.index(end) + low if end in names else _number(end) for end in ends]
        in_order = all(first <= second for first, second in pairwise(values))
        if len(values) > 2 or not in_order or not all(low <= value <= high for value in values):
            return False
    return True


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1


def _names_user(command: str) -> bool:
    words = command.split(None, 2)
    if len(words) < 2 or not _LOGIN.match(words[0]) or _PROGRAM.match(words[0]):
        return False
    return _PROGRAM.match(words[1]) is not None or words[1].startswith(("/", "[", "./"))


def _finished(job: CronJob, system: bool) -> CronJob | BrokenLine:
    """Without the user, and with `%` taken apart."""
    command = job.command
    if system:
        _, _, command = command.partition(" ")
        if not command.strip():
            return BrokenLine(job.number, "No command after the user; add it.")
    parts = [""]
    position = 0
    for match in _PERCENT.finditer(command):
        parts[-1] += command[position : match.start()]
        position = match.end()
        if match.group(1):
            parts[-1] += "%"
        else:
            parts.append("")
    parts[-1] += command[position:]
    return CronJob(job.number, job.schedule, parts[0].strip(), "\n".join(parts[1:]), job.variables)


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text

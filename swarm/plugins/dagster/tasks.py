"""How runs and steps of Dagster become tasks of swarm. Pure: values in, bodies of submissions out.

Tags of a job, run, op or asset say what swarm is asked for: `swarm/team`, `swarm/effects`
(`unsafe`, `idempotent`, `fenced`), `swarm/sla` (`critical`, `standard`, `backfill`), `swarm/pool`,
`swarm/cpu`, `swarm/memory_mb`, and `swarm/wait_for_capacity: "true"` where no worker that could run
it is known yet.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

TASK_TAG = "swarm/task"  # on a run: the task it runs as
# Of the environment of whoever hands in; all else is named in `env_vars`.
_INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "DAGSTER_HOME")
_BACKFILL_TAG = "dagster/backfill"
_PROGRAM = "swarm.plugins.dagster.process"
_ARGS, _TOKEN = "args.json", "token"
_NOT_IN_NAMES = re.compile(r"[^\w.@-]")
_ENDS = frozenset({"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"})
_RUN_TASK = re.compile(r"dagster:([^:]+):\d+")


@dataclass(frozen=True, slots=True)
class Access:
    """How swarm is reached, which variables of the environment go along, and what swarm's settings
    call this Dagster among their sources. The token is not shown."""

    url: str
    token: str
    env_vars: tuple[str, ...] = ()
    orchestrator: str = "dagster"

    def __repr__(self) -> str:
        return f"Access({self.url!r})"


@dataclass(frozen=True, slots=True)
class Job:
    """What is to run: `python` of the code's environment, and the arguments as Dagster packs
    them."""

    python: str
    args: str
    subject: str
    attempt: int
    name: str = ""  # of the job as a whole
    run: str = ""  # for a run that has not begun
    queue_wait_max_s: float = 0.0


class Next(Enum):
    """What is to be done with a run under a grant."""

    EXECUTE = "execute"
    RESUME = "resume"
    CANCEL = "cancel"
    NOTHING = "nothing"


class BadTag(ValueError):
    """A tag of swarm's that says nothing swarm understands."""


def owner_of(name: str) -> str:
    """Who follows the runs of one Dagster instance."""
    return "dagster:" + _NOT_IN_NAMES.sub("_", name)[:190]


def run_task(run_id: str, resumption: int) -> str:
    """The task of a run; another one each time Dagster itself has it resumed."""
    return f"dagster:{run_id}:{resumption}"


def run_of(task: str) -> str | None:
    """The run that a task is of; None when it is none of this plug-in."""
    found = _RUN_TASK.fullmatch(task)
    return found.group(1) if found else None


def step_task(run_id: str, step_key: str, retries: int) -> str:
    """The task of a step; another one for each of the step's own retries."""
    name = _NOT_IN_NAMES.sub("_", step_key)[:80]
    if name != step_key:
        name += "." + hashlib.sha256(step_key.encode()).hexdigest()[:8]
    return f"dagster:{run_id}:{name}:{retries}"


def task_body(
    task: str, kind: str, job: Job, tags: Mapping[str, str], access: Access, env: Mapping[str, str]
) -> dict[str, Any]:
    """The submission of a `kind` (`run` or `step`); `env` is the environment here. Raises
    `BadTag`."""
    names = (*_INHERITED, *access.env_vars)
    environ = {name: env[name] for name in names if name in env}
    environ["SWARM_URL"] = access.url
    environ["SWARM_ENV_VARS"] = ",".join(access.env_vars)
    environ["SWARM_ORCHESTRATOR"] = access.orchestrator
    return {
        "id": task,
        "subject": job.subject,
        "attempt": job.attempt,
        "argv": [job.python, "-m", _PROGRAM, kind, f"{{SWARM_FILES}}/{_ARGS}"],
        "files": {_ARGS: job.args} | ({_TOKEN: access.token} if kind == "run" else {}),
        "env": environ,
        "clean_env": True,
        "rearm": "self",
        "pipeline": f"{access.orchestrator}/{job.name}" if job.name else "",
        "run": job.run,
        "queue_wait_max_s": job.queue_wait_max_s,
        **({"sla": "backfill"} if _BACKFILL_TAG in tags else {}),
        **_asked(tags),
    }


def _asked(tags: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: tags[f"swarm/{name}"]
        for name in ("team", "effects", "sla", "pool")
        if tags.get(f"swarm/{name}")
    }
    if tags.get("swarm/wait_for_capacity", "").lower() == "true":
        found["wait_for_capacity"] = True
    for tag, name, unit in (("cpu", "cpu", 1), ("memory_mb", "memory_bytes", 2**20)):
        text = tags.get(f"swarm/{tag}")
        if not text:
            continue
        try:
            amount = float(text) * unit
        except ValueError:
            raise BadTag(f"The tag swarm/{tag} has to be a number, and is {text!r}.") from None
        found[name] = amount if unit == 1 else int(amount)
    return found


def next_step(status: str) -> Next:
    """What Dagster's status of a run means for a process that is to run it."""
    if status == "STARTED":
        return Next.RESUME
    if status == "CANCELING":
        return Next.CANCEL
    return Next.EXECUTE if status in ("NOT_STARTED", "STARTING") else Next.NOTHING


def has_ended(events: Iterable[tuple[str, str | None]], step_key: str, retries: int) -> bool:
    """Whether the log tells the end of this try of a step. `events` are (type, step key) in their
    order; a step that ended for a retry has told so once for each of its tries."""
    again = 0
    for kind, key in events:
        if key != step_key:
            continue
        if kind in _ENDS:
            return True
        again += kind == "STEP_UP_FOR_RETRY"
    return again > retries


class Ends:
    """Tells the first end of each try of a step from later ones. A step that is not `unsafe` may
    have been run by two workers at once, and Dagster fails a run whose step ends twice."""

    def __init__(self) -> None:
        self._ended: set[str] = set()
        self._to_retry: set[str] = set()

    def is_repeated(self, kind: str, step_key: str | None) -> bool:
        """Whether this event, the next one of the log, tells an end that was told before."""
        if step_key is None:
            return False
        if kind == "STEP_RESTARTED":
            self._to_retry.discard(step_key)
        elif kind in _ENDS or kind == "STEP_UP_FOR_RETRY":
            if step_key in self._ended or step_key in self._to_retry:
                return True
            (self._ended if kind in _ENDS else self._to_retry).add(step_key)
        return False


def python_of(executable: str | None, entry_point: Sequence[str] | None, default: str) -> str:
    """The interpreter of a code location, from what its origin tells."""
    if entry_point and len(entry_point) > 1 and list(entry_point[1:]) == ["-m", "dagster"]:
        return entry_point[0]
    return executable or default

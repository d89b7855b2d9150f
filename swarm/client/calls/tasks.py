"""Tasks that are handed in, the workers that run them, and agents."""

from typing import Any, TypedDict

from swarm.client.call import Answer, Call, Pages, get, nothing, part, post

LIVE = frozenset({"queued", "leased", "running", "lost"})
"""The states of a task that has not ended; every other one is its outcome."""


class FunctionCall(TypedDict, total=False):
    """`package.module:function`, and its arguments by name."""

    path: str
    args: dict[str, Any]


class NewTask(TypedDict, total=False):
    """A task to hand in: `argv`, a program; `call`, a function; or an `item` for an agent of a
    `capability`. What the others mean is in the API's description."""

    id: str | None
    team: str
    argv: list[str] | None
    call: FunctionCall | None
    item: Any
    env: dict[str, str]
    clean_env: bool
    files: dict[str, str]
    api: bool
    cwd: str
    cpu: float
    memory_bytes: int
    gpu: float
    timeout_s: float | None
    capability: str
    capacity: str | None
    pool: str
    wait_for_capacity: bool
    effects: str
    sla: str
    deadline_s: float | None
    expected_duration_s: float
    attempt: int
    subject: str
    owner: str
    rearm: str
    pipeline: str
    run: str
    queue_wait_max_s: float


class Task(TypedDict):
    """A task in a list. `state` is queued, leased, running, lost, or its outcome."""

    id: str
    team: str
    state: str
    submitted_at_s: float


class Line(TypedDict):
    """One thing that happened to a task."""

    at_s: float
    text: str


class TaskOutput(TypedDict):
    """Who printed an output. `is_copy`: the worker had the second copy of the grant, and ran it
    beside another. `leads`: of a grant's outputs it is the one that is told unless one is named."""

    grant: int
    worker: str
    is_copy: bool
    leads: bool


class TaskStory(Task):
    """`waiting` is why it does not run: a stable reason, and a line for people. `result` is what
    its call returned; old ones are forgotten. `outputs` are those it has, in the order in which
    they were begun."""

    grant: int
    worker: str | None
    outputs: list[TaskOutput]
    waiting: str | None
    waiting_text: str | None
    story: list[Line]
    result: Any


class Turn(TypedDict):
    """A team that waits; the smaller its share of the fleet, the sooner its turn."""

    team: str
    share: float
    waiting: int


class AtWorker(TypedDict):
    """What a worker lacks; empty: nothing but its turn."""

    worker: str
    lacks: str


class Side(TypedDict):
    """Spot or dedicated, proposed for a task that waits."""

    task: str
    capacity: str
    pools: list[str] | None
    why: str


class TaskExplanation(TypedDict):
    """Why a task does not run yet: its place in its team, the teams, each worker's reason."""

    id: str
    state: str
    waiting: str | None
    waiting_text: str | None
    before: int | None
    latest_start_s: float | None
    proposed: Side | None
    teams: list[Turn]
    workers: list[AtWorker]


class Worker(TypedDict):
    """A worker that lives, with what it holds."""

    worker: str
    node: str
    slots: int
    holds: list[str]
    cpu: float
    cpu_used: float
    capacity: str
    pool: str
    capabilities: list[str]
    draining: bool


def tasks(state: str | None = None) -> Pages[Task]:
    """The tasks that were handed in, newest first; `state` is `queued`, `leased`, `running`,
    `lost` or an outcome: `succeeded`, `failed`, `cancelled`, `parked`, `skipped`."""
    return Pages("tasks", {"state": state})


def task(id_: str, /) -> Call[TaskStory]:
    """One task: its state, why it waits if it does, its story, and the `result` of its call."""
    return get(f"tasks/{part(id_)}")


def explain_task(task: str) -> Call[TaskExplanation]:
    """Why a task does not run yet: its place, the teams that wait, each worker's reason."""
    return get(f"tasks/{part(task)}/explain")


def output_part(
    task: str, grant: int | None = None, offset: int = 0, *, copy: bool | None = None
) -> Call[tuple[bytes, int]]:
    """Some of what a task printed from byte `offset` on, and the offset to go on at; `copy`: of the
    grant's second copy, or of the first (None: of the one that leads). Nothing more, once the task
    has ended, is the end; before that it is worth asking again."""
    return get(f"tasks/{part(task)}/output", _part, grant=grant, copy=copy, offset=offset)


def cancel(task: str) -> Call[None]:
    """End a task."""
    return post(f"tasks/{part(task)}/cancel", None, nothing)


def workers() -> Call[list[Worker]]:
    """The workers that live, with what they hold."""
    return get("workers")


def drain(worker: str) -> Call[None]:
    """Give a worker no new tasks; what it runs goes on to its end."""
    return post(f"workers/{part(worker)}/drain", None, nothing)


def keep_agents(path: str, count: int = 1, *, memory_bytes: int = 0, cwd: str = "") -> Call[None]:
    """Keep `count` agents of the class at `path` (`package.module:Class`) alive; 0 ends them.
    Over `memory_bytes` (0: any) one dies, and its items go to the others."""
    body = {"path": path, "count": count, "memory_bytes": memory_bytes, "cwd": cwd}
    return post("agents", body, nothing)


def _part(answer: Answer) -> tuple[bytes, int]:
    return answer.content, int(answer.headers["next-offset"])

"""What the graph knows: definitions, dependencies, who is hit, what changed, verdicts."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from swarm.client.call import Call, Pages, get, post, seq_of


class TaskName(TypedDict):
    """A task; an empty `task` is the pipeline as a whole."""

    orchestrator: str
    pipeline: str
    task: str


class Pipeline(TypedDict):
    """A pipeline as its orchestrator describes it; one that is not `listed` only data tells of."""

    orchestrator: str
    pipeline: str
    tasks: list[str]
    schedule: str
    owner: str
    tags: list[str]
    paused: bool
    place: str
    listed: bool


class Dataset(TypedDict):
    """A dataset and the tasks at its two ends."""

    dataset: str
    written_by: list[TaskName]
    read_by: list[TaskName]


class Evidence(TypedDict):
    """One line of a dependency's ledger; a negative weight speaks against it."""

    task: TaskName
    access: str
    channel: str
    place: str
    excerpt: str
    weight: float
    last_seen_s: float
    still: float
    via: list[str]


class Recurrence(TypedDict):
    """On how many days the reader was seen to read, of those on which somebody looked."""

    seen_days: int
    looked_days: int
    recurring: bool
    first_seen_s: float
    last_seen_s: float


class EdgeName(TypedDict):
    """A dependency without its evidence."""

    upstream: TaskName
    downstream: TaskName
    dataset: str


class Dependency(EdgeName):
    """`downstream` reads what `upstream` writes."""

    declared: bool
    confidence: float
    level: str
    verdict: str | None
    recurrence: Recurrence | None
    evidence: list[Evidence]


class Changes(TypedDict):
    """What is different now."""

    new: list[Dependency]
    changed: list[Dependency]
    gone: list[EdgeName]


class Question(EdgeName):
    """A dependency that an owner is asked about."""

    team: str
    confidence: float
    level: str
    pipelines_behind: int
    asked_at_s: float


class Hit(TypedDict):
    """A pipeline or task that is reached, and the last step of the surest way to it."""

    task: TaskName
    distance: int
    confidence: float
    declared: bool
    datasets: list[str]


class Reach(TypedDict):
    """The nearest of `total` that are reached."""

    graph_version: int
    total: int
    hits: list[Hit]


class PipelineColumns(TypedDict):
    """One place in every list is one pipeline."""

    orchestrator: list[str]
    name: list[str]
    owner: list[str]
    tags: list[list[str]]
    schedule: list[str]
    paused: list[bool]
    listed: list[bool]


class EdgeColumns(TypedDict):
    """One place in every list is one edge between two pipelines, counted from 0."""

    upstream: list[int]
    downstream: list[int]
    confidence: list[float]
    declared: list[bool]
    datasets: list[int]


class WholeGraph(TypedDict):
    """All pipelines, and the edges between them."""

    version: int
    pipelines: PipelineColumns
    edges: EdgeColumns


class Run(TypedDict):
    """One run of a pipeline."""

    pipeline: TaskName
    run_id: str
    state: str
    scheduled_for_s: float | None
    started_at_s: float | None
    ended_at_s: float | None


def pipelines() -> Pages[Pipeline]:
    """All pipelines of all orchestrators."""
    return Pages("pipelines", {})


def datasets() -> Pages[Dataset]:
    """All datasets that lie between two tasks, with their writers and readers."""
    return Pages("datasets", {})


def dependencies(
    *,
    declared: bool | None = None,
    min_confidence: float | None = None,
    as_of_s: float | None = None,
) -> Pages[Dependency]:
    """Dependencies, strongest first; `as_of_s` (seconds since the epoch) looks back."""
    asked = {"declared": declared, "min_confidence": min_confidence, "as_of_s": as_of_s}
    return Pages("dependencies", asked)


def runs(*, since_s: float | None = None, newest: bool = False) -> Pages[Run]:
    """The runs of all pipelines that began at `since_s` (seconds since the epoch) or later, newest
    first; only the `newest` of each."""
    return Pages("runs", {"since_s": since_s, "newest": newest})


def graph(min_confidence: float | None = None) -> Call[WholeGraph]:
    """All pipelines and the edges between them, in columns."""
    return get("graph", min_confidence=min_confidence)


def dependencies_diff(since_s: float) -> Call[Changes]:
    """What appeared, went and changed since `since_s` (seconds since the epoch)."""
    return get("dependencies/diff", since_s=since_s)


def between(upstream: str, downstream: str) -> Call[list[Dependency]]:
    """All that lies between two pipelines or tasks, whatever its confidence."""
    return get("dependencies/between", upstream=upstream, downstream=downstream)


def impact(name: str, limit: int = 100) -> Call[Reach]:
    """Who is hit when `name` is late or wrong: `total`, and the nearest `limit` as `hits`."""
    return get("impact", name=name, limit=limit)


def upstream(name: str, limit: int = 100) -> Call[Reach]:
    """What `name` stands on: `total`, and the nearest `limit` as `hits`."""
    return get("upstream", name=name, limit=limit)


def questions() -> Call[list[Question]]:
    """What owners are asked now, the most valuable first; `judge` answers."""
    return get("questions")


def judge(
    edge: Mapping[str, Any], verdict: Literal["accepted", "rejected"] | None, by: str
) -> Call[int]:
    """Accept or reject a dependency as `dependencies()` gave it; `None` takes it back."""
    body = {key: edge[key] for key in ("upstream", "downstream", "dataset")}
    body |= {"verdict": verdict, "by": by}
    return post("dependencies/verdict", body, seq_of)

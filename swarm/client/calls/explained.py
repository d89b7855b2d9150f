"""Why there is, or is no, dependency."""

from typing import TypedDict

from swarm.client.call import Call, get
from swarm.client.calls.health import Unresolved


class FilledIn(TypedDict):
    """A parameter of a text."""

    name: str
    value: str
    origin: str


class TextTrail(TypedDict):
    """The way from the words of a text to a dataset."""

    line: int
    context: list[str]
    as_read: str
    filled_in: list[FilledIn]
    dialect: str
    tier: str
    understood: float
    abstained: str
    unresolved: int
    written: str
    completed: str
    dataset: str


class ViewBetween(TypedDict):
    """A view that is passed."""

    view: str
    place: str
    excerpt: str


class SumLine(TypedDict):
    """One proof in the sum of an end; `weight` is what it adds to the log-odds."""

    channel: str
    silent: bool
    place: str
    excerpt: str
    named: str
    views: list[ViewBetween]
    last_seen_s: float
    usual: float
    learned: float
    certainty: float
    still: float
    alone: float
    weight: float
    trails: list[TextTrail]


class SumOfEnd(TypedDict):
    """`prior` and the weights add up to `log_odds`."""

    task: str
    access: str
    prior: float
    lines: list[SumLine]
    log_odds: float
    probability: float
    short: bool


class Timing(TypedDict):
    """Runs that are late together."""

    weight: float
    words: str


class ExplainedEdge(TypedDict):
    """`product` = P(write) * P(read) * `naming`."""

    upstream: str
    downstream: str
    dataset: str
    declared: bool
    write: SumOfEnd | None
    read: SumOfEnd | None
    naming: float
    product: float
    timing: Timing | None
    verdict: str | None
    confidence: float
    level: str
    seen_days: int | None
    looked_days: int | None


class KnownUse(TypedDict):
    """One access of a side."""

    task: str
    dataset: str
    channel: str
    place: str
    through: list[str]


class KnownOf(TypedDict):
    """What is known of one side."""

    uses: list[KnownUse]
    unresolved: list[Unresolved]
    dropped: list[str]


class SameName(TypedDict):
    """Two datasets, one written and one read, whose last names are the same."""

    written: str
    read: str


class Explained(TypedDict):
    """Everything that bears on what `downstream` reads of what `upstream` writes."""

    schema_version: int
    upstream: str
    downstream: str
    min_confidence: float
    edges: list[ExplainedEdge]
    weaker: list[ExplainedEdge]
    writes: KnownOf
    reads: KnownOf
    same_name: list[SameName]
    ordered: bool
    reverse: float
    complete: bool


def explain(upstream: str, downstream: str, dataset: str = "") -> Call[Explained]:
    """Why there is, or is no, dependency between two pipelines or tasks: the sum behind each
    as far as the journal tells."""
    asked = {"upstream": upstream, "downstream": downstream, "dataset": dataset}
    return get("dependencies/explain", **asked)

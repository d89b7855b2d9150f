"""How an explanation looks outside: the same shapes for the API and for `swarm scan`."""

from collections.abc import Callable, Iterable
from typing import Self

from pydantic import Field

from swarm.api.schemas import Shape, UnresolvedRow
from swarm.errors import UnknownKey
from swarm.lineage.explanation import Explanation, Known, Use
from swarm.lineage.sums import EdgeSum, EndSum, Line
from swarm.lineage.trail import Trail
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Level, Proof, Recurrence, Verdict, View

Follow = Callable[[Proof, DatasetKey], Iterable[Trail]]
"""The ways from texts to the dataset that a proof names."""


def nothing_heard(proof: Proof, dataset: DatasetKey) -> Iterable[Trail]:
    """Where no texts are at hand."""
    return ()


class FilledIn(Shape):
    """A parameter of a text; an empty `origin`: given with the task itself."""

    name: str
    value: str
    origin: str


class TextTrail(Shape):
    """The way from the words of a text to a dataset; what is not known is empty."""

    line: int
    context: list[str] = Field(description="Lines around, each after its number.")
    as_read: str
    filled_in: list[FilledIn]
    dialect: str
    tier: str
    understood: float = Field(description="Share of the text's statements, from 0 to 1.")
    abstained: str = Field(description="Why no faster tier could tell.")
    unresolved: int = Field(description="How much of the text is not understood.")
    written: str
    completed: str = Field(description="With the default catalog and schema.")
    dataset: str

    @classmethod
    def of(cls, trail: Trail) -> Self:
        return cls(
            line=trail.at,
            context=[f"{number}: {text}" for number, text in trail.lines],
            as_read=trail.as_read,
            filled_in=[FilledIn(name=f.name, value=f.value, origin=f.origin) for f in trail.filled],
            dialect=trail.dialect,
            tier=trail.tier.value if trail.tier else "",
            understood=trail.understood,
            abstained=trail.abstained,
            unresolved=trail.unresolved,
            written=trail.written,
            completed=trail.completed,
            dataset=str(trail.dataset),
        )


class ViewBetween(Shape):
    """A view that is passed, and where it is defined (empty: not at hand)."""

    view: str
    place: str
    excerpt: str


class SumLine(Shape):
    """One proof in the sum of an end; `weight` is what it adds to the log-odds."""

    channel: str
    silent: bool
    place: str
    excerpt: str
    named: str = Field(description="The short name that was completed, if any.")
    views: list[ViewBetween]
    last_seen_s: float
    usual: float = Field(description="What a sure, fresh report of the channel adds.")
    learned: float = Field(description="How far other channels and verdicts moved that.")
    certainty: float = Field(description="How sure the extractor is of what it read.")
    still: float = Field(description="How likely what runs showed still happens.")
    alone: float = Field(description="The weight, if no other line shared its mistakes.")
    weight: float
    trails: list[TextTrail]

    @classmethod
    def of(cls, line: Line, dataset: DatasetKey, explained: Explanation, follow: Follow) -> Self:
        proof = line.proof
        named = proof.via[0] if proof.via else dataset
        return cls(
            channel=proof.channel.value,
            silent=proof.silent,
            place=proof.place,
            excerpt=proof.excerpt,
            named=proof.named,
            views=[_between(name, explained.views.get(name)) for name in proof.via],
            last_seen_s=proof.last_seen_s,
            usual=line.usual,
            learned=line.learned,
            certainty=proof.confidence,
            still=proof.still,
            alone=line.alone,
            weight=proof.weight,
            trails=[] if proof.silent else [TextTrail.of(t) for t in follow(proof, named)],
        )


def _between(name: DatasetKey, view: View | None) -> ViewBetween:
    return ViewBetween(
        view=str(name), place=view.place if view else "", excerpt=view.excerpt if view else ""
    )


class SumOfEnd(Shape):
    """`prior` and the weights add up to `log_odds`; `probability` = 1 / (1 + e^-log_odds)."""

    task: str
    access: Access
    prior: float
    lines: list[SumLine]
    log_odds: float
    probability: float
    short: bool = Field(description="Only short names that were completed name the dataset.")

    @classmethod
    def of(cls, end: EndSum, dataset: DatasetKey, explained: Explanation, follow: Follow) -> Self:
        return cls(
            task=str(end.task),
            access=end.access,
            prior=round(end.prior, 6),
            lines=[SumLine.of(line, dataset, explained, follow) for line in end.lines],
            log_odds=round(end.log_odds, 6),
            probability=round(end.probability, 6),
            short=end.short,
        )


class Timing(Shape):
    """Runs that are late together, and what that adds to the log-odds of the edge; an edge below
    `show` stays below."""

    weight: float
    words: str

    @classmethod
    def of(cls, proof: Proof) -> Self:
        return cls(weight=proof.weight, words=f"{proof.place}: {proof.excerpt}")


class ExplainedEdge(Shape):
    """`product` = P(write) * P(read) * `naming`; timing may lift it, a verdict stands above it."""

    upstream: str
    downstream: str
    dataset: str
    declared: bool
    write: SumOfEnd | None
    read: SumOfEnd | None
    naming: float
    product: float
    timing: Timing | None
    verdict: Verdict | None
    confidence: float
    level: Level
    seen_days: int | None
    looked_days: int | None

    @classmethod
    def of(cls, one: EdgeSum, explained: Explanation, follow: Follow) -> Self:
        often: Recurrence | None = one.recurrence
        key = one.key
        write, read = (
            SumOfEnd.of(end, key.dataset, explained, follow) if end else None
            for end in (one.write, one.read)
        )
        return cls(
            upstream=str(key.upstream),
            downstream=str(key.downstream),
            dataset=str(key.dataset),
            declared=one.declared,
            write=write,
            read=read,
            naming=one.naming,
            product=one.product,
            timing=Timing.of(one.timing) if one.timing else None,
            verdict=one.verdict,
            confidence=one.confidence,
            level=one.level,
            seen_days=often.seen if often else None,
            looked_days=often.looks if often else None,
        )


class KnownUse(Shape):
    """One access of a side."""

    task: str
    dataset: str
    channel: str
    place: str
    through: list[str]

    @classmethod
    def of(cls, use: Use) -> Self:
        return cls(
            task=str(use.task),
            dataset=str(use.dataset),
            channel=use.channel.value,
            place=use.place,
            through=[str(view) for view in use.via],
        )


class KnownOf(Shape):
    """What is known of one side; `dropped` is what its texts showed before."""

    uses: list[KnownUse]
    unresolved: list[UnresolvedRow]
    dropped: list[str]

    @classmethod
    def of(cls, known: Known) -> Self:
        return cls(
            uses=[KnownUse.of(use) for use in known.uses],
            unresolved=[UnresolvedRow.of(item) for item in known.unresolved],
            dropped=[str(dataset) for dataset in known.dropped],
        )


class SameName(Shape):
    """Two datasets, one written and one read, whose last names are the same."""

    written: str
    read: str


class Explained(Shape):
    """Everything that bears on what `downstream` reads of what `upstream` writes.

    `edges` are shown from `min_confidence` on; `weaker` are not. `writes` and `reads` are what is
    known of the two sides. `complete`: all evidence was at hand, not only that of dependencies.
    """

    schema_version: int = 1
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

    @classmethod
    def of(
        cls,
        explained: Explanation,
        min_confidence: float,
        through: str = "",
        *,
        follow: Follow = nothing_heard,
        complete: bool = True,
    ) -> Self:
        """`through` is the dataset asked for: its name with or without the namespace. Raises
        `UnknownKey` where only other datasets lie between the two."""
        asked = [s for s in explained.sums if not through or _is(s.key.dataset, through)]
        if explained.sums and not asked:
            others = ", ".join(str(s.key.dataset) for s in explained.sums)
            raise UnknownKey(f"No dependency there goes through `{through}`, but through {others}.")
        shown = [s for s in asked if s.confidence >= min_confidence]
        return cls(
            upstream=str(explained.upstream),
            downstream=str(explained.downstream),
            min_confidence=min_confidence,
            edges=[ExplainedEdge.of(s, explained, follow) for s in shown],
            weaker=[ExplainedEdge.of(s, explained, follow) for s in asked if s not in shown],
            writes=KnownOf.of(explained.writer),
            reads=KnownOf.of(explained.reader),
            same_name=[SameName(written=str(a), read=str(b)) for a, b in explained.near],
            ordered=explained.ordered,
            reverse=round(explained.reverse, 6),
            complete=complete,
        )


def _is(dataset: DatasetKey, asked: str) -> bool:
    return asked.casefold() in (str(dataset).casefold(), dataset.name.casefold())

"""How sure is it that a task reads or writes a dataset?

Coverage-aware log-odds: a prior, plus what each channel that saw the access adds, minus what each
channel that saw the whole task and not this access takes away. Channels that share their mistakes
count once. What was seen in runs weighs as much as it is likely to still happen. An edge is as sure
as both its ends together: P(write) * P(read) * naming factor.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, log

from swarm.lineage.channels import (
    AS_KNOWN,
    LISTS,
    NEVER_COVERING,
    PRIOR,
    RELIABILITY,
    Learned,
    Reliability,
    shared_mistakes,
)
from swarm.lineage.recurrence import LOGS, Days, days_of, never
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import STATIC, Access, Channel, Coverage, Evidence, Proof

# A short name that fits exactly one known dataset is that dataset so often.
SHORT_NAME_FACTOR = 0.9

# Where runs say that an access may have ended: of those that did, people still list so many.
KEPT = 0.5

# A text that was read again, not fully understood, and no longer shows an access has lost it; one
# time in five it is in what was not understood.
REREAD_STILL = 0.2

# How sure it is that a statement is of the only task that ran at its time. Two logs would both give
# a stranger's work to that task, so what is known by time alone counts once.
WINDOW_CONFIDENCE = 0.3


@dataclass(frozen=True, slots=True)
class Sighting:
    """Evidence as it bears on one dataset: seen through `via` views; `named` is the short name
    that was completed, empty where all names were whole."""

    evidence: Evidence
    via: tuple[DatasetKey, ...] = ()
    named: str = ""


@dataclass(frozen=True, slots=True)
class Belief:
    """P(the task touches the dataset), with one proof per channel, strongest first."""

    probability: float
    exact: bool
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was learned by looking at the task on many days: how likely what was seen in runs
    still happens, which texts were read again since and showed only other things, and which
    channels know other accesses of that kind there, whether they cover the task or not."""

    still: float = 1.0
    reread: frozenset[Channel] = frozenset()
    knowing: Mapping[Channel, Coverage] = field(default_factory=dict)


def believe(
    task: TaskKey,
    access: Access,
    sightings: Iterable[Sighting],
    coverage: Mapping[Channel, Coverage],
    looked: Looked | None = None,
    learned: Learned = AS_KNOWN,
) -> Belief:
    """Fuse what all channels say of one end of an edge; `sightings` are of that end only,
    `learned` what this installation has shown of its channels."""
    looked = looked or Looked()
    best = surest(sightings)
    proofs = [_seen(sighting, looked, learned) for sighting in best.values()]
    ran = [days_of(s.evidence) for s in best.values() if s.evidence.channel not in STATIC]
    for cover, covers in silences(best, coverage, looked):
        has = learned.reliability[cover.channel]
        against = _against(cover, has, ran) if covers else _partly_against(cover, has, ran)
        proofs.append(_silent(task, access, cover, against, _misses(has, cover.channel, covers)))
    by_time = {channel for channel, sighting in best.items() if known_by_time(sighting.evidence)}
    counted = sorted(
        _count_once(proofs, frozenset(by_time)), key=lambda p: (-abs(p.weight), p.channel)
    )
    odds = log(PRIOR / (1 - PRIOR)) + sum(proof.weight for proof in counted)
    exact = any(not sighting.named for sighting in best.values())
    return Belief(1 / (1 + exp(-odds)), exact, tuple(counted))


def surest(sightings: Iterable[Sighting]) -> dict[Channel, Sighting]:
    """The strongest word of each channel."""
    best: dict[Channel, Sighting] = {}
    for sighting in sightings:
        channel = sighting.evidence.channel
        if channel not in best or _rank(sighting) < _rank(best[channel]):
            best[channel] = sighting
    return best


def silences(
    seen: Container[Channel], coverage: Mapping[Channel, Coverage], looked: Looked
) -> Iterator[tuple[Coverage, bool]]:
    """What knows the task and is not in `seen`, with whether it covers the task."""
    for channel, cover in coverage.items():
        if channel not in seen and channel not in NEVER_COVERING:
            yield cover, True
    for channel, cover in looked.knowing.items():
        if channel not in seen and (channel not in coverage or channel in NEVER_COVERING):
            yield cover, False


def known_by_time(seen: Evidence) -> bool:
    """Is it of the task only because the task ran at that time?"""
    return seen.channel not in STATIC and seen.confidence <= WINDOW_CONFIDENCE


def edge_confidence(write: Belief, read: Belief) -> float:
    """How sure it is that the reader reads what the writer writes."""
    factor = 1.0 if write.exact and read.exact else SHORT_NAME_FACTOR
    return round(write.probability * read.probability * factor, 6)


def _rank(sighting: Sighting) -> tuple[float, bool, int, str, str, tuple[DatasetKey, ...], str]:
    """Smallest is strongest; the rest only makes the choice independent of order."""
    seen = sighting.evidence
    return (
        -seen.confidence,
        bool(sighting.named),
        len(sighting.via),
        seen.place,
        seen.excerpt,
        sighting.via,
        sighting.named,
    )


def _seen(sighting: Sighting, looked: Looked, learned: Learned) -> Proof:
    seen = sighting.evidence
    still = round(still_of(seen.channel, looked), 6)
    sure = learned.for_it(seen.channel)
    return Proof(
        task=seen.task,
        access=seen.access,
        channel=seen.channel,
        place=seen.place,
        excerpt=seen.excerpt,
        last_seen_s=seen.observed_at_s,
        weight=weight_of(sure, seen.confidence, still),
        via=sighting.via,
        named=sighting.named,
        still=still,
        sure=sure,
        confidence=seen.confidence,
    )


def weight_of(sure: float, confidence: float, still: float) -> float:
    """What a report adds to the log-odds: `sure` as far as its extractor is certain, aged."""
    return round(_aged(sure * confidence, still), 3)


def _aged(weight: float, still: float) -> float:
    """The log-odds for "it happens now" of a report that it once did.

    Not now is either never, and the report a mistake, or no longer, and the report right.
    """
    ratio, prior_odds = exp(weight), PRIOR / (1 - PRIOR)
    return log(ratio * still / (1 + ratio * (1 - still) * prior_odds)) if still < 1 else weight


def still_of(channel: Channel, looked: Looked) -> float:
    """P(it still happens) as one channel's report has it."""
    if channel in LISTS:
        return looked.still / (looked.still + (1 - looked.still) * KEPT)
    if channel in STATIC:
        return REREAD_STILL if channel in looked.reread else 1.0
    return looked.still


def _silent(
    task: TaskKey, access: Access, cover: Coverage, against: float, misses: float | None
) -> Proof:
    """`misses`: what was learned here of how much the channel misses, if anything."""
    weight = round(against, 3)
    words = f"knows the task and shows no such {access}"
    return Proof(
        task=task,
        access=access,
        channel=cover.channel,
        place="",
        excerpt=words if misses is None else f"{words}; here it misses {misses:.0%}",
        last_seen_s=cover.observed_at_s,
        weight=weight,
        sure=weight,
        silent=True,
    )


def _misses(has: Reliability, channel: Channel, covers: bool) -> float | None:
    known = RELIABILITY[channel]
    if covers:
        return None if has.sees == known.sees else 1 - has.sees
    return None if has.partly == known.partly else 1 - has.partly


def _against(cover: Coverage, has: Reliability, ran: Sequence[Days]) -> float:
    """Log-odds that the silence of a channel adds that covers the task."""
    return has.silent(has.sees * _shown(cover, ran))


def _partly_against(cover: Coverage, has: Reliability, ran: Sequence[Days]) -> float:
    """The same of a channel that knows the task in part; what of it is a mistake is left out."""
    if cover.channel in LOGS or cover.channel in LISTS:
        return log(1 - has.partly)
    return log(1 - has.partly * _shown(cover, ran))


def _shown(cover: Coverage, ran: Sequence[Days]) -> float:
    """P(an access that the channel can see came up when it looked); `ran` are the days on which
    others saw it happen: on such a day it was there to be seen."""
    looked = days_of(cover)
    if cover.channel in STATIC or any(looked.meets(days) for days in ran):
        return 1.0
    return 1 - never(looked.count)


def _count_once(proofs: list[Proof], by_time: frozenset[Channel]) -> list[Proof]:
    """Of proofs that share a mistake only the strongest for and the strongest against count."""
    taken: set[tuple[str, bool]] = set()
    counted = []
    for proof in sorted(proofs, key=lambda p: (-abs(p.weight), p.channel)):
        groups = {(group, proof.weight > 0) for group in _groups(proof, by_time)}
        counted.append(replace(proof, weight=0.0) if groups & taken else proof)
        if not groups & taken:
            taken |= groups
    return counted


def _groups(proof: Proof, by_time: frozenset[Channel]) -> Iterator[str]:
    """The mistakes that a proof may share with others."""
    yield from shared_mistakes(proof.channel)
    if proof.channel in by_time:
        yield "same time"
    if proof.still < 1:
        yield "same end"

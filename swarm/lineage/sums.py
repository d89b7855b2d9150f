"""The sum behind a dependency's confidence, line by line, as a person would work it out.

For each end: prior + the weights of its proofs = log-odds, and P = 1 / (1 + e^-log-odds). The
edge: P(write) * P(read) * naming factor; timing may lift that, and a person's verdict stands above
it. Everything
comes from the proofs as they were recorded, so the sum tells what was decided then.
"""

from dataclasses import dataclass
from math import exp, log

from swarm.lineage.channels import PRIOR, RELIABILITY
from swarm.lineage.fusion import SHORT_NAME_FACTOR, weight_of
from swarm.model.keys import TaskKey
from swarm.model.lineage import (
    Access,
    Channel,
    Dependency,
    DependencyKey,
    Level,
    Proof,
    Recurrence,
    Verdict,
    level_of,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One proof in the sum.

    `usual` is what a certain, fresh report of its channel adds before verdicts taught anything (0:
    not known, the proof is of an older version),
    `learned` how far they moved it. `alone` is what the proof would add by itself; where
    `shared`, it adds 0, because a stronger line of the same end would share its mistake.
    """

    proof: Proof
    usual: float
    learned: float
    alone: float
    shared: bool


@dataclass(frozen=True, slots=True)
class EndSum:
    """What all proofs of one end add up to; `short`: all of them name the dataset by a short
    name that was completed."""

    task: TaskKey
    access: Access
    prior: float
    lines: tuple[Line, ...]
    log_odds: float
    probability: float
    short: bool


@dataclass(frozen=True, slots=True)
class EdgeSum:
    """Both ends and what they make together.

    `product` is P(write) * P(read) * `naming`; `confidence` is what counts: the same, with the
    weight of `timing` on its log-odds, or what a person's `verdict` makes of it.
    """

    key: DependencyKey
    write: EndSum | None
    read: EndSum | None
    naming: float
    product: float
    confidence: float
    verdict: Verdict | None
    declared: bool
    recurrence: Recurrence | None
    timing: Proof | None = None

    @property
    def level(self) -> Level:
        return level_of(self.confidence)


def sum_of(dependency: Dependency) -> EdgeSum:
    """The sum behind `dependency`; an end without a proof (a person accepted the dependency
    anyway) is `None`."""
    key = dependency.key
    write = _end(dependency, key.upstream, Access.WRITE)
    read = _end(dependency, key.downstream, Access.READ)
    short = any(end is not None and end.short for end in (write, read))
    naming = SHORT_NAME_FACTOR if short else 1.0
    product = write.probability * read.probability * naming if write and read else 0.0
    return EdgeSum(
        key=key,
        write=write,
        read=read,
        naming=naming,
        product=round(product, 6),
        confidence=dependency.confidence,
        verdict=dependency.verdict,
        declared=dependency.declared,
        recurrence=dependency.recurrence,
        timing=next((p for p in dependency.proofs if p.channel is Channel.TIMING), None),
    )


def _end(dependency: Dependency, task: TaskKey, access: Access) -> EndSum | None:
    proofs = [
        p
        for p in dependency.proofs
        if p.task == task and p.access is access and p.channel is not Channel.TIMING
    ]
    if not proofs:
        return None
    prior = log(PRIOR / (1 - PRIOR))
    log_odds = prior + sum(proof.weight for proof in proofs)
    reports = [proof for proof in proofs if not proof.silent]
    return EndSum(
        task=task,
        access=access,
        prior=prior,
        lines=tuple(map(_line, proofs)),
        log_odds=log_odds,
        probability=1 / (1 + exp(-log_odds)),
        short=all(proof.named for proof in reports),
    )


def _line(proof: Proof) -> Line:
    if proof.silent:
        return Line(proof, proof.sure, 0.0, proof.sure, proof.weight != proof.sure)
    usual = round(RELIABILITY[proof.channel].for_it, 3)
    if proof.weight and not proof.sure:  # of an older version: only what counted is known
        return Line(proof, 0.0, 0.0, proof.weight, False)
    alone = weight_of(proof.sure, proof.confidence, proof.still)
    return Line(proof, usual, round(proof.sure - usual, 3), alone, proof.weight != alone)

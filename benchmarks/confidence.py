"""Does a confidence of 0.9 mean nine times out of ten?

The engine itself takes in seeded worlds whose truth is known (`benchmarks.confidence_world`), day
by day, and every dependency it states is compared with the truth. The rules were written while
looking at worlds 1 to 10, 101 to 110 and 301 to 330; the figures are of ten others, 201 to 210,
that nobody looked at. All worlds of a kind are pooled.

- `ece`: expected calibration error of the stated dependencies, fifteen bins of equal width;
  `ece_one_world`: the mean of the errors of each world by itself, where no world makes up for
  another.
- `development_...`: the same figures of worlds 1 to 10. `shifted_...`: of five worlds with other
  habits (fewer runs, twice the changes and repairs, about twice as much to take for an access).
- `brier`: mean squared error over every pair that evidence joins; what is not stated counts as 0.
- `recall_at_p99`: of all real dependencies, how many stand above the lowest confidence down to
  which 99 % are real; `..._noisy_or` by noisy-OR over the channels, each as sure as it really is in
  that world, which flatters it; `..._single` the best channel alone, its most seen edges first.
- `gate_precision`, `warn_precision`, `show_precision`: the real share of what is stated at 0.99 or
  above, from 0.8 and from 0.5 up to there; `gate_recall`: of all real ones, those at 0.99 or above.
- `ece_before_verdicts`, `ece_after_verdicts`: in other worlds, where two channels make eight times
  the usual mistakes, people give their verdict on some of the edges that are shown; `ece` of the
  other edges, before and after.
- `masked_ece`, `masked_recall_at_p99`: one channel that covers whole tasks is hidden from the
  engine, which predicts what that channel shows of the tasks it covers in its last two weeks. This
  needs no truth, so it takes what the channel misses for unreal: `masked_labels_wrong` is the share
  of those labels that the truth contradicts. `--journal STATE_DIR` does the same with the evidence
  a running swarm has collected (`own_masked_*`), and says how many dependencies it could compare.
"""

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.confidence_world import DAY_S, RANGES, SHIFTED, World, edges, make
from benchmarks.report import Figures, Options, progress, run
from swarm.lineage.expansion import Names
from swarm.lineage.facts import Change, Facts
from swarm.lineage.ledger import Ledger
from swarm.lineage.naming import Naming
from swarm.model.connectors import Batch, Item
from swarm.model.lineage import (
    STATIC,
    Access,
    Channel,
    Coverage,
    DependencyKey,
    Evidence,
    Verdict,
    VerdictRequest,
)
from swarm.store.journal import open_journal

QUESTION = "Does a confidence of 0.9 mean nine times out of ten?"
BINS = 15
READ_LIMIT = 2_000
VERDICTS = 50
HELD_OUT = 200  # from the seed of a development world to that of one that is kept back
WORSE = 8.0
MASKED = (Channel.OPENLINEAGE, Channel.SQL_RUN)  # cover whole tasks, so what they lack is no
LAST_S = 14 * DAY_S
LEVELS = ((0.99, 1.1), (0.8, 0.99), (0.5, 0.8))

# How sure, and whether it is so.
Guess = tuple[float, bool]


def main() -> None:
    """Run the benchmark."""
    run("confidence", QUESTION, measure, arguments=_arguments)


def measure(options: Options) -> Figures:
    tasks, count = (60, 3) if options.quick else (150, 10)
    seeds = range(options.seed, options.seed + count)
    held_out = [seed + HELD_OUT for seed in seeds]
    pool, development, shifted = Pool(), Pool(), Pool()
    for seed in held_out:
        progress(f"world {seed} of {tasks} tasks")
        pool.add(world := make(tasks, seed))
        pool.mask(world)
    for seed in seeds:
        progress(f"development world {seed}")
        development.add(make(tasks, seed))
    for seed in held_out[: (count + 1) // 2]:
        progress(f"shifted world {seed}")
        shifted.add(make(tasks, seed, habits=SHIFTED))
    figures = pool.figures() | pool.compared() | pool.masked()
    figures |= {f"development_{name}": value for name, value in development.figures().items()}
    figures |= {f"shifted_{name}": value for name, value in shifted.figures().items()}
    figures |= _by_verdicts(tasks, held_out)
    return figures | (_own_figures(options.own.journal) if options.own.journal else {})


class Pool:
    """The guesses of all worlds of a kind."""

    def __init__(self) -> None:
        self.fused: list[Guess] = []
        self._by_world: list[float] = []
        self._unstated: list[Guess] = []
        self._noisy: list[Guess] = []
        self._single: dict[Channel, list[Guess]] = {channel: [] for channel in Channel}
        self._masked: list[Guess] = []
        self._mislabelled: list[bool] = []
        self._real = 0

    def add(self, world: World) -> None:
        ledger = fed(world.batches)
        self._real += len(world.truth)
        stated = {key: found.confidence for key, found in ledger.dependencies.items()}
        guesses = [(confidence, key in world.truth) for key, confidence in stated.items()]
        self._by_world.append(ece(guesses))
        self.fused += guesses
        said = _Said(world.batches)
        joined = said.joined()
        self._unstated += [(0.0, key in world.truth) for key in joined if key not in stated]
        precision = said.precision(world)
        self._noisy += [(said.noisy_or(key, precision), key in world.truth) for key in joined]
        for channel, alone in self._single.items():
            alone += [(said.alone(key, channel), key in world.truth) for key in joined]

    def mask(self, world: World) -> None:
        for channel in MASKED:
            for key, guess in masked(world.batches, channel).items():
                self._masked.append(guess)
                self._mislabelled.append(guess[1] is not (key in world.truth))

    def figures(self) -> dict[str, float]:
        everything = self.fused + self._unstated
        gated, warned, shown = (self._between(*level) for level in LEVELS)
        return {
            "ece": ece(self.fused),
            "ece_one_world": sum(self._by_world) / len(self._by_world),
            "brier": sum((p - real) ** 2 for p, real in everything) / len(everything),
            "recall_at_p99": recall_at_p99(self.fused, self._real),
            "gate_precision": _share(gated),
            "warn_precision": _share(warned),
            "show_precision": _share(shown),
            "gate_recall": sum(gated) / self._real,
            "stated": float(len(self.fused)),
        }

    def compared(self) -> dict[str, float]:
        """What simpler ways reach on the same worlds."""
        return {
            "recall_at_p99_noisy_or": recall_at_p99(self._noisy, self._real),
            "recall_at_p99_single": max(
                recall_at_p99(guesses, self._real) for guesses in self._single.values()
            ),
        }

    def masked(self) -> dict[str, float]:
        return {
            "masked_ece": ece(self._masked),
            "masked_recall_at_p99": recall_at_p99(self._masked, _real(self._masked)),
            "masked_labels_wrong": sum(self._mislabelled) / max(len(self._mislabelled), 1),
        }

    def _between(self, low: float, high: float) -> list[bool]:
        return [real for confidence, real in self.fused if low <= confidence < high]


def fed(batches: Iterable[Batch]) -> Ledger:
    """A ledger that took in all batches."""
    ledger = Ledger(Naming())
    for batch in batches:
        now_s = max((i.observed_at_s for i in batch.items if isinstance(i, Evidence)), default=0.0)
        for record in ledger.decide(batch, now_s):
            ledger.apply(record)
    return ledger


def _by_verdicts(tasks: int, seeds: Iterable[int]) -> dict[str, float]:
    before: list[Guess] = []
    after: list[Guess] = []
    for seed in seeds:
        progress(f"verdicts in world {seed}")
        for all_of, some in zip((before, after), judged(tasks, seed), strict=True):
            all_of += some
    return {"ece_before_verdicts": ece(before), "ece_after_verdicts": ece(after)}


def judged(tasks: int, seed: int) -> tuple[list[Guess], list[Guess]]:
    """The edges nobody gave a verdict on, before and after there were verdicts on others."""
    dice = random.Random(seed)
    worse = dict.fromkeys(dice.sample(sorted(RANGES), 2), WORSE)
    world = make(tasks, seed, worse)
    ledger = fed(world.batches)
    shown = sorted(k for k, found in ledger.dependencies.items() if found.confidence >= 0.5)
    asked = dice.sample(shown, min(VERDICTS, len(shown) // 2))
    rest = sorted(ledger.dependencies.keys() - set(asked))
    before = [(ledger.dependencies[key].confidence, key in world.truth) for key in rest]
    for key in asked:
        verdict = Verdict.ACCEPTED if key in world.truth else Verdict.REJECTED
        for record in ledger.decide(VerdictRequest(key, verdict, "owner"), 0.0):
            ledger.apply(record)
    now = ((ledger.dependencies.get(key), key in world.truth) for key in rest)
    return before, [(found.confidence if found else 0.0, real) for found, real in now]


def masked(batches: Sequence[Batch], channel: Channel) -> dict[DependencyKey, Guess]:
    """What all other channels say of the edges between tasks that `channel` covers, and whether
    it shows them."""
    hidden = [i for b in batches for i in b.items if _channel(i) is channel]
    newest_s = max((i.observed_at_s for i in hidden if isinstance(i, Coverage)), default=0.0)
    covered = {i.task for i in hidden if isinstance(i, Coverage)}
    shown = edges(
        frozenset(
            (i.task, (i.access, i.dataset))
            for i in hidden
            if isinstance(i, Evidence) and i.observed_at_s > newest_s - LAST_S
        )
    )
    rest = [
        Batch(b.source, b.cursor, tuple(i for i in b.items if _channel(i) is not channel))
        for b in batches
    ]
    return {
        key: (found.confidence, key in shown)
        for key, found in fed(rest).dependencies.items()
        if key.upstream in covered and key.downstream in covered
    }


def ece(guesses: Sequence[Guess]) -> float:
    """Expected calibration error: the mean distance of stated and real share, by bins."""
    bins: list[list[Guess]] = [[] for _ in range(BINS)]
    for guess in guesses:
        bins[min(int(guess[0] * BINS), BINS - 1)].append(guess)
    off = (abs(sum(p for p, _ in part) - sum(real for _, real in part)) for part in bins)
    return sum(off) / len(guesses) if guesses else 0.0


def recall_at_p99(guesses: Iterable[Guess], real: int) -> float:
    """The largest share of `real` ones above one threshold, 99 % of what is above being real."""
    best = right = seen = 0
    ranked = sorted((guess for guess in guesses if guess[0] > 0), reverse=True)
    for number, (confidence, is_real) in enumerate(ranked):
        seen, right = seen + 1, right + is_real
        last = number + 1 == len(ranked) or ranked[number + 1][0] < confidence
        if last and right >= 0.99 * seen:
            best = right
    return best / real if real else 0.0


class _Said:
    """What each channel said of each end: how sure at most, and on how many days. Of a channel
    that reads a text the last reading counts, as it does for the engine."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._sure: dict[tuple[object, ...], dict[Channel, tuple[float, int]]] = {}
        self._ends = set()
        last = {i.task: b for b in batches for i in b.items if isinstance(i, Evidence)}
        for batch in batches:
            for item in batch.items:
                if isinstance(item, Evidence):
                    if item.channel in STATIC and batch is not last[item.task]:
                        continue
                    self._ends.add((item.task, (item.access, item.dataset)))
                    end = self._sure.setdefault((item.task, item.access, item.dataset), {})
                    sure, days = end.get(item.channel, (0.0, 0))
                    end[item.channel] = max(sure, item.confidence), days + 1

    def joined(self) -> frozenset[DependencyKey]:
        return edges(frozenset(self._ends))

    def precision(self, world: World) -> dict[Channel, float]:
        """Of what a channel said for sure, the share that is real."""
        real = {(task, access, name) for task, (access, name) in world.ends}
        hits: dict[Channel, list[bool]] = {channel: [] for channel in Channel}
        for end, by in self._sure.items():
            for channel, (sure, _) in by.items():
                if sure == 1:
                    hits[channel].append(end in real)
        return {channel: sum(h) / len(h) if h else 0.0 for channel, h in hits.items()}

    def noisy_or(self, key: DependencyKey, precision: dict[Channel, float]) -> float:
        both = 1.0
        for end in _ends(key):
            missed = 1.0
            for channel, (sure, _) in self._sure[end].items():
                missed *= 1 - precision[channel] * sure
            both *= 1 - missed
        return both

    def alone(self, key: DependencyKey, channel: Channel) -> float:
        scores = [self._sure[end].get(channel, (0.0, 0)) for end in _ends(key)]
        return min(sure * days / (days + 1) for sure, days in scores)


def _ends(key: DependencyKey) -> tuple[tuple[object, ...], ...]:
    return (
        (key.upstream, Access.WRITE, key.dataset),
        (key.downstream, Access.READ, key.dataset),
    )


def _channel(item: Item) -> Channel | None:
    return item.channel if isinstance(item, Evidence | Coverage) else None


def _real(guesses: Iterable[Guess]) -> int:
    return sum(real for _, real in guesses)


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 1.0


def _own_figures(state_dir: Path) -> dict[str, float]:
    own = _own(state_dir)
    compared = [guess for channel in MASKED for guess in masked([own], channel).values()]
    return {
        "own_masked_compared": float(len(compared)),
        "own_masked_ece": ece(compared),
        "own_masked_recall_at_p99": recall_at_p99(compared, _real(compared)),
    }


def _own(state_dir: Path) -> Batch:
    """The facts that a running swarm with files under `state_dir` has in its journal."""
    facts, journal, after = Facts(), open_journal("", state_dir), 0
    if (snapshot := journal.snapshot("graph")) is not None:
        after = snapshot.seq
        for record in snapshot.records:
            facts.apply(record, Change())  # type: ignore[arg-type]  # the stream holds no others
    while entries := journal.read("graph", after, READ_LIMIT):
        for entry in entries:
            facts.apply(entry.record, Change())  # type: ignore[arg-type]
        after = entries[-1].seq
    items: list[Item] = list(facts.pipelines.values())
    items += [
        whole
        for marks in facts.evidence.values()
        for seen in marks.values()
        for whole in _in_full(seen, facts.names)
    ]
    items += [cover for covers in facts.coverage.values() for cover in covers.values()]
    return Batch("journal", "", tuple(items))


def _in_full(seen: Evidence, names: Names) -> Iterator[Evidence]:
    """The same under its full name, and of what is behind a view: what one channel calls by a
    short name or reads through a view is then the same dataset as another names in full."""
    meant = names.resolve(seen.dataset)
    yield replace(seen, dataset=meant)
    if seen.access is Access.READ:
        yield from (replace(seen, dataset=reach.dataset) for reach in names.expand(meant))


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--journal", type=Path, metavar="STATE_DIR", help="evidence of one's own")


if __name__ == "__main__":
    main()

"""How many of the real dependencies does swarm find, and how many that it shows are real?

Input is a manifest of tasks, a catalog of views and the truth, all JSON Lines; a line of the truth
is `{"upstream": {"pipeline", "task"}, "downstream": {...}, "cross": bool, "data": bool}`. The
tasks and views go the way of `swarm scan`. Without files the lab's real orchestrators are scanned,
after their pipelines have run, and the truth is the audit of the warehouse. An edge is a pair of
tasks and counts once, however many datasets lead from one to the other; a pair of which only the
pipelines are known is left out.

- `recall`: of the pairs of the truth with `data` true, the share that is shown.
- `cross_recall`: the same of pairs from one pipeline to another.
- `all_recall`: the same of all pairs of the truth; those with `data` false are ordered by people
  without sharing data that any text names, and count here as missed.
- `precision`: of the pairs shown, the share that is in the truth, whatever its `data`.
- `cross_precision`: the same of pairs from one pipeline to another.
- `read_precision`, `read_cross_precision`, `read_recall`, `read_cross_recall`, with `--read FILE`:
  the same after a person has read the texts. The file's table lists pairs that are real and not
  in the truth (`real`), and pairs of the truth that no text shows (`absent`), each with a reason.
- `unresolved`: how many things were reported as not understood.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Figures, Options, progress, run
from swarm.cli.report import Report, build
from swarm.cli.showcase import settings_for
from swarm.cli.survey import survey
from swarm.config import Settings, Source
from swarm.demo.lab import Lab

Pair = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Read:
    """Where a person who read the texts contradicts the truth."""

    real: frozenset[Pair]
    absent: frozenset[Pair]


@dataclass(frozen=True, slots=True)
class Truth:
    """All real pairs, and those of them that share data."""

    pairs: frozenset[Pair]
    with_data: frozenset[Pair]

    def corrected(self, read: Read) -> "Truth":
        """The truth with what a person who read the texts says of it."""
        return Truth(
            (self.pairs | read.real) - read.absent, (self.with_data | read.real) - read.absent
        )


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is scanned, and what should be found in it."""

    settings: Settings
    truth: Truth
    read: Read | None = None


def read_corpus(tasks: Path, views: Path | None, truth: Path, read: Path | None = None) -> Corpus:
    """The corpus of its files."""
    sources = [Source(kind="manifest", path=tasks)]
    if views is not None:
        sources.append(Source(kind="catalog", path=views))
    lines = [json.loads(line) for line in truth.read_text("utf-8").splitlines() if line.strip()]
    pairs = {_pair(line["upstream"], line["downstream"]): line.get("data", True) for line in lines}
    return Corpus(
        Settings(sources=tuple(sources)),
        Truth(frozenset(pairs), frozenset(pair for pair, data in pairs.items() if data)),
        None if read is None else read_verdicts(read),
    )


def read_verdicts(path: Path) -> Read:
    """The rows `| real or absent | pipeline/task | pipeline/task | reason |` of a Markdown file."""
    found: dict[str, set[Pair]] = {"real": set(), "absent": set()}
    for line in path.read_text("utf-8").splitlines():
        cells = [cell.strip(" `") for cell in line.strip("| ").split("|")]
        if cells[0] in found:
            (up, up_task), (down, down_task) = (cell.split("/", 1) for cell in cells[1:3])
            found[cells[0]].add(((up, up_task), (down, down_task)))
    return Read(frozenset(found["real"]), frozenset(found["absent"]))


def measure(corpus: Corpus) -> Figures:
    """Scan the corpus and compare."""
    start_s = time.perf_counter()
    found = asyncio.run(survey(corpus.settings, progress))
    report = build(
        found.pipelines,
        found.dependencies,
        found.unresolved,
        min_confidence=corpus.settings.min_confidence,
        generated_at_s=time.time(),
    )
    seconds = time.perf_counter() - start_s
    for failure in found.failures:
        raise SystemExit(f"discovery: {failure}")
    shown = pairs_of(report)
    figures = {
        **_compared(shown, corpus.truth),
        "all_recall": _share(shown & corpus.truth.pairs, corpus.truth.pairs),
        "unresolved": float(len(report.unresolved)),
        "seconds": seconds,
    }
    if corpus.read is not None:
        read = _compared(shown, corpus.truth.corrected(corpus.read))
        figures |= {f"read_{name}": value for name, value in read.items()}
    return figures


def _compared(shown: frozenset[Pair], truth: Truth) -> dict[str, float]:
    cross = frozenset(pair for pair in shown if _crosses(pair))
    true_cross = frozenset(pair for pair in truth.with_data if _crosses(pair))
    return {
        "precision": _share(shown & truth.pairs, shown),
        "recall": _share(shown & truth.with_data, truth.with_data),
        "cross_precision": _share(cross & truth.pairs, cross),
        "cross_recall": _share(cross & true_cross, true_cross),
    }


def pairs_of(report: Report) -> frozenset[Pair]:
    """The pairs of tasks that the report shows to share data."""
    return frozenset(
        ((up.pipeline, up.task), (down.pipeline, down.task))
        for up, down in ((e.upstream, e.downstream) for e in report.edges if e.dataset)
        if up.task and down.task
    )


@contextlib.contextmanager
def lab_corpus(folder: Path) -> Iterator[Corpus]:
    """The lab after its pipelines have run, its servers up; the truth is its audit's."""
    with Lab(folder, progress) as lab:
        lab.run_pipelines()
        truth = lab.truth()
        pairs = frozenset(
            ((p.upstream.pipeline, p.upstream.task), (p.downstream.pipeline, p.downstream.task))
            for p in truth.undeclared | truth.declared
        )
        yield Corpus(settings_for(lab, Settings()), Truth(pairs, pairs))


def main() -> None:
    """Run the benchmark; without files it measures the lab, which takes some minutes."""

    def chosen(options: Options) -> Figures:
        own = options.own
        if own.tasks and own.truth:
            return measure(read_corpus(own.tasks, own.views, own.truth, own.read))
        if own.tasks or own.truth or own.views or own.read:
            raise SystemExit("discovery: --tasks and --truth go together")
        with lab_corpus(Path(".lab")) as corpus:
            return measure(corpus)

    run("discovery", "How many real dependencies are found?", chosen, arguments=_arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    for name, what in (("tasks", "manifest"), ("views", "catalog"), ("truth", "real edges")):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"{what}, JSON Lines")
    parser.add_argument("--read", type=Path, metavar="FILE", help="verdicts by reading, Markdown")


def _pair(upstream: dict[str, str], downstream: dict[str, str]) -> Pair:
    return (
        (upstream["pipeline"], upstream["task"]),
        (downstream["pipeline"], downstream["task"]),
    )


def _crosses(pair: Pair) -> bool:
    return pair[0][0] != pair[1][0]


def _share(part: frozenset[Pair] | set[Pair], whole: frozenset[Pair] | set[Pair]) -> float:
    return round(len(part) / len(whole), 4) if whole else 1.0


if __name__ == "__main__":
    main()

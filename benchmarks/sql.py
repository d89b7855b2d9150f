"""How fast are SQL texts read, beside plain sqlglot and openlineage-sql, and do they agree?

One core, CPU seconds, each figure of one run in which the three take turns on the same texts
(A B C, C B A, ...), the garbage collector as it comes. Plain sqlglot is `sqlglot.parse` and one
walk that collects the tables: those of a statement's target are written, all others that no
`WITH` names are read. openlineage-sql is `parse`, which returns both sets itself.

- Cold texts (`sql_texts.distinct`) are all different: 28 lines, seven shapes, six dialects.
- Log-shaped texts (`sql_texts.log`): 40 statements of the same shapes, used 1/rank, with other
  literals each time; 30 % are an exact copy of one of the last 200.
- `agreement_openlineage_sql`: of the cold texts, the share where both give the same two sets.
- `by_tokens`: the share of the cold texts that needed no syntax tree; `tree_per_cpu_s` is the
  rate of those that do. `disagreement_tree`: of the first by their words, the share of a sample
  of 1 % (at least 100 texts) whose syntax tree says something else.
- `rescan_s_10000_cold`, `_warm`: CPU to read a manifest of 10,000 tasks, and to read it again.
"""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import openlineage_sql
import sqlglot
from sqlglot import exp

from benchmarks.report import Figures, Options, progress, run
from benchmarks.sql_texts import DIALECTS, Text, distinct, log, manifest
from swarm.config import Settings
from swarm.connectors.manifest import read_manifest
from swarm.lineage.sql.extract import by_words, extract_sql
from swarm.lineage.sql.shapes import Abstained
from swarm.lineage.sql.tree import tree_extraction
from swarm.lineage.text import DEFAULT_CONVENTION, SqlContext
from swarm.model.lineage import Access, Extraction

Sets = tuple[frozenset[str], frozenset[str]]  # read, written

_ROUNDS = 10
_CONTEXTS = {dialect: SqlContext(dialect) for dialect in DIALECTS}
_TARGETED = exp.Insert | exp.Create | exp.Merge | exp.Update | exp.Delete
_OPENLINEAGE = {"spark": "spark", "trino": "generic"}  # it knows the others by sqlglot's name


def by_swarm(text: Text) -> Extraction:
    return extract_sql(text.sql, _CONTEXTS[text.dialect], "")


def by_sqlglot(text: Text) -> Sets:
    """The straightforward use of sqlglot."""
    read: set[str] = set()
    written: set[str] = set()
    for tree in sqlglot.parse(text.sql, read=text.dialect):
        if tree is None:
            continue
        names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        target = tree.this if isinstance(tree, _TARGETED) else None
        target = target.this if isinstance(target, exp.Schema) else target
        for table in tree.find_all(exp.Table):
            name = ".".join(part.name.lower() for part in table.parts)
            if table is target:
                written.add(name)
            elif name not in names:
                read.add(name)
    return frozenset(read), frozenset(written)


def by_openlineage(text: Text) -> Sets:
    found = openlineage_sql.parse([text.sql], dialect=_OPENLINEAGE.get(text.dialect, text.dialect))
    read = frozenset(_plain(table.qualified_name) for table in found.in_tables)
    return read, frozenset(_plain(table.qualified_name) for table in found.out_tables)


def _plain(name: str) -> str:
    return name.replace('"', "").replace("`", "").lower()


def _sets(found: Extraction) -> Sets:
    read = frozenset(t.dataset.name for t in found.touches if t.access is Access.READ)
    read |= {base.name for view in found.views for base in view.reads}
    return read, frozenset(t.dataset.name for t in found.touches if t.access is Access.WRITE)


def _cpu_s(read: Callable[[Text], object], texts: Sequence[Text]) -> float:
    start_s = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - start_s


def _cold(texts: Sequence[Text]) -> Figures:
    """The three in turns; swarm sees every text once."""
    readers: list[Callable[[Text], object]] = [by_swarm, by_sqlglot, by_openlineage]
    spent_s = dict.fromkeys(readers, 0.0)
    each_s: list[float] = []

    def one(text: Text) -> None:
        start_ns = time.process_time_ns()
        by_swarm(text)
        each_s.append((time.process_time_ns() - start_ns) / 1e9)

    size = len(texts) // _ROUNDS
    for number in range(_ROUNDS):
        part = texts[number * size : (number + 1) * size]
        half = len(part) // 2
        for reader in readers if number % 2 == 0 else readers[::-1]:
            if reader is by_swarm:
                # Timing each text costs a part of what is timed: half for the rate, half for p50.
                spent_s[by_swarm] += 2 * _cpu_s(by_swarm, part[:half])
                _cpu_s(one, part[half:])
            else:
                spent_s[reader] += _cpu_s(reader, part)
    each_s.sort()
    rate = {reader: size * _ROUNDS / spent_s[reader] for reader in readers}
    return {
        "statements_per_cpu_s_cold": round(rate[by_swarm]),
        "sqlglot_per_cpu_s": round(rate[by_sqlglot]),
        "openlineage_sql_per_cpu_s": round(rate[by_openlineage]),
        "cold_over_sqlglot": round(rate[by_swarm] / rate[by_sqlglot], 2),
        "cold_over_openlineage_sql": round(rate[by_swarm] / rate[by_openlineage], 2),
        "p50_ms": round(each_s[len(each_s) // 2] * 1000, 4),
        "p99_ms": round(each_s[len(each_s) * 99 // 100] * 1000, 4),
    }


def _agreement(texts: Sequence[Text]) -> Figures:
    same = [_sets(by_swarm(text)) == by_openlineage(text) for text in texts]
    plain = [_sets(by_swarm(text)) == by_sqlglot(text) for text in texts]
    return {
        "agreement_openlineage_sql": round(sum(same) / len(same), 4),
        "agreement_sqlglot": round(sum(plain) / len(plain), 4),
    }


def _tiers(texts: Sequence[Text]) -> Figures:
    """By their words against by their syntax trees; neither remembers anything."""
    told = 0
    sample = texts[:: min(100, max(1, len(texts) // 100))]
    start_s = time.process_time()
    trees = [
        tree_extraction(t.sql, (t.dialect, "", "", "", DEFAULT_CONVENTION), ()) for t in sample
    ]
    spent_s = time.process_time() - start_s
    different = 0
    for text, tree in zip(sample, trees, strict=True):
        try:
            found = by_words(text.sql, _CONTEXTS[text.dialect])
        except Abstained:
            continue
        told += 1
        different += found != tree
    return {
        "by_tokens": round(told / len(sample), 4),
        "disagreement_tree": round(different / max(1, told), 4),
        "tree_per_cpu_s": round(len(sample) / spent_s),
    }


def _rescan(count: int, seed: int) -> Figures:
    """CPU to read a manifest twice, as `swarm scan` and the running connector read it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for line in manifest(count, seed):
                file.write(json.dumps(line) + "\n")
        spent_s = []
        for now_s in (0.0, 1.0):
            start_s = time.process_time()
            for _ in read_manifest(path, "manifest", Settings(), now_s):
                pass
            spent_s.append(time.process_time() - start_s)
    return {"rescan_s_10000_cold": spent_s[0], "rescan_s_10000_warm": spent_s[1]}


def measure(options: Options) -> Figures:
    """All figures; `--quick` has a fifth of the cold texts and of the log."""
    share = 1 if options.quick else 5
    progress("cold texts, three readers in turns")
    texts = distinct(1_000 * share, options.seed)
    for text in distinct(40, options.seed + 1_000_000):  # everything loaded, nothing to remember
        by_swarm(text), by_sqlglot(text), by_openlineage(text)
    figures = dict(_cold(texts))
    progress("a log")
    repeated = log(10_000 * share, options.seed + 1)
    figures["statements_per_cpu_s_log"] = round(len(repeated) / _cpu_s(by_swarm, repeated))
    progress("agreement")
    figures.update(_agreement(texts))
    figures.update(_tiers(texts))
    progress("a manifest of 10,000 tasks, twice")
    figures.update(_rescan(10_000, options.seed + 2))
    return figures


def main() -> None:
    """Run the benchmark."""
    run("sql", "How fast are SQL texts read?", measure)


if __name__ == "__main__":
    main()

"""Do holds keep pipelines from reading what is not there, and does nobody else wait for it?

Fleets of 200 pipelines over four orchestrators (`benchmarks.cascade_world`), day by day
(`benchmarks.cascade_sim`), with the same luck without swarm and with it, all pipelines in mode
`gate`. Five weeks of history come first. What swarm knows of the graph is what its own engine finds
in what is seen of the fleet and in its runs, with the misses and the mistakes that this has.

What keeps `prevented_share` from the goal is `gating_recall`, and that is what honesty allows. Of
489 undeclared edges of two fleets, 29 % stand at 0.99 and more, 41 % from 0.9 up to there, 18 %
from 0.5, and 12 % below: mostly an end that no channel ever saw. Those from 0.9 on have one or two
channels for one of their ends where those above have three and four, and 94 % of all that stands
there is real: so sure swarm is, too, and to hold for them is to hold wrongly six times in a
hundred. No kind of evidence stands out: in thirteen other organisations (five of other habits) 91
to 96 % of them are real where one end has one channel and the other one or two, 96 % (94 %) where
runs showed both ends, so to weigh any of it more would be to claim what is not so. More days do not
help. What a channel takes for an access it takes again each day, so only another channel confirms
it, or a person: that is `..._asked`. Runs that are late together hardly do in five weeks, since a
reader that starts by the clock does not move.

- `prevented_share`: of the planned runs that failed or read old data because what they need was not
  there, how many fewer there are; `stale_reads_prevented_share`: of the stale reads alone.
  `..._asked`: where the owners have answered for five weeks what swarm asks them, three questions a
  team and week; `..._true_graph`: where swarm knows every dependency.
- `false_hold_share`: of all runs, those that were held when nothing they need was missing;
  `healthy_delay_p99_s`: how much later runs began than they could, of those that missed nothing.
- `sla_misses_without`, `sla_misses_with`: of 30 pipelines a fleet, by a time that nineteen of
  twenty days of the history have met.
- `gating_recall`: of the undeclared edges, the share that gates; `gating_precision`: of the edges
  that gate, the real share.
- `gated_runs`, `deadlocks`, `holds_past_latest`: how many runs in mode `gate`, over all three; how
  many of them never began; how many were held for longer than the policy lets them.

`--real` is another benchmark: the lab's pipelines on real servers (`benchmarks.cascade_real`).
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks import cascade_real
from benchmarks.cascade_sim import Days, Outcome, history
from benchmarks.cascade_world import Fleet
from benchmarks.confidence import fed
from benchmarks.report import Figures, Options, progress, run
from benchmarks.warnings_world import DAY_S, FIRST_DAY
from swarm.graph.index import DependencyGraph
from swarm.graph.questions import WEEK_S, Questions
from swarm.lineage.ledger import Ledger
from swarm.model.connectors import Batch
from swarm.model.graph import DependencyChanged, GraphRecord, PipelineSeen
from swarm.model.lineage import GATE_FROM, Dependency, Verdict, VerdictRequest

QUESTION = "Do holds prevent cascades, and does nobody else wait?"
HISTORY_DAYS = 35
WEEKS = 5
SLAS = 30


def main() -> None:
    """Run the benchmark."""
    if "--real" in sys.argv:
        run("cascade_real", QUESTION, _on_real_servers, arguments=_arguments)
    else:
        run("cascade", QUESTION, measure, arguments=_arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--real", action="store_true", help="on real servers; takes 70 minutes")


def _on_real_servers(options: Options) -> Figures:
    return cascade_real.measure(2 if options.quick else 20)


@dataclass(slots=True)
class _Sums:
    """Over all fleets; by what swarm knows: nothing, or one of three graphs."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    gating: list[tuple[int, int, int]] = field(default_factory=list)


def measure(options: Options) -> Figures:
    count, worlds, days = (80, 1, 7) if options.quick else (200, 3, 28)
    sums = _Sums()
    for seed in range(options.seed, options.seed + worlds):
        progress(f"fleet {seed} of {count} pipelines")
        fleet = Fleet(count, seed)
        ledger = fed([*fleet.batches(), Batch("runs", "0", tuple(history(fleet, HISTORY_DAYS)))])
        found = _graph(ledger)
        sums.gating.append(_gating(fleet, found))
        _live(sums, fleet, days, "without", None)
        _live(sums, fleet, days, "discovered", found)
        _live(sums, fleet, days, "asked", _asked(fleet, ledger))
        _live(sums, fleet, days, "true_graph", _true(fleet))
    return _figures(sums)


def _live(sums: _Sums, fleet: Fleet, days: int, name: str, known: list[GraphRecord] | None) -> None:
    progress(f"  {name}")
    outcome = Days(fleet, HISTORY_DAYS + days, HISTORY_DAYS, known).run()
    sums.outcomes.setdefault(name, []).append(outcome)
    sums.missed[name] = sums.missed.get(name, 0) + _missed(fleet, outcome, days)


def _graph(ledger: Ledger) -> list[GraphRecord]:
    return [r for r in ledger.records() if isinstance(r, PipelineSeen | DependencyChanged)]


def _asked(fleet: Fleet, ledger: Ledger) -> list[GraphRecord]:
    """The graph once the owners have answered, truly, what they were asked."""
    questions = Questions()
    for week in range(WEEKS):
        graph = DependencyGraph(_graph(ledger))
        for asked in questions.decide(graph, FIRST_DAY * DAY_S + week * WEEK_S):
            questions.apply(asked)
            verdict = Verdict.ACCEPTED if asked.key in fleet.truth else Verdict.REJECTED
            request = VerdictRequest(asked.key, verdict, "owner")
            for record in ledger.decide(request, 0.0):
                ledger.apply(record)
    return _graph(ledger)


def _true(fleet: Fleet) -> list[GraphRecord]:
    listed = next(iter(fleet.batches())).items
    pipelines: list[GraphRecord] = [PipelineSeen(one) for one in listed]  # type: ignore[arg-type]
    edges = (Dependency(key, False, 1.0, ()) for key in sorted(fleet.truth))
    return pipelines + [DependencyChanged(1, edge) for edge in edges]


def _gating(fleet: Fleet, found: Iterable[GraphRecord]) -> tuple[int, int, int]:
    """How many undeclared edges there are, how many of them gate, how many others do."""
    edges = [edge for edge in DependencyGraph(found).edges() if not edge.declared]
    stated = {(e.upstream, e.downstream) for e in edges if e.confidence >= GATE_FROM}
    real = {
        (fleet.lines[read.up].key, line.key)
        for line in fleet.lines
        for read in line.reads
        if not read.waits
    }
    return len(real), len(real & stated), len(stated - real)


def _missed(fleet: Fleet, outcome: Outcome, days: int) -> int:
    """How many SLA-days were missed, of the last daily pipelines of the fleet."""
    daily = [n for n, line in enumerate(fleet.lines) if line.every_s == DAY_S][-SLAS:]
    middle_s = (FIRST_DAY + HISTORY_DAYS) * DAY_S
    missed = 0
    for number in daily:
        line = fleet.lines[number]
        took = sorted(
            outcome.done_s[number, tick_s] - tick_s
            for tick_s in line.ticks(FIRST_DAY * DAY_S, middle_s)
        )
        most_s = took[int(0.95 * (len(took) - 1))] // 300 * 300 + 300
        for tick_s in line.ticks(middle_s, middle_s + days * DAY_S):
            missed += outcome.done_s.get((number, tick_s), float("inf")) - tick_s > most_s
    return missed


def _figures(sums: _Sums) -> dict[str, float]:
    without = sums.outcomes["without"]
    ours = sums.outcomes["discovered"]
    runs = sum(one.runs for one in ours)
    gated = [one for name, of in sums.outcomes.items() if name != "without" for one in of]
    delays = sorted(delay_s for one in ours for delay_s in one.healthy_delay_s)
    real, gating, others = map(sum, zip(*sums.gating, strict=True))
    figures: dict[str, float] = {}
    for name, suffix in (("discovered", ""), ("asked", "_asked"), ("true_graph", "_true_graph")):
        having = sums.outcomes[name]
        figures[f"prevented_share{suffix}"] = 1 - _harmed(having) / _harmed(without)
        figures[f"stale_reads_prevented_share{suffix}"] = 1 - _stale(having) / _stale(without)
        figures[f"false_hold_share{suffix}"] = sum(len(o.false_holds) for o in having) / runs
        figures[f"sla_misses_with{suffix}"] = float(sums.missed[name])
    return figures | {
        "sla_misses_without": float(sums.missed["without"]),
        "harmed_without": float(_harmed(without)),
        "healthy_delay_p99_s": delays[int(0.99 * len(delays))],
        "held": float(sum(len(one.held) for one in ours)),
        "gating_recall": gating / real,
        "gating_precision": gating / (gating + others),
        "gated_runs": float(sum(one.runs for one in gated)),
        "deadlocks": float(sum(one.never_begun for one in gated)),
        "holds_past_latest": float(sum(one.past_latest for one in gated)),
    }


def _harmed(outcomes: list[Outcome]) -> int:
    return sum(len(one.stale | one.failed) for one in outcomes)


def _stale(outcomes: list[Outcome]) -> int:
    return sum(len(one.stale) for one in outcomes)


if __name__ == "__main__":
    main()

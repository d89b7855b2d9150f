"""The report for a terminal: blocks of lines, so that no name is ever cut off.

Lines are left to the terminal to wrap; piped into a file each name stays in one piece.
"""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from swarm.cli.report import Edge, Report, words_of
from swarm.cli.trust import Trust
from swarm.model.lineage import Proof

_EDGES_SHOWN = 50
_PROOFS_SHOWN = 4
_UNRESOLVED_SHOWN = 30
_HAZARDS_SHOWN = 20
_BLIND_SHOWN = 20
_TASKS_SHOWN = 5


def print_table(report: Report, console: Console | None = None) -> None:
    """Print to `console`, stdout when there is none given. `NO_COLOR` is respected."""
    out = console or Console(highlight=False, soft_wrap=True)
    _print_summary(report, out)
    for number, edge in enumerate(report.undeclared[:_EDGES_SHOWN], start=1):
        _print_edge(number, edge, out)
    _print_more(len(report.undeclared) - _EDGES_SHOWN, "undeclared dependencies", out)
    _print_hazards(report, out)
    _print_trust(report, out)
    _print_unresolved(report, out)


def _print_summary(report: Report, out: Console) -> None:
    seen = ", ".join(f"{name} {count:,}" for name, count in report.by_orchestrator.items())
    undeclared = report.undeclared
    across = sum(edge.crosses for edge in undeclared)
    out.print(f"[bold]{len(report.pipelines):,} pipelines[/] seen: {escape(seen) or 'none'}")
    out.print(
        f"[bold]{len(undeclared):,} undeclared dependencies[/], {across:,} of them between "
        f"pipelines; {len(report.edges) - len(undeclared):,} declared"
    )
    out.print(f"[bold]{len(report.unresolved):,}[/] things could not be read")
    for source, count in sorted(report.unattributed.items()):
        out.print(
            f"[bold]{count:,}[/] statements of {escape(source)} belong to no task that is known"
        )


def _print_hazards(report: Report, out: Console) -> None:
    """What runs show."""
    if not report.hazards:
        return
    out.print()
    out.print("[bold]What did or will go wrong, as runs show[/]")
    for number, finding in enumerate(report.hazards[:_HAZARDS_SHOWN], start=1):
        what, remedy = words_of(finding)
        kind = finding.kind.value.replace("_", " ")
        out.print(Text.assemble((f"{number}. ", "dim"), (kind, "yellow"), f": {what}"))
        out.print(Text(f"   {remedy}", "dim"))
    _print_more(len(report.hazards) - _HAZARDS_SHOWN, "hazards", out)


def _print_trust(report: Report, out: Console) -> None:
    """What the answer rests on: how texts were read, and where it may lack something."""
    blind = [one for one in report.trust if one.share]
    out.print()
    out.print("[bold]How far this can be trusted[/]")
    if report.texts:
        out.print(escape(texts_read(report)))
    if report.pipelines:
        whole = len(report.pipelines) - len(blind)
        out.print(f"{whole:,} of {len(report.pipelines):,} pipelines are understood whole")
    for one in blind[:_BLIND_SHOWN]:
        out.print(Text.assemble("  ", (str(one.pipeline), "cyan"), f": {blindness(one)}"))
    _print_more(len(blind) - _BLIND_SHOWN, "pipelines that are not understood whole", out, "  ")


def texts_read(report: Report) -> str:
    """How many SQL texts were read, and how."""
    tiers, dialects = _listed(report.by_tier), _listed(report.by_dialect)
    return (
        f"{len(report.texts):,} SQL texts: by tier {tiers}; by dialect {dialects}; "
        f"{report.partly_read:,} not understood whole"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def blindness(one: Trust) -> str:
    """Of which tasks of a pipeline something is not understood, in words."""
    if not one.tasks:
        return "not understood"
    names = ", ".join(one.blind[:_TASKS_SHOWN])
    more = len(one.blind) - _TASKS_SHOWN
    listed = f"{names} and {more:,} more" if more > 0 else names
    return (
        f"{one.share:.0%} not understood or only in part, {len(one.blind):,} of "
        f"{one.tasks:,} tasks ({listed})"
    )


def _print_edge(number: int, edge: Edge, out: Console) -> None:
    out.print()
    head = Text.assemble(
        (f"{number}. ", "dim"),
        (str(edge.upstream), "bold cyan"),
        "  ->  ",
        (str(edge.downstream), "bold cyan"),
    )
    out.print(head, soft_wrap=True)
    out.print(
        Text.assemble(
            "   through ", (edge.dataset, "green"), f", {sureness(edge)}, {stakes(edge)}"
        ),
        soft_wrap=True,
    )
    for proof in edge.proofs[:_PROOFS_SHOWN]:
        out.print(Text(f"   {proof_text(proof, edge)}", "dim"), soft_wrap=True)
    _print_more(len(edge.proofs) - _PROOFS_SHOWN, "lines of evidence", out, "   ")


def sureness(edge: Edge) -> str:
    """How sure an edge is, what that is enough for, and how often it recurred, in words."""
    words = f"{edge.confidence:.0%} sure ({edge.level.value})"
    if edge.recurrence is None:
        return words
    if not edge.recurrence.recurring:
        return f"{words}, seen once"
    return f"{words}, seen on {edge.recurrence.seen} of {edge.recurrence.looks} days"


def stakes(edge: Edge) -> str:
    """What hangs on an edge, in words."""
    if edge.pipelines_behind is None:
        return "inside one pipeline"
    plural = "" if edge.pipelines_behind == 1 else "s"
    return f"{edge.pipelines_behind:,} pipeline{plural} behind it"


def proof_text(proof: Proof, edge: Edge) -> str:
    """One line of evidence in words."""
    who = "writer" if proof.task == edge.upstream else "reader"
    via = f" through view {', '.join(d.name for d in proof.via)}" if proof.via else ""
    words = " ".join(proof.excerpt.split())
    place = f" {proof.place}:" if proof.place else ""
    return f"{proof.weight:+.1f} {who}, {proof.channel.value}{via}:{place} {words}".rstrip()


def _print_unresolved(report: Report, out: Console) -> None:
    if not report.unresolved:
        return
    out.print()
    out.print("[bold]Could not be read[/]")
    for found in report.unresolved[:_UNRESOLVED_SHOWN]:
        place = f" at {found.place}" if found.place else ""
        words = " ".join(found.detail.split())
        out.print(
            Text.assemble(
                (found.reason.value, "yellow"), f" {found.subject}{place}: ", (words, "dim")
            ),
            soft_wrap=True,
        )
    _print_more(len(report.unresolved) - _UNRESOLVED_SHOWN, "things", out)


def _print_more(count: int, what: str, out: Console, indent: str = "") -> None:
    if count > 0:
        out.print(f"{indent}... and {count:,} more {what}: -o html or -o json has all of them")

"""The report for a terminal: blocks of lines, so that no name is ever cut off.

Lines are left to the terminal to wrap; piped into a file each name stays in one piece.
"""

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from swarm.cli.report import Edge, Report
from swarm.model.lineage import Proof

_EDGES_SHOWN = 50
_PROOFS_SHOWN = 4
_UNRESOLVED_SHOWN = 30


def print_table(report: Report, console: Console | None = None) -> None:
    """Print to `console`, stdout when there is none given. `NO_COLOR` is respected."""
    out = console or Console(highlight=False, soft_wrap=True)
    _print_summary(report, out)
    for number, edge in enumerate(report.undeclared[:_EDGES_SHOWN], start=1):
        _print_edge(number, edge, out)
    _print_more(len(report.undeclared) - _EDGES_SHOWN, "undeclared dependencies", out)
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

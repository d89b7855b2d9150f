"""`swarm deps`, `swarm accept`, `swarm reject`, `swarm impact`: ask the running swarm's graph."""

import getpass
import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, connected, fail, unchanged
from swarm.cli.edge_name import edge_name
from swarm.cli.output import Output, OutputOption, name_of, print_table
from swarm.cli.source_options import ExplainOption

if TYPE_CHECKING:
    from swarm.client.calls.graph import Recurrence

_Verdict = Literal["accepted", "rejected"]


def deps(
    everything: Annotated[
        bool, typer.Option("--all", help="Also the dependencies that are declared.")
    ] = False,
    min_confidence: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    questions: Annotated[
        bool, typer.Option("--questions", help="What owners are asked; accept or reject answers.")
    ] = False,
    explain: ExplainOption = None,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show the dependencies nobody declared, strongest first."""
    if questions:
        _questions(output, path)
        return
    if explain is not None:
        _explain(explain, output, path)
        return
    with connected(path) as swarm:
        edges = list(
            swarm.dependencies(
                declared=None if everything else False, min_confidence=min_confidence
            )
        )
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "edges": edges}, indent=2))
        return
    print_table(
        ("writer", "reader", "dataset", "confidence", "level", "seen", "declared"),
        (
            (
                name_of(edge["upstream"]),
                name_of(edge["downstream"]),
                edge["dataset"],
                f"{edge['confidence']:.2f}",
                edge["level"],
                _often(edge["recurrence"]),
                "yes" if edge["declared"] else "no",
            )
            for edge in edges
        ),
    )


def _questions(output: Output, path: ConfigOption) -> None:
    with connected(path) as swarm:
        asked = swarm.questions()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "questions": asked}, indent=2))
        return
    for one in asked:
        up, down = name_of(one["upstream"]), name_of(one["downstream"])
        typer.echo(
            f"{one['team'] or 'nobody'}: does {down} read what {up} writes to {one['dataset']}? "
            f"{one['confidence']:.0%} sure ({one['level']}), {one['pipelines_behind']} behind it"
        )
    typer.echo(f"{len(asked)} questions; `swarm accept` or `swarm reject` answers", err=True)


def _explain(edge: str, output: Output, path: ConfigOption) -> None:
    asked = edge_name(edge)
    with connected(path) as swarm:
        answer = swarm.explain(asked.upstream, asked.downstream, asked.dataset)
    if output is Output.JSON:
        typer.echo(json.dumps(answer, indent=2))
        return
    from swarm.api.explained import Explained
    from swarm.cli.explained_text import explained_text

    typer.echo(explained_text(Explained.model_validate(answer)).rstrip())


def _often(recurrence: "Recurrence | None") -> str:
    """How often the reader read, in words."""
    if recurrence is None:
        return "in text"
    if not recurrence["recurring"]:
        return "once"
    return f"{recurrence['seen_days']} of {recurrence['looked_days']} days"


def impact(
    name: Annotated[str, typer.Argument(help="Pipeline or task: orchestrator/pipeline[/task].")],
    upstream: Annotated[
        bool, typer.Option("--upstream", help="What it stands on, not who stands on it.")
    ] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show who is hit when a pipeline is late or wrong, nearest first."""
    with connected(path) as swarm:
        answer = swarm.upstream(name) if upstream else swarm.impact(name)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1} | answer, indent=2))
        return
    for hit in answer["hits"]:
        typer.echo(
            f"{hit['distance']:>3}  {hit['confidence']:.2f}  {name_of(hit['task'])}"
            + (f"  through {', '.join(hit['datasets'])}" if hit["datasets"] else "")
        )
    side = "upstream of" if upstream else "downstream of"
    typer.echo(f"{answer['total']} {side} {name}", err=True)


def accept(
    upstream: str, downstream: str, dry_run: DryRunOption = False, path: ConfigOption = None
) -> None:
    """Confirm the dependencies between two tasks; rescans keep it."""
    _judge(upstream, downstream, "accepted", dry_run, path)


def reject(
    upstream: str, downstream: str, dry_run: DryRunOption = False, path: ConfigOption = None
) -> None:
    """Say that there is no dependency between two tasks; rescans keep it."""
    _judge(upstream, downstream, "rejected", dry_run, path)


def _judge(
    upstream: str, downstream: str, verdict: _Verdict, dry_run: bool, path: ConfigOption
) -> None:
    with connected(path) as swarm:
        found = [
            edge
            for edge in swarm.dependencies(min_confidence=0)
            if name_of(edge["upstream"]) == upstream and name_of(edge["downstream"]) == downstream
        ]
        if not found:
            fail(f"No dependency leads from {upstream} to {downstream}; see `swarm deps --all`.", 4)
        for edge in found:
            if not dry_run:
                swarm.judge(edge, verdict, by=getpass.getuser())
            typer.echo(f"{verdict}: {upstream} -> {downstream} through {edge['dataset']}")
    if dry_run:
        unchanged()

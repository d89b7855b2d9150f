"""`swarm graph`: all pipelines and who feeds whom, as a table or for a program that draws."""

import json
from collections import defaultdict
from collections.abc import Iterator, Set
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import ConfigOption, connected, fail
from swarm.cli.output import Output, OutputOption, print_table

if TYPE_CHECKING:
    from swarm.client.calls.graph import WholeGraph

_NOT_FOUND = 4


def graph(
    around: Annotated[
        str, typer.Argument(metavar="[PIPELINE]", help="Only what is around orchestrator/name.")
    ] = "",
    steps: Annotated[int, typer.Option(min=1, help="So many steps to both sides of it.")] = 1,
    min_confidence: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    dot: Annotated[
        bool, typer.Option("--dot", help="In Graphviz's language: `swarm graph --dot | dot -Tsvg`.")
    ] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show the pipelines of all orchestrators and who feeds whom; what nobody declared has its
    confidence."""
    with connected(path) as swarm:
        whole = swarm.graph(min_confidence)
    names = _names(whole)
    if around and around not in names:
        fail(f"there is no pipeline `{around}`; `swarm graph` lists them.", _NOT_FOUND)
    shown = near(whole, names.index(around), steps) if around else frozenset(range(len(names)))
    if dot:
        typer.echo("\n".join(drawn(whole, shown)))
    elif output is Output.JSON:
        edges = [row for row in edges_of(whole) if {row[0], row[1]} <= shown]
        told = {
            "schema_version": 1,
            "pipelines": [names[at] for at in sorted(shown)],
            "edges": [
                {"upstream": names[a], "downstream": names[b], "confidence": sure, "declared": said}
                for a, b, sure, said in edges
            ],
        }
        typer.echo(json.dumps(told, indent=2))
    else:
        print_table(("pipeline", "team", "schedule", "stands on"), _rows(whole, shown))


def edges_of(whole: "WholeGraph") -> Iterator[tuple[int, int, float, bool]]:
    """Upstream, downstream, confidence, and whether somebody declared it."""
    edges = whole["edges"]
    columns = (edges["upstream"], edges["downstream"], edges["confidence"], edges["declared"])
    return zip(*columns, strict=True)


def near(whole: "WholeGraph", middle: int, steps: int) -> Set[int]:
    """The pipelines at most so many edges away, whichever way these point."""
    beside: dict[int, set[int]] = defaultdict(set)
    for upstream, downstream, _, _ in edges_of(whole):
        beside[upstream].add(downstream)
        beside[downstream].add(upstream)
    found, rim = {middle}, {middle}
    for _ in range(steps):
        rim = {other for one in rim for other in beside[one]} - found
        found |= rim
    return found


def drawn(whole: "WholeGraph", shown: Set[int]) -> Iterator[str]:
    """The graph in Graphviz's language: what nobody declared is dashed."""
    names = _names(whole)
    yield "digraph swarm {"
    yield "  rankdir=LR; node [shape=box];"
    for at in sorted(shown):
        yield f"  {_quoted(names[at])};"
    for upstream, downstream, sure, declared in edges_of(whole):
        if {upstream, downstream} <= shown:
            how = "" if declared else f' [style=dashed, label="{sure:.2f}"]'
            yield f"  {_quoted(names[upstream])} -> {_quoted(names[downstream])}{how};"
    yield "}"


def _quoted(name: str) -> str:
    """As a string there: a backslash before n would break a line, and at the end hide the quote."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _names(whole: "WholeGraph") -> list[str]:
    columns = whole["pipelines"]
    return [
        f"{orchestrator}/{name}"
        for orchestrator, name in zip(columns["orchestrator"], columns["name"], strict=True)
    ]


def _rows(whole: "WholeGraph", shown: Set[int]) -> Iterator[tuple[str, ...]]:
    names, columns = _names(whole), whole["pipelines"]
    stands_on: dict[int, list[str]] = defaultdict(list)
    for upstream, downstream, sure, declared in edges_of(whole):
        if upstream in shown:
            how = "" if declared else f" ({sure:.0%} sure)"
            stands_on[downstream].append(names[upstream] + how)
    for at in sorted(shown, key=names.__getitem__):
        schedule = columns["schedule"][at] + (" (paused)" if columns["paused"][at] else "")
        yield names[at], columns["owner"][at], schedule, ", ".join(sorted(stands_on[at]))

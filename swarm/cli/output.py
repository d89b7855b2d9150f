"""How commands print: the forms that `-o` knows, tables, times and names."""

import time
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.yaml_form import json_as_yaml

if TYPE_CHECKING:
    from swarm.client.calls.graph import TaskName


class Output(StrEnum):
    """What the running swarm answers."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class ReportOutput(StrEnum):
    """A report, also as a page to hand on."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


class DiffOutput(StrEnum):
    """A comparison, also as a comment on a pull request."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class CostOutput(StrEnum):
    """Costs, also for a spreadsheet."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class ConfigOutput(StrEnum):
    """Settings."""

    YAML = "yaml"
    JSON = "json"


class CheckOutput(StrEnum):
    """What was found in a file."""

    TEXT = "text"
    JSON = "json"


def _seen_as(context: typer.Context, output: Output) -> Output:
    """A command that is to print YAML sees that it is to print JSON."""
    if output is not Output.YAML:
        return output
    if not context.resilient_parsing:
        context.with_resource(json_as_yaml())
    return Output.JSON


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="How to print.", callback=_seen_as)
]


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows under a heading; no name is cut off."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # what comes from outside is no markup
    Console().print(table)


def moment(at_s: float | None) -> str:
    """A time by the clock here; nothing where there is none."""
    return "" if at_s is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_s))


def name_of(task: "TaskName") -> str:
    """A task as people write it: orchestrator/pipeline/task."""
    return "/".join(filter(None, (task["orchestrator"], task["pipeline"], task["task"])))

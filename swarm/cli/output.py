"""How commands print: the forms that `-o` knows, tables, times and names. Every `-o` knows `table`,
`json` and `yaml`; some have one form more."""

import time
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

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
    YAML = "yaml"
    HTML = "html"


class DiffOutput(StrEnum):
    """A comparison, also as a comment on a pull request."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"


class CostOutput(StrEnum):
    """Costs, also for a spreadsheet."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


_Form = TypeVar("_Form", bound=StrEnum)


def _seen_as(context: typer.Context, output: _Form) -> _Form:
    """A command that is to print YAML sees that it is to print JSON."""
    if output != Output.YAML:
        return output
    if not context.resilient_parsing:
        context.with_resource(json_as_yaml())
    return type(output)(Output.JSON.value)


_OPTION = typer.Option("--output", "-o", help="How to print.", callback=_seen_as)

OutputOption = Annotated[Output, _OPTION]
ReportOption = Annotated[ReportOutput, _OPTION]
DiffOption = Annotated[DiffOutput, _OPTION]
CostOption = Annotated[CostOutput, _OPTION]
# For what prints YAML itself: as its text is written, or one document after the other.
AsIsOption = Annotated[Output, typer.Option("--output", "-o", help="How to print.")]


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

"""`swarm replay`: what would the last days have been with swarm?"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, explained, reached
from swarm.cli.output import ReportOption, ReportOutput
from swarm.cli.progress import progress
from swarm.cli.scan import settings_of
from swarm.cli.source_options import (
    AirflowOption,
    DagsterOption,
    ManifestOption,
    PrefectOption,
)

if TYPE_CHECKING:
    from swarm.config import Settings

_TIMEOUT_S = 600.0


def replay(  # noqa: PLR0913  (typer: one argument is one option)
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days.")] = 30,
    price: Annotated[
        float | None,
        typer.Option(min=0, max=10_000, metavar="USD", help="What an hour of a slot costs."),
    ] = None,
    airflow: AirflowOption = None,
    dagster: DagsterOption = None,
    prefect: PrefectOption = None,
    manifest: ManifestOption = None,
    output: ReportOption = ReportOutput.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show the last days twice: as they were, and held by swarm's own rules. It changes nothing.

    Asks the running swarm, whatever its modes, or looks by itself, read-only, where sources are
    named here.
    """
    answer: Mapping[str, Any]
    given = {"airflow": airflow, "dagster": dagster, "prefect": prefect, "manifest": manifest}
    if any(given.values()):
        answer = _offline(settings_of(path, given, (), None), days, price)
    else:
        from swarm.client import Client

        with (
            explained(),
            Client(*reached(path), timeout_s=_TIMEOUT_S, retry_for_s=0.0) as swarm,
            progress(_doing(days)),
        ):
            answer = swarm.replay(days, price)
    if output is ReportOutput.JSON:
        typer.echo(json.dumps({"schema_version": 1, **answer}, indent=2))
        return
    from swarm.cli import replay_text

    as_text = replay_text.as_html if output is ReportOutput.HTML else replay_text.as_table
    typer.echo(as_text(answer))


def _offline(settings: "Settings", days: int, price: float | None) -> dict[str, Any]:
    from swarm.api.replay_schemas import SavingsRow
    from swarm.cli.offline import look
    from swarm.clock import SystemClock
    from swarm.model.weekdays import DAY_S
    from swarm.sequencing.savings import replayed

    seen, now_s = look(settings), SystemClock().now_s()
    with progress(_doing(days)) as course:
        found = replayed(seen.world, seen.slas, now_s - days * DAY_S, now_s, course.reach)
    return SavingsRow.of(found, price).model_dump(mode="json")


def _doing(days: int) -> str:
    return f"Replaying {days} days"

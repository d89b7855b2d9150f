"""`swarm cost`: what a fleet costs, how much of it works, and whose it is."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, explained
from swarm.cli.scan import settings_of
from swarm.cli.source_options import (
    AirflowOption,
    DagsterOption,
    ManifestOption,
    PrefectOption,
)

if TYPE_CHECKING:
    from swarm.placement.baseline import Baseline
    from swarm.placement.receipts import Line

_SHOWN = 20


class By(StrEnum):
    """Whose it is."""

    PIPELINE = "pipeline"
    DAY = "day"


class Output(StrEnum):
    """How to print it."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def cost(  # noqa: PLR0913  (typer: one argument is one option)
    workers: Annotated[int, typer.Option(min=1, max=100_000, help="How many workers stand.")],
    slots: Annotated[int, typer.Option(min=1, max=1_000, help="How many runs one takes.")],
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Of the fleet as it stands, all day and night.")
    ] = False,
    price: Annotated[
        float | None,
        typer.Option(min=0, max=10_000, metavar="USD", help="What an hour of a worker costs."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--type", metavar="TYPE", help="Its type, where no price is given (AWS)."),
    ] = None,
    region: Annotated[str, typer.Option(metavar="REGION", help="Where it is.")] = "us-east-1",
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days.")] = 30,
    by: Annotated[By, typer.Option(help="Whose it is.")] = By.PIPELINE,
    airflow: AirflowOption = None,
    dagster: DagsterOption = None,
    prefect: PrefectOption = None,
    manifest: ManifestOption = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form.")] = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show what the fleet of the last days cost, and how much of it worked. It changes nothing.

    Reads the runs that orchestrators remember, of the settings' sources and those named here.
    """
    if not baseline:
        raise typer.BadParameter("say --baseline: only a fleet that stands can be priced so far")
    usd_per_h = _price(price, kind, region)
    given = {"airflow": airflow, "dagster": dagster, "prefect": prefect, "manifest": manifest}
    with explained():
        settings = settings_of(path, given, (), None)
    if not settings.sources:
        raise typer.BadParameter("no runs to read; name a source, e.g. --airflow http://host:8080")
    from swarm.cli.offline import look
    from swarm.clock import SystemClock
    from swarm.model.runs import RunState
    from swarm.model.weekdays import DAY_S
    from swarm.placement.baseline import Span, Standing
    from swarm.placement.baseline import baseline as priced

    now_s = SystemClock().now_s()
    spans = [
        Span(str(run.pipeline), run.started_at_s, run.ended_at_s, run.state is RunState.FAILED)
        for run in look(settings).found.ran
        if run.started_at_s is not None and run.ended_at_s is not None
    ]
    found = priced(spans, Standing(workers, slots, usd_per_h), now_s - days * DAY_S, now_s)
    whose = _whose(found, by)
    if output is Output.CSV:
        typer.echo(_csv(by, whose), nl=False)
    elif output is Output.JSON:
        typer.echo(json.dumps(_tree(found, days, usd_per_h, by, whose), indent=2))
    else:
        _print(found, days, whose)


def _price(price: float | None, kind: str | None, region: str) -> float:
    from swarm.placement.prices import AS_OF, ondemand_usd_per_h

    if price is not None:
        return price
    if kind is None:
        raise typer.BadParameter("what does a worker cost? Say --price USD or --type TYPE")
    found = ondemand_usd_per_h(kind, region)
    if found is None:
        raise typer.BadParameter(
            f"{kind} in {region} is not in the table of {AS_OF}; say --price USD"
        )
    return found


def _whose(found: "Baseline", by: By) -> Mapping[str, float]:
    from swarm.placement.receipts import by as summed

    return summed(found.receipt.lines, lambda line: _name(line, by))


def _name(line: "Line", by: By) -> str:
    if by is By.PIPELINE:
        return line.pipeline
    from swarm.model.weekdays import DAY_S

    return datetime.fromtimestamp(int(line.run) * DAY_S, UTC).date().isoformat()


def _tree(
    found: "Baseline", days: int, usd_per_h: float, by: By, whose: Mapping[str, float]
) -> dict[str, Any]:
    told = found.receipt
    return {
        "schema_version": 1,
        "days": days,
        "worker_usd_per_h": usd_per_h,
        "bill_usd": told.bill_usd,
        "idle_usd": told.idle_usd,
        "retry_usd": sum(line.retry_usd for line in told.lines),
        "utilisation": found.utilisation,
        "slots_at_most": found.at_most,
        "over_s": found.over_s,
        "following_usd": found.following_usd,
        "slots_by_hour": list(found.by_hour),
        "by": by.value,
        "usd": dict(whose),
        "kinds": [asdict(kind) for kind in told.kinds],
    }


def _csv(by: By, whose: Mapping[str, float]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((by.value, "usd"))
    rows.writerows((name, f"{usd:.4f}") for name, usd in whose.items())
    return text.getvalue()


def _print(found: "Baseline", days: int, whose: Mapping[str, float]) -> None:
    told = found.receipt
    retry_usd = sum(line.retry_usd for line in told.lines)
    typer.echo(f"{days} days: {told.bill_usd:,.2f} USD, {found.utilisation:.0%} of it at work")
    typer.echo(f"  idle {told.idle_usd:,.2f} USD; runs that failed {retry_usd:,.2f} USD")
    typer.echo(f"  at most {found.at_most} runs at once, one slot each")
    if found.over_s:
        typer.echo(f"  {found.over_s / 3600:,.1f} h with more runs than slots: is that all of it?")
    typer.echo(f"  as many workers each hour as it needs: {found.following_usd:,.2f} USD")
    busiest = max(range(24), key=lambda hour: found.by_hour[hour])
    quietest = min(range(24), key=lambda hour: found.by_hour[hour])
    typer.echo(
        f"  slots at work: {found.by_hour[busiest]:.1f} at {busiest:02}:00 UTC, "
        f"{found.by_hour[quietest]:.1f} at {quietest:02}:00"
    )
    for name, usd in list(whose.items())[:_SHOWN]:
        typer.echo(f"  {usd:>12,.2f}  {name}")
    if len(whose) > _SHOWN:
        typer.echo(f"  and {len(whose) - _SHOWN} more: -o csv has all of them")

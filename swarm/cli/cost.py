"""`swarm cost`: what a fleet costs, how much of it works, and whose it is."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import EXIT_FOUND, ConfigOption, connected, explained
from swarm.cli.output import CostOption, CostOutput
from swarm.cli.scan import settings_of
from swarm.cli.source_options import (
    AirflowOption,
    DagsterOption,
    ManifestOption,
    PrefectOption,
)

if TYPE_CHECKING:
    from swarm.placement.receipts import Line

_TOLERATED = 0.02  # of a bill


class By(StrEnum):
    """Whose it is."""

    PIPELINE = "pipeline"
    TEAM = "team"
    DAY = "day"
    RUN = "run"


def cost(  # noqa: PLR0913  (typer: one argument is one option)
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Of the fleet as it stands, all day and night.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="--baseline: how many workers stand.")
    ] = None,
    slots: Annotated[
        int | None, typer.Option(min=1, max=1_000, help="--baseline: how many runs one takes.")
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            min=0, max=10_000, metavar="USD", help="--baseline: what an hour of a worker costs."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--type", metavar="TYPE", help="Its type, where no price is given (AWS)."),
    ] = None,
    region: Annotated[str, typer.Option(metavar="REGION", help="Where it is.")] = "us-east-1",
    bill: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare with a Cost and Usage Report of AWS (CSV)."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="--bill: only machines with this tag."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days.")] = 30,
    by: Annotated[By, typer.Option(help="Whose it is.")] = By.PIPELINE,
    airflow: AirflowOption = None,
    dagster: DagsterOption = None,
    prefect: PrefectOption = None,
    manifest: ManifestOption = None,
    output: CostOption = CostOutput.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show what the nodes of the last days cost, and whose it was. It changes nothing.

    Of swarm's own workers; with --baseline of a fleet that stands without swarm, from the runs that
    orchestrators remember, of the settings' sources and those named here. With --bill the exit
    code is 3 where the two are more than 2 % apart.
    """
    if bill is not None:
        _reconcile(bill, tag or [], output, path)
    elif not baseline and (workers or slots or price is not None or kind):
        raise typer.BadParameter("say --baseline: what swarm's own nodes cost is in the settings")
    elif not baseline:
        _show(days, by, output, path)
    elif workers is None or slots is None:
        raise typer.BadParameter("say --workers and --slots: how many stand, how much one takes")
    else:
        given = {"airflow": airflow, "dagster": dagster, "prefect": prefect, "manifest": manifest}
        _baseline(given, (workers, slots, _price(price, kind, region)), days, by, output, path)


def _show(days: int, by: By, output: CostOutput, path: Path | None) -> None:
    from swarm.cli import cost_text

    with connected(path) as swarm:
        found = swarm.cost(by.value, days, limit=10_000)
    if output is CostOutput.JSON:
        typer.echo(json.dumps({"schema_version": 1, **found}, indent=2))
    elif output is CostOutput.CSV:
        typer.echo(cost_text.table(found["rows"], by.value), nl=False)
    else:
        cost_text.show(found)


def _reconcile(file: Path, tag: list[str], output: CostOutput, path: Path | None) -> None:
    from swarm.capacity.bill import read_bill
    from swarm.cli import cost_text
    from swarm.placement.receipts import difference

    tags = dict(_pair(text) for text in tag)
    with explained():
        billed = read_bill(file, tags)
    if not billed:
        raise typer.BadParameter(f"{file} holds no instance hours of such machines; see --tag")
    from_s, until_s = min(one.from_s for one in billed), max(one.until_s for one in billed)
    with connected(path) as swarm:
        told = swarm.cost("day", from_s=from_s, until_s=until_s)
    usd = sum(one.usd for one in billed)
    apart = difference(told["bill_usd"], usd)
    found = {
        "from_s": from_s,
        "until_s": until_s,
        "billed_usd": usd,
        "receipt_usd": told["bill_usd"],
        "difference": apart,
        "kinds": cost_text.beside(billed, told["kinds"]),
        "unpriced": told["unpriced"],
    }
    if output is CostOutput.JSON:
        typer.echo(json.dumps({"schema_version": 1, **found}, indent=2))
    else:
        cost_text.show_beside(found)
    if apart > _TOLERATED:
        raise typer.Exit(EXIT_FOUND)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"--tag {text}: write NAME=VALUE")
    return name, value


def _baseline(
    given: dict[str, list[str] | None],
    fleet: tuple[int, int, float],
    days: int,
    by: By,
    output: CostOutput,
    path: Path | None,
) -> None:
    if by not in (By.PIPELINE, By.DAY):
        raise typer.BadParameter(f"of a fleet without swarm nobody knows by {by}; say day")
    with explained():
        settings = settings_of(path, given, (), None)
    if not settings.sources:
        raise typer.BadParameter("no runs to read; name a source, e.g. --airflow http://host:8080")
    from swarm.cli import cost_text
    from swarm.cli.offline import look
    from swarm.clock import SystemClock
    from swarm.model.runs import RunState
    from swarm.model.weekdays import DAY_S
    from swarm.placement.baseline import Span, Standing
    from swarm.placement.baseline import baseline as priced
    from swarm.placement.receipts import by as summed

    now_s = SystemClock().now_s()
    spans = [
        Span(str(run.pipeline), run.started_at_s, run.ended_at_s, run.state is RunState.FAILED)
        for run in look(settings).found.ran
        if run.started_at_s is not None and run.ended_at_s is not None
    ]
    found = priced(spans, Standing(*fleet), now_s - days * DAY_S, now_s)
    whose = summed(found.receipt.lines, lambda line: _name(line, by))
    usd = {name: line.usd for name, line in whose.items()}
    if output is CostOutput.CSV:
        rows = [{"name": name, "usd": amount} for name, amount in usd.items()]
        typer.echo(cost_text.table(rows, by.value), nl=False)
    elif output is CostOutput.JSON:
        tree = {"schema_version": 1, "days": days, "worker_usd_per_h": fleet[2], "by": by.value}
        typer.echo(json.dumps(tree | cost_text.baseline_tree(found) | {"usd": usd}, indent=2))
    else:
        cost_text.show_baseline(found, days, usd)


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


def _name(line: "Line", by: By) -> str:
    if by is By.PIPELINE:
        return line.pipeline
    from swarm.placement.receipts import date_of

    return date_of(line.day)

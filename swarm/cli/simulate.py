"""`swarm simulate`: what if something is otherwise on the day ahead?"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli import whatif_words as words
from swarm.cli.connection import ConfigOption, connected
from swarm.cli.output import Output, OutputOption
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

_SHOWN = 20
_NEW = "new"


def _many(metavar: str, what: str) -> Any:
    return typer.Option(metavar=metavar, help=f"{what}; may be given again.")


def simulate(  # noqa: PLR0913  (typer: one argument is one option)
    late: Annotated[list[str] | None, _many("PIPELINE=45m", "A pipeline that begins later")] = None,
    down: Annotated[
        list[str] | None,
        _many("[ORCHESTRATOR=]33%@06:00+2h", "A share of the slots is gone for a while (UTC)"),
    ] = None,
    workers: Annotated[
        list[str] | None,
        _many("[ORCHESTRATOR=]+2", "So many more, or fewer, runs at the same time"),
    ] = None,
    backfill: Annotated[
        list[str] | None,
        _many("PIPELINE=30[x4][@22:00]", "So many more runs of a pipeline, four at once"),
    ] = None,
    new: Annotated[
        Path | None,
        typer.Option(
            metavar="MANIFEST",
            exists=True,
            dir_okay=False,
            help="Pipelines that are not there yet (`expected_duration_s`; a `schedule` like "
            "`30 5 * * *`, else as soon as what they read is there).",
        ),
    ] = None,
    slots: Annotated[
        list[str] | None,
        _many("ORCHESTRATOR=16", "How many runs may go on at once now, where runs do not show it"),
    ] = None,
    airflow: AirflowOption = None,
    dagster: DagsterOption = None,
    prefect: PrefectOption = None,
    manifest: ManifestOption = None,
    draws: Annotated[int, typer.Option(min=10, max=10_000, help="How many days to draw.")] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 1,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show the day ahead with something changed: who is done when, which SLAs are missed.

    Asks the running swarm, or looks by itself, read-only, where sources are named here.
    """
    asked: dict[str, Any] = {
        "late": words.late(late or ()),
        "losses": words.down(down or ()),
        "slots": words.workers(workers or ()),
        "room": words.room(slots or ()),
        "backfills": words.backfill(backfill or ()),
        "draws": draws,
        "seed": seed,
    }
    answer: Mapping[str, Any]
    given = {"airflow": airflow, "dagster": dagster, "prefect": prefect, "manifest": manifest}
    if any(given.values()):
        answer = _offline(settings_of(path, given, (), None), asked, new)
    else:
        with connected(path) as swarm:
            if new is not None:
                from swarm.cli.whatif_added import added_to

                asked["added"] = added_to(new, settings_of(path, {}, (), None), swarm.datasets())
            with progress(_doing(draws)):
                answer = swarm.simulate(**asked)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, **answer}, indent=2))
    else:
        _print(answer)


def _offline(settings: "Settings", asked: dict[str, Any], new: Path | None) -> dict[str, Any]:
    from pydantic import ValidationError

    from swarm.api.whatif_schemas import OutlookRow, WhatIfBody
    from swarm.cli.offline import look
    from swarm.cli.whatif_added import added_among
    from swarm.clock import SystemClock
    from swarm.config import Source
    from swarm.errors import InputError
    from swarm.sequencing.day_ahead import day_ahead
    from swarm.sequencing.whatif import simulate as simulated

    if new is not None:
        source = Source(kind="manifest", name=_NEW, path=new)
        settings = settings.model_copy(update={"sources": (*settings.sources, source)})
    seen = look(settings, without=(_NEW,))
    if new is not None:
        asked["added"] = added_among(seen.found, _NEW)
    try:
        body = WhatIfBody.model_validate(asked)
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InputError("; ".join(lines)) from None
    day = day_ahead(seen.world, SystemClock().now_s())
    changes = body.changes(seen.find)
    with progress(_doing(body.draws)):
        found = simulated(day, changes, seen.slas, body.seed, body.draws)
    return OutlookRow.of(found).model_dump(mode="json")


def _doing(draws: int) -> str:
    return f"Drawing {draws:,} days"


def _print(answer: Mapping[str, Any]) -> None:
    day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(answer["begins_s"]))
    typer.echo(f"The day from {day} UTC, as {answer['days']} days like it went")
    for sla in answer["slas"]:
        typer.echo(f"  {_chance(sla['before'])} -> {_chance(sla['after'])} missed  {sla['name']}")
    if not answer["slas"]:
        typer.echo("  no SLA is due that day (`slas` in the settings)")
    moved = [row for row in answer["pipelines"] if row["before"] is None or row["moved_s"] != 0]
    for row in moved[:_SHOWN]:
        before = row["before"] or {"p50_s": None, "p90_s": None}
        was = f"{_clock(before['p50_s'])} ({_clock(before['p90_s'])})" if row["before"] else "new"
        now = f"{_clock(row['after']['p50_s'])} ({_clock(row['after']['p90_s'])})"
        typer.echo(f"  done {was} -> {now}  {row['pipeline']}")
    if len(moved) > _SHOWN:
        typer.echo(f"  and {len(moved) - _SHOWN} more: -o json has all of them")
    typer.echo(f"  {len(answer['pipelines']) - len(moved)} pipelines are done as before")
    if answer["unknown"]:
        names = ", ".join(answer["unknown"][:5])
        more = f" and {len(answer['unknown']) - 5} more" if len(answer["unknown"]) > 5 else ""
        typer.echo(f"  too few runs to tell of: {names}{more}", err=True)


def _chance(chance: float | None) -> str:
    return "   ?" if chance is None else f"{chance:4.0%}"


def _clock(at_s: float | None) -> str:
    return "never" if at_s is None else time.strftime("%H:%M", time.gmtime(at_s))

"""`swarm scan`: one look at everything, read-only, without a cluster."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.output import ReportOption, ReportOutput
from swarm.cli.source_options import ExplainOption, MinConfidenceOption, settings_file

if TYPE_CHECKING:  # slow to import, and not needed to show the help
    from swarm.config import Settings

EXIT_DEGRADED = 3

_NAMED = re.compile(r"^([A-Za-z][\w.-]{0,99})=(.+)$", re.DOTALL)


def _server(kind: str) -> Any:
    return typer.Option(metavar="[NAME=]URL", help=f"{kind} server; may be given again.")


def _file(what: str) -> Any:
    return typer.Option(metavar="[NAME=]FILE", help=f"{what}; may be given again.")


def scan(  # noqa: PLR0913  (typer: one argument is one option)
    airflow: Annotated[list[str] | None, _server("Airflow")] = None,
    dagster: Annotated[list[str] | None, _server("Dagster")] = None,
    prefect: Annotated[list[str] | None, _server("Prefect")] = None,
    manifest: Annotated[list[str] | None, _file("Tasks of a custom scheduler")] = None,
    catalog: Annotated[list[str] | None, _file("Views of the warehouse")] = None,
    crontab: Annotated[list[str] | None, _file("Crontab")] = None,
    dbt: Annotated[list[str] | None, _file("dbt's target folder, or the manifest in it")] = None,
    code: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder of pipeline code that may be read; may be given again.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        settings_file("Settings file (YAML); its sources are read too."),
    ] = None,
    min_confidence: MinConfidenceOption = None,
    explain: ExplainOption = None,
    output: ReportOption = ReportOutput.TABLE,
) -> None:
    """Find the dependencies nobody declared, in one read-only pass.

    The report goes to stdout, everything else to stderr. Exit code 3: a source could not be read,
    the report covers the rest.
    """
    given = {
        "airflow": airflow,
        "dagster": dagster,
        "prefect": prefect,
        "manifest": manifest,
        "catalog": catalog,
        "crontab": crontab,
        "dbt": dbt,
    }
    settings = settings_of(config, given, code or (), min_confidence)
    if not settings.sources:
        raise typer.BadParameter("nothing to scan; name a source, e.g. --airflow http://host:8080")
    failures = _scan(settings, output) if explain is None else _explain(settings, explain, output)
    for failure in failures:
        typer.echo(f"swarm: {failure}", err=True)
    if failures:
        raise typer.Exit(EXIT_DEGRADED)


def settings_of(
    config: Path | None,
    given: dict[str, list[str] | None],
    code: Iterable[Path],
    min_confidence: float | None,
) -> "Settings":
    """The settings file's, with what the command line adds."""
    from swarm.config import load

    settings = load(config)
    added: list[dict[str, object]] = []
    names = {source.instance for source in settings.sources}
    for kind, values in given.items():
        for value in values or ():
            source = _source(kind, value, names)
            names.add(str(source["name"]))
            added.append(source)
    tree = settings.model_dump()
    tree["sources"] = [*tree["sources"], *added]
    tree["code"] = [*tree["code"], *code]
    if min_confidence is not None:
        tree["min_confidence"] = min_confidence
    return type(settings).model_validate(tree)


def named_address(value: str) -> tuple[str, str]:
    """The name, empty where there is none, and the address of `[NAME=]ADDRESS`."""
    named = _NAMED.match(value)
    if named and (Path(value).exists() or "://" in named.group(1)):
        named = None  # a `=` in the address itself
    return (named[1], named[2]) if named else ("", value)


def _source(kind: str, value: str, names: set[str]) -> dict[str, object]:
    name, address = named_address(value)
    name = name or _free_name(kind, names)
    if name in names:
        raise typer.BadParameter(f"two sources are called `{name}`", param_hint=f"--{kind}")
    if kind in ("airflow", "dagster", "prefect"):
        if not re.match(r"https?://[^/]", address):
            example = f"--{kind} http://host:8080"
            raise typer.BadParameter(
                f"`{address}` is no URL; e.g. {example}", param_hint=f"--{kind}"
            )
        return {"kind": kind, "name": name, "url": address}
    if not (Path(address).is_file() or (kind == "dbt" and Path(address).is_dir())):
        raise typer.BadParameter(f"there is no file `{address}`", param_hint=f"--{kind}")
    return {"kind": kind, "name": name, "path": Path(address)}


def _free_name(kind: str, names: set[str]) -> str:
    """`manifest`, for further ones `manifest-2` and so on."""
    number = 1
    name = kind
    while name in names:
        number += 1
        name = f"{kind}-{number}"
    return name


def _explain(settings: "Settings", edge: str, output: ReportOutput) -> tuple[str, ...]:
    """Read, tell of one edge to stdout, and return what failed."""
    from swarm.cli.explain import explained
    from swarm.cli.explained_text import explained_text

    if output is ReportOutput.HTML:
        raise typer.BadParameter("an edge is explained as table, json or yaml", param_hint="-o")
    found, failures = explained(settings, edge, lambda line: typer.echo(line, err=True))
    as_json = output is ReportOutput.JSON
    typer.echo(found.model_dump_json(indent=2) if as_json else explained_text(found).rstrip())
    return failures


def _scan(settings: "Settings", output: ReportOutput) -> tuple[str, ...]:
    """Read, report to stdout, and return what failed."""
    import asyncio
    from dataclasses import replace

    from swarm.cli import report
    from swarm.cli.scan_hazards import hazards_in
    from swarm.cli.survey import survey
    from swarm.clock import SystemClock

    found = asyncio.run(survey(settings, lambda line: typer.echo(line, err=True)))
    now_s = SystemClock().now_s()
    built = report.build(
        found.pipelines,
        found.dependencies,
        found.unresolved,
        min_confidence=settings.min_confidence,
        generated_at_s=now_s,
        unattributed=found.unattributed,
    )
    hazards = hazards_in(
        found.ran, found.pipelines, found.dependencies, settings.min_confidence, now_s
    )
    built = replace(built, texts=found.texts, hazards=hazards)
    if output is ReportOutput.JSON:
        import json

        json.dump(report.as_json(built), sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif output is ReportOutput.HTML:
        from swarm.cli.report_html import as_html

        sys.stdout.write(as_html(built))
    else:
        from swarm.cli.report_table import print_table

        print_table(built)
    sys.stdout.flush()
    return found.failures

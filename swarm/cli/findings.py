"""`swarm findings`: what the running swarm has to tell people."""

import getpass
import json
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.connection import ConfigOption, DryRunOption, changing, connected, fail
from swarm.cli.how_long import seconds
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client import Client
    from swarm.client.calls.findings import Finding, KindScore, Mute


def findings(
    since_h: Annotated[
        float | None,
        typer.Option("--since", min=0, help="All news of so many hours, closed findings too."),
    ] = None,
    score: Annotated[
        bool, typer.Option("--score", help="What became of the hazards of each kind.")
    ] = False,
    muted: Annotated[
        bool, typer.Option("--muted", help="Those that people muted: until when and why.")
    ] = False,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show undeclared dependencies, rings of pipelines, missing workers, hazards, SLAs at risk."""
    since_s = None if since_h is None else max(0.0, time.time() - since_h * 3600)
    with connected(path) as swarm:
        every = [] if score else list(swarm.findings(since_s=since_s))
        kinds = swarm.findings_score() if score else _kinds(swarm)
    shown = [row for row in every if row["mute"] is not None] if muted else every
    if output is Output.JSON:
        told: dict[str, object] = {"score": kinds} if score else {"findings": shown}
        typer.echo(json.dumps({"schema_version": 1, **told}, indent=2))
    elif score:
        _show_score(kinds)
    else:
        is_all = muted or since_s is not None
        _show(shown if is_all else [row for row in every if row["mute"] is None], len(shown))
        for kind in kinds:
            if kind["muted"]:
                typer.echo(f"muted: {kind['kind']}: {kind['muted']}", err=True)


def _show(found: "Sequence[Finding]", of: int) -> None:
    """In words; the others `of` so many are muted."""
    for row in found:
        first = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["first_seen_s"]))
        level = "closed" if row["closed_at_s"] is not None else row["level"]
        typer.echo(f"{first}  {level:6}  {row['kind']:21}  {row['subject']}")
        if row["worker"] is not None and row["closed_at_s"] is None:
            for ran in row["worker"]["runs"]:
                typer.echo(f"{'':19}  {ran['pipeline']} {ran['task']} run {ran['run_id']}")
            typer.echo(f"{'':19}  {row['worker']['advice']}")
        if row["hazard"] is not None:
            became = f" ({row['outcome'].replace('_', ' ')})" if row["outcome"] else ""
            typer.echo(f"{'':19}  {row['hazard']['story']}{became}")
            typer.echo(f"{'':19}  {row['hazard']['remedy']}")
        if row["mute"] is not None:
            typer.echo(f"{'':19}  {_muted(row['mute'])} (`swarm unmute {row['id']}`)")
    more = of - len(found)
    rest = f"; {more} more are muted: `swarm findings --muted`" if more else ""
    typer.echo(f"{len(found)} findings{rest}", err=True)


class Word(StrEnum):
    """What a person says of a finding."""

    RIGHT = "right"
    WRONG = "wrong"


def rate(
    finding: str, word: Word, dry_run: DryRunOption = False, path: ConfigOption = None
) -> None:
    """Say whether it was right to tell of a hazard, by its id; its kind keeps score."""
    with changing(path, dry_run) as swarm:
        if dry_run:
            _look_for(finding, swarm, since_s=0.0)
        swarm.rate(finding, right=word is Word.RIGHT, by=getpass.getuser())


def mute(
    finding: str,
    for_: Annotated[
        str, typer.Option("--for", help="How long: `8h`, `7d`; else as long as it is open.")
    ] = "",
    note: Annotated[str, typer.Option(help="Why, for others.")] = "",
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Have nobody told of an open finding, by its id; it stays in the list of what is muted."""
    with changing(path, dry_run) as swarm:
        if dry_run:
            _look_for(finding, swarm)
        for_s = seconds(for_) if for_ else None
        swarm.mute(finding, by=getpass.getuser(), for_s=for_s, note=note)


def unmute(finding: str, dry_run: DryRunOption = False, path: ConfigOption = None) -> None:
    """Have people told again of a finding that was muted, by its id."""
    with changing(path, dry_run) as swarm:
        if dry_run:
            _look_for(finding, swarm)
        swarm.unmute(finding, by=getpass.getuser())


def _look_for(finding: str, swarm: "Client", since_s: float | None = None) -> None:
    """End the command with 4 where no finding has that id: an open one, or one since then."""
    if finding not in {row["id"] for row in swarm.findings(since_s=since_s)}:
        fail(f"No finding has the id {finding}; see `swarm findings -o json`.", 4)


def _muted(mute: "Mute") -> str:
    until_s, note = mute["until_s"], mute["note"]
    until = "as long as it is open"
    if until_s is not None:
        until = time.strftime("until %a %d %b %H:%M here", time.localtime(until_s))
    return f"muted by {mute['by']} {until}{f': {note}' if note else ''}"


def _kinds(swarm: "Client") -> "list[KindScore]":
    """How the kinds of hazards stand; nothing while the sequencer cannot say."""
    from swarm.client import Unavailable

    try:
        return swarm.findings_score()
    except Unavailable:
        return []


def _show_score(kinds: Sequence[Mapping[str, Any]]) -> None:
    columns = ("came_true", "acted_on", "confirmed", "rejected", "refuted")
    typer.echo(f"{'kind':17}  {'  '.join(columns)}  precision")
    for row in kinds:
        counts = "  ".join(f"{row[name]:{len(name)}}" for name in columns)
        share = "-" if row["precision"] is None else f"{row['precision']:.0%}"
        muted = f"  muted: {row['muted']}" if row["muted"] else ""
        typer.echo(f"{row['kind']:17}  {counts}  {share:>9}{muted}")

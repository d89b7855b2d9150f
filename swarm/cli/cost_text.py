"""How costs are printed."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import typer

from swarm.capacity.bill import Billed
from swarm.placement.baseline import Baseline

_SHOWN = 20


def table(rows: Sequence[Mapping[str, Any]], by: str) -> str:
    """Rows as CSV; the first column is whose it is."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    names = [name for name in rows[0] if name != "name"] if rows else ["usd"]
    lines.writerow((by, *names))
    for row in rows:
        lines.writerow((row["name"], *(f"{row[name]:.4f}" for name in names)))
    return text.getvalue()


def show(found: Mapping[str, Any]) -> None:
    """A receipt of swarm's own nodes."""
    node_h = sum(day["node_h"] for day in found["days"])
    bill, work = found["bill_usd"], found["utilisation"]
    typer.echo(f"{bill:,.2f} USD for {node_h:,.1f} node-hours, {work:.0%} of them at work")
    typer.echo(f"  idle {found['idle_usd']:,.2f} USD; tries that failed or were lost ", nl=False)
    typer.echo(f"{found['retry_usd']:,.2f} USD")
    typer.echo(f"  all on demand {found['ondemand_usd']:,.2f} USD: spot saved ", nl=False)
    typer.echo(f"{found['spot_saving_usd']:,.2f} USD")
    typer.echo(f"  as many nodes as at the peak, all the time: {found['static_usd']:,.2f} USD")
    for kind in found["kinds"]:
        hours = f"{kind['node_h']:,.1f} h {kind['type']} {kind['capacity']}"
        typer.echo(f"  {kind['usd']:>12,.2f}  {hours}")
    _rows({row["name"] or f"(no {found['by']})": row["usd"] for row in found["rows"]})
    _unpriced(found["unpriced"])
    for note in found["notes"]:
        typer.echo(f"spot nodes are priced as on demand where it was not told: {note}", err=True)


def beside(billed: Iterable[Billed], kinds: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Hours and USD by type and class: of the bill, and of the receipt."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    told = [(one.kind, str(one.capacity), one.node_h, one.usd, "billed") for one in billed]
    told += [(k["type"], k["capacity"], k["node_h"], k["usd"], "receipt") for k in kinds]
    for kind, capacity, node_h, usd, whose in told:
        empty = {"billed_h": 0.0, "receipt_h": 0.0, "billed_usd": 0.0, "receipt_usd": 0.0}
        row = rows.setdefault((kind, capacity), {"type": kind, "capacity": capacity} | empty)
        row[f"{whose}_h"] += node_h
        row[f"{whose}_usd"] += usd
    return [row for _, row in sorted(rows.items())]


def show_beside(found: Mapping[str, Any]) -> None:
    """A receipt beside a bill."""
    typer.echo(
        f"bill {found['billed_usd']:,.2f} USD, receipt {found['receipt_usd']:,.2f} USD: "
        f"{found['difference']:.1%} apart"
    )
    for row in found["kinds"]:
        typer.echo(
            f"  {row['billed_usd']:>12,.2f} {row['receipt_usd']:>12,.2f} USD"
            f"  {row['billed_h']:>10,.1f} {row['receipt_h']:>10,.1f} h"
            f"  {row['type']} {row['capacity']}"
        )
    _unpriced(found["unpriced"])


def baseline_tree(found: Baseline) -> dict[str, Any]:
    """A fleet that stands, as JSON."""
    told = found.receipt
    return {
        "bill_usd": told.bill_usd,
        "idle_usd": told.idle_usd,
        "retry_usd": sum(line.retry_usd for line in told.lines),
        "utilisation": told.utilisation,
        "slots_at_most": found.at_most,
        "over_s": found.over_s,
        "following_usd": found.following_usd,
        "slots_by_hour": list(found.by_hour),
        "kinds": [asdict(kind) for kind in told.kinds],
    }


def show_baseline(found: Baseline, days: int, usd: Mapping[str, float]) -> None:
    """A fleet that stands."""
    told = found.receipt
    retry_usd = sum(line.retry_usd for line in told.lines)
    typer.echo(f"{days} days: {told.bill_usd:,.2f} USD, {told.utilisation:.0%} of it at work")
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
    _rows(usd)


def _rows(usd: Mapping[str, float]) -> None:
    for name, amount in list(usd.items())[:_SHOWN]:
        typer.echo(f"  {amount:>12,.2f}  {name}")
    if len(usd) > _SHOWN:
        typer.echo(f"  and {len(usd) - _SHOWN} more: -o csv has all of them")


def _unpriced(pools: Iterable[Mapping[str, Any]]) -> None:
    for one in pools:
        pool = one["pool"] or '""'
        typer.echo(
            f"{one['node_h']:,.1f} h {one['capacity']} of pool {pool} have no price: "
            f"set `prices.{pool}` (type and region, or usd_per_h)",
            err=True,
        )

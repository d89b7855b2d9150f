"""The profile of a pipeline in words: `swarm runs PIPELINE --profile`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from swarm.cli.how_long import span
from swarm.cli.output import moment, print_table

if TYPE_CHECKING:
    from swarm.client.calls.ahead import OddDay, Profile, Spread

_MONTH = {"last": "last working day", "first": "first working day"}
_DAY_S = 86_400


def show(found: "Profile") -> None:
    """Print it: what there is to say of the runs, then a table of the tasks, if any are known."""
    for line in lines(found):
        typer.echo(line)
    if found["tasks"]:
        print_table(
            ("task", "runs", "took", "nine of ten", "begins after", "failed", "retried"),
            (
                (
                    one["task"],
                    str(one["runs"]),
                    span(one["took"]["p50_s"]) if one["took"] else "",
                    span(one["took"]["p90_s"]) if one["took"] else "",
                    _apart(one["after"]["p50_s"]) if one["after"] else "",
                    _share(one["failed"], one["tries"]),
                    _share(one["retried"], one["runs"]),
                )
                for one in found["tasks"]
            ),
        )


def lines(found: "Profile") -> Iterator[str]:
    """What its runs tell, a line each; only what they do."""
    count = found["runs"]
    if not count:
        yield f"{found['pipeline']}: none of its runs is known to have ended."
        return
    yield f"{found['pipeline']}: {_many(count, 'run')} from {moment(found['from_s'])} on"
    if found["apart"]:
        yield f"  beside them    {found['apart']} that made good for another time"
    if found["every_s"] is not None:
        yield f"  comes every    {span(found['every_s'])}"
    if found["begins"]:
        yield f"  begins at      {_clock(found['begins'])} UTC"
    if found["late"]:
        yield f"  late           {_both(found['late'])}"
    if found["took"]:
        yield f"  takes          {_both(found['took'])}"
    yield f"  fails          {_share(found['failed'], count)}"
    yield from map(_odd, found["odd_days"])


def _odd(day: "OddDay") -> str:
    kind = _MONTH.get(day["kind"], day["kind"])
    took = f"takes {_both(day['took'])}, " if day["took"] else ""
    return f"  otherwise      {kind}: {took}fails {_share(day['failed'], day['runs'])}"


def _both(one: "Spread") -> str:
    return f"{_apart(one['p50_s'])}, on nine of ten {_apart(one['p90_s'])} at most"


def _apart(seconds: float) -> str:
    """A time that may be one before."""
    return f"-{span(-seconds)}" if seconds <= -1 else span(abs(seconds))


def _clock(one: "Spread") -> str:
    early, late = (
        f"{int(at_s % _DAY_S // 3_600):02}:{int(at_s % 3_600 // 60):02}"
        for at_s in (one["p50_s"], one["p90_s"])
    )
    return f"{early}, on nine of ten days by {late}"


def _share(failed: int, of: int) -> str:
    return f"{failed / of:.1%} ({failed} of {of})"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

"""An explanation for a terminal: from the words of a text to the number, to be followed by hand."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from swarm.api.explained import (
    Explained,
    ExplainedEdge,
    KnownOf,
    SumLine,
    SumOfEnd,
    TextTrail,
    ViewBetween,
)
from swarm.model.lineage import GATE_FROM, SHOW_FROM, WARN_FROM, Access

_SHOWN = 20  # of a list


def explained_text(one: Explained) -> str:
    """All of it, in lines."""
    return "\n".join(_lines(one)) + "\n"


def _lines(one: Explained) -> Iterator[str]:
    for number, edge in enumerate(one.edges, start=1):
        yield from _edge(edge, f"{number} of {len(one.edges)}")
    if not one.edges:
        yield from _why_not(one)


def _edge(edge: ExplainedEdge, number: str) -> Iterator[str]:
    yield f"Dependency {number}: {edge.upstream} -> {edge.downstream} through {edge.dataset}"
    declared = "the orchestrators know it" if edge.declared else "nobody declared it"
    often = ""
    if edge.seen_days is not None:
        often = f"; seen on {edge.seen_days} of {edge.looked_days} days"
    yield f"  {edge.confidence:.6f}, enough to {_LEVELS[edge.level]}; {declared}{often}"
    yield ""
    for end, verb in ((edge.write, "writes"), (edge.read, "reads")):
        if end is not None:
            yield from _end(end, verb, edge.dataset)
    if edge.write is not None and edge.read is not None:
        short = "" if edge.naming == 1 else " (a short name was completed)"
        yield (
            f"P(writes) x P(reads) x naming = {edge.write.probability:.6f} x "
            f"{edge.read.probability:.6f} x {edge.naming:g}{short} = {edge.product:.6f}"
        )
    if edge.timing is not None:
        yield f"timing adds {edge.timing.weight:+.3f} to its log-odds: {edge.timing.words}"
    if edge.verdict is not None:
        yield f"a person {edge.verdict.value} it, which counts instead: {edge.confidence:.6f}"
    yield f"levels: gate from {GATE_FROM:g}, warn from {WARN_FROM:g}, show from {SHOW_FROM:g}"
    yield ""


_LEVELS = {
    "gate": "hold a run (gate)",
    "warn": "warn (warn)",
    "show": "be looked at (show)",
    "hidden": "nothing (hidden)",
}


def _end(end: SumOfEnd, verb: str, dataset: str) -> Iterator[str]:
    yield f"{end.task} {verb} {dataset}"
    for line in end.lines:
        yield from _line(line, end.access)
    prefix = "  "
    yield f"{prefix}{'prior':<24}{end.prior:+9.3f}"
    for line in end.lines:
        yield f"{prefix}{_name(line):<24}{line.weight:+9.3f}"
    yield f"{prefix}{'log-odds':<24}{end.log_odds:+9.3f}"
    yield f"{prefix}P({verb}) = 1 / (1 + e^{-end.log_odds:.3f}) = {end.probability:.6f}"
    yield ""


def _name(line: SumLine) -> str:
    return f"{line.channel} silent" if line.silent else line.channel


def _line(line: SumLine, access: Access) -> Iterator[str]:
    place = f" at {line.place}" if line.place else ""
    words = " ".join(line.excerpt.split())
    yield f"  {_name(line)}{place}: {words}"
    for number, trail in enumerate(line.trails, start=1):
        if len(line.trails) > 1:
            yield f"    text {number} of {len(line.trails)} that it may be"
        yield from _trail(trail)
    if not line.trails and line.named:
        yield f"    name: {line.named}, a short name that fits one dataset only"
    for view in line.views:
        yield f"    through view {view.view}{_defined(view)}"
    yield f"    weight: {_weight(line, access)}"


def _defined(view: ViewBetween) -> str:
    words = " ".join(view.excerpt.split())
    return f", defined at {view.place}: {words}" if view.place else ""


def _trail(trail: TextTrail) -> Iterator[str]:
    for text in trail.context:
        number, _, words = text.partition(": ")
        mark = ">" if number == str(trail.line) else " "
        yield f"    {mark}{number:>5} | {words}"
    for filled in trail.filled_in:
        origin = filled.origin or "given with the task"
        yield f"    filled in: {filled.name} = {filled.value}  ({origin})"
    if trail.as_read:
        yield f"    as read: {trail.as_read.strip()}"
    if trail.tier:
        share = f"{trail.understood:.0%} of its statements"
        if trail.understood == 1 and not trail.unresolved:
            share = "all of it"
        left = f", {trail.unresolved} unresolved" if trail.unresolved else ""
        why = f"; no faster tier, because of: {trail.abstained}" if trail.abstained else ""
        yield (
            f"    read as {trail.dialect or 'generic SQL'} by {_TIERS[trail.tier]}, "
            f"{share} understood{left}{why}"
        )
    if trail.tier:
        steps = [trail.written, trail.completed, trail.dataset]
        known = [step for step in dict.fromkeys(steps) if step]
        if not trail.written:
            known.insert(0, "(not written out in the text: USE, a path or words of a run)")
        yield f"    name: {' -> '.join(known)}"


_TIERS = {
    "exact": "the same text read before",
    "template": "a text read before that differs in literals",
    "tokens": "its words",
    "tree": "its syntax tree",
}


def _weight(line: SumLine, access: Access) -> str:
    if line.silent:
        words = f"{line.alone:+.3f}, it {line.excerpt}"
    elif not line.usual and line.weight:
        words = f"{line.alone:+.3f}, recorded by an older version"
    else:
        words = f"{line.usual + line.learned:.3f} for a sure report"
        if line.learned:
            words += f" ({line.usual:.3f} {line.learned:+.3f} learned here)"
        words += f" x {line.certainty:g} certainty of the reading"
        if line.still < 1:
            seen = datetime.fromtimestamp(line.last_seen_s, UTC).date()
            words += f", aged: {line.still:.3f} likely to still happen, last seen {seen}"
        words += f" = {line.alone:+.3f}"
    if line.weight != line.alone:
        words += f"; counts {line.weight:+.3f}: a stronger line would share its mistakes"
    return words


# --- why there is no dependency ------------------------------------------------------------------


def _why_not(one: Explained) -> Iterator[str]:
    yield f"No dependency: {one.upstream} -> {one.downstream}"
    for edge in one.weaker:
        if edge.verdict is not None:
            yield f"  a person {edge.verdict.value} it through {edge.dataset}"
        else:
            yield (
                f"  through {edge.dataset} it is {edge.confidence:.6f} sure, below the "
                f"{one.min_confidence:g} that is shown"
            )
    known = "is known" if one.complete else "that others share is known here"
    for side, verb, what in (
        (one.writes, "writes", one.upstream),
        (one.reads, "reads", one.downstream),
    ):
        yield from _side(side, verb, what, known)
    if one.writes.uses and one.reads.uses and not one.weaker:
        yield "  they touch no dataset in common"
    for pair in one.same_name[:_SHOWN]:
        names = f"{pair.written} is written, {pair.read} is read"
        yield f"  the same last name, but another dataset: {names}"
    if one.ordered and not one.weaker:
        yield "  the orchestrators run them in this order; no data between them is known"
    if one.reverse:
        yield f"  the other way round there is one, {one.reverse:.6f} sure"
    yield ""
    for edge in one.weaker:
        yield from _edge(edge, "that is not shown")


def _side(side: KnownOf, verb: str, what: str, known: str) -> Iterator[str]:
    names = list(dict.fromkeys(use.dataset for use in side.uses))
    if not names:
        yield f"  nothing that {what} {verb} {known}"
    else:
        yield f"  {what} {verb} {_some(names)}"
    if side.dropped:
        yield f"  its texts showed before, and no longer do: {_some(side.dropped)}"
    for item in side.unresolved[:_SHOWN]:
        place = f" at {item.place}" if item.place else ""
        yield f"  not understood of it{place}: {item.reason}: {' '.join(item.detail.split())}"
    more = len(side.unresolved) - _SHOWN
    if more > 0:
        yield f"  ... and {more} more that is not understood: -o json has all of it"


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more

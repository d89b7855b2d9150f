"""What a change does, in words: as Markdown for a pull request, and plain for a terminal.

In Markdown every name stands in a code span, whatever it holds: nothing of it becomes markup, a
link or a mention.
"""

import re
from collections.abc import Callable, Iterator

from swarm.cli.change import Change, EdgeChange, SlaChange, places
from swarm.cli.how_long import span
from swarm.cli.report import Edge
from swarm.cli.report_table import stakes, sureness
from swarm.model.keys import PipelineKey

_SHOWN = 50

Name = Callable[[object], str]


def as_markdown(found: Change) -> str:
    """The text of a comment on a pull request."""
    return "\n".join(_lines(found, _code, "## ", "### "))


def as_text(found: Change) -> str:
    """The same for a terminal."""
    return "\n".join(_lines(found, _plain, "", ""))


def _plain(name: object) -> str:
    return " ".join(str(name).split())


def _code(name: object) -> str:
    text = _plain(name)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _lines(found: Change, name: Name, title: str, part: str) -> Iterator[str]:
    yield f"{title}swarm diff: {_summary(found)}"
    for heading, lines in (
        ("New rings: these pipelines wait for each other", _rings(found, name)),
        ("SLAs whose critical path is another one", _slas(found, name)),
        ("New dependencies", (_edge(one, name) for one in found.new)),
        ("Dependencies that are gone", (_edge(one, name) for one in found.gone)),
        ("Declared now", (_ends(edge, name) for edge in found.declared)),
        ("New pipelines", map(name, found.pipelines_new)),
        ("Pipelines that are gone", map(name, found.pipelines_gone)),
        ("New, and could not be read", _not_read(found, name)),
    ):
        shown = list(lines)
        if shown:
            yield from ("", f"{part}{heading}", "")
            yield from (f"- {line}" for line in shown[:_SHOWN])
            if len(shown) > _SHOWN:
                yield f"- and {len(shown) - _SHOWN:,} more: `-o json` has all of them"
    if not found.slas_known and not found.is_empty:
        yield ""
        yield "No SLA is known: promise one in the settings (`slas`) to see what it would cost."


def _summary(found: Change) -> str:
    if found.is_empty:
        return "no dependency is new or gone"
    counts = [
        (len(found.rings), "new ring"),
        (len(found.new), "new dependency"),
        (len(found.gone), "dependency gone"),
        (len(found.declared), "declared now"),
        (len(found.slas), "SLA touched"),
    ]
    told = [f"{count:,} {_plural(what, count)}" for count, what in counts if count]
    return ", ".join(told) or "no dependency is new or gone"


def _plural(what: str, count: int) -> str:
    first, _, rest = what.partition(" ")
    if count == 1 or first == "declared":
        return what
    if first == "new":
        return what[:-1] + "ies" if what.endswith("y") else f"{what}s"
    many = "dependencies" if first == "dependency" else f"{first}s"
    return f"{many} {rest}"


def _rings(found: Change, name: Name) -> Iterator[str]:
    for ring in found.rings:
        around = (*(edge.upstream for edge in ring.path), ring.path[0].upstream)
        sure = min(edge.confidence for edge in ring.path)
        others = len(ring.cycle.pipelines) - len(ring.path)
        more = f"; {others:,} more pipelines are in it" if others else ""
        yield f"{' -> '.join(map(name, around))}, {sure:.0%} sure{more}"


def _slas(found: Change, name: Name) -> Iterator[str]:
    for one in found.slas:
        yield f"{name(one.name)}: {_path(one, name)}"


def _path(one: SlaChange, name: Name) -> str:
    path = one.path
    if path.after is None:
        return f"its pipeline {name(path.pipeline)} is gone, nobody keeps this promise any more"
    if path.before is None or path.longer_s is None:
        return f"its pipeline is new, its critical path takes {span(path.after.duration_s)}"
    told = []
    if path.entered:
        told.append(f"{_all(path.entered, name)} enters its critical path")
    if path.left:
        told.append(f"{_all(path.left, name)} leaves it")
    if path.longer_s:
        way = "longer" if path.longer_s > 0 else "shorter"
        told.append(
            f"the path takes {span(abs(path.longer_s))} {way} "
            f"({span(path.before.duration_s)} -> {span(path.after.duration_s)})"
        )
    if path.unknown:
        told.append(
            f"how long {_all(path.unknown, name)} takes is not known (no runs, no "
            "`expected_duration_s`), so the path may be another one"
        )
    return "; ".join(told)


def _all(keys: tuple[PipelineKey, ...], name: Name) -> str:
    return ", ".join(map(name, keys))


def _edge(one: EdgeChange, name: Name) -> str:
    edge = one.edge
    told = [_ends(edge, name)]
    told.append("declared" if edge.declared else f"nobody declared it, {sureness(edge)}")
    if edge.pipelines_behind is not None:
        told.append(stakes(edge))
    told += [name(place) for place in places(edge)]
    told += [
        f"ask {name(owner)}, who owns {name(key)}"
        if owner
        else f"nobody is named to own {name(key)}"
        for key, owner in one.ask
    ]
    return "; ".join(told)


def _ends(edge: Edge, name: Name) -> str:
    through = f" through {name(edge.dataset)}" if edge.dataset else ""
    return f"{name(edge.upstream)} -> {name(edge.downstream)}{through}"


def _not_read(found: Change, name: Name) -> Iterator[str]:
    for item in found.not_read:
        place = f" at {name(item.place)}" if item.place else ""
        yield f"{name(item.subject)}{place} ({item.reason.value}): {name(item.detail)}"

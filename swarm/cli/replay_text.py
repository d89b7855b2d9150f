"""A replay for a terminal, and as one HTML page that can be forwarded: no scripts, nothing loaded
from elsewhere, every name escaped."""

import time
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

Answer = Mapping[str, Any]

_SHOWN = 20
_MEASURES = (
    ("stale_reads", "stale reads", 0),
    ("failures", "failures for want of data", 0),
    ("sla_misses", "SLA misses", 0),
    ("old_data_min", "minutes of old data", 0),
    ("slot_h", "hours run", 1),
    ("usd", "USD for them", 2),
)
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --good: #1a7f37; --bad: #c4432b; }
@media (prefers-color-scheme: dark) { :root { --soft: #a0a0a0; --good: #4ac26b; --bad: #ff8a73; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.soft, caption { color: var(--soft); font-size: .9rem; text-align: left; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
.bar { display: block; height: .5rem; border-radius: 2px; margin: .1rem 0; min-width: 1px; }
.without { background: var(--bad); }
.within { background: var(--good); }
"""


def as_table(answer: Answer) -> str:
    """Lines for a terminal."""
    return "\n".join(_lines(answer))


def _lines(answer: Answer) -> Iterator[str]:
    yield headline(answer)
    yield f"{'':27}{'without':>10}{'with':>10}{'saved':>10}  at 95 %"
    for name, without, within, saved, span in _measures(answer):
        yield f"{name:27}{without:>10}{within:>10}{saved:>10}  {span}"
    yield ""
    yield held(answer)
    if not answer["slas"]:
        yield NO_SLAS
    for row in answer["slas"][:_SHOWN]:
        missed = f"{row['missed_without']} -> {row['missed_within']} of {row['days']} days"
        yield f"  missed {missed}  {row['name']}"
    if answer["hazards"]:
        yield "What the order that nobody keeps has cost:"
    for row in answer["hazards"][:_SHOWN]:
        yield f"  {row['writer']} -> {row['reader']}: {_cost(row)}"
    more = len(answer["hazards"]) - _SHOWN
    if more > 0:
        yield f"  and {more} more: -o json has all of them"


NO_SLAS = "No SLA is known: promise one in the settings (`slas`) to see which would have been kept."


def headline(answer: Answer) -> str:
    """Which days, and how many runs."""
    first, last = (_day(answer[at]) for at in ("from_s", "until_s"))
    return (
        f"{answer['days']} days with runs ({first} to {last}), {answer['runs']:,} planned runs: as "
        "they were, and as they would have been with swarm"
    )


def held(answer: Answer) -> str:
    """What swarm would have done for it."""
    if not answer["held"]:
        return "Nothing would have been held."
    return (
        f"For that {answer['held']:,} runs would have been held, for "
        f"{answer['held_median_min']:.0f} minutes in the middle."
    )


def _measures(answer: Answer) -> Iterator[tuple[str, str, str, str, str]]:
    for key, name, digits in _MEASURES:
        one = answer[key]
        if one is not None:
            without, within, saved, low, high = (
                f"{one[part]:,.{digits}f}" for part in ("without", "within", "saved", "low", "high")
            )
            yield name, without, within, saved, f"{low} to {high}"


def _cost(row: Mapping[str, Any]) -> str:
    told = [f"{row['stale']} stale reads"] if row["stale"] else []
    told += [f"{row['failed']} failures"] if row["failed"] else []
    told += [f"{row['prevented']} of them prevented"]
    told += [f"{row['old_data_min']:.0f} min of old data, {row['slot_h']:.1f} h of runs saved"]
    told += [f"{row['usd']:.2f} USD"] if row["usd"] is not None else []
    told += [] if row["sure"] else ["not sure enough to hold for: accept it, or declare the order"]
    return "; ".join(told)


def _day(at_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def as_html(answer: Answer) -> str:
    """The whole document."""
    return "".join(_document(answer))


def _document(answer: Answer) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>With swarm</title><style>{_STYLE}</style></head><body>"
    yield "<h1>What the last days would have been with swarm</h1>"
    yield f'<p class="soft">{escape(headline(answer))}.</p>'
    yield '<div class="wide"><table><tr><th></th><th>without</th><th>with</th><th>saved</th>'
    yield "<th>at 95 %</th></tr>"
    for name, *values in _measures(answer):
        yield _row((name, *values), _bars(answer, name))
    yield "</table></div>"
    yield f"<p>{escape(held(answer))} Each interval is over days drawn again; "
    yield "both columns are of the same days.</p>"
    yield from _slas(answer)
    yield from _hazards(answer)
    yield '<p class="soft">Replayed from what ran, by the real rules for holds, which knew at each '
    yield "moment only what had happened by then. That a machine is free sooner, or that somebody "
    yield "would have done something else, is not in it.</p></body></html>\n"


def _bars(answer: Answer, name: str) -> str:
    key = next(key for key, one, _ in _MEASURES if one == name)
    most = max(answer[key]["without"], answer[key]["within"])
    if not most:
        return ""
    return "".join(
        f'<span class="bar {world}" style="width:{100 * answer[key][world] / most:.1f}%"></span>'
        for world in ("without", "within")
    )


def _row(cells: Iterable[str], below: str = "") -> str:
    first, *rest = (escape(cell) for cell in cells)
    return f"<tr><td>{first}{below}</td>{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"


def _slas(answer: Answer) -> Iterator[str]:
    yield "<h2>SLAs</h2>"
    if not answer["slas"]:
        yield f"<p>{escape(NO_SLAS)}</p>"
        return
    yield '<div class="wide"><table><tr><th>SLA</th><th>days</th><th>missed without</th>'
    yield "<th>missed with</th></tr>"
    for row in answer["slas"]:
        counts = (row["days"], row["missed_without"], row["missed_within"])
        yield _row((row["name"], *map(str, counts)))
    yield "</table></div>"


def _hazards(answer: Answer) -> Iterator[str]:
    yield "<h2>What the order that nobody keeps has cost</h2>"
    if not answer["hazards"]:
        yield "<p>Nothing, as far as runs show.</p>"
        return
    yield '<div class="wide"><table><tr><th>writer and reader</th><th>stale reads</th>'
    yield "<th>failures</th><th>prevented</th><th>min of old data</th><th>h of runs</th>"
    yield "<th>USD</th></tr>"
    for row in answer["hazards"]:
        usd = "" if row["usd"] is None else f"{row['usd']:,.2f}"
        old, hours = f"{row['old_data_min']:,.0f}", f"{row['slot_h']:,.1f}"
        counts = (str(row["stale"]), str(row["failed"]), str(row["prevented"]))
        sure = (
            "" if row["sure"] else '<br><span class="soft">to be accepted or declared first</span>'
        )
        yield _row((f"{row['writer']} -> {row['reader']}", *counts, old, hours, usd), sure)
    yield "</table></div>"

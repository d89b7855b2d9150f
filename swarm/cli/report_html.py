"""The report as one HTML file that can be forwarded: no scripts, nothing loaded from elsewhere.

Everything that comes from outside (names, SQL, error texts) is escaped.
"""

from collections.abc import Iterable, Iterator
from html import escape

from swarm.cli.report import Edge, Report, words_of
from swarm.cli.report_table import blindness, proof_text, stakes, sureness, texts_read
from swarm.model.findings import Finding
from swarm.model.lineage import Unresolved

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --accent: #0a6ebd; }
@media (prefers-color-scheme: dark) { :root { --soft: #a0a0a0; --accent: #6cb6ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p, li, summary { overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .9rem; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; padding: 0; list-style: none; }
.counts b { display: block; font-size: 1.6rem; }
article { border-top: 1px solid var(--line); padding: .75rem 0; }
article h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
article h3 span { color: var(--soft); font-weight: normal; }
code { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; }
.dataset { color: var(--accent); }
ul.plain { margin: .25rem 0; padding-left: 1.2rem; }
"""


def as_html(report: Report) -> str:
    """The whole document."""
    return "".join(_document(report))


def _document(report: Report) -> Iterator[str]:
    undeclared = report.undeclared
    across = sum(edge.crosses for edge in undeclared)
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Undeclared dependencies</title><style>{_STYLE}</style></head><body>"
    yield "<h1>Dependencies nobody declared</h1>"
    yield f'<p class="soft">swarm scan, {escape(report.generated_at)}</p><ul class="counts">'
    yield _count(len(report.pipelines), "pipelines seen")
    yield _count(len(undeclared), "undeclared dependencies")
    yield _count(across, "of them between pipelines")
    yield _count(len(report.edges) - len(undeclared), "declared dependencies")
    yield _count(len(report.unresolved), "things not read")
    yield "</ul>"
    yield from _orchestrators(report)
    yield "<h2>Undeclared, most at stake first</h2>"
    if not undeclared:
        yield "<p>None found.</p>"
    for edge in undeclared:
        yield from _edge(edge)
    yield from _hazards(report.hazards)
    yield from _trust(report)
    yield from _unresolved(report.unresolved)
    yield "</body></html>\n"


def _count(count: int, what: str) -> str:
    return f"<li><b>{count:,}</b>{escape(what)}</li>"


def _orchestrators(report: Report) -> Iterator[str]:
    if not report.pipelines:
        return
    yield "<h2>Pipelines seen</h2>"
    for name, count in report.by_orchestrator.items():
        names = (p.key.name for p in report.pipelines if p.key.orchestrator == name)
        yield f"<details><summary>{escape(name)}: {count:,}</summary>"
        yield f'<p class="soft">{", ".join(escape(n) for n in names)}</p></details>'


def _edge(edge: Edge) -> Iterator[str]:
    yield f"<article><h3>{escape(str(edge.upstream))} <span>is read by</span> "
    yield f"{escape(str(edge.downstream))}</h3>"
    yield f'<p>through <code class="dataset">{escape(edge.dataset)}</code> '
    yield f'<span class="soft">{sureness(edge)}, {stakes(edge)}</span></p>'
    yield "<details><summary>Evidence</summary>"
    yield _list(proof_text(proof, edge) for proof in edge.proofs)
    yield "</details></article>"


def _hazards(hazards: Iterable[Finding]) -> Iterator[str]:
    for number, finding in enumerate(hazards):
        what, remedy = words_of(finding)
        if not number:
            yield "<h2>What did or will go wrong, as runs show</h2>"
        kind = finding.kind.value.replace("_", " ")
        yield f"<article><h3>{escape(kind)}</h3><p>{escape(what)} "
        yield f'<span class="soft">{escape(remedy)}</span></p></article>'


def _trust(report: Report) -> Iterator[str]:
    blind = [one for one in report.trust if one.share]
    if not report.pipelines:
        return
    yield "<h2>How far this can be trusted</h2>"
    if report.texts:
        yield f"<p>{escape(texts_read(report))}</p>"
    whole = len(report.pipelines) - len(blind)
    yield f"<p>{whole:,} of {len(report.pipelines):,} pipelines are understood whole.</p>"
    if blind:
        yield f"<details><summary>Partly blind: {len(blind):,}</summary>"
        yield _list(f"{one.pipeline}: {blindness(one)}" for one in blind)
        yield "</details>"


def _unresolved(unresolved: Iterable[Unresolved]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for found in unresolved:
        place = f" at {found.place}" if found.place else ""
        by_reason.setdefault(found.reason.value, []).append(
            f"{found.subject}{place}: {' '.join(found.detail.split())}"
        )
    if by_reason:
        yield "<h2>Could not be read</h2>"
    for reason, texts in sorted(by_reason.items()):
        yield f"<details><summary>{escape(reason)}: {len(texts):,}</summary>"
        yield _list(texts)
        yield "</details>"


def _list(texts: Iterable[str]) -> str:
    lines = "".join(f"<li><code>{escape(text)}</code></li>" for text in texts)
    return f'<ul class="plain">{lines}</ul>'

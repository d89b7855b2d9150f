"""What a SQL script reads and writes, by table.

What counts as a read and a write is in README.md beside this file. In short: a statement reads
the tables its queries name, and writes a table whose rows may be different afterwards. Its own
target is a write and never a read. A table that only lives inside the script is neither.

Four tiers answer, each only what it is sure to answer as the last one would: the same text before
(exact), one that differed only in literals (template), the words alone (tokens), the syntax tree.
"""

import hashlib
from collections.abc import Hashable
from dataclasses import replace

from sqlglot.dialects.dialect import Dialects

from swarm.lineage.sql.answers import Answers
from swarm.lineage.sql.literals import exchanged, fingerprint, folding
from swarm.lineage.sql.script import Script
from swarm.lineage.sql.shapes import Abstained, shape_effects
from swarm.lineage.sql.tree import excerpt, tree_extraction
from swarm.lineage.templates.holes import Rendering
from swarm.lineage.text import DEFAULT_CONVENTION, Parameters, SqlContext, Where
from swarm.model.keys import DatasetKey
from swarm.model.lineage import (
    Access,
    Extraction,
    Tier,
    Touch,
    Unresolved,
    UnresolvedReason,
    View,
)

MAX_TEXT_BYTES = 1_000_000
_MAX_WORDS = 65_536  # characters; longer texts are rare, and generated
_DIALECTS = frozenset(dialect.value for dialect in Dialects)

_Key = tuple[bytes, Where, Parameters]

_answers: Answers[Extraction] = Answers()
# By what texts have in common besides literals: which literals are free; None before a second
# text has shown that the first was not alone.
_foldings: Answers[tuple[bool, ...]] = Answers()


def extract_sql(text: str, context: SqlContext, place: str) -> Extraction:
    """Find every table that the script `text` reads or writes. Never raises.

    `place` names the text; what is found is at `place:line`. Touches and views come once per
    dataset, at the first line that shows them. What cannot be understood is in `unresolved`,
    and the statements around it still count.
    """
    found = _extracted(text, context, place)
    if context.told is not None:
        context.told.text(text, context, place, found)
    return found


def _extracted(text: str, context: SqlContext, place: str) -> Extraction:
    text = text.removeprefix("\ufeff")  # a byte order mark
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_TEXT_BYTES:
        detail = f"the SQL text has {len(data)} bytes; the limit is {MAX_TEXT_BYTES}"
        return _refused(UnresolvedReason.TOO_LARGE, place, detail)
    if context.dialect not in _DIALECTS:
        known = ", ".join(sorted(_DIALECTS))
        detail = f"unknown SQL dialect {context.dialect!r}; known are {known}"
        return _refused(UnresolvedReason.SYNTAX, place, detail)
    where = (
        context.dialect,
        context.namespace,
        context.default_catalog,
        context.default_schema,
        context.convention,
    )
    parameters = tuple(sorted(context.parameters.items())) if context.parameters else ()
    key = (_digest(data), where, parameters)
    found = _answers.get(key)
    tier = Tier.EXACT
    if found is None:
        found = _new(text, context, key)
        tier = found.tier
        _answers.put(key, found, _size(found, parameters))
    return _placed(found, place, tier)


def _refused(reason: UnresolvedReason, place: str, detail: str) -> Extraction:
    return Extraction(unresolved=(Unresolved(place, reason, f"{place}:1", detail),), confidence=0.0)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _size(found: Extraction, parameters: Parameters) -> int:
    """The characters that `found` and its key hold, about."""
    size = 200 + sum(len(name) + len(value) for name, value in parameters)
    size += sum(100 + len(touch.excerpt) for touch in found.touches)
    size += sum(100 + len(view.excerpt) + 50 * len(view.reads) for view in found.views)
    return size + sum(100 + len(problem.detail) for problem in found.unresolved)


def _placed(found: Extraction, place: str, tier: Tier) -> Extraction:
    """`found` in the text called `place`."""
    return Extraction(
        tuple(
            [
                Touch(t.access, t.dataset, place + t.place, t.excerpt, t.confidence)
                for t in found.touches
            ]
        ),
        tuple([View(v.dataset, v.reads, place + v.place, v.excerpt) for v in found.views]),
        tuple([Unresolved(place, u.reason, place + u.place, u.detail) for u in found.unresolved]),
        dialect=found.dialect,
        tier=tier,
        confidence=found.confidence,
        abstained=found.abstained,
    )


def _new(text: str, context: SqlContext, key: _Key) -> Extraction:
    """What a text says that was not read before, places relative to it (`:3`, its third line)."""
    print_ = fingerprint(text) if len(text) <= _MAX_WORDS else None
    if print_ is None:
        return _read(text, context, key)
    _, where, parameters = key
    skeleton: Hashable = (_digest(print_.skeleton.encode("utf-8", "surrogatepass")), where[0])
    free = _foldings.get(skeleton)
    if free is None:
        _foldings.put(skeleton, (), 100)
        return _read(text, context, key)
    if not free:
        free = _free(text, context, key) or (False,) * len(print_.literals)
        _foldings.put(skeleton, free, 100)
    if True not in free:
        return _read(text, context, key)
    kept = tuple([word for word, is_free in zip(print_.literals, free, strict=True) if not is_free])
    template = (skeleton, kept, where, parameters)
    known = _answers.get(template)
    if known is not None:
        return shown_in(known, text)
    found = _read(text, context, key)
    if not found.unresolved:  # its details quote the text
        _answers.put(template, found, _size(found, parameters) + sum(map(len, kept)))
    return found


def _free(text: str, context: SqlContext, key: _Key) -> tuple[bool, ...] | None:
    """Which literals of `text` may be others; None: none, or they were seen to matter."""
    free = folding(text, context.dialect)
    if free is None or True not in free:
        return None
    found, other = _read(text, context, key), _read(exchanged(text, free), context, key)
    same = shown_in(found, "") == shown_in(other, "") and found.unresolved == other.unresolved
    return free if same else None


def shown_in(found: Extraction, text: str) -> Extraction:
    """`found` with the excerpts of `text`, whose lines are the same but for literals."""
    lines = text.splitlines()
    return Extraction(
        tuple(
            [
                Touch(t.access, t.dataset, t.place, excerpt(lines, int(t.place[1:])), t.confidence)
                for t in found.touches
            ]
        ),
        tuple(
            [
                View(v.dataset, v.reads, v.place, excerpt(lines, int(v.place[1:])))
                for v in found.views
            ]
        ),
        dialect=found.dialect,
        tier=Tier.TEMPLATE,
        confidence=found.confidence,
        abstained=found.abstained,
    )


def _read(text: str, context: SqlContext, key: _Key) -> Extraction:
    """By the words if they tell, else by the syntax tree."""
    try:
        if len(text) > _MAX_WORDS:
            raise Abstained("long text")
        return by_words(text, context)
    except Abstained as reason:
        tree = context.tree or tree_extraction
        return replace(tree(text, *key[1:]), abstained=str(reason))


def by_words(text: str, context: SqlContext) -> Extraction:
    """What the words of `text` tell, places relative to it; raises `Abstained`."""
    if "{" in text:
        raise Abstained("template")
    if context.convention != DEFAULT_CONVENTION:
        raise Abstained("another convention")
    statements = shape_effects(text, context.dialect)
    script = Script(context, Rendering(()))
    lines = tuple(range(1, text.count("\n") + 2))
    for effects in statements:
        script.apply(effects, lines)
    shown = text.splitlines()
    touches: dict[tuple[Access, DatasetKey], Touch] = {}
    for entry in script.entries:
        seen = (entry.access, entry.dataset)
        if seen not in touches:
            touches[seen] = Touch(*seen, f":{entry.line}", excerpt(shown, entry.line))
    views = [
        View(view, reads, f":{line}", excerpt(shown, line))
        for view, (reads, line) in script.views.items()
    ]
    return Extraction(
        tuple(touches.values()), tuple(views), dialect=context.dialect, tier=Tier.TOKENS
    )

"""However a text is read, the answer is that of its syntax trees."""

import random
import re

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot.errors import SqlglotError

from benchmarks.sql_texts import DIALECTS, Text, distinct
from swarm.lineage.sql.extract import by_words, extract_sql, shown_in
from swarm.lineage.sql.literals import fingerprint, folding
from swarm.lineage.sql.shapes import Abstained
from swarm.lineage.sql.tree import tree_extraction
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Extraction, Tier, UnresolvedReason
from tests.unit.lineage.test_sql_cases import CASES, Case

GENERATED = distinct(150, seed=7)
PLAIN = [(text.sql, SqlContext(text.dialect, "ns", "cat", "sch")) for text in GENERATED]
TEXTS = [("\n".join(case.lines), case.context()) for case in CASES] + PLAIN
relaxed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def by_tree(text: str, context: SqlContext) -> Extraction:
    where = (
        context.dialect,
        context.namespace,
        context.default_catalog,
        context.default_schema,
    )
    return tree_extraction(text, where, tuple(sorted(context.parameters.items())))


def words(text: str, context: SqlContext) -> Extraction | None:
    try:
        return by_words(text, context)
    except Abstained:
        return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place} {case.title}")
def test_the_words_of_a_case_say_what_its_trees_say(case: Case) -> None:
    text, context = "\n".join(case.lines), case.context()
    found = words(text, context)
    assert found is None or found == by_tree(text, context)


def test_the_words_of_plain_statements_tell() -> None:
    for text, context in PLAIN:
        assert words(text, context) == by_tree(text, context)


@given(data=st.data())
@relaxed
def test_words_of_changed_texts_never_say_something_else(data: st.DataObject) -> None:
    """A parser may refuse what the words still tell; it never finds other tables."""
    text, context = data.draw(st.sampled_from(TEXTS))
    pieces = re.findall(r"\w+|\s+|[^\w\s]", text)
    others = re.findall(r"\w+|[^\w\s]", data.draw(st.sampled_from(TEXTS))[0])
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = chance.randrange(len(pieces))
        match chance.randrange(3):
            case 0:
                pieces[at] = ""
            case 1:
                pieces[at] = f" {chance.choice(others)} "
            case _:
                other = chance.randrange(len(pieces))
                pieces[at], pieces[other] = pieces[other], pieces[at]
    changed = "".join(pieces)
    found = words(changed, context)
    if found is not None:
        tree = by_tree(changed, context)
        refused = any(u.reason is UnresolvedReason.SYNTAX for u in tree.unresolved)
        assert refused or found == tree, changed


KEYWORD = re.compile(
    r"\b(?:SELECT|FROM|WHERE|JOIN|ON|GROUP|ORDER|BY|INTO|INSERT|UPDATE|DELETE|MERGE|USING|TABLE"
    r"|VALUES|SET|AS|WITH|VIEW|CREATE|UNION)\b"
)


def refused(text: str, dialect: str) -> bool:
    try:
        trees = sqlglot.parse(text, dialect=dialect)
    except SqlglotError:
        return True
    return any(isinstance(tree, sqlglot.exp.Command) for tree in trees)


@pytest.mark.parametrize("seed", range(3))
def test_words_are_never_silent_about_a_keyword_that_is_missing_or_misspelled(seed: int) -> None:
    chance = random.Random(seed)
    broken = 0
    for text, context in TEXTS:
        if not (known := words(text, context)) or not known.touches:
            continue
        keyword = chance.choice(list(KEYWORD.finditer(text)) or [None])
        if keyword is None:
            continue
        word = keyword.group()
        for other in ("", word[0] + word[2:], word[::-1]):
            changed = text[: keyword.start()] + other + text[keyword.end() :]
            found = words(changed, context)
            if found is not None and not found.touches and not found.views:
                assert not refused(changed, context.dialect), changed
            broken += 1
    assert broken > 300


def other_literals(text: str, free: tuple[bool, ...], chance: random.Random) -> str:
    known = fingerprint(text)
    assert known is not None
    pieces = known.skeleton.split("\0")[:-1]
    made = [pieces[0]]
    for literal, is_free, piece in zip(known.literals, free, pieces[1:], strict=True):
        if is_free and literal[0] == "'":
            literal = "'" + chance.choice(["", "a.b", "s3://x/y", "--", "/*", "(", "2024%"]) + "'"
        elif is_free:
            literal = chance.choice(["0", "7.5", "12345678901234567890"])
        made += [literal, piece]
    return "".join(made)


@pytest.mark.parametrize("number", range(3))
def test_free_literals_do_not_matter(number: int) -> None:
    chance = random.Random(number)
    exchanged = 0
    for text, context in TEXTS:
        free = folding(text, context.dialect) if fingerprint(text) else None
        if free is None or True not in free:
            continue
        other = other_literals(text, free, chance)
        before, after = by_tree(text, context), by_tree(other, context)
        assert shown_in(before, other) == shown_in(after, other), other
        assert bool(before.unresolved) == bool(after.unresolved)
        exchanged += 1
    assert exchanged > 150


@given(text=st.sampled_from(GENERATED), seed=st.integers(0, 2**32))
@relaxed
def test_a_log_is_read_as_each_text_alone(text: Text, seed: int) -> None:
    context = SqlContext(text.dialect, f"ns{seed}", "cat", "sch")
    free = folding(text.sql, text.dialect)
    assert free is not None
    chance = random.Random(seed)
    log = [text.sql, *(other_literals(text.sql, free, chance) for _ in range(4))]
    read = [extract_sql(one, context, "q") for one in log]
    assert read == [
        extract_sql(one, SqlContext(text.dialect, f"ns{seed}", "cat", "sch"), "q") for one in log
    ]
    for one, found in zip(log, read, strict=True):
        alone = by_tree(one, context)
        assert [(t.access, t.dataset, t.excerpt) for t in found.touches] == [
            (t.access, t.dataset, t.excerpt) for t in alone.touches
        ]
        assert [t.place for t in found.touches] == ["q" + t.place for t in alone.touches]
        assert [v.reads for v in found.views] == [v.reads for v in alone.views]
    assert {found.tier for found in read[2:]} <= {Tier.TEMPLATE, Tier.EXACT}


def test_all_dialects_are_generated() -> None:
    assert {text.dialect for text in GENERATED} == set(DIALECTS)

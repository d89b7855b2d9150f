"""The way from the words of a text to the dataset of a proof, followed again for a person.

What an extractor found is not worked out anew: the text that showed it is found by place and
excerpt, and the steps are told that its name went through. A step that cannot be followed is
empty, never guessed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from swarm.lineage.configs.formats import read_config
from swarm.lineage.configs.parameters import flat
from swarm.lineage.naming import complete_name, dataset_from_table, dataset_from_url, split_name
from swarm.lineage.templates.render import render
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Channel, Extraction, Proof, Tier, Touch

AROUND = 2  # lines shown before and after
MAX_LINE = 200  # characters shown of one
MAX_FILLED = 20
MAX_NAMES = 5_000  # words of a text that are tried as the name
_TEXTS = frozenset(
    {Channel.SQL_SOURCE, Channel.SQL_RUN, Channel.QUERY_LOG, Channel.CODE, Channel.OPENLINEAGE}
)
_PART = r"""(?:[\w$#@*+-]+|"[^"\n]+"|`[^`\n]+`|\[[^\]\n]+\])"""
_NAME = re.compile(rf"{_PART}(?:\s?\.\s?{_PART})*")
_QUOTED = re.compile(r"""['"]([^'"\n]+)['"]""")
_MARKS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|[$&]?\{[^{}]+\}|[:@&$][A-Za-z_][\w.]*", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class Heard:
    """A SQL text as it was read; `task` where the connector said whose it is."""

    task: TaskKey | None
    place: str
    text: str
    context: SqlContext
    found: Extraction


@dataclass(frozen=True, slots=True)
class Filled:
    """A parameter that a text takes, and where its value is from (empty: the task's own)."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Trail:
    """One proof's way.

    `lines` are numbered lines around line `at` of the text or file (0: not known); `as_read` is
    that line with its templates filled in, where that differs. `dialect` to `abstained` say how
    the text was read, `unresolved` counts what of it is not understood. `written` is the name as
    it stands in the text, `completed` with the default catalog and schema, `dataset` as it is
    kept.
    """

    at: int
    lines: tuple[tuple[int, str], ...]
    dataset: DatasetKey
    as_read: str = ""
    filled: tuple[Filled, ...] = ()
    dialect: str = ""
    tier: Tier | None = None
    understood: float = 1.0
    abstained: str = ""
    unresolved: int = 0
    written: str = ""
    completed: str = ""


def trails(
    proof: Proof,
    dataset: DatasetKey,
    heard: Iterable[Heard],
    files: Mapping[str, str],
    canonical: Callable[[DatasetKey], DatasetKey],
) -> list[Trail]:
    """How the text of `proof` leads to `dataset`, the one it names.

    `files` are those that the task was read from, by path. More than one trail where several
    texts have that place and show it and it is not known whose they are; none where nothing was
    read, as for silence.
    """
    path, at = _line_of(proof.place)
    shown = [
        (one, touch)
        for one in heard
        if _inside(one, proof) and (touch := _touch(one, proof, dataset, canonical)) is not None
    ]
    own = [pair for pair in shown if pair[0].task == proof.task] or shown
    different = {(one.text, *sorted(one.context.parameters.items())): (one, t) for one, t in own}
    if different:
        return [_of_text(one, t, proof, dataset, files) for one, t in different.values()]
    text = files.get(path)
    lines = _around(text.splitlines(), at) if text is not None and at else ()
    return [Trail(at, lines, dataset)] if lines else []


def _line_of(place: str) -> tuple[str, int]:
    path, colon, line = place.rpartition(":")
    return (path, int(line)) if colon and line.isdecimal() else (place, 0)


def _inside(one: Heard, proof: Proof) -> bool:
    return proof.channel in _TEXTS and one.place in (proof.place, _line_of(proof.place)[0])


def _touch(
    one: Heard,
    proof: Proof,
    dataset: DatasetKey,
    canonical: Callable[[DatasetKey], DatasetKey],
) -> Touch | None:
    """The access that the text shows: of `dataset`, or of a short name that was completed."""
    for touch in one.found.touches:
        known = canonical(touch.dataset)
        short = known.namespace == dataset.namespace and dataset.name.endswith(f".{known.name}")
        if touch.access is proof.access and (known == dataset or short):
            return touch
    return None


def _of_text(
    one: Heard, touch: Touch, proof: Proof, dataset: DatasetKey, files: Mapping[str, str]
) -> Trail:
    path, at = _line_of(proof.place)
    inner = _line_of(touch.place)[1]  # the line within the text
    in_code = one.place == proof.place and bool(at)  # the place is that of a call in a program
    program = files.get(path) if in_code else None
    shown = one.text if program is None else program
    original = one.text.splitlines()
    variant, line = _variant(one, inner)
    as_read = line if inner and line != _at(original, inner) else ""
    written = _written(variant, inner, touch.dataset, one.context)
    return Trail(
        at=at if at else inner,
        lines=_around(shown.splitlines(), at if program is not None else inner),
        dataset=dataset,
        as_read=_cut(_at(original, inner) if in_code and not as_read else as_read),
        filled=_filled(one, files),
        dialect=one.found.dialect or one.context.dialect,
        tier=one.found.tier,
        understood=one.found.confidence,
        abstained=one.found.abstained,
        unresolved=len(one.found.unresolved),
        written=written,
        completed=_completed(written, touch.dataset, one.context),
    )


def _around(lines: Sequence[str], at: int) -> tuple[tuple[int, str], ...]:
    first, last = max(at - AROUND, 1), min(at + AROUND, len(lines))
    return tuple((number, _cut(lines[number - 1])) for number in range(first, last + 1))


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} ..."


def _at(lines: Sequence[str], number: int) -> str:
    return lines[number - 1] if 1 <= number <= len(lines) else ""


def _variant(one: Heard, at: int) -> tuple[list[tuple[int, str]], str]:
    """The text with its templates filled in, by original line, and what line `at` became."""
    try:
        variants = render(one.text, one.context.parameters).variants
    except RecursionError:
        variants = ()
    numbered: list[tuple[int, str]] = []
    for variant in variants:
        numbered += zip(variant.lines, variant.text.splitlines(), strict=False)
    return numbered, next((line for number, line in numbered if number == at), "")


def _written(
    variant: list[tuple[int, str]], at: int, dataset: DatasetKey, context: SqlContext
) -> str:
    """The word that means `dataset`, nearest to line `at`; names longer than a line are not."""
    tried = 0
    for _, line in sorted(variant, key=lambda item: abs(item[0] - at)):
        for word, meant in _meant(line, context):
            tried += 1
            if tried > MAX_NAMES:
                return ""
            if meant == dataset:
                return word
    return ""


def _meant(line: str, context: SqlContext) -> Iterator[tuple[str, DatasetKey]]:
    for match in _NAME.finditer(line):
        yield match.group(), dataset_from_table(re.sub(r"\s", "", match.group()), context)
    for match in _QUOTED.finditer(line):
        yield match.group(1), dataset_from_url(match.group(1))


def _completed(written: str, dataset: DatasetKey, context: SqlContext) -> str:
    """The name with the default catalog and schema, where it is one of a table."""
    if not written or dataset_from_table(re.sub(r"\s", "", written), context) != dataset:
        return written
    return ".".join(complete_name(split_name(re.sub(r"\s", "", written)), context))


def _filled(one: Heard, files: Mapping[str, str]) -> tuple[Filled, ...]:
    """The parameters that marks in the text name."""
    used: dict[str, None] = {}
    for mark in _MARKS.findall(one.text):
        for word in _WORDS.findall(mark):
            parts = word.split(".")
            ends = (".".join(parts[start:]) for start in range(len(parts)))
            used |= {name: None for name in ends if name in one.context.parameters}
    names = list(used)[:MAX_FILLED]
    values = one.context.parameters
    return tuple(
        Filled(name, _cut(values[name]), _origin(files, name, values[name])) for name in names
    )


def _origin(files: Mapping[str, str], name: str, value: str) -> str:
    """The configuration file, with the line, that gives `name` its `value`; empty: none does."""
    last = name.rpartition(".")[2]
    for path, text in files.items():
        for known, given in flat(read_config(path, text)).items():
            if given == value and (known == name or known.rpartition(".")[2] == last):
                return _place_in(path, text, last)
    return ""


def _place_in(path: str, text: str, name: str) -> str:
    lines = (number for number, line in enumerate(text.splitlines(), 1) if name in line)
    number = next(lines, 0)
    return f"{path}:{number}" if number else path

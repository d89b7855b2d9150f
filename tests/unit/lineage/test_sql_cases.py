"""The cases in `sql_cases/<dialect>.sql`: exactly what a statement or script reads and writes.

A case starts with `--- what it shows`, the lines after it state what is expected, the rest up to
the next case is the text. Names are separated by spaces, their order does not count. What is
not stated is empty: no reads, no writes, no views, nothing unresolved.

    -- reads: a b              tables and files that are read
    -- writes: c               tables and files that are written
    -- view: v <- a b          a view (or external table) that the text defines
    -- unresolved: dynamic 2 procedure     reason, line of the text, words of the detail
    -- default: lake.public    catalog and schema of bare names, or the schema alone
    -- parameter: day = 2024   a known parameter
    -- catalog: v <- a b       a view that the catalog knows
    -- bases: a b              what is read in the end, through the views of text and catalog
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from swarm.lineage.expansion import Names
from swarm.lineage.naming import dataset_from_table
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.tables import Tables
from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey
from swarm.model.lineage import Access, Extraction, View

FOLDER = Path(__file__).parent / "sql_cases"
KEYS = frozenset(
    {"reads", "writes", "view", "unresolved", "default", "parameter", "catalog", "bases"}
)


@dataclass(slots=True)
class Case:
    dialect: str
    title: str
    place: str
    stated: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def names(self, key: str) -> list[str]:
        """All names stated under `key`, sorted."""
        return sorted(name for value in self.stated.get(key, ()) for name in value.split())

    def arrows(self, key: str) -> dict[str, list[str]]:
        """What is stated under `key` as `name <- names`."""
        pairs = (value.partition("<-") for value in self.stated.get(key, ()))
        return {name.strip(): sorted(reads.split()) for name, _, reads in pairs}

    def context(self) -> SqlContext:
        *catalog, schema = self.stated.get("default", [""])[0].split(".")
        pairs = (value.partition("=") for value in self.stated.get("parameter", ()))
        return SqlContext(
            self.dialect,
            default_catalog=".".join(catalog),
            default_schema=schema,
            parameters={name.strip(): value.strip() for name, _, value in pairs},
        )


def read_cases(path: Path) -> Iterator[Case]:
    case: Case | None = None
    dialect = "" if path.stem == "generic" else path.stem
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith("--- "):
            if case is not None:
                yield case
            case = Case(dialect, line[4:], f"{path.name}:{number}")
            continue
        key, colon, value = line.removeprefix("-- ").partition(":")
        if case is None:  # the comment at the top of the file
            continue
        if line.startswith("-- ") and colon and key in KEYS and not case.lines:
            case.stated.setdefault(key, []).append(value.strip())
        elif line or case.lines:
            case.lines.append(line)
    if case is not None:
        yield case


CASES = [case for path in sorted(FOLDER.glob("*.sql")) for case in read_cases(path)]


def touched(found: Extraction, access: Access) -> list[str]:
    return sorted(str(touch.dataset) for touch in found.touches if touch.access is access)


def bases(found: Extraction, known: dict[str, list[str]]) -> list[str]:
    """What is read in the end: what the views read that are read, through any depth."""
    names = Names(Tables())
    here = SqlContext()
    for name, reads in known.items():
        of_view = tuple(dataset_from_table(read, here) for read in reads)
        names.put_view(View(dataset_from_table(name, here), of_view, "catalog"))
    for view in found.views:
        names.put_view(view)
    reached: set[DatasetKey] = set()
    for touch in found.touches:
        if touch.access is Access.READ:
            dataset = names.resolve(touch.dataset)
            reached |= {dataset, *(reach.dataset for reach in names.expand(dataset))}
    return sorted(str(dataset) for dataset in reached if dataset not in names.views)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place} {case.title}")
def test_text_reads_and_writes_exactly(case: Case) -> None:
    found = extract_sql("\n".join(case.lines), case.context(), "q.sql")
    problems = [
        f"{problem.reason.value} {problem.place.rpartition(':')[2]} {problem.detail}"
        for problem in found.unresolved
    ]
    expected = case.stated.get("unresolved", [])
    assert len(problems) == len(expected), problems
    for problem, words in zip(problems, expected, strict=True):
        reason, line, *detail = words.split(maxsplit=2)
        assert problem.startswith(f"{reason} {line} ")
        assert all(part in problem for part in detail)
    assert touched(found, Access.READ) == case.names("reads")
    assert touched(found, Access.WRITE) == case.names("writes")
    shown = {str(view.dataset): sorted(map(str, view.reads)) for view in found.views}
    assert shown == case.arrows("view")
    if "bases" in case.stated:
        assert bases(found, case.arrows("catalog")) == case.names("bases")


def test_there_are_cases_enough_of_every_dialect() -> None:
    of_dialect = Counter(case.dialect for case in CASES if case.dialect != "sqlite")
    few = {dialect: count for dialect, count in of_dialect.items() if count < 20}
    assert few == {}
    assert len(of_dialect) >= 13
    assert len(CASES) >= 400

"""What a provider says it cost: AWS's Cost and Usage Report as CSV, gzipped or not.

Both forms are read, of the old report (`lineItem/UsageStartDate`) and of CUR 2.0 in Data Exports
(`line_item_usage_start_date`). Only instance hours count (`BoxUsage`, `SpotUsage`): disks and
traffic are no part of a receipt. Hours that a reservation or a savings plan covers cost what the
report calls their effective cost.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from swarm.errors import InputError
from swarm.model.work import CapacityClass

_CLASSES = {"BoxUsage": CapacityClass.DEDICATED, "SpotUsage": CapacityClass.SPOT}
_COST_OF = {
    "Usage": "line_item_unblended_cost",
    "DiscountedUsage": "reservation_effective_cost",
    "SavingsPlanCoveredUsage": "savings_plan_savings_plan_effective_cost",
}
_NEEDED = (
    "line_item_line_item_type",
    "line_item_usage_start_date",
    "line_item_usage_end_date",
    "line_item_usage_type",
    "line_item_usage_amount",
    "line_item_unblended_cost",
)
_TAG = "resourceTags/"
_GZIP = b"\x1f\x8b"


class Billed(NamedTuple):
    """Instance hours of one machine in a span, USD."""

    kind: str
    capacity: CapacityClass
    from_s: float
    until_s: float
    node_h: float
    usd: float


def read_bill(path: Path, tags: Mapping[str, str]) -> list[Billed]:
    """The instance hours of a report, of machines that have all `tags`. Raises `InputError`."""
    packed = path.read_bytes()
    try:
        text = (gzip.decompress(packed) if packed.startswith(_GZIP) else packed).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no CSV, and not gzipped either: {error}") from None
    rows = csv.reader(io.StringIO(text))
    names = [_column(name) for name in next(rows, [])]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise InputError(f"{path}: no Cost and Usage Report, column {missing[0]} is missing")
    return list(_billed(path, rows, names, tags))


def _billed(
    path: Path, rows: Iterator[list[str]], names: list[str], tags: Mapping[str, str]
) -> Iterator[Billed]:
    for number, cells in enumerate(rows, 2):
        row = dict(zip(names, cells, strict=False))
        use, _, kind = row.get("line_item_usage_type", "").rpartition(":")
        capacity = _CLASSES.get(use.rpartition("-")[2])
        cost = _COST_OF.get(row.get("line_item_line_item_type", ""))
        if capacity is None or cost is None:
            continue
        try:
            if not _has(row, tags):
                continue
            yield Billed(
                kind,
                capacity,
                _time(row["line_item_usage_start_date"]),
                _time(row["line_item_usage_end_date"]),
                float(row["line_item_usage_amount"]),
                float(row[cost]),
            )
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}, line {number}: {error}") from None


def _column(name: str) -> str:
    """`lineItem/UsageStartDate` as CUR 2.0 writes it; tags stay as they are."""
    if name.startswith(_TAG):
        return name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("/", "_")).replace("__", "_").lower()


def _has(row: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """The old report has a column a tag, CUR 2.0 all of them as JSON, under names of its own."""
    if not tags:
        return True
    columns = (cell for cell in row.items() if cell[0].startswith(_TAG))
    found = {name.removeprefix(_TAG): value for name, value in columns}
    found |= json.loads(row.get("resource_tags") or "{}")
    named = {_tag(name): value for name, value in found.items()}
    return all(named.get(_tag(name)) == value for name, value in tags.items())


def _tag(name: str) -> str:
    return re.sub(r"\W", "_", name).removeprefix("user_").lower()


def _time(text: str) -> float:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

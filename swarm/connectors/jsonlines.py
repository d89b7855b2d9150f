"""JSON Lines files, read one line at a time: a broken line costs itself and nothing else.

Every value a line may hold is checked here, once; what comes out is typed. A line that cannot be
used becomes an `Unresolved` that names the file, the line and the fix.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from swarm.errors import Unavailable
from swarm.model.lineage import Unresolved, UnresolvedReason

MAX_LINE_BYTES = 32_000_000
_MAX_UNKNOWN_FIELDS = 100
_MAX_PROBLEMS = 1_000

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class LineModel(BaseModel):
    """What a line may hold. `null` counts as absent; unknown fields are kept to be reported."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: below for key, below in value.items() if below is not None}
        return value


M = TypeVar("M", bound=LineModel)


@dataclass(frozen=True, slots=True)
class Line(Generic[M]):
    """A line that can be used; `place` is `file:number`, `unknown` its fields nobody reads."""

    place: str
    value: M
    unknown: tuple[Unresolved, ...] = ()


def read_lines(path: Path, model: type[M]) -> Iterator[Line[M] | Unresolved]:
    """The lines of the file in order, blank ones left out; the file is never held as a whole.

    An `Unresolved` stands for a line that cannot be used. An unknown field is tolerated and
    reported once, at its first line. Raises `Unavailable` when the file cannot be read.
    """
    reported: set[str] = set()
    try:
        with path.open("rb") as file:
            for number, raw in _raw_lines(file):
                place = f"{path.name}:{number}"
                parsed = _parse(raw, model, place)
                if isinstance(parsed, Line):
                    yield replace(parsed, unknown=tuple(_unknown(parsed, reported)))
                elif parsed is not None:
                    yield parsed
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read ({error.strerror}).") from None


def _raw_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; `None` stands for one that is over the limit and was skipped."""
    number = 0
    while raw := file.readline(MAX_LINE_BYTES):
        number += 1
        if len(raw) < MAX_LINE_BYTES or raw.endswith(b"\n"):
            yield number, raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE_BYTES)
        yield number, None


def _parse(raw: bytes | None, model: type[M], place: str) -> Line[M] | Unresolved | None:
    if raw is None:
        detail = f"The line is over {MAX_LINE_BYTES} bytes; split its files over several tasks."
        return Unresolved(place, UnresolvedReason.TOO_LARGE, place, detail)
    if not raw.strip():
        return None
    try:
        tree = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return broken(place, "The line is not UTF-8; save the file as UTF-8.")
    except json.JSONDecodeError as error:
        detail = f"Not valid JSON: {error.msg} at column {error.colno}; write one object a line."
        return broken(place, detail)
    except (ValueError, RecursionError):
        return broken(place, "Not usable JSON: a number is too long or objects nest too deeply.")
    if not isinstance(tree, dict):
        return broken(place, 'The line is not a JSON object; write {"name": value, ...}.')
    try:
        return Line(place, model.model_validate(tree))
    except ValidationError as error:
        wrong = "; ".join(_explain(e, tree, model) for e in error.errors()[:5])
        return broken(place, f"{wrong}. The line is not used.")


class Problems:
    """What is wrong with one file, all under the name of its source; named up to a limit."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._named: list[Unresolved] = []
        self._more = 0
        self.lines_lost = 0

    def add(self, problem: Unresolved, *, tolerated: bool = False) -> None:
        """`tolerated`: nothing that the file alone knows was lost by it."""
        self.lines_lost += not tolerated
        if len(self._named) < _MAX_PROBLEMS:
            self._named.append(replace(problem, subject=self._source))
        else:
            self._more += 1

    def items(self) -> Iterator[Unresolved]:
        yield from self._named
        if self._more:
            detail = f"{self._more} more lines have problems; correct the ones named first."
            last = self._named[-1].place
            yield Unresolved(self._source, UnresolvedReason.MALFORMED, f"after {last}", detail)


def broken(place: str, detail: str) -> Unresolved:
    """A line that cannot be used."""
    return Unresolved(place, UnresolvedReason.MALFORMED, place, detail)


def _explain(error: Any, tree: Mapping[str, Any], model: type[LineModel]) -> str:
    key = ".".join(_printable(part) for part in error["loc"])
    if error["type"] != "missing":
        return f"`{key}`: {error['msg']}"
    unknown = [name for name in tree if name not in model.model_fields]
    close = difflib.get_close_matches(str(error["loc"][-1]), unknown, n=1)
    hint = f", is `{_printable(close[0])}` meant to be it?" if close else ", add it"
    return f"`{key}` is missing{hint}"


def _unknown(line: Line[M], reported: set[str]) -> Iterator[Unresolved]:
    known = type(line.value).model_fields
    for name in line.value.model_extra or {}:
        if name in reported or len(reported) == _MAX_UNKNOWN_FIELDS:
            continue
        reported.add(name)
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known are: {', '.join(known)}."
        detail = f"Unknown field `{_printable(name)}` is ignored; {hint}"
        yield broken(line.place, detail)


def _printable(part: object) -> str:
    return str(part)[:100].encode("utf-8", "backslashreplace").decode("utf-8")

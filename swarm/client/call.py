"""What a call is: a request, how its answer is read, and whether it may be sent twice. No I/O."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from swarm.client.errors import ApiError, refusal

T = TypeVar("T")

NOT_SWARM = "not-swarm"
_SHOWN = 200  # characters of an answer that is not swarm's


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is below the root of the API; `within_s` is how long the answer may take, where that
    is less than the client waits."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    within_s: float = inf


@dataclass(frozen=True, slots=True)
class Answer:
    """The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def refusal(self) -> ApiError:
        """What it refuses, in its own words."""
        try:
            problem = json.loads(self.content)
            code, detail = str(problem["code"]), str(problem["detail"])
            fix = str(problem.get("fix", ""))
        except (ValueError, KeyError, TypeError):
            return self.strange()
        return refusal(self.status, code, detail, fix, self.retry_after_s)

    def strange(self) -> ApiError:
        """That it is no answer that swarm's API gives."""
        shown = self.content[:_SHOWN].decode(errors="replace")
        detail = f"what answers there is not swarm's API: {self.status} {shown}"
        return refusal(self.status, NOT_SWARM, detail, "Check the URL.", self.retry_after_s)

    @property
    def retry_after_s(self) -> float | None:
        said = self.headers.get("retry-after", "")
        return float(said) if said.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. `repeatable`: sent twice it does no more than sent once, so where nobody knows
    whether it arrived it is sent again. `patient`: worth asking again for a while."""

    request: Request
    reader: Callable[[Answer], T]
    repeatable: bool
    patient: bool = True

    @property
    def idempotency_key(self) -> str | None:
        return self.request.headers.get("Idempotency-Key")

    def read(self, answer: Answer) -> T:
        """What a good answer says. Raises `ApiError` where it is not one of swarm's."""
        try:
            return self.reader(answer)
        except (ValueError, KeyError, TypeError):
            raise answer.strange() from None


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """All rows of a route that answers in pages, each row a `T`."""

    path: str
    params: Mapping[str, Any]

    def page(self, cursor: str | None, limit: int | None) -> "Call[tuple[list[T], str | None]]":
        """Some of the rows, and the cursor of the next page."""
        return get(self.path, _page, **self.params, cursor=cursor, limit=limit)


def _page(answer: Answer) -> tuple[list[Any], str | None]:
    told = json.loads(answer.content)
    return list(told["items"]), told["next_cursor"]


def from_json(answer: Answer) -> Any:
    return json.loads(answer.content)


def seq_of(answer: Answer) -> int:
    """Where the journal stood when it held what was sent."""
    return int(json.loads(answer.content)["seq"])


def nothing(_: Answer) -> None:
    """Of an answer that only says that it is done."""


def get(path: str, reader: Callable[[Answer], Any] = from_json, /, **params: Any) -> Call[Any]:
    """A question; a parameter that is None is left out."""
    return Call(Request("GET", path, texts(params)), reader, repeatable=True)


def post(
    path: str,
    body: Mapping[str, Any] | None = None,
    reader: Callable[[Answer], Any] = from_json,
    *,
    key: str | None = None,
    repeatable: bool = False,
) -> Call[Any]:
    """A wish. With an idempotency `key` it is repeatable."""
    headers = {} if key is None else {"Idempotency-Key": key}
    content = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    request = Request("POST", path, {}, headers, content)
    return Call(request, reader, repeatable or key is not None)


def texts(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as a URL has them."""
    return {name: _text(value) for name, value in params.items() if value is not None}


def said(**fields: Any) -> dict[str, Any]:
    """Those fields of a body that are not None: the API knows what holds without them."""
    return {name: value for name, value in fields.items() if value is not None}


def part(text: str) -> str:
    """A name as one part of a path."""
    return quote(text, safe="")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

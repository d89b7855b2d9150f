"""Statements out of Redshift's `STL_QUERY` and `STL_QUERYTEXT`, or `SYS_QUERY_HISTORY`.

A long text comes in pieces of 200 characters, one a row, numbered by `sequence`; an export that
joins the two tables repeats the other columns on each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from swarm.lineage.history.statement import MalformedRow, Statement, time_s

Row = Mapping[str, object]

_PIECE = 200
_CUT = 4000  # characters that STL_QUERY and SYS_QUERY_HISTORY keep of a text
_SUPERUSER = "1"  # the service's own user, `rdsdb`
_OWN_QUERIES = ("padb_fetch_sample", "undoing ", "fetch ")
_TEXTS = ("querytxt", "query_text", "text")
_STATES = ("", "success")


@dataclass(slots=True)
class _Query:
    row: dict[str, str]
    place: str
    whole: str = ""
    pieces: dict[int, str] = field(default_factory=dict)


class RedshiftQueries:
    """Puts the pieces of each query together."""

    def __init__(self) -> None:
        self._queries: dict[str, _Query] = {}

    def add(self, row: Row, place: str) -> None:
        """Take one row; names in any case. Raises `MalformedRow`."""
        known = {
            key.casefold(): str(value) for key, value in row.items() if value not in (None, "")
        }
        number = known.get("query") or known.get("query_id", "")
        if not number:
            raise MalformedRow("`query`, the number of the query, is missing")
        text = next((known[name] for name in _TEXTS if name in known), None)
        if text is None:
            raise MalformedRow("`querytxt` is missing")
        try:
            sequence = int(known.get("sequence", "0"))
        except ValueError:
            raise MalformedRow("`sequence` is no number") from None
        query = self._queries.setdefault(number, _Query({}, place))
        query.row.update(known)
        if "sequence" in known:
            query.pieces[sequence] = text
        else:
            query.whole = text

    def finish(self) -> Iterator[tuple[Statement, str] | tuple[MalformedRow, str]]:
        """Every query that ended well, and what cannot be used."""
        for number, query in self._queries.items():
            try:
                statement = _statement(number, query)
            except MalformedRow as error:
                yield error, query.place
            else:
                if statement is not None:
                    yield statement, query.place
        self._queries.clear()


def _statement(number: str, query: _Query) -> Statement | None:
    row = query.row
    text = _joined(number, query.pieces) if query.pieces else query.whole
    own = row.get("userid") == _SUPERUSER or text.lstrip().casefold().startswith(_OWN_QUERIES)
    failed = row.get("aborted", "0") not in ("0", "false", "f")
    if own or failed or row.get("status", "").strip().casefold() not in _STATES:
        return None
    started = row.get("starttime") or row.get("start_time")
    if started is None:
        raise MalformedRow("`starttime` is missing; join STL_QUERYTEXT with STL_QUERY")
    ended = row.get("endtime") or row.get("end_time") or started
    label = next((row[k] for k in ("query_group", "label", "query_label") if k in row), "").strip()
    if not query.pieces and len(text) >= _CUT:
        detail = f"query {number}: the text may be cut at {_CUT} characters; export STL_QUERYTEXT"
        raise MalformedRow(detail)
    return Statement(
        text=text.replace("\\n", "\n"),
        user=row.get("usename") or row.get("username") or row.get("userid", ""),
        started_at_s=time_s(started, "starttime"),
        ended_at_s=time_s(ended, "endtime"),
        tags={"query_group": label} if label not in ("", "default") else {},
        dialect="redshift",
        database=(row.get("database") or row.get("database_name", "")).strip(),
        session=row.get("pid") or row.get("session_id", ""),
        id=number,
    )


def _joined(number: str, pieces: Mapping[int, str]) -> str:
    last = max(pieces)
    if len(pieces) != last + 1:
        raise MalformedRow(f"query {number}: of its {last + 1} pieces only {len(pieces)} are here")
    texts = [pieces[index] for index in range(last + 1)]
    if max(map(len, texts)) <= _PIECE:
        # Blanks at the end of a piece are lost in the export, and belong between two words.
        texts[:-1] = [text.ljust(_PIECE) for text in texts[:-1]]
    return "".join(texts)

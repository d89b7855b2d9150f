"""Shortens `CREATE ... AS query` to what the parser knows: the kind, the name and the query.

Storage, refreshing, distribution and the like stand between the name and the query and differ in
each dialect; nothing of it is about which tables are read, but a place in a file store.
"""

from sqlglot.tokens import TokenType

from swarm.lineage.sql.draft import Draft

_QUERY = frozenset({"SELECT", "WITH", "FROM", "TABLE", "VALUES"})
_KEPT = frozenset({"USING", "LOCATION", "OPTIONS", "TO"})
_SECURITY = frozenset({"ALGORITHM", "DEFINER", "SQL SECURITY", "SQL", "INVOKER"})


def made_by_query(draft: Draft) -> None:
    """`CREATE TABLE t <options> AS query`, `CREATE TABLE t (...) <options>`: without options."""
    _shorten(draft, frozenset({"TABLE", "VIEW"}))


def refreshed_by_query(draft: Draft) -> None:
    """The same for what a server keeps up to date, and for no other table."""
    if {"MATERIALIZED", "STREAMING"} & {draft.word(index) for index in range(1, 6)}:
        _shorten(draft, frozenset({"TABLE", "VIEW"}))


def _shorten(draft: Draft, kinds: frozenset[str]) -> None:
    head = [draft.word(index) for index in range(8)]
    kind = next((index for index, word in enumerate(head) if word in kinds), 0)
    if head[0] != "CREATE" or "EXTERNAL" in head[:kind]:
        return
    if "REFRESH" in head[:kind]:  # CREATE OR REFRESH
        draft.put(head.index("REFRESH"), TokenType.REPLACE, "REPLACE")
    name = kind + 1
    while draft.word(name) in ("IF", "NOT", "EXISTS"):
        name += 1
    start = draft.behind_name(name)
    end = _query(draft, start)
    columns = draft.behind_group(start)
    if kind and end is None and head[kind] == "TABLE" and columns > start:
        draft.cut(columns, len(draft.tokens))
    if not kind or end is None or (head[kind] == "VIEW" and "MATERIALIZED" not in head[:kind]):
        return
    options = {draft.word(index) for index in range(start, end)}
    draft.tokens[start:end] = [draft.tokens[index] for index in _kept(draft, start, end)]
    if head[kind] == "VIEW" and not _runs_now(options):
        draft.cut(head.index("MATERIALIZED"), head.index("MATERIALIZED") + 1)


def _query(draft: Draft, start: int) -> int | None:
    """The AS in front of the query."""
    at = draft.next_of(frozenset({"AS"}), start)
    while at < len(draft.tokens) - 1:
        kind = draft.tokens[at + 1].token_type
        if draft.word(at + 1) in _QUERY or kind == TokenType.L_PAREN:
            return at
        at = draft.next_of(frozenset({"AS"}), at + 1)
    return None


def _kept(draft: Draft, start: int, end: int) -> list[int]:
    """Where the options are that say which table or file the rows go to."""
    kept: list[int] = []
    index = start
    while index < end:
        behind = max(draft.behind_group(index), index + 1)
        if draft.word(index) in _KEPT:
            is_group = draft.word(index) == "OPTIONS"
            behind = draft.behind_group(index + 1) if is_group else draft.behind_name(index + 1)
            kept.extend(range(index, min(behind, end)))
        index = max(behind, index + 1)
    return kept


def _runs_now(options: set[str]) -> bool:
    """Oracle may build it later; ClickHouse only adds rows that come later, without POPULATE."""
    if "ENGINE" in options and "TO" not in options:
        return bool({"POPULATE", "REFRESH"} & options)
    return not {"BUILD", "DEFERRED"} <= options


def options_of_view(draft: Draft) -> None:
    """MySQL: who runs the query of a view, and how."""
    kind = draft.next_of(frozenset({"VIEW"}), 0)
    first = draft.next_of(_SECURITY, 0)
    if draft.word(0) == "CREATE" and first < kind:
        draft.cut(first, kind)


def view_checks(draft: Draft) -> None:
    """`WITH CHECK OPTION` and `WITH READ ONLY` at the end of a view."""
    for index in draft.places("OPTION"):
        start = max(at for at in (*draft.places("WITH"), 0) if at < index)
        if draft.word(index - 1) == "CHECK" and draft.word(start) == "WITH" and index - start < 4:
            draft.cut(start, index + 1)
    for index in draft.places("WITH", "READ", "ONLY"):
        draft.cut(index, index + 3)

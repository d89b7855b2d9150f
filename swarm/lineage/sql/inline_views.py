"""Oracle changes a table through a query: `UPDATE (SELECT a.x AS y FROM a JOIN b) SET y = 1`."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.effects import Accessed, Name, NotUnderstood
from swarm.lineage.sql.tokens import CHANGES
from swarm.model.lineage import Access, UnresolvedReason

_AFTER_FROM = frozenset({"WHERE", "GROUP BY", "ORDER BY", "HAVING", "UNION", "CONNECT BY", "WITH"})
_NO_ALIAS = frozenset({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "ON", "USING", "NATURAL"})


@dataclass(frozen=True, slots=True)
class _Source:
    """A table of the query: its name, what columns call it, and where its name stands."""

    name: Name
    alias: str
    start: int
    end: int


def changed_view(draft: Draft) -> None:
    """Note the table that is changed; what is left to parse is the query without it."""
    start = 1 + (draft.word(1) in ("FROM", "INTO"))
    if (
        draft.word(0) not in CHANGES
        or draft.word(start) != "("
        or draft.word(start + 1) != "SELECT"
    ):
        return
    end = draft.behind_group(start)
    sources = list(_sources(draft, start + 1, end - 1))
    target = sources[0] if len(sources) == 1 else _of_column(draft, sources, start, end)
    line = int(draft.tokens[0].line)
    rest = _rest(draft, end)
    if target is None:
        detail = "which table of the query is changed is not known"
        draft.effects.append(NotUnderstood(UnresolvedReason.DYNAMIC, line, detail))
    else:
        draft.effects.append(Accessed(Access.WRITE, target.name))
        draft.put(target.start, TokenType.VAR, "dual")  # the target itself is not read
        draft.cut(target.start + 1, target.end)
        end -= target.end - target.start - 1
    group = draft.tokens[start:end]
    draft.tokens[:] = [*_words(draft.tokens[0], "SELECT * FROM"), *group, *rest]


def _sources(draft: Draft, start: int, end: int) -> Iterator[_Source]:
    index = draft.next_of(frozenset({"FROM"}), start)
    stop = min(draft.next_of(_AFTER_FROM, index), end)
    while index < stop:
        name, behind = named(draft, index + 1)
        if name is not None and draft.tokens[index + 1].token_type != TokenType.L_PAREN:
            at = behind + (draft.word(behind) == "AS")
            is_alias = at < stop and draft.word(at) not in _NO_ALIAS
            is_alias = is_alias and draft.tokens[at].token_type in (
                TokenType.VAR,
                TokenType.IDENTIFIER,
            )
            alias = draft.tokens[at].text if is_alias else name.parts[-1]
            yield _Source(name, alias.casefold(), index + 1, behind)
        index = min(draft.next_of(frozenset({"JOIN", ","}), index + 1), stop)


def _of_column(draft: Draft, sources: list[_Source], start: int, end: int) -> _Source | None:
    """The table of the column that is set, by the query's own list of columns."""
    if draft.word(end) != "SET" or end + 1 >= len(draft.tokens):
        return None
    column = draft.tokens[draft.behind_name(end + 1) - 1].text.casefold()
    last = draft.next_of(frozenset({"FROM"}), start + 1)
    for index in range(start + 2, last):
        if draft.tokens[index].text.casefold() != column:
            continue
        at = index - 2 if draft.word(index - 1) == "AS" else index
        if at - 2 > start and draft.tokens[at - 1].token_type == TokenType.DOT:
            alias = draft.tokens[at - 2].text.casefold()
            return next((source for source in sources if source.alias == alias), None)
    return None


def _rest(draft: Draft, end: int) -> list[Token]:
    """What follows the query as a part of a query: conditions, or one more query."""
    match draft.word(end):
        case "SET":
            draft.put(end, TokenType.WHERE, "WHERE")
            where = draft.next_of(frozenset({"WHERE"}), end + 1)
            for index in range(end + 1, min(where + 1, len(draft.tokens))):
                is_comma = draft.tokens[index].token_type == TokenType.COMMA
                if index == where or (is_comma and draft.next_of(frozenset({","}), index) == index):
                    draft.put(index, TokenType.AND, "AND")
            return draft.tokens[end:]
        case "WHERE":
            return draft.tokens[end:]
    query = draft.next_of(frozenset({"SELECT", "WITH"}), end)
    if query < len(draft.tokens):
        return [*_words(draft.tokens[0], "UNION ALL"), *draft.tokens[query:]]
    return []


def _words(near: Token, text: str) -> list[Token]:
    kinds = {
        "SELECT": TokenType.SELECT,
        "*": TokenType.STAR,
        "FROM": TokenType.FROM,
        "UNION": TokenType.UNION,
        "ALL": TokenType.ALL,
    }
    return [
        Token(kinds[word], word, near.line, near.col, near.start, near.end) for word in text.split()
    ]

"""Takes procedural words off the front of a statement, down to the plain statement behind."""

from sqlglot.tokens import TokenType

from swarm.lineage.sql.tokens import (
    CHANGES,
    QUERY,
    STARTS,
    TRANSACTION,
    Tokens,
    divided,
    find,
    has_string,
    top_words,
    word_of,
)

LOOP_ENDS = frozenset({"IF", "LOOP", "WHILE", "FOR", "REPEAT"})
_BRANCHES = LOOP_ENDS | {"CASE", "FOREACH"}
_LABELLED = frozenset({"BEGIN", "LOOP", "WHILE", "REPEAT"})
_NO_NAME = frozenset({"@", ":", "$", "OR", "REPLACE", "VARIABLE"})  # DECLARE OR REPLACE VARIABLE x
_Peeled = tuple[Tokens, Tokens, int]  # a condition or query, what follows, change of depth


def peel(chunk: Tokens) -> _Peeled | None:
    """Take the scripting off the front of `chunk`; None if it begins with a plain statement."""
    first = word_of(chunk[0])
    second = word_of(chunk[1]) if len(chunk) > 1 else ""
    if first in ("<<", "<"):  # a label
        end = next((i for i, token in enumerate(chunk) if word_of(token) in (">>", ">")), 0)
        end += word_of(chunk[end]) == ">" and word_of(chunk[min(end + 1, len(chunk) - 1)]) == ">"
        return ([], chunk[end + 1 :], 0) if end else None
    if second == ":" and chunk[2:] and word_of(chunk[2]) in _LABELLED:
        return [], chunk[2:], 0
    if first == "BEGIN":
        return _peel_begin(chunk, second)
    if first == "END":
        return _peel_end(chunk, second)
    if first in ("LOOP", "REPEAT", "ELSE", "DO") and not _is_string(chunk, 1):
        return [], chunk[1:], 0
    if first == "EXCEPTION" or (first == "WHEN" and "THEN" in top_words(chunk)):
        then = find(chunk, ("THEN",), 1)
        return [], chunk[then + 1 :], 0
    if first in ("IF", "ELSEIF", "ELSIF", "WHILE", "UNTIL", "FOR", "FOREACH"):
        return _peel_condition(chunk, first)
    if first == "RETURN" and second == "QUERY":
        return [], chunk[2:], 0
    if first in ("PERFORM", "ASSERT"):
        return chunk[1 : find(chunk, ("AS",), 1)], [], 0
    return _peel_rare(chunk, first, second)


def _peel_rare(chunk: Tokens, first: str, second: str) -> _Peeled | None:
    if first == "CASE":
        then = find(chunk, ("THEN",), 1)
        if second != "WHEN":  # CASE value WHEN 1 THEN
            return chunk[1 : find(chunk[1:], ("WHEN",), 0) + 1], chunk[then + 1 :], 1
        return (chunk[2:then], chunk[then + 1 :], 1) if then else None
    if first == "FORALL":  # Oracle: FORALL i IN 1 .. n statement
        return [], chunk[find(chunk, (*CHANGES, "EXECUTE"), 1) :], 0
    if first == "DECLARE" and "HANDLER" in {word_of(token) for token in chunk[:4]}:
        return [], chunk[find(chunk, tuple(STARTS), 1) :], 0
    return None


def _is_string(chunk: Tokens, index: int) -> bool:
    return index < len(chunk) and has_string(chunk[index : index + 3])


def _peel_begin(chunk: Tokens, second: str) -> _Peeled | None:
    if second in TRANSACTION or len(chunk) == 1:
        return None  # `BEGIN;` opens a transaction, not a block
    return [], chunk[2 if second in ("TRY", "CATCH", "ATOMIC") else 1 :], 1


def _peel_end(chunk: Tokens, second: str) -> _Peeled:
    if second in LOOP_ENDS:
        skip = 2
        if second == "IF" or len(chunk) == 2 or word_of(chunk[2]) in STARTS:
            return [], chunk[skip:], 0
        return [], chunk[skip + 1 :], 0  # END LOOP label
    if second in ("TRY", "CATCH", "CASE"):
        return [], chunk[2:], -1
    skip = 1 if second in STARTS else 2  # END name
    return [], chunk[skip:], -1


def _peel_condition(chunk: Tokens, first: str) -> _Peeled | None:
    ends = ("THEN",) if first not in ("WHILE", "FOR", "FOREACH") else ("DO", "LOOP")
    end = find(chunk, ends, 1)
    if end < len(chunk):
        condition = chunk[1:end]
        if first == "FOR":  # FOR x IN (query), FOR x IN query
            names = find(chunk, ("IN", "AS"), 1)
            condition = chunk[names + 1 : end]
            is_range = bool(condition) and condition[0].token_type == TokenType.NUMBER
            if is_range and not has_string(condition) and "SELECT" not in _all(condition):
                condition = []  # FOR i IN 1..10, FOR i IN 1 TO 10
        if first == "FOREACH":  # FOREACH x IN ARRAY value
            condition = chunk[find(chunk, ("ARRAY",), 1) + 1 : end]
        return condition, chunk[end + 1 :], 0
    if first in ("UNTIL", "FOR"):
        return chunk[1 : find(chunk, ("END",), 1)], [], 0
    # T-SQL has no THEN: the condition ends where a statement starts.
    end = find(chunk, tuple(STARTS), 1)
    return chunk[1:end], chunk[end:], 0


def _all(tokens: Tokens) -> set[str]:
    return {word_of(token) for token in tokens}


def branching(chunk: Tokens) -> int:
    """By how much what stands at the front of `chunk` changes the depth of branches."""
    first = word_of(chunk[0])
    if first == "END":
        return -1 if len(chunk) > 1 and word_of(chunk[1]) in _BRANCHES else 0
    labelled = 2 if len(chunk) > 2 and word_of(chunk[1]) == ":" else 0
    return 1 if word_of(chunk[labelled]) in _BRANCHES else 0


def assignments(chunk: Tokens, declaring: bool) -> list[tuple[tuple[str, ...], Tokens]]:
    """The variables and the value in `x := value`, `DECLARE a, b int DEFAULT value`, `DECLARE @a
    int = value, @b int = value`; the query of a cursor, which is no variable's. `declaring`:
    `chunk` is a declaration, also without the word."""
    for index in range(min(len(chunk) - 1, 12)):
        if word_of(chunk[index]) in ("FOR", "IS") and word_of(chunk[index + 1]) in QUERY:
            return [((), chunk[index + 1 :])]
    is_list = word_of(chunk[0]) in ("DECLARE", "LET")
    found: list[tuple[tuple[str, ...], Tokens]] = []
    names: list[str] = []
    for part in divided(chunk[1:]) if is_list else [chunk]:
        name = next((token.text for token in part if token.text.upper() not in _NO_NAME), "")
        names.append(name)
        at = _given(part, declaring)
        if at is not None:
            found.append((tuple(names), part[at + 1 :]))
        if at is not None or len(part) > 2:
            names.clear()
    return found


def _given(part: Tokens, declaring: bool) -> int | None:
    """The index of what stands between a variable and its value."""
    for index in range(min(len(part) - 1, 12)):
        word = word_of(part[index])
        before_query = part[index + 1].token_type == TokenType.L_PAREN
        if part[index].token_type == TokenType.COLON_EQ:
            return index
        if word == "DEFAULT" and (declaring or before_query):
            return index
        if word == "=" and (declaring or index == 1):
            return index
    return None

"""What the words of a statement say that does not parse: the last resort.

A statement no grammar accepts still names its tables where tables are named: behind `FROM`,
`JOIN`, `INTO`. The statement stays `unresolved`, and what is found here is less sure than what a
syntax tree shows. Rules: names defined by `name AS (` are no tables, nor is what is called with
parentheses, nor what follows the `FROM` of EXTRACT, TRIM and of `IS DISTINCT FROM`.
"""

from collections.abc import Iterator

from sqlglot.tokens import TokenType

from swarm.lineage.sql.effects import Accessed, Name
from swarm.lineage.sql.names import name_at
from swarm.lineage.sql.tokens import Statement
from swarm.model.lineage import Access

SURE = 0.6  # how sure an access is that only the words show

# fmt: off
_STARTS = frozenset({
    "SELECT", "WITH", "INSERT", "MERGE", "UPDATE", "DELETE", "CREATE", "COPY", "FROM",
})
_NO_SOURCE = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION", "SUBSTR"})
_NO_NAME = frozenset({
    "SELECT", "LATERAL", "UNNEST", "TABLE", "VALUES", "ONLY", "SET", "WHERE", "DUAL", "FLATTEN", "",
})
_NO_ALIAS = frozenset({
    "WHERE", "JOIN", "ON", "USING", "GROUP", "ORDER", "UNION", "LEFT", "RIGHT", "INNER", "OUTER",
    "FULL", "CROSS", "HAVING", "LIMIT", "QUALIFY", "WINDOW", "SELECT", "LATERAL", "SET", "INSERT",
    "EXCEPT", "INTERSECT", "MINUS", "NATURAL", "TABLESAMPLE", "WHEN", "VALUES", "PIVOT", "UNPIVOT",
})
# fmt: on
_NO_NAMES = _NO_NAME | _NO_ALIAS | {"FROM", "INTO", "AS"}
_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})


def words_say(statement: Statement) -> Iterator[Accessed]:
    """The reads and writes that the words of `statement` show."""
    words = [statement.word(index) for index in range(len(statement.tokens))]
    made = words[:1] == ["CREATE"]
    if words[0] not in _STARTS or (made and "TABLE" not in words[1:6]):
        return  # what a view or a function would do, nothing does now
    defined = _defined(statement)
    for index, word in enumerate(words):
        access = _access(words, index)
        if access is None or (access is Access.READ and _inside_function(words, index)):
            continue
        place = index + 1
        if word == "INSERT":  # INSERT OVERWRITE TABLE a
            place = index + 2
        if access is Access.WRITE:
            name, _ = _name(statement, place)
            if name is not None:
                yield Accessed(access, name, SURE)
            continue
        for name in _sources(statement, place, many=word == "FROM"):
            if len(name.parts) > 1 or name.parts[0].casefold() not in defined:
                yield Accessed(access, name, SURE)


def _access(words: list[str], index: int) -> Access | None:
    """What the word at `index` says of the name behind it."""
    word, before = words[index], words[index - 1] if index else ""
    if word in ("FROM", "JOIN"):
        if before == "DELETE":
            return Access.WRITE
        return Access.READ if before != "DISTINCT" else None
    if word == "USING" and words[0] == "MERGE":
        return Access.READ
    if word == "INTO" and before in ("INSERT", "MERGE", "COPY"):
        return Access.WRITE
    if word == "INSERT" and words[index + 1 : index + 2] == ["OVERWRITE"]:
        return Access.WRITE
    if word == "UPDATE" and index == 0:
        return Access.WRITE
    is_made = word == "TABLE" and words[0] == "CREATE" and index <= 5
    return Access.WRITE if is_made else None


def _sources(statement: Statement, index: int, *, many: bool) -> Iterator[Name]:
    """The name at `index`, and of a list the ones after it; calls left out."""
    while True:
        name, behind = _name(statement, index)
        if name is None:
            return
        if statement.word(behind) != "(":
            yield name
        behind = _behind_alias(statement, behind)
        if not many or statement.word(behind) != ",":
            return
        index = behind + 1


def _name(statement: Statement, index: int) -> tuple[Name | None, int]:
    while statement.word(index) in ("IF", "NOT", "EXISTS", "ONLY", "TABLE"):
        index += 1
    if index >= len(statement.tokens):
        return None, index
    token = statement.tokens[index]
    quoted = token.token_type == TokenType.IDENTIFIER
    if not quoted and (not token.text.isidentifier() or statement.word(index) in _NO_NAMES):
        return None, index
    return name_at(statement, index)


def _behind_alias(statement: Statement, index: int) -> int:
    if statement.word(index) == "AS":
        return index + 2
    if index < len(statement.tokens) and statement.tokens[index].token_type in _NAMES:
        return index if statement.word(index) in _NO_ALIAS else index + 1
    return index


def _defined(statement: Statement) -> set[str]:
    """Names before `AS (`, where a WITH defines them; too many are better than too few."""
    tokens = statement.tokens
    return {
        tokens[index].text.casefold()
        for index in range(len(tokens) - 2)
        if tokens[index + 1].text.upper() == "AS"
        and tokens[index + 2].token_type == TokenType.L_PAREN
    }


def _inside_function(words: list[str], index: int) -> bool:
    """Whether the FROM at `index` is part of EXTRACT(... FROM ...) and the like."""
    depth = 0
    for place in range(index - 1, -1, -1):
        if words[place] == ")":
            depth += 1
        elif words[place] == "(":
            if depth == 0:
                return words[place - 1] in _NO_SOURCE if place else False
            depth -= 1
    return False

"""Procedures that servers have, and what they do to tables."""

from sqlglot.tokens import TokenType

from swarm.lineage.naming import split_name
from swarm.lineage.sql.effects import Accessed, Effect, Moved, Name
from swarm.lineage.sql.tokens import STRINGS, Statement
from swarm.model.lineage import Access

REFRESHING = frozenset({"DBMS_MVIEW", "DBMS_SNAPSHOT"})
HARMLESS = ("DBMS_", "UTL_", "APEX_")
_DANGEROUS = frozenset({"dbms_sql", "dbms_datapump", "dbms_redefinition", "dbms_parallel_execute"})
_METHODS = frozenset({"extend", "delete", "trim", "put_line", "put", "new_line"})


def renamed(statement: Statement) -> list[Effect]:
    """T-SQL: sp_rename 'schema.old', 'new'; with a third text it renames a column or an index."""
    texts = [token for token in statement.tokens if token.token_type in STRINGS]
    names = [token.text for token in texts]
    if len(texts) < 2 or (len(texts) > 2 and names[2].upper() != "OBJECT"):
        return []
    line = int(texts[0].line)
    old = split_name(names[0])
    return [Moved(Name(old, line), Name((*old[:-1], *split_name(names[1])[-1:]), line))]


def refreshed(statement: Statement) -> list[Effect]:
    """Oracle: DBMS_MVIEW.REFRESH('a, s.b', 'C') fills materialised views anew."""
    text = next((token for token in statement.tokens if token.token_type in STRINGS), None)
    names = [name.strip() for name in text.text.split(",")] if text is not None else []
    line = statement.line
    return [Accessed(Access.WRITE, Name(split_name(name), line)) for name in names if name]


def is_unknown_call(statement: Statement, start: int = 0) -> bool:
    """Whether an Oracle statement is a call, `s.load(1)` or `load`, of what may change tables.

    `start` is where the name begins.
    """
    tokens = statement.tokens[start:]
    end = 1
    while end + 1 < len(tokens) and tokens[end].token_type == TokenType.DOT:
        end += 2
    names = [token.text.casefold() for token in tokens[:end:2]]
    is_name = all(token.token_type in (TokenType.VAR, TokenType.IDENTIFIER) for token in tokens[:1])
    ends = end == len(tokens) or tokens[end].token_type == TokenType.L_PAREN
    if not is_name or not ends or names[-1] in _METHODS or names == ["raise_application_error"]:
        return False
    return names[0] in _DANGEROUS or not names[0].upper().startswith(HARMLESS)

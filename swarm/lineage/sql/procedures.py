"""Procedures that servers have, and what they do to tables."""

from sqlglot.tokens import TokenType

from swarm.lineage.naming import split_name
from swarm.lineage.sql.effects import Accessed, Effect, Moved, Name
from swarm.lineage.sql.names import name_at
from swarm.lineage.sql.tokens import STRINGS, Statement, divided, word_of
from swarm.model.lineage import Access

REFRESHING = frozenset({"DBMS_MVIEW", "DBMS_SNAPSHOT"})
HARMLESS = ("DBMS_", "UTL_", "APEX_")
_DANGEROUS = frozenset({"dbms_sql", "dbms_datapump", "dbms_redefinition", "dbms_parallel_execute"})
# Procedures of Iceberg: those that keep the rows of their table, those that change them.
# fmt: off
_KEEPING = frozenset({
    "rewrite_data_files", "rewrite_manifests", "rewrite_position_delete_files", "expire_snapshots",
    "remove_orphan_files", "ancestors_of", "compute_table_stats", "compute_partition_stats",
    "drop_extended_stats", "migrate", "rewrite_table_path",
})
_CHANGING = frozenset({
    "rollback_to_snapshot", "rollback_to_timestamp", "set_current_snapshot",
    "cherrypick_snapshot", "publish_changes", "fast_forward", "add_files", "snapshot",
})
# fmt: on
_METHODS = frozenset({"extend", "delete", "trim", "put_line", "put", "new_line"})


def of_iceberg(statement: Statement) -> list[Effect] | None:
    """`CALL catalog.system.rewrite_data_files(...)` of Spark and Trino; None: another procedure."""
    name, start = name_at(statement, 1)
    if name is None or [part.casefold() for part in name.parts[-2:-1]] != ["system"]:
        return None
    verb = name.parts[-1].casefold()
    if verb in _KEEPING:
        return []
    if verb not in _CHANGING:
        return None
    given = [part for part in divided(statement.tokens[start + 1 : -1]) if part]
    named = {
        word_of(part[0]): part[-1].text
        for part in given
        if len(part) == 3 and part[-1].token_type in STRINGS
    }
    plain = [part[0].text for part in given if len(part) == 1 and part[0].token_type in STRINGS]
    source, target = named.get("SOURCE_TABLE"), named.get("TABLE")
    if target is None and verb == "snapshot" and len(plain) > 1:
        source, target = plain[:2]
    elif target is None and plain:  # Spark: 'db.t', Trino: 'db', 't'
        target = plain[0] if "." in plain[0] else ".".join(plain[:2])
    if target is None:
        return None
    catalog, line = name.parts[:-2], statement.line
    found: list[Effect] = []
    if source is not None:
        found.append(Accessed(Access.READ, _in_catalog(source, catalog, line)))
    return [*found, Accessed(Access.WRITE, _in_catalog(target, catalog, line))]


def _in_catalog(text: str, catalog: tuple[str, ...], line: int) -> Name:
    """A table as a procedure gets it; a path in it (`` parquet.`s3://a/b` ``) is that path."""
    parts = split_name(text)
    if "/" in text:
        return Name(line=line, url=text.partition("`")[2].rstrip("`") or text)
    return Name(parts if len(parts) > 2 else (*catalog, *parts), line)


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

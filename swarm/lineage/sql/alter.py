"""ALTER that moves rows, where the parser does not know it: partitions that are switched,
exchanged, replaced or dropped, changes of rows, other places and other queries."""

from sqlglot.tokens import Token

from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.effects import (
    Accessed,
    Defined,
    Effect,
    Moved,
    Name,
    Nested,
    Swapped,
    UsedDefault,
)
from swarm.lineage.sql.tokens import Statement
from swarm.model.lineage import Access

_SPARK = frozenset({"hive", "spark", "spark2", "databricks"})
_TRINO = frozenset({"trino", "presto", "athena"})
_TSQL = frozenset({"tsql", "fabric"})
_PARTITIONED = frozenset({"mysql", "doris", "starrocks", "oracle", "clickhouse"})
_PARTS = frozenset({"PARTITION", "SUBPARTITION", "PART", "PARTITIONS", "ALL"})


def altered(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    """What the ALTER does; None: its syntax tree or its first words tell."""
    draft = Draft(list(statement.tokens))
    words = [draft.word(index) for index in range(4)]
    if words[1:4] == ["SESSION", "SET", "CURRENT_SCHEMA"]:
        schema, _ = named(draft, 5)
        return [UsedDefault("", schema.parts[-1])] if schema is not None else []
    if words[1:3] == ["MATERIALIZED", "VIEW"]:
        view, index = named(draft, 3)
        rebuilt = view is not None and draft.word(index) == "REBUILD"
        return [Accessed(Access.WRITE, view)] if view is not None and rebuilt else None
    if words[1:3] == ["DYNAMIC", "TABLE"]:  # Snowflake: ALTER DYNAMIC TABLE t REFRESH
        table, index = named(draft, 3)
        filled = table is not None and draft.word(index) == "REFRESH"
        return [Accessed(Access.WRITE, table)] if table is not None and filled else []
    if words[1] != "TABLE":
        return None
    start = 2
    while draft.word(start) in ("IF", "EXISTS", "ONLY"):
        start += 1
    table, index = named(draft, start)
    if table is None:
        return None
    if draft.is_at(index, "ON", "CLUSTER"):
        index += 3
    return _table(draft, table, (start, index), sql, dialect)


def _table(
    draft: Draft, table: Name, span: tuple[int, int], sql: str, dialect: str
) -> list[Effect] | None:
    index = span[1]
    if dialect in _TSQL and draft.word(index) == "SWITCH":
        target, _ = named(draft, draft.next_of(frozenset({"TO"}), index) + 1)
        return _copied(table, target)
    if draft.is_at(index, "RENAME", "AS"):
        target, _ = named(draft, index + 2)
        return [Moved(table, target)] if target is not None else []
    if dialect in _TRINO and draft.word(index) == "EXECUTE":
        return _procedure(draft, table, index + 1)
    if dialect in _SPARK:
        return _spark(draft, table, index)
    if draft.word(index) == "EXCHANGE" and dialect in _PARTITIONED:
        other, _ = named(draft, _behind(draft, "TABLE", index))
        return [Swapped(table, other)] if other is not None else []
    if dialect == "clickhouse" and (changed := _mutation(draft, span, sql)) is not None:
        return changed
    if dialect in _PARTITIONED and _PARTS & {draft.word(index + 1), draft.word(index + 2)}:
        return _partition(draft, table, index)
    return None


def _procedure(draft: Draft, table: Name, index: int) -> list[Effect]:
    """Trino's procedures of tables: some bring files or rows, some go back to older ones."""
    arguments = {
        draft.word(at): value.text
        for at in range(index, len(draft.tokens))
        if (value := draft.string(at + 2)) is not None
    }
    sources: list[Name] = []
    if "LOCATION" in arguments:
        sources.append(Name(line=table.line, url=arguments["LOCATION"]))
    elif "TABLE_NAME" in arguments:
        schema = arguments.get("SCHEMA_NAME", "")
        sources.append(Name((schema, arguments["TABLE_NAME"])[not schema :], table.line))
    action = draft.word(index)
    reads: list[Effect] = [Accessed(Access.READ, source) for source in sources]
    changes = bool(reads) or action.startswith("ROLLBACK")
    return [*reads, Accessed(Access.WRITE, table)] if changes else []


def _behind(draft: Draft, word: str, index: int) -> int:
    return draft.next_of(frozenset({word}), index) + 1


def _copied(source: Name | None, target: Name | None) -> list[Effect]:
    found: list[Effect] = [Accessed(Access.READ, source)] if source is not None else []
    return [*found, Accessed(Access.WRITE, target)] if target is not None else found


def _spark(draft: Draft, table: Name, index: int) -> list[Effect] | None:
    action = draft.word(index)
    if action == "EXCHANGE":  # from the other table into this one
        other, _ = named(draft, _behind(draft, "TABLE", index))
        return _copied(other, table)
    places = [draft.string(at + 1) for at in reversed(draft.places("LOCATION"))]
    files = [Name(line=int(place.line), url=place.text) for place in places if place is not None]
    if draft.is_at(index, "SET", "LOCATION"):
        return [Defined(table, tuple(files))]
    if draft.is_at(index + 1, "PARTITION", "FIELD"):  # Iceberg: how rows to come are laid out
        return []
    if draft.is_at(index, "RECOVER", "PARTITIONS"):
        return [Accessed(Access.WRITE, table)]
    is_partition = action == "PARTITION" or (action == "ADD" and _is_added(draft, index))
    if is_partition and (files or "RENAME" in _words(draft, index) or action == "ADD"):
        return [*(Accessed(Access.READ, file) for file in files), Accessed(Access.WRITE, table)]
    return [] if action in ("PARTITION", "ARCHIVE", "UNARCHIVE", "TOUCH") else None


def _is_added(draft: Draft, index: int) -> bool:
    return "PARTITION" in {draft.word(index + offset) for offset in range(1, 5)}


def _words(draft: Draft, index: int) -> set[str]:
    return {draft.word(at) for at in range(index, len(draft.tokens))}


def _mutation(draft: Draft, span: tuple[int, int], sql: str) -> list[Effect] | None:
    """ClickHouse: rows are changed by ALTER too, and a view gets another query."""
    start, index = span
    name = _text(draft.tokens[start : draft.behind_name(start)], sql)
    rest = draft.tokens[index + 1 :]
    if not rest:
        return None
    line = int(rest[-1].line)
    match draft.word(index):
        case "DELETE":
            where = draft.next_of(frozenset({"WHERE"}), index)
            return [Nested(f"DELETE FROM {name} {_text(draft.tokens[where:], sql)}", line)]
        case "UPDATE":
            where = draft.next_of(frozenset({"WHERE"}), index)
            until = draft.next_of(frozenset({"WHERE", "IN"}), index)
            changes = _text(draft.tokens[index + 1 : until], sql)
            condition = _text(draft.tokens[where:], sql)
            return [Nested(f"UPDATE {name} SET {changes} {condition}", line)]
        case "CLEAR" if draft.word(index + 1) == "COLUMN":
            return [Accessed(Access.WRITE, named(draft, start)[0] or Name())]
        case "MODIFY" if draft.word(index + 1) == "QUERY":
            return [Nested(f"CREATE VIEW {name} AS {_text(rest[1:], sql)}", line)]
    return None


def _text(tokens: list[Token], sql: str) -> str:
    return sql[tokens[0].start : tokens[-1].end + 1] if tokens else ""


def _partition(draft: Draft, table: Name, index: int) -> list[Effect]:
    """Rows of a partition go, come, or come from another table."""
    source = draft.next_of(frozenset({"FROM"}), index)
    if draft.word(index) in ("REPLACE", "ATTACH") and source < len(draft.tokens):
        other, _ = named(draft, source + 1)
        return _copied(other, table)
    if draft.word(index) == "MOVE":
        to = draft.next_of(frozenset({"TO"}), index)
        other, _ = named(draft, to + 2) if draft.word(to + 1) == "TABLE" else (None, 0)
        return _copied(table, other) if other is not None else []
    if draft.word(index) in ("DROP", "TRUNCATE", "DETACH", "ATTACH", "FETCH", "CLEAR"):
        return [Accessed(Access.WRITE, table)]
    return []

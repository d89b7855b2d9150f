"""Statements that are told by their first words: those sqlglot does not parse, and those that
say nothing about data."""

from collections.abc import Iterator
from dataclasses import replace

from swarm.lineage.sql.alter import altered
from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.dynamic import anonymous_procedure, dynamic, run_effects
from swarm.lineage.sql.effects import (
    Accessed,
    Altered,
    Called,
    Effect,
    Moved,
    Name,
    Nested,
    NotUnderstood,
    Swapped,
)
from swarm.lineage.sql.engines import ELSEWHERE, created_elsewhere
from swarm.lineage.sql.files import command_with_files
from swarm.lineage.sql.names import name_at
from swarm.lineage.sql.packages import package_routines
from swarm.lineage.sql.procedures import REFRESHING, is_unknown_call, refreshed
from swarm.lineage.sql.routines import routine
from swarm.lineage.sql.set import set_effects
from swarm.lineage.sql.tokens import STRINGS, Statement, find
from swarm.model.lineage import Access, UnresolvedReason

# fmt: off
_IRRELEVANT = frozenset({
    "ABORT", "ANALYZE", "BEGIN", "BREAK", "CHECKPOINT", "CLOSE", "CLUSTER", "COMMENT",
    "COMMIT", "CONTINUE", "DEALLOCATE", "DENY", "DESC", "DESCRIBE", "DISCARD", "ELSE", "END",
    "EXIT", "EXPLAIN", "FETCH", "FLUSH", "GET", "GO", "GRANT", "HELP", "INSTALL", "ITERATE",
    "KILL", "LEAVE", "LIST", "LISTEN", "LOAD", "LOCK", "LS", "NOTIFY", "NULL",
    "OPTIMIZE", "PRINT", "PURGE", "PUT", "QUIT", "RAISE", "RAISERROR", "RECLUSTER", "REINDEX",
    "RELEASE", "REMOVE", "RESET", "RESIGNAL", "RETURN", "REVOKE", "RM", "ROLLBACK", "SAVEPOINT",
    "SECURITY", "SHOW", "SIGNAL", "SPOOL", "START", "STOP", "SUSPEND", "SYSTEM", "THROW",
    "UNCACHE", "UNDROP", "UNLISTEN", "UNLOCK", "UNSET", "VACUUM", "WAITFOR", "WHENEVER", "PROMPT",
    "INVALIDATE", "COMPUTE", "DETACH", "ATTACH", "PRAGMA", "ADD", "CHECK", "CHECKSUM", "REPAIR",
    "AUDIT", "NOAUDIT", "FSCK", "REORG", "CONVERT", "DBCC", "CLEAR", "RELOAD", "SAVE", "GOTO", "XA",
    "CANCEL", "REASSIGN",
})
_MADE_WITHOUT_ROWS = frozenset({
    "FUNCTION", "PROCEDURE", "PROC", "TRIGGER", "TASK", "PIPE", "STREAM", "STAGE", "ROLE", "USER",
    "SCHEMA", "DATABASE", "WAREHOUSE", "INDEX", "SEQUENCE", "TYPE", "DOMAIN", "EXTENSION",
    "POLICY", "TAG", "SECRET", "MACRO", "EVENT", "PACKAGE", "AGGREGATE", "RESERVATION",
    "ASSIGNMENT", "CAPACITY", "CATALOG", "SERVER", "PUBLICATION", "SUBSCRIPTION", "RULE", "CAST",
    "COLLATION", "OPERATOR", "STATISTICS", "SYNONYM", "DICTIONARY", "LOGIN", "CONNECTION",
    "INTEGRATION", "GROUP", "TABLESPACE", "LANGUAGE", "NETWORK", "ALERT", "FORMAT",
    "RESOURCE", "SHARE", "PROFILE", "DIRECTORY", "VOLUME", "SCHEDULED", "CREDENTIAL", "CONTEXT",
    "ASSEMBLY", "QUEUE", "CERTIFICATE", "KEY", "XML", "PARTITION", "DATA", "MASTER", "LIBRARY",
    "NAMED", "QUOTA", "SETTINGS", "PROVIDER",
})
_LEADING = frozenset({
    "OR", "REPLACE", "TEMP", "TEMPORARY", "AGGREGATE", "UNIQUE", "EXTERNAL", "SECURE", "IF",
    "NOT", "EXISTS", "ROW", "ACCESS", "MASKING", "FILE", "API", "STORAGE",
    "NOTIFICATION", "CLUSTERED", "NONCLUSTERED", "BITMAP", "FULLTEXT", "SEARCH", "VECTOR",
    "RLS", "IDENTITY", "EDITIONABLE", "DEFINER", "ALTER", "PUBLIC", "FOREIGN",
})
# fmt: on
_OFF = frozenset({"FALSE", "OFF", "0"})
_DFS_MOVES = frozenset(
    {"-cp", "-mv", "-put", "-get", "-copyfromlocal", "-copytolocal", "-movefromlocal", "-getmerge"}
)
_MOVING = frozenset({"RENAME", "SWAP", "EXCHANGE", "PARTITION", "APPEND", "MOVE", "REPLACE"})


def command_effects(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    """The effects of a statement known by its first words; None: its syntax tree tells."""
    first = statement.word(0).partition(" ")[0]  # some keywords of dialects are two words
    if statement.is_condition:
        return _run_for_value(statement, sql, dialect)
    if first == "EXPLAIN":
        return _explained(statement, sql)
    if _says_nothing(statement, first):
        return []
    found = command_with_files(statement, sql)
    if found is None and first == "ALTER":
        found = altered(statement, sql, dialect)
    if found is None and first == "CREATE" and dialect in ELSEWHERE:
        found = created_elsewhere(statement, dialect)
    return _told_by_kind(statement, sql, dialect) if found is None else found


def _run_for_value(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    """Snowflake: `rs := (EXECUTE IMMEDIATE 'query')`, `(CALL p())`, with parentheses or not."""
    while statement.word(0) == "(" and len(statement.tokens) > 2:
        statement = replace(statement, tokens=statement.tokens[1:-1])
    is_run = statement.word(0) in ("EXECUTE", "CALL")
    return run_effects(statement, sql, dialect) if is_run else None


def _says_nothing(statement: Statement, first: str) -> bool:
    if first == "LOAD" and statement.word(1) in ("DATA", "XML"):
        return False
    return first in _IRRELEVANT or statement.word(0) == "UPDATE STATISTICS"


def _explained(statement: Statement, sql: str) -> list[Effect]:
    """EXPLAIN ANALYZE runs its statement: `EXPLAIN (ANALYZE, BUFFERS) INSERT ...`."""
    draft = Draft(list(statement.tokens))
    start = draft.behind_group(1)
    options = {draft.word(at) for at in range(1, start) if draft.word(at + 1) not in _OFF}
    while draft.word(start) in ("ANALYZE", "ANALYSE", "VERBOSE"):
        options.add(draft.word(start))
        start += 1
    rest = draft.tokens[start:]
    if not {"ANALYZE", "ANALYSE"} & options or not rest:
        return []
    return [Nested(sql[rest[0].start : rest[-1].end + 1], int(rest[-1].line))]


def _told_by_kind(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    match statement.word(0).partition(" ")[0]:
        case "CREATE" | "ALTER" | "DROP":
            packed = package_routines(statement, sql)
            kept = routine(statement, sql) if not packed else None
            return [kept] if kept is not None else (list(packed) or _definition(statement))
        case "CALL" | "EXECUTE" | "EXEC" | "DO" | "PREPARE" | "OPEN":
            return run_effects(statement, sql, dialect)
        case "WITH":
            return anonymous_procedure(statement, sql)
        case "SET":
            return set_effects(statement, sql, dialect)
        case "DECLARE" if "SELECT" not in _words(statement):
            return []
        case "REFRESH":
            return _refreshed(statement)
        case "MSCK":
            return _discovered(statement)
    if dialect == "oracle" and _is_call(statement):
        problem = dynamic(statement, sql, "calls a procedure whose statements are not in the text")
        name, _ = name_at(statement, 0)
        return [Called(name, problem)] if name is not None else [problem]
    return _told_by_first_word(statement, sql, dialect)


def _is_call(statement: Statement) -> bool:
    return statement.word(0) not in REFRESHING and is_unknown_call(statement)


def _told_by_first_word(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    match statement.word(0):
        case word if word in REFRESHING:
            return refreshed(statement)
        case "RENAME" | "EXCHANGE":
            return list(_renamed(statement, swap=statement.word(0) == "EXCHANGE"))
        case "RESTORE" if statement.word(1) in ("DATABASE", "LOG", "FILELISTONLY", "HEADERONLY"):
            return []
        case "RESTORE":
            name, _ = name_at(statement, 1)
            return [Accessed(Access.WRITE, name)] if name is not None else []
        case "UNLOAD":
            return list(_unload(statement, sql))
        case "INSERT":
            return _insert_from_procedure(statement, sql, dialect)
        case "DFS":
            return _moved_files(statement, sql)
        case "BULK":
            return list(_bulk(statement, 2))
    return None


def _moved_files(statement: Statement, sql: str) -> list[Effect]:
    """Hive: `dfs -mv a b`, `dfs -put a b`; the others say nothing about rows."""
    words = statement.text(sql).split()
    paths = [word for word in words[2:] if not word.startswith("-")]
    if len(words) < 2 or words[1].casefold() not in _DFS_MOVES or len(paths) < 2:
        return []
    line = statement.line
    reads = [Accessed(Access.READ, Name(line=line, url=path)) for path in paths[:-1]]
    return [*reads, Accessed(Access.WRITE, Name(line=line, url=paths[-1]))]


def _discovered(statement: Statement) -> list[Effect]:
    """Hive: folders that nobody announced become partitions."""
    words = [statement.word(index) for index in range(3)]
    if "TABLE" not in words:
        return []
    name, _ = name_at(statement, words.index("TABLE") + 1)
    return [Accessed(Access.WRITE, name)] if name is not None else []


def _insert_from_procedure(statement: Statement, sql: str, dialect: str) -> list[Effect] | None:
    """T-SQL: INSERT INTO t EXEC procedure, INSERT INTO t EXEC (text)."""
    start = find(statement.tokens, ("EXEC", "EXECUTE", "SELECT", "VALUES", "DEFAULT"), 1)
    if statement.word(start) not in ("EXEC", "EXECUTE"):
        return None
    run = replace(statement, tokens=statement.tokens[start:])
    found = run_effects(run, sql, dialect) or []
    name, _ = named(Draft(list(statement.tokens)), 2 if statement.word(1) == "INTO" else 1)
    return [*found, Accessed(Access.WRITE, name)] if name is not None else found


def _definition(statement: Statement) -> list[Effect] | None:
    words = [statement.word(index) for index in range(1, 8)]
    kind = next((word for word in words if word not in _LEADING), "")
    if words[:3] == ["MATERIALIZED", "VIEW", "LOG"]:  # Oracle: notes changes for a view
        return []
    if statement.word(0) == "ALTER":
        return _altered(statement, kind)
    if kind in ("SCHEMA", "DATABASE") and "CLONE" in _words(statement):  # Snowflake
        detail = f"a clone of a {kind.casefold()} has all its tables, which are not in the text"
        return [NotUnderstood(UnresolvedReason.DYNAMIC, statement.line, detail)]
    return [] if kind in _MADE_WITHOUT_ROWS else None


def _altered(statement: Statement, kind: str) -> list[Effect] | None:
    """The ways to move rows by ALTER that sqlglot does not parse; other ALTERs move none."""
    words = _words(statement)
    if kind == "SCHEMA" and "TRANSFER" in words:  # T-SQL: ALTER SCHEMA s TRANSFER t
        schema, index = name_at(statement, 2)
        return _moved_to(name_at(statement, index + 1)[0], schema)
    if kind in _MADE_WITHOUT_ROWS:
        return []
    if kind in ("VIEW", "ALGORITHM", "SQL") and "AS" in words:
        return None
    table, index = name_at(statement, 2)
    following = (statement.word(index), statement.word(index + 1))
    other, _ = name_at(statement, index + 2)
    if following == ("SET", "SCHEMA"):  # PostgreSQL
        return _moved_to(table, other)
    if following in (("APPEND", "FROM"), ("ATTACH", "PARTITION")):  # Redshift, PostgreSQL
        return _reads_and_writes(other, table)
    if following in (("DETACH", "PARTITION"), ("RECOVER", "PARTITIONS")):
        return _reads_and_writes(None, table)
    if following in (("RENAME", "CONSTRAINT"), ("RENAME", "COLUMN")):
        return [Altered(table)] if kind == "TABLE" and table is not None else []
    is_query = "SELECT" in words and not {"GRANT", "REVOKE"} & words  # of a view, out of order
    if _MOVING & words or is_query:
        return None
    return [Altered(table)] if kind == "TABLE" and table is not None else []


def _moved_to(table: Name | None, schema: Name | None) -> list[Effect]:
    if table is None or schema is None:
        return []
    return [Moved(table, Name((*schema.parts, table.parts[-1]), table.line))]


def _reads_and_writes(source: Name | None, target: Name | None) -> list[Effect]:
    found: list[Effect] = [Accessed(Access.READ, source)] if source is not None else []
    return [*found, Accessed(Access.WRITE, target)] if target is not None else found


def _words(statement: Statement) -> set[str]:
    return {statement.word(index) for index in range(len(statement.tokens))}


def _renamed(statement: Statement, *, swap: bool) -> Iterator[Effect]:
    index = 2 if statement.word(1) in ("TABLE", "TABLES") else 1
    while index < len(statement.tokens):
        one, index = name_at(statement, index)
        if one is None or statement.word(index) not in ("TO", "AND"):
            return
        other, index = name_at(statement, index + 1)
        if other is None:
            return
        yield Swapped(one, other) if swap else Moved(one, other)
        if index >= len(statement.tokens) or statement.tokens[index].text != ",":
            return
        index += 1


def _unload(statement: Statement, sql: str) -> Iterator[Effect]:
    """Redshift: UNLOAD ('select') TO 's3://...'; Athena: UNLOAD (select) TO 's3://...'."""
    to = next((i for i in range(len(statement.tokens)) if statement.word(i) == "TO"), 0)
    query = statement.tokens[2 : max(to - 1, 2)]
    if query and query[0].token_type in STRINGS:
        yield Nested(query[0].text, query[0].line)
    elif query:
        yield Nested(sql[query[0].start : query[-1].end + 1], query[-1].line)
    target = next((t for t in statement.tokens[to:] if t.token_type in STRINGS), None)
    if target is not None:
        yield Accessed(Access.WRITE, Name(line=target.line, url=target.text))


def _refreshed(statement: Statement) -> list[Effect]:
    if not {"MATERIALIZED", "STREAMING"} & {statement.word(1), statement.word(2)}:
        return []
    index = 1
    while statement.word(index) in ("MATERIALIZED", "STREAMING", "VIEW", "CONCURRENTLY", "TABLE"):
        index += 1
    name, _ = name_at(statement, index)
    return [Accessed(Access.WRITE, name)] if name is not None else []


def _bulk(statement: Statement, index: int) -> Iterator[Effect]:
    name, _ = name_at(statement, index)
    path = next((t for t in statement.tokens if t.token_type in STRINGS), None)
    if path is not None:
        yield Accessed(Access.READ, Name(line=path.line, url=path.text))
    if name is not None:
        yield Accessed(Access.WRITE, name)

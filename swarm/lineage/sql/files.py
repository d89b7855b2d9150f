"""Commands that the parser does not know and that take rows from files to tables or back."""

from collections.abc import Callable, Iterator, Mapping

from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.effects import (
    DIRECTORY,
    Accessed,
    Defined,
    Effect,
    Name,
    Nested,
    NotUnderstood,
    Placed,
)
from swarm.lineage.sql.tokens import STRINGS, Statement, divided
from swarm.model.lineage import Access, UnresolvedReason

# fmt: off
# Before the kind; behind other words it is a name, as in CREATE TABLE stage.
_BEFORE_KIND = frozenset({
    "CREATE", "OR", "REPLACE", "ALTER", "TEMP", "TEMPORARY", "PUBLIC", "PRIVATE", "EDITIONABLE",
    "NONEDITIONABLE", "PROPERTY", "REFRESH",
})
# fmt: on


def command_with_files(statement: Statement, sql: str) -> list[Effect] | None:
    """What the command does; None: it is none of those known here."""
    rule = _RULES.get(statement.word(0))
    if rule is None:
        return None
    found = rule(Draft(list(statement.tokens)), sql)
    return None if found is None else list(found)


def _export(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """Hive: EXPORT TABLE t PARTITION (d = '1') TO 'path'; DuckDB: EXPORT DATABASE 'path'."""
    if draft.word(1) == "DATABASE":
        return _whole(draft, Access.WRITE)
    if draft.word(1) != "TABLE":
        return None
    return _between(draft, 2, "TO", Access.WRITE)


def _import(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """Hive: IMPORT EXTERNAL TABLE t PARTITION (d = '1') FROM 'path' LOCATION 'place'."""
    if draft.word(1) == "DATABASE":
        return _whole(draft, Access.READ)
    if draft.is_at(1, "FOREIGN", "SCHEMA"):  # PostgreSQL: makes foreign tables
        return iter(())
    table = draft.next_of(frozenset({"TABLE"}), 0)
    if "FROM" in (draft.word(1), draft.word(2)):  # the name is in the files
        detail = "imports a table that is named in the files"
        return iter([NotUnderstood(UnresolvedReason.DYNAMIC, int(draft.tokens[0].line), detail)])
    return _between(draft, table + 1, "FROM", Access.READ) if draft.word(table) else None


def _copy(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """DuckDB: COPY FROM DATABASE a TO b."""
    return _whole(draft, Access.READ) if draft.is_at(0, "COPY", "FROM", "DATABASE") else None


def _whole(draft: Draft, files: Access) -> Iterator[Effect]:
    """DuckDB: all tables at once, which ones is not in the text."""
    path = next((t for t in draft.tokens if t.token_type in STRINGS), None)
    if path is not None:
        yield Accessed(files, Name(line=int(path.line), url=path.text))
    detail = "copies all tables of a database, which are not in the text"
    yield NotUnderstood(UnresolvedReason.DYNAMIC, int(draft.tokens[0].line), detail)


def _between(draft: Draft, index: int, word: str, files: Access) -> Iterator[Effect]:
    table, _ = named(draft, index)
    path = draft.string(draft.next_of(frozenset({word}), index) + 1)
    if table is not None:
        yield Accessed(Access.READ if files is Access.WRITE else Access.WRITE, table)
    if path is not None:
        yield Accessed(files, Name(line=int(path.line), url=path.text))


def _backup(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """ClickHouse: BACKUP TABLE t TO S3('url', ...). T-SQL's are no data of pipelines."""
    if draft.word(1) == "TABLE":
        return _archived(draft, "TO")
    is_tsql = {"DISK", "URL", "TAPE"} & {draft.word(index) for index in range(2, 8)}
    return iter(()) if is_tsql and draft.places("=") else None


def _restore(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """ClickHouse: RESTORE TABLE t AS u FROM S3('url', ...)."""
    place = draft.next_of(frozenset({"FROM"}), 0)
    is_table = draft.word(1) == "TABLE" and draft.word(place) == "FROM"
    return _archived(draft, "FROM") if is_table else None


def _archived(draft: Draft, word: str) -> Iterator[Effect]:
    table, index = named(draft, 2)
    if draft.word(index) == "AS":
        table, index = named(draft, index + 1)
    place = draft.next_of(frozenset({word}), index)
    path = draft.string(place + 3)
    outward = word == "TO"
    if table is not None:
        yield Accessed(Access.READ if outward else Access.WRITE, table)
    if path is not None:
        yield Accessed(
            Access.WRITE if outward else Access.READ, Name(line=int(path.line), url=path.text)
        )


def _load(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """MySQL: LOAD DATA and LOAD XML, whose SET may hold queries; Hive's is for the parser."""
    path = draft.next_of(frozenset({"INFILE", "S3"}), 0)
    path += draft.word(path + 1) in ("FILE", "PREFIX")
    table = draft.next_of(frozenset({"TABLE"}), path)
    return _loaded(draft, path + 1, table + 1, sql) if draft.word(table) else None


def _loaded(draft: Draft, path: int, table: int, sql: str) -> Iterator[Effect]:
    file, (name, _) = draft.string(path), named(draft, table)
    if file is not None:
        yield Accessed(Access.READ, Name(line=int(file.line), url=file.text))
    if name is not None:
        yield Accessed(Access.WRITE, name)
    for index in range(table, len(draft.tokens) - 1):
        is_group = draft.tokens[index].token_type == TokenType.L_PAREN
        if is_group and draft.word(index + 1) == "SELECT":
            inside = draft.tokens[index + 1 : draft.behind_group(index) - 1]
            yield _nested(inside, sql)


def _nested(tokens: list[Token], sql: str) -> Nested:
    return Nested(sql[tokens[0].start : tokens[-1].end + 1], int(tokens[-1].line))


def _insert(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """ClickHouse: INSERT INTO t FROM INFILE 'path' FORMAT CSV."""
    source = draft.next_of(frozenset({"FROM"}), 0)
    if draft.word(source + 1) != "INFILE":
        return None
    into = draft.next_of(frozenset({"INTO"}), 0)
    return _loaded(draft, source + 2, into + 1 + (draft.word(into + 1) == "TABLE"), sql)


def _apply(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """Databricks: APPLY CHANGES INTO t FROM STREAM(s) KEYS (...)."""
    if not draft.is_at(0, "APPLY", "CHANGES", "INTO"):
        return None
    return _changes(draft, 3)


def _changes(draft: Draft, index: int) -> Iterator[Effect]:
    target, index = named(draft, index)
    source = draft.next_of(frozenset({"FROM"}), index) + 1
    if draft.word(source) == "STREAM":
        source += 1
        source += draft.tokens[source : source + 1][-1:] != [] and (
            draft.tokens[source].token_type == TokenType.L_PAREN
        )
    name, _ = named(draft, source)
    if name is not None:
        yield Accessed(Access.READ, name)
    if target is not None:
        yield Accessed(Access.WRITE, target)


def _create(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """A synonym is read as what it stands for; a flow of a pipeline is the INSERT in it."""
    kind = 0
    while draft.word(kind) in _BEFORE_KIND:
        kind += 1
    if draft.word(kind) == "SYNONYM":
        return _synonym(draft, kind + 1)
    if draft.word(kind) == "STREAM":
        return _stream(draft, kind + 1)
    if draft.word(kind) in ("GRAPH", "SEMANTIC VIEW"):
        return _graph(draft, kind)
    if draft.word(kind) == "MODEL":
        return _model(draft, kind + 1, sql)
    if draft.word(kind) in ("STAGE", "DIRECTORY"):
        return _placed(draft, kind, kind + 1)
    if draft.word(kind) != "FLOW":
        return None
    body = draft.next_of(frozenset({"AS"}), kind) + 1
    if draft.is_at(body, "AUTO", "CDC", "INTO"):
        return _changes(draft, body + 3)
    return iter([_nested(draft.tokens[body:], sql)] if draft.tokens[body:] else [])


def _behind_if(draft: Draft, index: int) -> int:
    while draft.word(index) in ("IF", "NOT", "EXISTS"):
        index += 1
    return index


def _stream(draft: Draft, index: int) -> Iterator[Effect]:
    """Snowflake: CREATE STREAM s ON TABLE t: reading it is reading the changes of `t`."""
    name, index = named(draft, _behind_if(draft, index))
    on = draft.next_of(frozenset({"ON"}), index) + 1
    while draft.word(on) in ("EXTERNAL", "DYNAMIC", "EVENT"):
        on += 1
    target, _ = named(draft, on + 1)
    if name is not None and target is not None:
        if draft.word(on) == "STAGE":
            target = Name(line=target.line, url="@" + ".".join(target.parts))
        yield Defined(name, (target,))


def _graph(draft: Draft, kind: int) -> Iterator[Effect]:
    """CREATE PROPERTY GRAPH g NODE TABLES (a, b AS c); Snowflake: CREATE SEMANTIC VIEW v TABLES
    (o AS orders). Reading it is reading its tables."""
    is_view = draft.word(kind) != "GRAPH"
    name, _ = named(draft, _behind_if(draft, kind + 1))
    tables: list[Name] = []
    for index in reversed(draft.places("TABLES")):
        for part in divided(draft.tokens[index + 2 : draft.behind_group(index + 1) - 1]):
            inside = Draft(list(part))
            start = 2 if is_view and inside.word(1) == "AS" else 0
            table, _ = named(inside, start)
            tables += [table] if table is not None else []
    if name is not None and tables:
        if is_view:
            yield Accessed(Access.WRITE, name)
        yield Defined(name, tuple(tables))


def _model(draft: Draft, index: int, sql: str) -> Iterator[Effect] | None:
    """Redshift: CREATE MODEL m FROM (query) TARGET y FUNCTION f."""
    name, index = named(draft, _behind_if(draft, index))
    source = draft.tokens[index + 1 : draft.behind_group(index + 1)]
    if name is None or draft.word(index) != "FROM":
        return None
    table, _ = named(draft, index + 1)
    found: list[Effect] = [Accessed(Access.WRITE, name)]
    if source:
        found.append(_nested(source, sql))
    elif table is not None:
        found.append(Accessed(Access.READ, table))
    return iter(found)


def _placed(draft: Draft, kind: int, index: int) -> Iterator[Effect]:
    """Snowflake: CREATE STAGE s URL = 's3://...'; Oracle: CREATE DIRECTORY d AS '/in'."""
    name, index = named(draft, _behind_if(draft, index))
    word = "URL" if draft.word(kind) == "STAGE" else "AS"
    at = draft.next_of(frozenset({word}), index) + 1
    path = draft.string(at + (word == "URL"))
    if name is not None and path is not None:
        start = "@" if word == "URL" else DIRECTORY
        yield Placed(Name(line=name.line, url=start + ".".join(name.parts)), path.text)


def _synonym(draft: Draft, index: int) -> Iterator[Effect]:
    name, index = named(draft, _behind_if(draft, index))
    target, _ = named(draft, index + 1)
    if name is not None and target is not None and draft.word(index) == "FOR":
        yield Defined(name, (target,))


def _flashback(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """Oracle: FLASHBACK TABLE a, b TO SCN 5."""
    return _flashed_back(draft) if draft.word(1) == "TABLE" else iter(())


def _flashed_back(draft: Draft) -> Iterator[Effect]:
    index = 2
    while index < len(draft.tokens) and draft.word(index) != "TO":
        name, index = named(draft, index)
        if name is not None:
            yield Accessed(Access.WRITE, name)
        index += index < len(draft.tokens) and draft.tokens[index].token_type == TokenType.COMMA


def _source(draft: Draft, sql: str) -> Iterator[Effect] | None:
    """Command-line tools: SOURCE file runs another script."""
    if any(token.token_type in STRINGS for token in draft.tokens) or len(draft.tokens) < 2:
        return None
    file = sql[draft.tokens[1].start : draft.tokens[-1].end + 1][:80]
    detail = f"runs the script {file}, which is another file"
    return iter([NotUnderstood(UnresolvedReason.DYNAMIC, int(draft.tokens[0].line), detail)])


_RULES: Mapping[str, Callable[[Draft, str], Iterator[Effect] | None]] = {
    "EXPORT": _export,
    "IMPORT": _import,
    "COPY": _copy,
    "BACKUP": _backup,
    "RESTORE": _restore,
    "LOAD": _load,
    "INSERT": _insert,
    "APPLY": _apply,
    "CREATE": _create,
    "FLASHBACK": _flashback,
    "SOURCE": _source,
}

"""Clauses of dialects that the parser does not know, each cut out by one rule."""

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.draft import Draft, named
from swarm.lineage.sql.effects import Accessed, Assigned, NotUnderstood
from swarm.lineage.sql.tokens import CHANGES, STRINGS
from swarm.lineage.sql.values import Kind, Piece
from swarm.model.lineage import Access, UnresolvedReason

_MODIFIERS = frozenset({"LOW_PRIORITY", "HIGH_PRIORITY", "QUICK", "DELAYED", "IGNORE"})
_AFTER_INTO = frozenset({"FROM", "FOR", "LOCK", "FORMAT", "SETTINGS", "UNION"})


def all_columns(draft: Draft) -> None:
    """MySQL: `DELETE a.*, b.* FROM a JOIN b`."""
    end = draft.next_of(frozenset({"FROM"}), 0)
    for index in draft.places(".", "*"):
        if draft.word(0) == "DELETE" and index < end:
            draft.cut(index, index + 2)


def modifiers(draft: Draft) -> None:
    """MySQL: `DELETE LOW_PRIORITY QUICK FROM`."""
    index = 1
    while draft.word(0) in CHANGES and draft.word(index) in _MODIFIERS:
        draft.cut(index, index + 1)


def deleted_using(draft: Draft) -> None:
    """MySQL: `DELETE FROM a, b USING a JOIN b` is `DELETE a, b FROM a JOIN b`."""
    for index in draft.places("DELETE", "FROM"):
        using = draft.next_of(frozenset({"USING", "WHERE", "JOIN"}), index + 2)
        if draft.word(using) == "USING":
            draft.put(using, TokenType.FROM, "FROM")
            draft.cut(index + 1, index + 2)


def into_file(draft: Draft) -> None:
    """MySQL, ClickHouse: `INTO OUTFILE 'path' <format>` anywhere in a query."""
    for index in draft.places("INTO"):
        path = draft.string(index + 2 + (draft.word(index + 2) == "S3"))
        if draft.word(index + 1) in ("OUTFILE", "DUMPFILE") and path is not None:
            draft.touches(Access.WRITE, path)
            draft.cut(index, draft.next_of(_AFTER_INTO, index + 3))


def into_variables(draft: Draft) -> None:
    """MySQL: `SELECT x, y FROM t INTO @a, @b`."""
    for index in draft.places("INTO"):
        end = index + 1
        while end < len(draft.tokens) and draft.tokens[end].token_type == TokenType.PARAMETER:
            end += 2
            end += end < len(draft.tokens) and draft.tokens[end].token_type == TokenType.COMMA
        names = [token.text for token in draft.tokens[index + 2 : end : 3]]
        for name in names:
            value = (Piece(Kind.UNKNOWN, f"@{name} of a query"),)
            draft.effects.append(Assigned(f"@{name}", value, False))
        if names:
            draft.cut(index, end)


def storage(draft: Draft) -> None:
    """Oracle: `TRUNCATE TABLE t DROP ALL STORAGE`."""
    if draft.word(0) == "TRUNCATE":
        draft.cut(draft.behind_name(2), len(draft.tokens))


def error_log(draft: Draft) -> None:
    """Oracle: `LOG ERRORS INTO t ('tag') REJECT LIMIT 5`: rows that fail are written to `t`."""
    for index in draft.places("LOG", "ERRORS"):
        end = index + 2
        if draft.word(end) == "INTO":
            name, end = named(draft, end + 1)
            if name is not None:
                draft.effects.append(Accessed(Access.WRITE, name))
        end = draft.behind_group(end)
        draft.cut(index, end + (3 if draft.is_at(end, "REJECT", "LIMIT") else 0))


def merge_deletes(draft: Draft) -> None:
    """Oracle: `UPDATE SET ... WHERE p DELETE WHERE q` in a MERGE: `q` is one more condition."""
    for index in draft.places("DELETE", "WHERE"):
        start = max(draft.places("THEN"), key=lambda then: then if then < index else -1, default=0)
        if "WHERE" in {draft.word(at) for at in range(start, index)}:
            draft.cut(index, index + 1)
            draft.put(index, TokenType.AND, "AND")
        else:
            draft.cut(index, index + 1)


def time_travel(draft: Draft) -> None:
    """`AS OF SCN 5`, `AS OF TIMESTAMP t`, `VERSIONS BETWEEN a AND b`, `VERSION AS OF 3`."""
    for index in draft.places("AS", "OF"):
        start = index
        if draft.word(index - 1) in ("VERSION", "TIMESTAMP", "SYSTEM_VERSION", "SYSTEM_TIME"):
            start = index - 1 - (draft.word(index - 2) == "FOR")
        end = index + 2 + (draft.word(index + 2) in ("SCN", "TIMESTAMP"))
        draft.cut(start, draft.behind_value(end))
    for index in draft.places("VERSIONS", "BETWEEN"):
        end = draft.behind_value(index + 3)
        draft.cut(index, draft.behind_value(end + 1) if draft.word(end) == "AND" else end)


def overwritten_directory(draft: Draft) -> None:
    """Spark: `INSERT OVERWRITE DIRECTORY USING fmt OPTIONS (path 'x')` writes `x`."""
    for index in draft.places("DIRECTORY"):
        start = index + 1 + (draft.string(index + 1) is not None)
        if draft.word(start) != "USING":
            continue
        end = start + 2
        if draft.word(end) == "OPTIONS":
            group = draft.tokens[end : draft.behind_group(end + 1)]
            end += len(group)
            path = _option(group, "path")
            if path is not None and start == index + 1:
                draft.tokens.insert(start, path)
                start, end = start + 1, end + 1
        draft.cut(start, end)


def _option(tokens: list[Token], key: str) -> Token | None:
    for index, token in enumerate(tokens[:-1]):
        if token.text.casefold() == key:
            value = tokens[index + 1 : index + 3]
            return next((t for t in value if t.token_type == TokenType.STRING), None)
    return None


def provider(draft: Draft) -> None:
    """Spark: `USING org.apache.spark.sql.jdbc`: the last word is enough."""
    for index in draft.places("USING"):
        end = draft.behind_name(index + 1)
        if draft.word(0) == "CREATE" and end > index + 2:
            draft.cut(index + 1, end - 1)


def given_name(draft: Draft) -> None:
    """Spark: `IDENTIFIER('a.b')`, `IDENTIFIER(:schema || '.t')` is that name."""
    for index in draft.places("IDENTIFIER", "("):
        end = draft.behind_group(index + 1)
        group = draft.tokens[index + 2 : end - 1]
        known = all(t.token_type in _OF_NAMES or t.token_type in STRINGS for t in group)
        bare = group[:1] and group[0].token_type == TokenType.VAR  # a variable, not its value
        if not group or not known or bare:
            detail = "a name is made at run time: IDENTIFIER(...)"
            line = int(draft.tokens[index].line)
            draft.effects.append(NotUnderstood(UnresolvedReason.DYNAMIC, line, detail))
            continue
        draft.tokens[index:end] = [token for part in group for token in _name_tokens(part)]


_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_TAKES_TABLES = frozenset(Dialect.get_or_raise("bigquery").parser_class.FUNCTION_PARSERS)
_OF_NAMES = frozenset({TokenType.COLON, TokenType.VAR, TokenType.DPIPE})


def _name_tokens(part: Token) -> list[Token]:
    if part.token_type == TokenType.DPIPE:
        return []
    if part.token_type not in STRINGS:
        return [part]
    found: list[Token] = []
    for number, name in enumerate(part.text.split(".")):
        texts = [(TokenType.DOT, ".")] * (number > 0) + [(TokenType.IDENTIFIER, name)] * bool(name)
        found += [
            Token(kind, text, part.line, part.col, part.start, part.end) for kind, text in texts
        ]
    return found


def numbered(draft: Draft) -> None:
    """Oracle: `:1` is a bind variable like `:a`."""
    for index in draft.places(":"):
        if index + 1 < len(draft.tokens):
            following = draft.tokens[index + 1]
            if following.token_type == TokenType.NUMBER:
                draft.put(index + 1, TokenType.VAR, f"bind_{following.text}")


def schema_evolution(draft: Draft) -> None:
    """Databricks: `MERGE WITH SCHEMA EVOLUTION INTO`."""
    for index in draft.places("WITH", "SCHEMA", "EVOLUTION"):
        draft.cut(index, index + 3)


def if_not_there(draft: Draft) -> None:
    """Hive: `INSERT OVERWRITE TABLE t PARTITION (d = '1') IF NOT EXISTS SELECT`."""
    if draft.word(0) in ("INSERT", "FROM", "WITH"):
        for index in draft.places("IF", "NOT", "EXISTS"):
            draft.cut(index, index + 3)


def replaced_rows(draft: Draft) -> None:
    """Databricks: `INSERT INTO t REPLACE ON (a = b) query`, `REPLACE USING (a) query`."""
    if draft.word(0) == "INSERT":
        for index in draft.places("REPLACE"):
            if draft.word(index + 1) in ("ON", "USING"):
                draft.cut(index, draft.behind_group(index + 2))


def transforming(draft: Draft) -> None:
    """Hive: `MAP x USING 's'` and `REDUCE x USING 's'` are `SELECT TRANSFORM (x) USING 's'`."""
    for index in (*draft.places("MAP"), *draft.places("REDUCE")):
        end = draft.next_of(frozenset({"USING", "FROM"}), index + 1)
        if draft.word(end) == "USING" and draft.string(end + 1) is not None:
            draft.insert(end, TokenType.R_PAREN, ")")
            draft.put(index, TokenType.SELECT, "SELECT")
            draft.insert(index + 1, TokenType.L_PAREN, "(")
            draft.insert(index + 1, TokenType.VAR, "TRANSFORM")


def cluster(draft: Draft) -> None:
    """ClickHouse: `ON CLUSTER c` and `SYNC` at the end of a statement about tables."""
    if draft.word(0) in ("SELECT", "WITH", "FROM"):
        return
    for index in draft.places("ON", "CLUSTER"):
        draft.cut(index, index + 3)
    if draft.word(len(draft.tokens) - 1) == "SYNC":
        draft.cut(len(draft.tokens) - 1, len(draft.tokens))


def totals(draft: Draft) -> None:
    """ClickHouse: one more row of totals."""
    for index in draft.places("WITH", "TOTALS"):
        draft.cut(index, index + 2)


def copy_options(draft: Draft) -> None:
    """Databricks: `COPY INTO t FROM 'path' WITH (...) FILEFORMAT = ...`: without what follows."""
    source = draft.next_of(frozenset({"FROM"}), 0)
    if draft.word(0) != "COPY" or source >= len(draft.tokens) - 1:
        return
    draft.cut(max(draft.behind_group(source + 1), source + 2), len(draft.tokens))


def given_table(draft: Draft) -> None:
    """BigQuery, Databricks: `changes(TABLE d.t, NULL)` is `changes(TABLE(d.t), NULL)`."""
    for index in (*draft.places("TABLE"), *draft.places("MODEL")):
        before = draft.tokens[index - 1].token_type if index else None
        function = draft.tokens[index - 2] if index > 1 else None
        following = draft.tokens[index + 1].token_type if index + 1 < len(draft.tokens) else None
        if before != TokenType.L_PAREN or following not in _NAMES or function is None:
            continue
        if function.token_type in _NAMES and function.text.upper() not in _TAKES_TABLES:
            draft.insert(draft.behind_name(index + 1), TokenType.R_PAREN, ")")
            draft.put(index, TokenType.VAR, "TABLE")
            draft.insert(index + 1, TokenType.L_PAREN, "(")


def source_of_clone(draft: Draft) -> None:
    """`CREATE TABLE a CLONE b AT (...) COPY GRANTS`: without what follows the source."""
    for index in draft.places("CLONE")[:1]:
        if draft.word(0) == "CREATE":
            draft.cut(draft.behind_name(index + 1), len(draft.tokens))


def copied_rows(draft: Draft) -> None:
    """PostgreSQL: `COPY t FROM 'file' WHERE x > 1`."""
    end = draft.next_of(frozenset({"WHERE"}), 0)
    if draft.word(0) == "COPY":
        draft.cut(end, len(draft.tokens))

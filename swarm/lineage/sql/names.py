"""The names in a syntax tree: of a table as written, of a file where a table may stand."""

import re

from sqlglot import exp
from sqlglot.tokens import TokenType

from swarm.lineage.sql.effects import Name
from swarm.lineage.sql.tokens import Statement

_FORMATS = frozenset(  # Spark: parquet.`/path`
    ("parquet", "csv", "json", "orc", "avro", "delta", "text", "iceberg", "binaryfile")
)
_VERSION = re.compile(r"@(?:v\d+|\d{17})$")  # Databricks: delta.`/path@v3`
_FILE_ENDINGS = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".xlsx")


def position(node: exp.Expression) -> tuple[int, int]:
    """(line, character) of the first name below `node`, zeros where nothing has a position."""
    for below in node.walk():
        line = below.meta.get("line")
        if line is not None:
            return int(line), int(below.meta.get("start", 0))
    return 0, 0


def table_of(node: object) -> exp.Table | None:
    """The table of a statement's target, inside of a column list or not."""
    if isinstance(node, exp.Schema):
        node = node.this
    return node if isinstance(node, exp.Table) else None


def name_of(table: exp.Table) -> Name | None:
    """The name of `table`, None where it has none (a function)."""
    line, this = position(table)[0], table.this
    if isinstance(this, exp.DynamicIdentifier):  # Snowflake: IDENTIFIER('a.b'), IDENTIFIER($a)
        if isinstance(this.this, exp.Literal):
            return Name(tuple(this.this.name.split(".")), line)
        return Name((":" + this.this.name,), line, bound=True)
    if isinstance(this, exp.Parameter):
        return Name(("@" + this.name,), line, local=True)
    if isinstance(this, exp.Literal):
        return Name(line=line, url=this.name)
    if isinstance(this, exp.Var):
        return Name(line=line, url=this.name) if this.name.startswith("@") else None
    if isinstance(this, exp.Identifier | exp.Dot | exp.Placeholder):
        return _plain_name(table, line)
    return None


def _plain_name(table: exp.Table, line: int) -> Name:
    this = table.this
    written = [p for p in (table.args.get("catalog"), table.args.get("db")) if p is not None]
    tail = list(this.flatten()) if isinstance(this, exp.Dot) else [this]
    if isinstance(this, exp.Dot) and this.this == "":  # T-SQL: server.catalog..table
        tail = ["", *tail]
    nodes = [*written, *tail]
    parts = tuple(_part(node) for node in nodes)
    if any(isinstance(node, exp.Placeholder) for node in nodes):
        return Name(parts, line, bound=True)
    if len(parts) == 2 and parts[0].casefold() in _FORMATS and "/" in parts[1]:
        return Name(line=line, url=_VERSION.sub("", parts[1]))
    if len(parts) == 1 and _is_file(this):
        return Name(line=line, url=parts[0])
    if isinstance(this, exp.Identifier) and this.args.get("temporary"):
        return Name(("#" + parts[-1],), line, local=True)
    return Name(parts, line, local=parts[-1].startswith("#"))


def _part(node: object) -> str:
    if isinstance(node, exp.Placeholder):
        return ":" + (node.name or "?")
    return str(node.name) if isinstance(node, exp.Expression) else ""


def _is_file(this: exp.Expression) -> bool:
    quoted = isinstance(this, exp.Identifier) and bool(this.args.get("quoted"))
    text = this.name.casefold()
    return quoted and ("/" in text or text.endswith(_FILE_ENDINGS))


def name_at(statement: Statement, index: int) -> tuple[Name | None, int]:
    """The dotted name that starts at token `index`, and the index behind it."""
    while statement.word(index) in ("IF", "EXISTS", "ONLY", "TABLE"):
        index += 1
    parts: list[str] = []
    line = 0
    while index < len(statement.tokens):
        token = statement.tokens[index]
        line = line or int(token.line)
        if token.token_type == TokenType.IDENTIFIER and "." in token.text and not parts:
            parts.extend(token.text.split("."))
        else:
            parts.append(token.text)
        index += 1
        if index >= len(statement.tokens) or statement.tokens[index].token_type != TokenType.DOT:
            break
        index += 1
    return (Name(tuple(parts), line) if parts else None), index

"""The SQL clients that a shell starts: which options are SQL, files of it, values for it, where.

A client puts values into its SQL in a way of its own (`style`): `${hivevar:name}`, `:name`,
`$(name)`, `&name`. A name without a value stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swarm.lineage.code.shell_command import Command, Streams, all_of, first_of, options, redirected
from swarm.model.lineage import Access


@dataclass(frozen=True, slots=True)
class Client:
    """The options of a client that matter, and `others` that take a value too.

    `values` take `name=value`. `words` says what its words without an option are: the `server`
    first and then SQL, or SQL only. `prefix` stands before the name of a value (`--param_`).
    """

    sql: str = ""
    files: str = ""
    values: str = ""
    style: str = ""
    server: str = ""
    catalog: str = ""
    schema: str = ""
    others: str = ""
    words: str = ""
    prefix: str = ""


_HIVE = Client(
    "-e",
    "-f -i",
    "--hivevar -hivevar --hiveconf -hiveconf -d --define -define",
    "hive",
    schema="--database -database",
    others="--conf -u -n -p -w --master --jars --queue -h -r --outputformat --properties-file",
)
CLIENTS: Mapping[str, Client] = {
    "psql": Client(
        "-c --command",
        "-f --file",
        "-v --set --variable",
        "psql",
        server="-d --dbname",
        others="-h --host -p --port -U --username -o --output -P -F -R -T -L",
        words="server",
    ),
    "sqlite3": Client("-cmd", "-init", others="-separator -nullvalue -newline", words="server sql"),
    "duckdb": Client("-c -s -cmd", "-f -init", words="server sql"),
    "mysql": Client(
        "-e --execute",
        server="-D --database",
        others="-h --host -u --user -P --port --defaults-file -S --socket",
        words="server",
    ),
    "snowsql": Client(
        "-q --query",
        "-f --filename",
        "-D --variable",
        "snowsql",
        "-c --connection -d --dbname",
        "-d --dbname",
        "-s --schemaname",
        "-a --accountname -u --username -w --warehouse -r --rolename -o --option -h --host",
    ),
    "snow": Client(
        "-q --query",
        "-f --filename",
        "-D --variable",
        "snowsql",
        "-c --connection",
        "--database",
        "--schema",
        "--account --user --warehouse --role",
    ),
    "hive": _HIVE,
    "beeline": _HIVE,
    "spark-sql": _HIVE,
    "impala-shell": Client(
        "-q --query", "-f --query_file", "--var", "hive", schema="-d --database", others="-i -o -u"
    ),
    "trino": Client(
        "--execute",
        "-f --file",
        server="--server",
        catalog="--catalog",
        schema="--schema",
        others="--user --session --output-format",
    ),
    "sqlcmd": Client(
        "-Q -q -Query",
        "-i",
        "-v",
        "sqlcmd",
        server="-S",
        catalog="-d",
        others="-U -P -o -h -s -W -t -l",
    ),
    "clickhouse-client": Client(
        "-q --query",
        "--queries-file",
        style="clickhouse",
        server="-h --host",
        schema="-d --database",
        others="-u --user --password --port --format",
        prefix="--param_",
    ),
    "vsql": Client(
        "-c --command",
        "-f --file",
        "-v --set",
        "psql",
        server="-d --dbname",
        others="-h -p -U -w -o",
        words="server",
    ),
    "cqlsh": Client("-e --execute", "-f --file", schema="-k --keyspace", others="-u -p"),
}
ALIASES: Mapping[str, str] = {
    "mariadb": "mysql",
    "presto": "trino",
    "presto-cli": "trino",
    "trino-cli": "trino",
    "hive2": "hive",
    "clickhouse": "clickhouse-client",
    "gpsql": "psql",
    "pgcli": "psql",
    "impala": "impala-shell",
}

_HIVE_DIALECTS = ("hive", "spark", "databricks")
_DIALECTS: Mapping[str, tuple[str, ...]] = {
    "psql": ("postgres", "redshift", "materialize", "risingwave"),
    "sqlite3": ("sqlite",),
    "duckdb": ("duckdb",),
    "mysql": ("mysql", "singlestore", "doris", "starrocks"),
    "snowsql": ("snowflake",),
    "snow": ("snowflake",),
    "hive": _HIVE_DIALECTS,
    "beeline": _HIVE_DIALECTS,
    "spark-sql": ("spark", "databricks", "hive"),
    "impala-shell": ("hive", "spark"),
    "trino": ("trino", "athena", "presto"),
    "sqlcmd": ("tsql", "fabric"),
    "clickhouse-client": ("clickhouse",),
}


def client(name: str, words: Sequence[str], streams: Streams) -> Command | None:
    """What a SQL client does with its words; `None` when it is no client."""
    one = CLIENTS.get(ALIASES.get(name, name))
    if one is None:
        return None
    given = " ".join(part for part in _options_of(one) if part)
    found, rest = options(words, given)
    server = first_of(found, *one.server.split())
    sql = all_of(found, *one.sql.split())
    files = all_of(found, *one.files.split())
    if "server" in one.words and rest:
        server, rest = server or rest[0], rest[1:]
    if one.words.endswith("sql"):
        files += tuple(w.removeprefix(".read").strip() for w in rest if w.startswith(".read"))
        sql += tuple(w for w in rest if not w.startswith("."))
    command = fed_client(server, sql, files, streams)
    values = _values(found, one, words)
    return Command(
        server,
        command.sql,
        command.sql_files,
        paths=command.paths,
        missing=command.missing,
        style=one.style,
        given=values,
        dialects=_DIALECTS.get(ALIASES.get(name, name), ()),
        catalog=first_of(found, *one.catalog.split()),
        schema=first_of(found, *one.schema.split()),
    )


def _options_of(one: Client) -> tuple[str, ...]:
    return (
        *(one.sql, one.files, one.values, one.server),
        *(one.catalog, one.schema, one.others),
    )


def _values(found: Mapping[str, list[str]], one: Client, words: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in all_of(found, *one.values.split())]
    values = {name.strip(): unquoted(value) for name, _, value in pairs}
    if one.style == "sqlcmd" and "-v" in words:  # `-v a=1 b=2`
        for word in words[list(words).index("-v") + 1 :]:
            if "=" not in word or word.startswith("-"):
                break
            name, _, value = word.partition("=")
            values[name] = unquoted(value)
    for at, word in enumerate(words) if one.prefix else ():
        name, equals, value = word.removeprefix(one.prefix).partition("=")
        if word.startswith(one.prefix):
            values[name] = value if equals else "".join(words[at + 1 : at + 2])
    return values


def unquoted(value: str) -> str:
    """A value without quotes around it; quotes of a part of it stay."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def fed_client(
    server: str, sql: tuple[str, ...], files: tuple[str, ...], streams: Streams
) -> Command:
    """A SQL client: what it is told runs, else what it gets."""
    missing = ""
    if streams.is_piped and not (sql or files or streams.texts or streams.files):
        missing = "the SQL that is piped into a client is not known"
    return Command(
        server,
        (*sql, *streams.texts),
        (*files, *streams.files),
        paths=redirected((), streams.outputs),
        missing=missing,
    )


_STYLES: Mapping[str, re.Pattern[str]] = {
    "hive": re.compile(r"\$\{(?:(?:hivevar|hiveconf|env|system|var):)?([\w.]+)\}", re.IGNORECASE),
    "psql": re.compile(r"(?<![:\w]):(['\"]?)([A-Za-z_]\w*)\1(?!\w)"),
    "sqlcmd": re.compile(r"\$\((\w+)\)"),
    "snowsql": re.compile(r"&\{(\w+)\}|&(\w+)|<%\s*(\w+)\s*%>"),
    "sqlplus": re.compile(r"&&?(\w+)\.?"),
    "clickhouse": re.compile(r"\{(\w+):\s*\w+\}"),
}


def with_values(text: str, style: str, values: Mapping[str, str]) -> str:
    """The text with the values that its client puts into it."""
    pattern = _STYLES.get(style)
    if pattern is None or not values:
        return text

    def value(match: re.Match[str]) -> str:
        name = next((group for group in match.groups()[::-1] if group), "")
        if name not in values:
            return match.group()
        quote = match.group(1) if style == "psql" else ""
        return f"{quote}{values[name]}{quote}"

    return pattern.sub(value, text)


def bq(words: Sequence[str], streams: Streams) -> Command | None:
    """`bq query`, `load`, `extract` and `cp`."""
    found, rest = options(
        words,
        "--project_id --location --dataset_id --destination_table --flagfile --parameter --format "
        "--source_format --schema --max_rows --time_partitioning_field --clustering_fields "
        "--replace --field_delimiter --destination_kms_key --label --batch --skip_leading_rows "
        "--write_disposition --target_dataset --data_source --display_name --params --schedule",
    )
    verb, given = (rest[0], rest[1:]) if rest else ("", [])
    if verb == "query":
        command = fed_client("", tuple(given), (), streams)
        target = all_of(found, "--destination_table")
        return _with_tables(command, [(Access.WRITE, one) for one in target])
    if verb == "load" and len(given) >= 2:
        paths = [(Access.READ, one) for one in given[1].split(",")]
        return Command(tables=((Access.WRITE, _table(given[0])),), paths=tuple(paths))
    if verb == "extract" and len(given) >= 2:
        paths = [(Access.WRITE, one) for one in given[1].split(",")]
        return Command(tables=((Access.READ, _table(given[0])),), paths=tuple(paths))
    if verb == "cp" and len(given) >= 2:
        sources = [(Access.READ, one) for one in given[0].split(",")]
        return _with_tables(Command(), [*sources, (Access.WRITE, given[1])])
    if verb in {"", "ls", "show", "head", "rm", "mk", "update", "wait", "version", "cancel"}:
        return None
    return Command(missing=f"`bq {verb}` is not known")


def _with_tables(command: Command, tables: Sequence[tuple[Access, str]]) -> Command:
    return Command(
        command.server,
        command.sql,
        command.sql_files,
        paths=command.paths,
        missing=command.missing,
        tables=tuple((access, _table(name)) for access, name in tables),
    )


def _table(name: str) -> str:
    """`project:dataset.table` is the old way to write `project.dataset.table`."""
    return name.replace(":", ".", 1)


def sqlplus(words: Sequence[str], streams: Streams) -> Command | None:
    """`sqlplus user/password@server @script.sql first second`."""
    rest = [word for word in words if not word.startswith("-")]
    at = next((i for i, word in enumerate(rest) if word.startswith("@")), len(rest))
    server = rest[0].rpartition("@")[2] if rest and at > 0 else ""
    files = tuple(word.removeprefix("@") for word in rest[at : at + 1])
    command = fed_client(server, (), files, streams)
    values = {str(number): word for number, word in enumerate(rest[at + 1 :], start=1)}
    return Command(
        server,
        command.sql,
        command.sql_files,
        paths=command.paths,
        missing=command.missing,
        style="sqlplus",
        given=values,
    )

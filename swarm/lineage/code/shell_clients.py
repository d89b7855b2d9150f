"""The SQL clients that a shell starts: which options are SQL, files of it, values for it, where.

A client puts values into its SQL in a way of its own (`style`): `${hivevar:name}`, `:name`,
`$(name)`, `&name`. A name without a value stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from swarm.lineage.code.shell_command import Command, Streams, all_of, first_of, options, redirected
from swarm.lineage.code.texts import holes
from swarm.lineage.naming import dataset_from_url
from swarm.model.lineage import Access


@dataclass(frozen=True, slots=True)
class Client:
    """The options of a client that matter, and `others` that take a value too.

    Where `server` names a database the tables lie in, `catalog` or `schema` is `=`.

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
    host: str = ""
    port: str = ""


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
        catalog="=",
        others="-U --username -o --output -P -F -R -T -L",
        words="server",
        host="-h --host",
        port="-p --port",
    ),
    "sqlite3": Client("-cmd", "-init", others="-separator -nullvalue -newline", words="server sql"),
    "duckdb": Client("-c -s -cmd", "-f -init", words="server sql"),
    "mysql": Client(
        "-e --execute",
        server="-D --database",
        schema="=",
        others="-u --user --defaults-file -S --socket",
        words="server",
        host="-h --host",
        port="-P --port",
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
        host="-S",
    ),
    "clickhouse-client": Client(
        "-q --query",
        "--queries-file",
        style="clickhouse",
        server="-h --host",
        schema="-d --database",
        others="-u --user --password --port --format",
        prefix="--param_",
        host="-h --host",
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
        catalog=_place(found, one.catalog, server),
        schema=_place(found, one.schema, server),
        address=_address(_SCHEMES.get(ALIASES.get(name, name), ""), found, one, server),
    )


_SCHEMES = {"psql": "postgres", "mysql": "mysql", "sqlcmd": "mssql"}
_SCHEMES["clickhouse-client"] = "clickhouse"
_SETTING = re.compile(r"(\w+)\s*=\s*'?([^'\s]+)")


def _place(found: Mapping[str, list[str]], names: str, server: str) -> str:
    """The catalog or schema that an option names, `=`: the database that the server's name is."""
    if names != "=":
        return first_of(found, *names.split())
    if "://" in server:
        return server.partition("://")[2].partition("/")[2].partition("?")[0]
    return dict(_SETTING.findall(server)).get("dbname", "") if "=" in server else server


def _address(scheme: str, found: Mapping[str, list[str]], one: Client, server: str) -> str:
    """`postgres://host:port`, empty where the words do not tell the host."""
    host, port = first_of(found, *one.host.split()), first_of(found, *one.port.split())
    if "://" in server:
        host = server.partition("://")[2].partition("/")[0].rpartition("@")[2]
    elif "=" in server:
        settings = dict(_SETTING.findall(server))
        host, port = settings.get("host", host), settings.get("port", port)
    return address_of(scheme, host, port)


def address_of(scheme: str, host: str, port: str) -> str:
    """The namespace of a server, empty for one that is not known or only known here."""
    name = host.replace(",", ":")  # sqlcmd: `-S host,port`
    is_known = bool(scheme and name) and not holes(name) and not name.startswith(("/", "."))
    if not is_known or name.partition(":")[0] in _HERE:
        return ""
    return dataset_from_url(f"{scheme}://{name}{':' if port else ''}{port}/x").namespace


_HERE = frozenset({"localhost", "127.0.0.1", "[", "(local)"})


def _options_of(one: Client) -> tuple[str, ...]:
    return (
        *(one.sql, one.files, one.values, one.server),
        *(one.catalog, one.schema, one.others, one.host, one.port),
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
        catalog, _, schema = _table(first_of(found, "--dataset_id")).rpartition(".")
        return replace(
            _with_tables(command, [(Access.WRITE, one) for one in target]),
            catalog=first_of(found, "--project_id"),
            schema=f"{catalog}.{schema}" if catalog else schema,
        )
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

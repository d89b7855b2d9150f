"""The SQL clients that a shell starts: which options are SQL, files of it, values for it, where.

A client puts values into its SQL in a way of its own (`style`): `${hivevar:name}`, `:name`,
`$(name)`, `&name`. A name without a value stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from swarm.lineage.code.shell_client_table import ALIASES, CLIENTS, DIALECTS, SCHEMES, Client
from swarm.lineage.code.shell_command import Command, Streams, all_of, first_of, options, redirected
from swarm.lineage.code.texts import holes
from swarm.lineage.naming import dataset_from_url
from swarm.model.lineage import Access


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
        dialects=DIALECTS.get(ALIASES.get(name, name), ()),
        catalog=_place(found, one.catalog, server),
        schema=_place(found, one.schema, server),
        address=_address(SCHEMES.get(ALIASES.get(name, name), ""), found, one, server),
    )


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

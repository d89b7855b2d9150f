"""One name for a dataset, however it was spelled.

Follows the OpenLineage naming rules: a dataset is `(namespace, name)`; the namespace is the
server (`postgres://host:5432`, `s3://bucket`, `bigquery`, `file`), the name is the dotted table
or the path on it. Choices of ours, the same for every source of evidence:

1. Names of tables and columns of names are case-folded and lose their quotes. Catalogs lose more
   dependencies to casing than they would gain by keeping two tables apart that differ by it.
   Paths keep their case.
2. What a table name carries besides the table goes: partition decorators (`t$20200101`, `t$files`)
   and snapshots (`t@1577836800000`).
3. Date shards are one dataset: `events_20200101`, `events_202001` and `events_2020*` are all
   `events_*`. Otherwise every day would add a dataset that nobody else ever touches.
   In a path each date (`2020-01-01`, `20200101`, `2020/01/01`) becomes `*` for the same reason, and
   so do the partitions of a date (`year=2020/month=1/day=1`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from swarm.lineage.text import SqlContext
from swarm.model.keys import DatasetKey

FILE_NAMESPACE = "file"

_DEFAULT_PORTS = {
    "postgres": 5432,
    "mysql": 3306,
    "mssql": 1433,
    "oracle": 1521,
    "redshift": 5439,
    "trino": 8080,
    "hive": 10000,
    "clickhouse": 8123,
}
_SCHEME_ALIASES = {
    "postgresql": "postgres",
    "s3a": "s3",
    "s3n": "s3",
    "gcs": "gs",
    "mariadb": "mysql",
    "sqlserver": "mssql",
    "hive2": "hive",
    "presto": "trino",
    "abfs": "abfss",
    "wasb": "abfss",  # two ways into the same containers
    "wasbs": "abfss",
}
_AZURE = re.compile(
    r"([\w-]+)\.(?:blob|dfs)\.(core\.\w+\.\w+|fabric\.microsoft\.com)", re.IGNORECASE
)
_OBJECT_STORES = frozenset({"s3", "gs", "abfss", "hdfs", "dbfs", "adl", "oss", "ftp"})
_WEB = frozenset({"http", "https"})
_HOSTLESS = frozenset({"bigquery"})  # one service, no server: the project is part of the name

_DATE = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])?)?"
_SHARD = re.compile(rf"_(?:{_DATE}|\d+\*)$")
_DECORATOR = re.compile(
    r"(?<=.)(?:\$(?:\d[\d*]*|\*|__\w+__)?|@-?\d*"  # other `$` are letters of a name, as in Oracle
    r"|\$(?:iceberg_)?(?:(?:all_)?(?:files|entries|manifests)|partitions|properties|snapshots|history|refs"
    r"|metadata_log_entries|transactions|timeline|changes|data|schemas|options|audit_log|tags"
    r"|branches))$"
)
_PATH_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d{2}([-_/]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)"
)
_PARTITIONS = re.compile(
    r"\b(?:year|yyyy|y)=\d{4}(?:/(?:month|mm|m)=\d{1,2}(?:/(?:day|dd|d)=\d{1,2}"
    r"(?:/(?:hour|hh|h)=\d{1,2})?)?)?(?=/|$)"
)
_PART = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([^.]*)')


def table_name(parts: tuple[str, ...]) -> str:
    """The dotted name of a table from its parts, outermost first; empty parts are left out."""
    known = [part.strip().casefold() for part in parts]
    if known:
        known[-1] = _SHARD.sub("_*", _DECORATOR.sub("", known[-1]))
    return ".".join(part for part in known if part)


def split_name(name: str) -> tuple[str, ...]:
    """The parts of a dotted name, quotes of any dialect removed: `"a.b".c` has two."""
    parts: list[str] = []
    position = 0
    while position <= len(name):
        match = _PART.match(name, position)
        if match is None:  # cannot happen: the last alternative matches everything
            break
        quoted = next((g for g in match.groups()[:3] if g is not None), None)
        if match.group(2) is not None:
            parts.extend(match.group(2).split("."))  # one pair of backticks may hold all parts
        else:
            parts.append(quoted.replace('""', '"') if quoted is not None else match.group(4))
        position = match.end() + 1
        if match.end() < len(name) and name[match.end()] != ".":
            return (name,)  # text between quote and dot: not a name, keep it whole
    return tuple(parts)


def complete_name(parts: tuple[str, ...], context: SqlContext) -> tuple[str, ...]:
    """Put the default schema and catalog of `context` in front of a short name."""
    if len(parts) == 1 and context.default_schema:
        parts = (*split_name(context.default_schema), *parts)
    if len(parts) == 2 and context.default_catalog:
        parts = (*split_name(context.default_catalog), *parts)
    return parts


def dataset_from_table(name: str, context: SqlContext) -> DatasetKey:
    """The dataset of a table written as in SQL: `lake.public.orders`, `` `p.d.t` ``."""
    parts = complete_name(split_name(name.strip()), context)
    return DatasetKey(context.namespace, table_name(parts))


def dataset_from_url(url: str) -> DatasetKey:
    """The dataset of a URL or a file path.

    `postgres://lake/db/schema/orders` is a table, `s3://bucket/key` an object, `/abs/x.csv` and
    `file:///abs/x.csv` the same file. A relative path stays relative.
    """
    text = url.strip()
    scheme, separator, rest = text.partition("://")
    scheme = _scheme(scheme)
    if not separator:
        path = text.removeprefix("file:") if text.startswith("file:/") else text
        return DatasetKey(FILE_NAMESPACE, _path(path))
    if scheme == FILE_NAMESPACE:
        host, _, path = rest.partition("/")
        local = host.casefold() in ("", "localhost")
        return DatasetKey(FILE_NAMESPACE if local else f"file://{host}", _path("/" + path))
    if scheme == "sqlite":
        return _sqlite(rest)
    host, _, path = rest.partition("/")
    if scheme in _WEB or scheme == "azure":
        scheme, host, path = _in_container(scheme, host, path)
    if scheme in _OBJECT_STORES or scheme in _WEB:
        return DatasetKey(_namespace(f"{scheme}://{host}"), _path(path).lstrip("/"))
    path, query = _without_query(path)
    steps = (*(unquote(step) for step in path.split("/") if step), *query)
    if scheme in _HOSTLESS:
        return DatasetKey(scheme, table_name((host, *steps)))
    return DatasetKey(_namespace(f"{scheme}://{host}"), table_name(steps))


def _in_container(scheme: str, host: str, path: str) -> tuple[str, str, str]:
    """Azure's `https://account.blob.core.windows.net/container/x`, as Spark and others write it."""
    container, _, rest = path.lstrip("/").partition("/")
    if _AZURE.fullmatch(host) is None or not container:
        return scheme, host, path
    return "abfss", f"{container}@{host}", rest


def is_path_namespace(namespace: str) -> bool:
    """Whether names in `namespace` are paths (case counts) and not tables."""
    scheme = _scheme(namespace.partition("://")[0])
    return scheme == FILE_NAMESPACE or scheme in _OBJECT_STORES or scheme in _WEB


@dataclass(frozen=True, slots=True)
class Naming:
    """Brings every spelling of a dataset to the one that is kept.

    `namespaces` and `datasets` are the operator's aliases: other spelling -> the one to keep.
    A dataset is written `namespace/name`, or only `name` in any namespace. Aliases are matched
    after the general rules above, so their own casing and ports do not matter.
    """

    default_namespace: str = "warehouse"
    namespaces: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    _namespaces: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _datasets: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spaces = {_namespace(key): _namespace(value) for key, value in self.namespaces.items()}
        object.__setattr__(self, "_namespaces", spaces)
        sets = {_alias_key(key): value for key, value in self.datasets.items()}
        object.__setattr__(self, "_datasets", sets)

    def canonical(self, key: DatasetKey) -> DatasetKey:
        """The spelling of `key` to keep. Idempotent as long as aliases do not form a chain."""
        plain = self._spelled(key)
        target = self._datasets.get(_alias_key(str(plain)))
        if target is None:
            target = self._datasets.get(_alias_key(plain.name))
        if target is None:
            return plain
        return self._spelled(self._parse(target, plain.namespace))

    def _spelled(self, key: DatasetKey) -> DatasetKey:
        namespace = _namespace(key.namespace or self.default_namespace)
        namespace = self._namespaces.get(namespace, namespace)
        scheme, _, host = namespace.partition("://")
        if scheme in _WEB or scheme == "azure":
            scheme, host, path = _in_container(scheme, host, key.name)
            namespace, key = f"{scheme}://{host}", replace(key, name=path)
            namespace = _namespace(namespace)
        if is_path_namespace(namespace):
            name = _path(key.name)
            absolute = namespace.startswith(FILE_NAMESPACE)
            return DatasetKey(namespace, name if absolute else name.lstrip("/"))
        return DatasetKey(namespace, table_name(split_name(key.name)))

    def _parse(self, text: str, namespace: str) -> DatasetKey:
        if "://" in text:
            found = dataset_from_url(text)
            known = _namespace(found.namespace)
            return DatasetKey(self._namespaces.get(known, known), found.name)
        space, slash, name = text.partition("/")
        return (
            replace(DatasetKey(namespace, text), namespace=space, name=name)
            if slash
            else (DatasetKey(namespace, text))
        )


def _alias_key(text: str) -> str:
    namespace, slash, name = text.rpartition("/")
    if "://" in text:
        namespace, slash, name = _split_url_key(text)
    return f"{_namespace(namespace)}/{name.casefold()}" if slash else text.casefold()


def _split_url_key(text: str) -> tuple[str, str, str]:
    scheme, _, rest = text.partition("://")
    host, slash, name = rest.partition("/")
    if _scheme(scheme) == "sqlite":
        path, slash, name = rest.rpartition("/")
        return f"{scheme}://{path}", slash, name
    return f"{scheme}://{host}", slash, name


def _scheme(scheme: str) -> str:
    plain = scheme.casefold().partition("+")[0]  # `postgresql+psycopg` names a driver too
    return _SCHEME_ALIASES.get(plain, plain)


def _namespace(namespace: str) -> str:
    text = namespace.strip()
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text.rstrip("/") or text
    scheme = _scheme(scheme)
    if scheme == "sqlite":
        return f"sqlite://{_slashes(rest)}".rstrip("/")
    host, slash, path = rest.rstrip("/").partition("/")
    host = host.rpartition("@")[2] if scheme in _DEFAULT_PORTS else host  # never a password
    host = host.casefold()
    if scheme == "abfss":
        host = _AZURE.sub(r"\1.dfs.\2", host)
    port = _DEFAULT_PORTS.get(scheme)
    if port is not None and host and not re.search(r":\d+$", host):
        host = f"{host}:{port}"
    return f"{scheme}://{host}{slash}{path}"


def _sqlite(rest: str) -> DatasetKey:
    """`sqlite:///abs/lake.db` is the server; a table may follow the file or be its fragment."""
    parsed = urlsplit(f"sqlite://{rest}")
    match = re.match(r"(.*\.(?:db|sqlite3?|duckdb))(?:/(.*))?$", parsed.path)
    path, table = (match.group(1), match.group(2) or "") if match else (parsed.path, "")
    return DatasetKey(
        _namespace(f"sqlite://{path}"), table_name(split_name(parsed.fragment or table))
    )


def _without_query(path: str) -> tuple[str, tuple[str, ...]]:
    """Airflow writes `?table=t` where a URL has no place for the table."""
    plain, _, query = path.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&"))
    return plain, tuple(unquote(value) for key, _, value in pairs if key in ("schema", "table"))


def _slashes(path: str) -> str:
    return re.sub(r"/{2,}", "/", path)


def _path(path: str) -> str:
    plain = _slashes(path.strip()).removeprefix("./")
    plain = plain.rstrip("/") or plain
    return _PATH_DATE.sub("*", _PARTITIONS.sub("*", plain))

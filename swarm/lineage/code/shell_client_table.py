"""The SQL clients of shells and what their options mean."""

from collections.abc import Mapping
from dataclasses import dataclass


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
DIALECTS: Mapping[str, tuple[str, ...]] = {
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
SCHEMES = {"psql": "postgres", "mysql": "mysql", "sqlcmd": "mssql"}
SCHEMES["clickhouse-client"] = "clickhouse"

"""What the operators of Airflow's providers read and write, by the options they are given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swarm.lineage.code.effects import Effect, RunsCommand, TouchesPath, TouchesTable
from swarm.lineage.code.texts import combine, plain, texts
from swarm.lineage.code.values import DictOf, ListOf, Value, const, elements, of, only
from swarm.model.lineage import Access

READ, WRITE = Access.READ, Access.WRITE


@dataclass(frozen=True, slots=True)
class Place:
    """A table (`schema` names the option with its schema), or an object below `bucket`."""

    access: Access
    name: str
    schema: str = ""
    bucket: str = ""
    scheme: str = ""


_GCS_IN = (Place(READ, "source_objects", bucket="bucket", scheme="gs"),)
_S3_IN = Place(READ, "s3_key", bucket="s3_bucket", scheme="s3")
_S3_OUT = Place(WRITE, "s3_key", bucket="s3_bucket", scheme="s3")
_TO_GCS = Place(WRITE, "filename", bucket="bucket", scheme="gs")
OPERATORS: Mapping[str, tuple[Place, ...]] = {
    "GCSToBigQueryOperator": (*_GCS_IN, Place(WRITE, "destination_project_dataset_table")),
    "BigQueryToGCSOperator": (
        Place(READ, "source_project_dataset_table"),
        Place(WRITE, "destination_cloud_storage_uris", scheme="*"),
    ),
    "BigQueryToBigQueryOperator": (
        Place(READ, "source_project_dataset_tables"),
        Place(WRITE, "destination_project_dataset_table"),
    ),
    "S3ToRedshiftOperator": (_S3_IN, Place(WRITE, "table", "schema")),
    "RedshiftToS3Operator": (Place(READ, "table", "schema"), _S3_OUT),
    "S3ToSqlOperator": (_S3_IN, Place(WRITE, "table", "schema")),
    "SqlToS3Operator": (_S3_OUT,),
    "S3ToSnowflakeOperator": (Place(WRITE, "table", "schema"),),
    "PostgresToGCSOperator": (_TO_GCS,),
    "MySQLToGCSOperator": (_TO_GCS,),
    "MSSQLToGCSOperator": (_TO_GCS,),
    "OracleToGCSOperator": (_TO_GCS,),
    "TrinoToGCSOperator": (_TO_GCS,),
    "PrestoToGCSOperator": (_TO_GCS,),
    "GenericTransfer": (Place(WRITE, "destination_table"),),
    "MySqlToHiveOperator": (Place(WRITE, "hive_table"),),
    "HiveToMySqlOperator": (Place(WRITE, "mysql_table"),),
    "S3CopyObjectOperator": (
        Place(READ, "source_bucket_key", bucket="source_bucket_name", scheme="s3"),
        Place(WRITE, "dest_bucket_key", bucket="dest_bucket_name", scheme="s3"),
    ),
    "GCSToGCSOperator": (
        Place(READ, "source_object", bucket="source_bucket", scheme="gs"),
        Place(WRITE, "destination_object", bucket="destination_bucket", scheme="gs"),
    ),
    "LocalFilesystemToS3Operator": (
        Place(READ, "filename", scheme="*"),
        Place(WRITE, "dest_key", bucket="dest_bucket", scheme="s3"),
    ),
    "LocalFilesystemToGCSOperator": (
        Place(READ, "src", scheme="*"),
        Place(WRITE, "dst", bucket="bucket", scheme="gs"),
    ),
}
_SPARK_JOBS = ("pyspark_job", "spark_python_task")


def places_of(operator: str, given: Mapping[str, Value], server: Value) -> list[Effect]:
    """The tables and objects that the options of a known operator name."""
    found: list[Effect] = []
    for one in OPERATORS.get(operator, ()):
        value = given.get(one.name)
        if value is None:
            continue
        if one.scheme:
            found.append(TouchesPath(one.access, _urls(one, value, given)))
        else:
            schema = given.get(one.schema)
            found += [
                TouchesTable(one.access, _old_names(name), server, schema) for name in _each(value)
            ]
    if "CopyFromExternalStageToSnowflake" in operator:
        found += _from_stage(given, server)
    return found


def _each(value: Value) -> list[Value]:
    return elements(value) or [value]


def _old_names(value: Value) -> Value:
    """`project:dataset.table` is the old way to write `project.dataset.table`."""
    known = plain(value)
    return value if known is None else const(known.replace(":", ".", 1))


def _urls(one: Place, value: Value, given: Mapping[str, Value]) -> Value:
    bucket = given.get(one.bucket)
    urls: list[Value] = []
    for key in _each(value):
        known = plain(key) or ""
        if one.scheme == "*" or "://" in known or bucket is None:
            urls.append(key)
        else:
            urls.append(combine([const(f"{one.scheme}://"), bucket, const("/"), key]))
    return of(ListOf(urls))


def _from_stage(given: Mapping[str, Value], server: Value) -> list[Effect]:
    found: list[Effect] = []
    stage, table = given.get("stage"), given.get("table")
    if stage is not None:
        found.append(TouchesTable(READ, combine([const("@"), stage]), server))
    if table is not None:
        found.append(TouchesTable(WRITE, table, server, given.get("schema")))
    return found


def target_of_query(configuration: Value | None) -> Value | None:
    """The table that a job of BigQuery writes its result to."""
    target = _at(_at(configuration, "query"), "destinationTable")
    atom = only(target) if target is not None else None
    if not isinstance(atom, DictOf) or "tableId" not in atom.items:
        return None
    names = ("projectId", "datasetId", "tableId")
    return combine([atom.items[name] for name in names if name in atom.items], ".")


def _at(value: Value | None, key: str) -> Value | None:
    atom = only(value) if value is not None else None
    return atom.items.get(key) if isinstance(atom, DictOf) else None


def commands_of(operator: str, given: Mapping[str, Value]) -> Iterator[RunsCommand]:
    """The commands that an operator starts somewhere else: Spark jobs, steps, containers."""
    application = given.get("application")
    if application is not None:
        yield _spark(application, given.get("conf"), given.get("application_args"))
    for holder in (given.get("job"), given.get("json"), given):
        yield from _jobs_in(holder)
    for step in _each(given["steps"]) if "steps" in given else ():
        args = _at(_at(step, "HadoopJarStep"), "Args")
        if args is not None:
            yield RunsCommand(args)
    if "cmds" in given or ("arguments" in given and "Pod" in operator):
        words = [*_words(given.get("cmds")), *_words(given.get("arguments"))]
        yield RunsCommand(of(ListOf(words)))


def _jobs_in(holder: Value | Mapping[str, Value] | None) -> Iterator[RunsCommand]:
    for name in _SPARK_JOBS:
        job = holder.get(name) if isinstance(holder, Mapping) else _at(holder, name)
        main = _at(job, "main_python_file_uri") or _at(job, "python_file")
        if main is not None:
            arguments = _at(job, "args") or _at(job, "parameters")
            yield _spark(main, _at(job, "properties"), arguments)


def _spark(main: Value, settings: Value | None, arguments: Value | None) -> RunsCommand:
    words = [const("spark-submit")]
    atom = only(settings) if settings is not None else None
    for name, value in atom.items.items() if isinstance(atom, DictOf) else ():
        words += [const("--conf"), combine([const(name), const("="), value])]
    return RunsCommand(of(ListOf([*words, main, *_words(arguments)])))


def _words(value: Value | None) -> list[Value]:
    return (elements(value) or []) if value is not None else []


def variables_of(given: Mapping[str, Value]) -> dict[str, str]:
    """The environment that an operator gives to what it starts."""
    found: dict[str, str] = {}
    for name in ("env", "env_vars", "environment"):
        atom = only(given[name]) if name in given else None
        for key, value in atom.items.items() if isinstance(atom, DictOf) else ():
            found[key if isinstance(key, str) else repr(key)] = texts(value)[0]
    return found

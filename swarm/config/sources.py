"""Settings of what is read: orchestrators, their SQL, how names come together."""

from pydantic import Field

from swarm.config.section import SecretAt, Section, UserPath


class SqlConnection(Section):
    """Where the SQL of one connection runs."""

    dialect: str = Field("", description="sqlglot dialect of the server, empty for generic SQL.")
    namespace: str = Field("", description="OpenLineage namespace of the server.")
    default_catalog: str = Field("", description="Catalog of table names that name none.")
    default_schema: str = Field("", description="Schema of table names that name none.")


class Counted(Section):
    """What counts as a read and a write where tools differ."""

    schema_changes_write: bool = Field(
        False, description="Whether `DROP TABLE` and `ALTER TABLE` write the table."
    )
    deletes_write: bool = Field(
        True, description="Whether `DELETE` and `TRUNCATE` write the table."
    )
    intermediate_tables: bool = Field(
        False, description="Whether tables that only live inside a script are read and written."
    )
    views_read: bool = Field(False, description="Whether `CREATE VIEW` reads what its query names.")


class Naming(Section):
    """How the names that different tools use for the same dataset come together."""

    default_namespace: str = Field(
        "warehouse", description="Namespace of datasets whose server is not known."
    )
    namespaces: dict[str, str] = Field(
        default_factory=dict, description="Other spellings of a namespace, to the one to keep."
    )
    datasets: dict[str, str] = Field(
        default_factory=dict, description="Other names of a dataset, to the one to keep."
    )


class Source(Section):
    """One orchestrator, or one file that describes one."""

    kind: str = Field(
        min_length=1,
        description="What it is: airflow, dagster, prefect, manifest, catalog, crontab, dbt or "
        "query_history; installed packages may add kinds.",
    )
    name: str = Field(
        "",
        max_length=100,
        pattern=r"^[\w.-]*$",
        description="Name of the instance, its kind when empty.",
    )
    url: str = Field("", description="Base URL of the server.")
    path: UserPath | None = Field(
        None,
        description="The manifest, catalog or crontab file, dbt's `target` folder, or the exports "
        "of a query history.",
    )
    token_file: SecretAt | None = Field(
        None, description="File that holds a bearer token, or `secret://env/NAME`."
    )
    username: str = Field("", description="User for basic authentication.")
    password_file: SecretAt | None = Field(
        None, description="File that holds the user's password, or `secret://env/NAME`."
    )
    poll_s: float = Field(2.0, ge=0.5, le=3600, description="Seconds between two passes.")
    lineage_namespace: str = Field(
        "", description="Job namespace of the OpenLineage events it sends, its name when empty."
    )
    timeout_s: float = Field(30.0, ge=1, le=600, description="Seconds one request may take.")
    history_days: int = Field(
        60,
        ge=0,
        le=365,
        description="Days of runs and of their tasks that are read of before the first contact.",
    )
    recover: bool = Field(
        False,
        description="Whether runs that died with their worker are made to go on, by writing to the "
        "orchestrator; without it swarm only reads.",
    )

    hand_url: str = Field(
        "",
        description="Address of the hand beside it (`swarm hand run`), which alone turns its "
        "knobs; without one nothing of it is held.",
    )
    hand_token_file: SecretAt | None = Field(
        None, description="File that holds the hand's token, or `secret://env/NAME`."
    )

    @property
    def instance(self) -> str:
        return self.name or self.kind


class HandPlace(Section):
    """Read by `swarm hand run` alone: where a hand listens, and how it turns what has no knobs."""

    host: str = Field("127.0.0.1", description="Address to bind.")
    port: int = Field(8643, ge=1, le=65535, description="Port to bind.")
    token_file: SecretAt | None = Field(
        None,
        description="File that holds the token of who may tell it what to do, or "
        "`secret://env/NAME`.",
    )
    webhook_url: str = Field(
        "", description="Where the acts on a source without knobs of its own are sent to."
    )
    command: tuple[str, ...] = Field(
        (), description="Or the program that carries them out, and its arguments."
    )


class Publishing(Section):
    """A catalogue that is told of the dependencies that swarm finds, as OpenLineage events."""

    url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Where it takes events, such as `https://marquez/api/v1/lineage`; empty: no "
        "catalogue is told anything.",
    )
    token_file: SecretAt | None = Field(None, description="File that holds a bearer token for it.")
    at_least: float = Field(
        0.8, ge=0, le=1, description="How probable a dependency has to be to be told."
    )
    timeout_s: float = Field(10.0, ge=1, le=600, description="Seconds one request may take.")


class Telemetry(Section):
    """A collector of traces that is told how what enters swarm goes on, over OTLP."""

    traces_url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Where it takes OTLP over HTTP, such as `https://collector:4318/v1/traces`; "
        "empty: nobody is told anything. Needs the package `opentelemetry-proto`.",
    )
    traces_token_file: SecretAt | None = Field(
        None, description="File that holds a bearer token for it, or `secret://env/NAME`."
    )
    timeout_s: float = Field(10.0, ge=1, le=600, description="Seconds one request may take.")

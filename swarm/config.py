"""Settings: one frozen tree, read once from YAML and `SWARM_` environment variables."""

import difflib
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from swarm import secret
from swarm.errors import ConfigError

_MAX_BYTES = 1_000_000

UserPath = Annotated[Path, AfterValidator(Path.expanduser)]
# Where a secret lies: a path, `secret://env/NAME` or `secret://file/PATH`.
SecretAt = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, Path) else value),
    AfterValidator(secret.place),
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SqlConnection(_Section):
    """Where the SQL of one connection runs."""

    dialect: str = Field("", description="sqlglot dialect of the server, empty for generic SQL.")
    namespace: str = Field("", description="OpenLineage namespace of the server.")
    default_catalog: str = Field("", description="Catalog of table names that name none.")
    default_schema: str = Field("", description="Schema of table names that name none.")


class Counted(_Section):
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


class Naming(_Section):
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


class Source(_Section):
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
        60, ge=0, le=365, description="Days of runs before the first contact that are read."
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


class HandPlace(_Section):
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


RoleName = Literal["viewer", "operator", "admin", "agent", "worker", "plug-in"]
_ROLES_OF_RIGHT: Mapping[str, tuple[RoleName, ...]] = {
    "read": ("viewer",),
    "tell": ("viewer", "worker"),
    "work": ("viewer", "worker", "agent"),
}


class ApiToken(_Section):
    """A token that may do less than the one `swarm up` makes."""

    token_file: SecretAt = Field(
        description="File that holds the token, yours to make, or `secret://env/NAME`."
    )
    roles: tuple[RoleName, ...] = Field(
        ("viewer",),
        min_length=1,
        description="`viewer` looks, `operator` also decides, `admin` may do everything; `worker` "
        "sends lineage, runs and beats, `agent` hosts agents, `plug-in` has tasks run.",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_written_before(cls, tree: Any) -> Any:
        """What was a `right` is the roles that may do the same."""
        if not isinstance(tree, dict) or str(tree.get("right")) not in _ROLES_OF_RIGHT:
            return tree
        rest = {key: value for key, value in tree.items() if key != "right"}
        return rest | {"roles": _ROLES_OF_RIGHT[str(tree["right"])]}


def _of_issuer(url: str) -> str:
    parts = urlsplit(url)
    is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise ValueError("has to be an https:// URL, as its tokens have it in `iss`")
    return url


class Oidc(_Section):
    """An OpenID Connect issuer whose bearer tokens open the API."""

    issuer: Annotated[str, AfterValidator(_of_issuer)] = Field(
        description="Its URL, exactly as its tokens have it in `iss`."
    )
    audience: str = Field(min_length=1, description="What its tokens for swarm have in `aud`.")
    roles_claim: str = Field(
        "roles", min_length=1, description="The claim that lists what somebody is there."
    )
    roles: dict[str, RoleName] = Field(
        default_factory=dict,
        description="Values of that claim, each with its role here; others count for nothing.",
    )
    leeway_s: float = Field(
        60.0, ge=0, le=300, description="Seconds by which its clock may differ from ours."
    )


class Api(_Section):
    """Where the HTTP API listens."""

    host: str = Field("127.0.0.1", description="Address to bind.")
    port: int = Field(8642, ge=1, le=65535, description="Port to bind.")
    tokens: tuple[ApiToken, ...] = Field((), description="Further tokens, with roles of their own.")
    requests_per_s: float = Field(
        500.0,
        ge=1,
        le=100_000,
        description="Requests a second that one key may make for long; after ten seconds of rest "
        "ten times as many at once.",
    )
    oidc: Oidc | None = Field(None, description="An issuer whose bearer tokens open it, too.")


class Worker(_Section):
    """What this machine runs of the tasks that are handed in."""

    slots: int = Field(
        2,
        ge=0,
        le=1000,
        description="Tasks at the same time on the machine of `swarm up`, one CPU each; 0 runs "
        "none there. Other nodes run one for each of their CPUs.",
    )
    fence_s: float = Field(
        15.0,
        ge=5,
        le=3600,
        description="Seconds without contact after which a worker ends what it runs.",
    )


class Team(_Section):
    """What a team may have of the workers; others have the defaults."""

    weight: float = Field(
        1.0, gt=0, le=1000, description="Its share of the workers beside other teams' weights."
    )
    waiting_max: int = Field(
        100_000, ge=0, le=10_000_000, description="Tasks of it that may wait at the same time."
    )


class OfferingRule(_Section):
    """A kind of worker that can be had."""

    name: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[\w.-]+$",
        description="Its name: the node type of Ray's cluster file, or the label `swarm/pool` of "
        "its nodes.",
    )
    slots: int = Field(2, ge=1, le=1_000, description="Tasks at the same time, one CPU each.")
    memory_bytes: int = Field(0, ge=0, description="Memory of a worker that tasks may ask for.")
    gpu: float = Field(0.0, ge=0, le=64, description="GPUs of a worker.")
    price_usd_per_h: float = Field(ge=0, le=10_000, description="Price of a worker in USD an hour.")
    boot_s: int = Field(
        180, ge=0, le=3_600, description="Seconds from its order until it takes work."
    )
    market: Literal["spot", "on-demand"] = Field(
        "on-demand", description="What its label `ray.io/market-type` says; `spot` may be taken."
    )
    most: int | None = Field(
        None, ge=0, le=10_000, description="How many there may be at a time; none: any number."
    )


class Placement(_Section):
    """How many workers there are to be, and what they may cost."""

    pool: Literal["off", "static", "ray"] = Field(
        "off",
        description="`ray` has Ray's autoscaler order nodes and return them, `static` plans for "
        "those that stand, `off` does not plan.",
    )
    offerings: tuple[OfferingRule, ...] = Field((), description="The kinds of workers there are.")
    most_workers: int = Field(
        10, ge=1, le=10_000, description="Workers at a time, those that swarm did not order too."
    )
    most_usd_per_h: float | None = Field(
        None, gt=0, le=1_000_000, description="USD an hour at most; none: no limit."
    )
    late_usd: float = Field(
        100.0, gt=0, le=1_000_000, description="USD that it costs to miss an SLA of value 1."
    )
    minute_usd: float = Field(
        0.1,
        ge=0,
        le=10_000,
        description="USD that it is worth if all with a deadline is done a minute sooner.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [one.name for one in self.offerings]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two offerings are called `{twice[0]}`; each needs a name of its own")
        if self.pool == "ray" and not names:
            raise ValueError("`pool: ray` needs `offerings`: the node types of the cluster file")
        return self


class PoolPrices(_Section):
    """What the nodes of a pool are, and what an hour of one costs."""

    type: str = Field("", description="Instance type, `m5.2xlarge`.")
    region: str = Field("", description="AWS region, `us-east-1`.")
    zone: str = Field("", description="Its zone, for spot prices; empty: the mean of the region's.")
    usd_per_h: float | None = Field(
        None, ge=0, le=10_000, description="On demand, in USD; by default as the table that ships."
    )
    spot_usd_per_h: float | None = Field(
        None, ge=0, le=10_000, description="On spot, in USD; by default as AWS's market asked."
    )


class Agents(_Section):
    """Agents of one class that are to live on this machine."""

    path: str = Field(
        min_length=3, pattern=r"^[\w.]+:[\w.]+$", description="Their class, `package.module:Class`."
    )
    count: int = Field(1, ge=0, le=1000, description="How many.")
    memory_bytes: int = Field(0, ge=0, description="Memory of each; over it, it dies. 0: any.")
    cwd: str = Field("", description="Folder to import the class from.")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone `{name}`; name one like Europe/Berlin") from None
    return name


KnownZone = Annotated[str, AfterValidator(_known_zone)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = get_args(Weekday)


class Promise(_Section):
    """A time of day by which a pipeline is to be done."""

    pipeline: str = Field(pattern=r"^[^/]+/.+$", description="The pipeline, `orchestrator/name`.")
    by: TimeOfDay = Field(description='Time of day by the clock, `"07:30"`.')
    timezone: KnownZone = Field("UTC", description="Whose clock, an IANA name.")
    days: tuple[Weekday, ...] = Field(WEEK, description="On which days.")
    value: float = Field(
        1.0, gt=0, le=1_000_000, description="What keeping it is worth beside other SLAs."
    )


class PipelineRule(_Section):
    """How far swarm may go with some pipelines."""

    match: str = Field(
        min_length=1,
        description="Which: `orchestrator/name`, `*` stands for any part; the first that fits "
        "counts.",
    )
    mode: Literal["observe", "warn", "shadow", "gate"] = Field(
        "warn",
        description="`observe` shows, `warn` also tells, `shadow` also notes what it would do, "
        "`gate` does it.",
    )
    wait_max_s: float = Field(
        7_200.0,
        ge=60,
        le=86_400,
        description="Seconds after its planned start at which a held run starts at the latest.",
    )
    at_latest: Literal["run", "skip", "ask"] = Field(
        "run",
        description="What then becomes of it: `run` starts it, `skip` leaves it out (not in "
        "Airflow, where it starts unless its tasks run on swarm), `ask` tells somebody as soon as "
        "it is held and starts it without an answer.",
    )


_PipelineName = Annotated[str, Field(pattern=r"^[^/]+/.+$")]
_Grain = Literal["run", "hour", "day", "business_day", "week", "month"]


class LinkRule(_Section):
    """A pipeline that starts when what others make is there."""

    upstreams: tuple[_PipelineName, ...] = Field(
        min_length=1, description="The pipelines it waits for, each `orchestrator/name`."
    )
    downstream: _PipelineName = Field(description="The pipeline that starts; it has no other link.")
    every: _Grain = Field(
        "run",
        description="One success of each upstream is needed for every `hour`, `day`, "
        "`business_day` (with the days off before it), `week` or `month`; `run`: any will do.",
    )
    per: _Grain = Field("run", description="What it starts once for; `run`: for each success.")
    timezone: KnownZone = Field("UTC", description="Whose hours and days, an IANA name.")
    shift_s: float = Field(
        0.0,
        ge=-31 * 86_400,
        le=31 * 86_400,
        description="Seconds from an upstream's planned start to a time that its run is for.",
    )
    holidays: tuple[date, ...] = Field((), description="Days off besides weekends, ISO dates.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        order = get_args(_Grain)
        if self.every != "run" and order.index(self.every) > order.index(self.per):
            raise ValueError(
                f"`every: {self.every}` is longer than `per: {self.per}`; say in `per` at least "
                f"`{self.every}`"
            )
        if self.per == "run" and len(self.upstreams) > 1:
            raise ValueError("with several upstreams say in `per` what belongs together: `day`")
        if self.downstream in self.upstreams:
            raise ValueError(f"{self.downstream} would wait for itself")
        return self


# As in `model/findings.py`, which settings do not know.
_FindingKind = Literal[
    "undeclared_dependency",
    "cycle",
    "missing_worker",
    "stale_read",
    "race",
    "cadence_mismatch",
    "paused_writer",
    "gone_writer",
    "two_writers",
    "sla_at_risk",
    "misstated_sla",
    "held",
]


class QuietHours(_Section):
    """Hours in which nobody is to be disturbed."""

    start: TimeOfDay = Field(description='Time of day by the clock at which they begin, `"22:00"`.')
    end: TimeOfDay = Field(
        description="And end; on the next day where that is not later. The same: all day."
    )
    timezone: KnownZone = Field("UTC", description="Whose clock, an IANA name.")
    days: tuple[Weekday, ...] = Field(WEEK, description="On which days they begin.")


class AlertTarget(_Section):
    """Somebody who is told of findings."""

    name: str = Field(
        min_length=1, max_length=100, pattern=r"^[\w.-]+$", description="Its name, once."
    )
    kind: Literal["slack", "teams", "email", "pagerduty", "webhook"] = Field(
        description="What it is; `webhook` is sent JSON."
    )
    address_file: UserPath = Field(
        description="File that holds its address: the webhook URL that Slack or a Teams workflow "
        "gave, `mailtos://USER:PASSWORD@HOST?from=ADDRESS&to=ADDRESS` (apprise's form), "
        "PagerDuty's routing key (Events API v2), or the URL that takes JSON.",
    )
    url: str = Field(
        "", description="PagerDuty's own URL where it is not that of the US, as in the EU."
    )
    at_least: Literal["show", "warn", "gate"] = Field(
        "warn", description="How sure a finding has to be: to be shown, to be told, to hold a run."
    )
    kinds: tuple[_FindingKind, ...] = Field((), description="Which kinds of findings; empty: all.")
    match: tuple[str, ...] = Field(
        (),
        description="Findings of which pipelines, `orchestrator/name`, `*` stands for any part; "
        "empty: all.",
    )
    quiet: tuple[QuietHours, ...] = Field(
        (), description="When it is not to be disturbed: what comes then is told at their end."
    )
    urgent_passes: bool = Field(
        True, description="Whether an SLA at risk is told in quiet hours too."
    )
    tells_closed: bool = Field(True, description="Whether it is also told that a finding closed.")


class Alerts(_Section):
    """Who is told of findings, besides the dashboard and `swarm findings`."""

    targets: tuple[AlertTarget, ...] = Field((), description="Whom.")
    group_s: float = Field(
        30.0, ge=0, le=3600, description="Seconds that a finding waits for others to go with it."
    )
    dashboard_url: str = Field(
        "", description="Where people reach the dashboard, for links; empty: no links."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [target.name for target in self.targets]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two targets are called {twice[0]}")
        return self


class Publishing(_Section):
    """A catalogue that is told of the dependencies that swarm finds, as OpenLineage events."""

    url: str = Field(
        "",
        pattern=r"^(https?://.+)?$",
        description="Where it takes events, such as `https://marquez/api/v1/lineage`; empty: no "
        "catalogue is told anything.",
    )
    token_file: UserPath | None = Field(None, description="File that holds a bearer token for it.")
    at_least: float = Field(
        0.8, ge=0, le=1, description="How probable a dependency has to be to be told."
    )
    timeout_s: float = Field(10.0, ge=1, le=600, description="Seconds one request may take.")


class Settings(_Section):
    """All of swarm's settings."""

    state_dir: UserPath = Field(
        default_factory=lambda: (
            Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "swarm"
        ),
        description="Folder of the journal, the token and what runs now.",
    )
    store_url: str = Field(
        "",
        description="PostgreSQL URL of the store, or `secret://file/PATH` or `secret://env/NAME` "
        "that holds it; empty for SQLite in `state_dir`.",
    )
    ray_address: str = Field(
        "",
        description="Ray cluster to run on: `auto` on its head node, or `HOST:PORT`; empty starts "
        "one on this machine.",
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the metrics page of the Ray that swarm starts, `/metrics` on this "
        "machine alone; 0: any that is free, as `up.json` in `state_dir` says.",
    )
    api: Api = Api()
    worker: Worker = Worker()
    agents: tuple[Agents, ...] = Field((), description="Agents to keep alive.")
    placement: Placement = Placement()
    teams: dict[str, Team] = Field(
        default_factory=dict, description="Teams whose share or queue differs, by name."
    )
    prices: dict[str, PoolPrices] = Field(
        default_factory=dict,
        description="What nodes cost, by pool: their label `swarm/pool`, else their node group, "
        '`""` where they have neither.',
    )
    sources: tuple[Source, ...] = Field((), description="What swarm reads.")
    hand: HandPlace = HandPlace()
    code: tuple[UserPath, ...] = Field(
        (), description="Checkouts of pipeline code that may be read to find what tasks touch."
    )
    connections: dict[str, SqlConnection] = Field(
        default_factory=dict,
        description="SQL connections by the name pipelines use; `default` for all others.",
    )
    naming: Naming = Naming()
    lineage: Counted = Counted()
    slas: tuple[Promise, ...] = Field((), description="By when pipelines are to be done.")
    pipelines: tuple[PipelineRule, ...] = Field(
        (), description="How far swarm may go with which pipelines; `warn` where none fits."
    )
    links: tuple[LinkRule, ...] = Field((), description="Which pipelines start which others.")
    alerts: Alerts = Alerts()
    publish: Publishing = Publishing()
    hold_ttl_s: float = Field(
        60.0,
        ge=30,
        le=600,
        description="Seconds after which what swarm holds goes on by itself when swarm is gone.",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="Dependencies below this probability are not shown."
    )

    def secrets(self) -> tuple[str, ...]:
        """Where all the secrets that are named here lie."""
        places = [self.store_url, self.hand.token_file]
        places += [entry.token_file for entry in self.api.tokens]
        for source in self.sources:
            places += [source.token_file, source.password_file, source.hand_token_file]
        return tuple(place for place in places if place)

    @model_validator(mode="after")
    def _has_a_cluster(self) -> Self:
        if self.placement.pool == "ray" and not self.ray_address:
            raise ValueError("`placement.pool: ray` needs `ray_address`: Ray's autoscaler is there")
        return self


def load(path: UserPath | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file, then lay `SWARM_SECTION__KEY` variables over it; empty ones count
    as not set.

    Raises `ConfigError` that names the file or variable, the key, and what was probably meant.
    """
    tree: dict[str, Any] = {} if path is None else _read(path)
    variables: dict[tuple[str, ...], str] = {}
    for variable, value in sorted(environ.items()):
        if variable.startswith("SWARM_") and variable not in _NOT_SETTINGS and value:
            keys = tuple(variable.removeprefix("SWARM_").lower().split("__"))
            _lay(tree, keys, variable, _parse_value(variable, value))
            variables[keys] = variable
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(e, variables, path) for e in error.errors())) from None


# Read by the command line and by the process it starts, not part of the tree.
_NOT_SETTINGS = frozenset({"SWARM_CONFIG", "SWARM_URL", "SWARM_TOKEN_FILE"})


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: over {_MAX_BYTES} bytes; is this a settings file?")
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from None
    except (RecursionError, ValueError):
        raise ConfigError(f"{path}: not usable YAML: nested too deeply, or no such date.") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: the top level has to be `key: value` pairs.")
    return {str(key): value for key, value in tree.items()}


def _parse_value(variable: str, value: str) -> Any:
    try:
        return yaml.safe_load(value)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"environment variable {variable}: not valid YAML: {error}") from None


def _lay(tree: dict[str, Any], keys: tuple[str, ...], variable: str, value: Any) -> None:
    for key in keys[:-1]:
        below = tree.setdefault(key, {})
        if below is None:
            below = tree[key] = {}
        if not isinstance(below, dict):
            raise ConfigError(
                f"environment variable {variable}: `{key}` is no section with keys; "
                f"set the whole of it as YAML."
            )
        tree = below
    tree[keys[-1]] = value


def _explain(error: Any, variables: Mapping[tuple[str, ...], str], path: Path | None) -> str:
    location = tuple(str(part) for part in error["loc"])
    key = ".".join(location)
    origin = "settings" if path is None else str(path)
    for keys, variable in variables.items():
        if location[: len(keys)] == keys:
            origin = f"environment variable {variable}"
    if error["type"] != "extra_forbidden":
        return f"{origin}: `{key}`: {error['msg']}."
    close = difflib.get_close_matches(location[-1], _keys_at(location[:-1]), n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return f"{origin}: unknown key `{key}`.{hint}"


_SECTIONS: Mapping[str, type[_Section]] = {
    "api": Api,
    "naming": Naming,
    "placement": Placement,
    "sources": Source,
    "hand": HandPlace,
    "connections": SqlConnection,
    "teams": Team,
    "prices": PoolPrices,
    "slas": Promise,
    "pipelines": PipelineRule,
    "links": LinkRule,
    "alerts": Alerts,
    "publish": Publishing,
}


def _keys_at(location: tuple[str, ...]) -> list[str]:
    section = _SECTIONS.get(location[0], Settings) if location else Settings
    return list(section.model_fields)

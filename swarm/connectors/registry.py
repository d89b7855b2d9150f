"""Which connector reads which kind of source, and what turns its knobs.

Other packages add kinds by an entry point of the group `swarm.connectors`: a function
`connect(source: Source, settings: Settings) -> Connector`. Only the kinds that are used are
imported.
"""

import difflib
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from swarm.config import Settings, Source
from swarm.connectors.base import Connector
from swarm.connectors.knobs import Knobs
from swarm.errors import ConfigError
from swarm.outbound import check_url

GROUP = "swarm.connectors"

# Named here too because a worker node may run a checkout that nobody installed.
_BUILT_IN = {
    "airflow": "swarm.connectors.airflow.connector:connect",
    "dagster": "swarm.connectors.dagster.connector:connect",
    "prefect": "swarm.connectors.prefect.connector:connect",
    "manifest": "swarm.connectors.manifest:connect",
    "catalog": "swarm.connectors.catalog:connect",
    "crontab": "swarm.connectors.crontab:connect",
    "query_history": "swarm.connectors.history.connector:connect",
    "dbt": "swarm.connectors.dbt.connector:connect",
}
_KNOBS = {
    "airflow": "swarm.connectors.airflow.knobs:connect",
    "dagster": "swarm.connectors.dagster.knobs:connect",
    "prefect": "swarm.connectors.prefect.knobs:connect",
}
_CUSTOM_KNOBS = "swarm.connectors.custom_knobs:connect"


def known_kinds() -> Mapping[str, EntryPoint]:
    """Every kind of source by name; no other package can replace a built-in one."""
    built_in = {kind: EntryPoint(kind, where, GROUP) for kind, where in _BUILT_IN.items()}
    return {point.name: point for point in entry_points(group=GROUP)} | built_in


def connect(source: Source, settings: Settings) -> Connector:
    """The connector of one source; nothing is read yet.

    Raises `ConfigError` when nobody knows the kind, or its package cannot be imported.
    """
    kinds = known_kinds()
    if source.kind not in kinds:
        close = difflib.get_close_matches(source.kind, kinds, n=1)
        hint = f" Did you mean `{close[0]}`?" if close else ""
        known = ", ".join(sorted(kinds))
        raise ConfigError(
            f"source `{source.instance}`: unknown kind `{source.kind}`.{hint} Known are: {known}."
        )
    _check_urls(source)
    connector: Connector = _loaded(kinds[source.kind], source)(source, settings)
    return connector


def knobs_of(source: Source, settings: Settings) -> Knobs:
    """The knobs of one source; nothing is asked yet. Raises `ConfigError`."""
    _check_urls(source)
    if settings.hand.webhook_url:
        check_url(settings.hand.webhook_url, "`hand.webhook_url`")
    is_custom = settings.hand.webhook_url or settings.hand.command
    where = _CUSTOM_KNOBS if is_custom else _KNOBS.get(source.kind)
    if where is None:
        raise ConfigError(
            f"source `{source.instance}`: a {source.kind} has no knobs; `hand.webhook_url` or "
            "`hand.command` says what carries its acts out."
        )
    knobs: Knobs = _loaded(EntryPoint(source.kind, where, GROUP), source)(source, settings)
    return knobs


def _check_urls(source: Source) -> None:
    for key, url in (("url", source.url), ("hand_url", source.hand_url)):
        if "://" in url:  # what is no URL at all its connector says better
            check_url(url, f"source `{source.instance}`: `{key}`")


def _loaded(point: EntryPoint, source: Source) -> Callable[[Source, Settings], Any]:
    try:
        factory: Callable[[Source, Settings], Any] = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"source `{source.instance}`: the connector `{point.value}` cannot be loaded: {error}."
        ) from error
    _be_quiet()
    return factory


def _be_quiet() -> None:
    """Retries would be printed, and to stdout, where reports go. The last error is reported."""
    import stamina.instrumentation

    stamina.instrumentation.set_on_retry_hooks(())


def open_connectors(settings: Settings) -> list[Connector]:
    """The connectors of all sources, in order.

    Raises `ConfigError` also when two sources share a name: their pipelines would be mixed up.
    """
    names: set[str] = set()
    for source in settings.sources:
        if source.instance in names:
            raise ConfigError(
                f"two sources are called `{source.instance}`; give each its own `name`."
            )
        names.add(source.instance)
    return [connect(source, settings) for source in settings.sources]

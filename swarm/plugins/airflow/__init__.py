"""Airflow's side of swarm: its tasks run on swarm's workers and survive their death.

`AIRFLOW__CORE__EXECUTOR=swarm.plugins.airflow.SwarmExecutor` on Airflow 3.3, and
`swarm.plugins.airflow.SwarmExecutor2` on Airflow 2.11. The names are looked up late, so that the
parts that need no Airflow can be used without it.
"""

from typing import Any

_PLACES = {"SwarmExecutor": "executor", "SwarmExecutor2": "executor2"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)

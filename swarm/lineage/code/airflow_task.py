"""A task of an Airflow DAG file and what its operator was given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from swarm.lineage.code.marks import last_name
from swarm.lineage.code.texts import plain, texts
from swarm.lineage.code.values import (
    DictOf,
    Function,
    ListOf,
    Made,
    Plain,
    Value,
    elements,
    only,
)
from swarm.lineage.naming import dataset_from_url
from swarm.model.keys import DatasetKey


@dataclass(frozen=True, slots=True)
class AirflowTask:
    """What a task runs: a Python function (`entry` is `file:function`), SQL or a shell command.

    `sql` are the texts as they stand in the source, unknown parts written as templates;
    `conn_ids` the connections the operator names; `operator` its class. `inlets` and `outlets`
    are those given as constants.
    """

    file: str
    dag_id: str
    task_id: str
    operator: str
    place: str
    entry: str = ""
    sql: tuple[str, ...] = ()
    command: str = ""
    conn_ids: tuple[str, ...] = ()
    inlets: tuple[DatasetKey, ...] = ()
    outlets: tuple[DatasetKey, ...] = ()


@dataclass(slots=True)
class Job:
    """A task with the values behind it; `parameters` are what its templates may name."""

    task: AirflowTask
    function: Value | None = None
    args: Sequence[Value] = ()
    kwargs: Mapping[str, Value] = field(default_factory=dict)
    returns: str = ""  # what the function's result is: "sql" or "command"
    parameters: Mapping[str, str] = field(default_factory=dict)


_SQL_OPTIONS = ("sql", "query", "hql", "preoperator", "sql_query", "select_query")


def entry_of(function: Function) -> str:
    """`file.py:function` or `file.py:Class.method`."""
    home = f"{function.home.name}." if function.home is not None else ""
    return f"{function.scope.module}:{home}{function.name}"


def argument_of(
    args: Sequence[Value], kwargs: Mapping[str, Value], position: int, name: str
) -> Value | None:
    if name in kwargs:
        return kwargs[name]
    return args[position] if position < len(args) else None


def conn_ids_of(given: Mapping[str, Value]) -> tuple[str, ...]:
    names = [name for name in given if name == "conn_id" or name.endswith("_conn_id")]
    return tuple(known for name in names if (known := plain(given[name])) is not None)


def with_datasets(task: AirflowTask, given: Mapping[str, Value]) -> AirflowTask:
    inlets, outlets = (_datasets(given.get(side)) for side in ("inlets", "outlets"))
    return replace(task, inlets=inlets, outlets=outlets)


def _datasets(given: Value | None) -> tuple[DatasetKey, ...]:
    listed = (elements(given) if given is not None else None) or []
    return tuple(dataset_from_url(url) for one in listed if (url := _url(one)) is not None)


def _url(value: Value) -> str | None:
    """The URL of an `Asset` or `Dataset`; a name alone is no place."""
    atom = only(value)
    if not isinstance(atom, Made) or last_name(atom.maker) not in {"Asset", "Dataset"}:
        return None
    uri = atom.kwargs.get("uri") or (atom.args[-1] if atom.args else None)
    known = plain(uri) if uri is not None else None
    return known if known is not None and "://" in known else None


def params_of(*holders: Mapping[str, Value]) -> dict[Plain, Value]:
    """The `params` of a DAG and its task, the later ones first; `Param(x)` is its default."""
    found: dict[Plain, Value] = {}
    for holder in holders:
        atom = only(holder["params"]) if "params" in holder else None
        for key, value in atom.items.items() if isinstance(atom, DictOf) else ():
            made = only(value)
            if isinstance(made, Made) and last_name(made.maker) == "Param":
                value = argument_of(made.args, made.kwargs, 0, "default") or value
            found[key] = value
    return found


def parameters_of(dag: Mapping[str, Value], task: Mapping[str, Value]) -> dict[str, str]:
    """What templates of a task may name: `params.name`, and the macros of its DAG that are
    plain values."""
    macros = only(dag["user_defined_macros"]) if "user_defined_macros" in dag else None
    named = {f"params.{key!s}": value for key, value in params_of(dag, task).items()}
    if isinstance(macros, DictOf):
        named.update({str(key): value for key, value in macros.items.items()})
    return {name: known for name, value in named.items() if (known := plain(value)) is not None}


def sql_of(given: Mapping[str, Value]) -> list[Value]:
    """The SQL of an operator: `sql=`, `query=`, or the job configuration of BigQuery."""
    found = [given[name] for name in _SQL_OPTIONS if name in given]
    value = given.get("configuration")
    for step in ("query", "query"):
        atom = only(value) if value is not None else None
        value = atom.items.get(step) if isinstance(atom, DictOf) else None
    return [*found, value] if value is not None else found


def texts_in(value: Value) -> list[str]:
    found: list[str] = []
    for atom in value.atoms:
        if isinstance(atom, ListOf):
            found.extend(text for item in atom.items for text in texts_in(item))
        else:
            found.extend(texts(Value((atom,), value.names)))
    return found

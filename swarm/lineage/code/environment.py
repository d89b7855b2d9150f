"""What variables of the environment and of orchestrators are."""

from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import Const, Unknown, Value, unknown

ENVIRONMENT = {
    "os.environ.get",
    "os.getenv",
    "os.environ.setdefault",
    "airflow.models.Variable.get",
    "airflow.models.variable.Variable.get",
    "airflow.sdk.Variable.get",
    "prefect.variables.Variable.get",
}


def environment(call: Call, parameters: Mapping[str, str], soft: bool) -> Value | None:
    """A variable of the environment: as told, else the program's own default."""
    key = call.argument(0, "key")
    name = plain(key) if key else None
    if name is None:
        return unknown("environment variable")
    if name in parameters:
        return Value((Const(parameters[name]),), (name,))
    default = call.argument(1, "default", "default_var")
    if default is None:
        return Value((Const(None),), (name,), soft)
    return Value(default.atoms, (name, *default.names), soft)


def from_environment(name: str, parameters: Mapping[str, str]) -> Value:
    """`os.environ[name]`."""
    if name in parameters:
        return Value((Const(parameters[name]),), (name,))
    return Value((Unknown(name),), (name,))

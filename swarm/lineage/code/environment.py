"""What variables of the environment and of orchestrators are, and settings like them."""

from collections.abc import Mapping

from swarm.lineage.code.call import Call
from swarm.lineage.code.configuration import tree_value
from swarm.lineage.code.program import Program
from swarm.lineage.code.texts import plain
from swarm.lineage.code.values import Const, External, Member, Unknown, Value, const, unknown
from swarm.lineage.configs.formats import read_as, read_variables

ENVIRONMENT = {
    "os.environ.get",
    "os.getenv",
    "os.environ.setdefault",
    "airflow.models.Variable.get",
    "airflow.models.variable.Variable.get",
    "airflow.sdk.Variable.get",
    "airflow.sdk.definitions.variable.Variable.get",
    "prefect.variables.Variable.get",
    "decouple.config",
}
_DOTENV = frozenset({"dotenv.load_dotenv", "dotenv.main.load_dotenv"})
_WIDGETS = frozenset({"text", "dropdown", "combobox", "multiselect"})


def environment(call: Call, parameters: Mapping[str, str], soft: bool) -> Value | None:
    """A variable of the environment: as told, else the program's own default."""
    key = call.argument(0, "key")
    name = plain(key) if key else None
    if name is None:
        return unknown("environment variable")
    if name in parameters:
        if call.argument(2, "deserialize_json") == const(True):
            return tree_value(read_as("json", parameters[name]))
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


def load_environment(call: Call, program: Program, parameters: dict[str, str]) -> Value | None:
    """`load_dotenv(path)`: a file of the environment, where one is given."""
    if not isinstance(call.function, External) or call.function.name not in _DOTENV:
        return None
    path = call.argument(0, "dotenv_path")
    known = (plain(path) if path is not None else None) or ".env"
    given = program.find_file(known, call.module, program.folder)
    if given is None:
        return None
    for name, value in read_variables(program.read(given)).items():
        parameters.setdefault(name, str(value))
    return const(True)


def of_settings(
    call: Call, parameters: Mapping[str, str], defaults: dict[str, Value]
) -> Value | None:
    """`spark.conf.get(name)` and `dbutils.widgets.get(name)`: a parameter, else its default.

    `defaults` keeps what the program itself sets before.
    """
    function = call.function
    holder = function.owner if isinstance(function, Member) else None
    if not isinstance(holder, Member) or holder.name not in {"conf", "widgets", "sparkContext"}:
        return None
    key = call.argument(0, "key", "name")
    name = plain(key) if key is not None else None
    if name is None:
        return None
    if call.name in _WIDGETS or call.name == "set":
        default = call.argument(1, "defaultValue", "value")
        if default is not None:
            defaults[name] = default
        return const(None)
    if call.name not in {"get", "getArgument", "getOrDefault"}:
        return None
    if name in parameters:
        return Value((Const(parameters[name]),), (name,))
    found = defaults.get(name) or call.argument(1, "default", "defaultValue")
    if found is None:
        return Value((Unknown(name),), (name,))
    return Value(found.atoms, (name, *found.names), True)

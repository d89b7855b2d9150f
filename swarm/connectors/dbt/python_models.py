"""What a Python model of dbt touches besides what it is given by `ref` and `source`.

dbt calls `model(dbt, session)` itself, so a starter calls it here: with a session of Spark, whose
calls Snowpark shares, and with a `dbt` that hands out nothing, for what it names is stated.
"""

from pathlib import PurePosixPath

from swarm.connectors.dbt.artifacts import Node
from swarm.lineage.code.entry import extract_code
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import Extraction

_STARTER = "swarm_starts_dbt_model.py"


def python_model(node: Node, context: SqlContext, place: str) -> Extraction | None:
    """What the program of `node` says; None where it is no Python."""
    if node.language != "python" or not node.raw_code:
        return None
    path = PurePosixPath(place).with_suffix(".py")
    dotted = ".".join(path.with_suffix("").parts)
    lines = (
        "import importlib",
        "from pyspark.sql import SparkSession",
        "class Dbt:",
        "    def ref(self, *names, **more): return None",
        "    def source(self, *names): return None",
        "    def config(self, **given): return None",
        f"module = importlib.import_module({dotted!r})",
        "module.model(Dbt(), SparkSession.builder.getOrCreate())",
    )
    sources = {str(path): node.raw_code, _STARTER: "\n".join(lines)}
    return extract_code(sources, _STARTER, CodeContext(default=context))

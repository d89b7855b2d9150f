"""Options of looks at dependencies, most of them without a running swarm: sources, a settings file,
how sure, which edge.
"""

from typing import Annotated, Any

import typer


def _source(metavar: str, what: str) -> Any:
    return typer.Option(metavar=metavar, help=f"Look at this {what}; may be given again.")


AirflowOption = Annotated[list[str] | None, _source("[NAME=]URL", "Airflow")]
DagsterOption = Annotated[list[str] | None, _source("[NAME=]URL", "Dagster")]
PrefectOption = Annotated[list[str] | None, _source("[NAME=]URL", "Prefect")]
ManifestOption = Annotated[list[str] | None, _source("[NAME=]FILE", "manifest, its `runs` too")]
ExplainOption = Annotated[
    str | None,
    typer.Option(
        "--explain",
        metavar="EDGE",
        help="Tell instead why there is, or is no, dependency: 'WRITER -> READER [through "
        "DATASET]', each a pipeline or orchestrator/pipeline/task.",
    ),
]
MinConfidenceOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Leave out dependencies that are less sure.")
]


def settings_file(told: str) -> Any:
    """A settings file to read, `-c` or SWARM_CONFIG, with `told` as its help."""
    return typer.Option(
        "--config",
        "-c",
        envvar="SWARM_CONFIG",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help=told,
    )

"""Sources named on the command line, for looks at them without a running swarm."""

from typing import Annotated, Any

import typer


def _source(metavar: str, what: str) -> Any:
    return typer.Option(metavar=metavar, help=f"Look at this {what}; may be given again.")


AirflowOption = Annotated[list[str] | None, _source("[NAME=]URL", "Airflow")]
DagsterOption = Annotated[list[str] | None, _source("[NAME=]URL", "Dagster")]
PrefectOption = Annotated[list[str] | None, _source("[NAME=]URL", "Prefect")]
ManifestOption = Annotated[list[str] | None, _source("[NAME=]FILE", "manifest, its `runs` too")]
MinConfidenceOption = Annotated[
    float | None, typer.Option(min=0, max=1, help="Leave out dependencies that are less sure.")
]

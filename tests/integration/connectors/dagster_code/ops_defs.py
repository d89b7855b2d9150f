"""A second location with a job of the same name as one of the first."""

import dagster as dg


@dg.op
def vacuum() -> None:
    return None


@dg.job
def ingest() -> None:
    vacuum()


defs = dg.Definitions(jobs=[ingest])

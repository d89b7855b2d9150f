"""A DAG file that Airflow cannot load."""

import a_module_that_is_not_there  # noqa: F401

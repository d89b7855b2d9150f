"""The views of Oracle, PostgreSQL and Redshift that tell about the database itself, and hold no
data of its users."""

import re
from collections.abc import Sequence

_KINDS = frozenset(("all", "user", "dba", "cdb"))
_FIXED = ("v$", "gv$", "v_$", "gv_$", "x$")
# fmt: off
_VIEWS = frozenset({
    "col_comments", "cons_columns", "constraints", "data_files", "db_links", "dependencies",
    "directories", "errors", "extents", "external_locations", "external_tables", "free_space",
    "ind_columns", "ind_partitions", "ind_statistics", "indexes", "jobs", "lobs", "mview_logs",
    "mviews", "objects", "part_tables", "plsql_objects", "procedures", "recyclebin", "role_privs",
    "roles", "scheduler_job_run_details", "scheduler_jobs", "segments", "sequences", "snapshots",
    "source", "synonyms", "sys_privs", "tab_cols", "tab_columns", "tab_comments",
    "tab_modifications", "tab_partitions", "tab_privs", "tab_statistics", "tab_subpartitions",
    "tables", "tablespaces", "temp_files", "trigger_cols", "triggers", "ts_quotas", "types",
    "updatable_columns", "users", "views",
})
# fmt: on
# PostgreSQL keeps names that begin with pg_ for itself.
_POSTGRES = ("pg_",)
_REDSHIFT = re.compile(
    r"(?:pg|stl|svl|stv|svv|svcs)_|sys_(?:analyze|auto|child|connection|copy|data|external|"
    r"integration|load|mv|procedure|query|restore|schema|serverless|session|spatial|stream|"
    r"table|transaction|udf|unload|userlog|vacuum)"
)


def is_dictionary(parts: Sequence[str], dialect: str) -> bool:
    """Whether the name, in small letters, is that of such a view."""
    if dialect == "oracle":
        return _is_of_oracle(parts[-1])
    if len(parts) > 1:
        return False
    if dialect == "postgres":
        return parts[0].startswith(_POSTGRES)
    return dialect == "redshift" and _REDSHIFT.match(parts[0]) is not None


def _is_of_oracle(name: str) -> bool:
    kind, _, view = name.partition("_")
    return name.startswith(_FIXED) or (kind in _KINDS and view in _VIEWS)

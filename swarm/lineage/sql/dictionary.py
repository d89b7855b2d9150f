"""The views of Oracle that tell about the database itself, and hold no data of its users."""

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


def is_dictionary(name: str) -> bool:
    """Whether `name`, in small letters and without its schema, is such a view."""
    kind, _, view = name.partition("_")
    return name.startswith(_FIXED) or (kind in _KINDS and view in _VIEWS)

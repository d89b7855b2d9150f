"""The views of Oracle, PostgreSQL and Redshift that tell about the database itself, and hold no
data of its users."""

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
# Redshift's, without the first word of their names: people name tables stv_x and sys_x, too.
# fmt: off
_REDSHIFT = {
    "sys": frozenset({
        "analyze_compression_history", "analyze_history", "applied_masking_policy_log",
        "auto_table_optimization", "automatic_optimization", "child_query_text",
        "connection_log", "copy_job", "copy_job_detail", "copy_job_info", "copy_replacements",
        "datashare_change_log", "datashare_cross_region_usage", "datashare_usage_consumer",
        "datashare_usage_producer", "external_query_detail", "external_query_error",
        "extra_compute_for_automatic_optimization", "integration_activity",
        "integration_table_activity", "integration_table_state_change", "load_detail",
        "load_error_detail", "load_history", "mv_refresh_history", "mv_state", "procedure_call",
        "procedure_messages", "query_detail", "query_explain", "query_history", "query_text",
        "redshift_template_usage_history", "restore_log", "restore_state",
        "schema_quota_violations", "serverless_usage", "session_history", "spatial_simplify",
        "stream_scan_errors", "stream_scan_states", "transaction_history", "udf_log",
        "unload_detail", "unload_history", "userlog", "vacuum_history",
    }),
    "stl": frozenset({
        "aggr", "alert_event_log", "analyze", "analyze_compression", "bcast", "commit_stats",
        "connection_log", "ddltext", "delete", "disk_full_diag", "dist", "error", "explain",
        "file_scan", "hash", "hashjoin", "insert", "limit", "load_commits", "load_errors",
        "loaderror_detail", "merge", "mergejoin", "mv_state", "nestloop", "parse",
        "plan_info", "project", "query", "query_metrics", "querytext", "replacements",
        "restarted_sessions", "return", "s3client", "s3client_error", "save", "scan",
        "schema_quota_violations", "sessions", "sort", "sshclient_error", "stream_segs",
        "tr_conflict", "undone", "unique", "unload_log", "usage_control", "userlog", "utilitytext",
        "vacuum", "warning", "window", "wlm_error", "wlm_query", "wlm_rule_action", "print_log",
    }),
    "svl": frozenset({
        "auto_worker_action", "compile", "concurrency_scaling_usage", "datashare_change_log",
        "datashare_usage_consumer", "datashare_usage_producer", "federated_query",
        "multi_statement_violations", "mv_refresh_status", "qerror", "qlog",
        "query_concurrency_scaling_status", "query_metrics", "query_metrics_summary",
        "query_queue_info", "query_report", "query_summary", "restore_alter_table_progress",
        "s3catalog", "s3list", "s3log", "s3partition", "s3partition_summary", "s3query",
        "s3query_summary", "s3retries", "s3requests", "spatial_simplify", "spectrum_scan_error",
        "statementtext", "stored_proc_call", "stored_proc_messages", "terminate", "udf_log",
        "user_info", "vacuum_percentage",
    }),
    "stv": frozenset({
        "active_cursors", "block_reps", "blocklist", "cursor_configuration",
        "db_isolation_level", "exec_state", "inflight", "load_state", "locks",
        "ml_model_info", "mv_deps", "mv_info", "node_storage_capacity", "partitions",
        "proc_stats", "query_metrics", "recents", "sessions", "slices", "startup_recovery_state",
        "tbl_perm", "tbl_trans", "underrepped_blocks", "wlm_classification_config",
        "wlm_qmr_config", "wlm_query_queue_state", "wlm_query_state", "wlm_query_task_state",
        "wlm_service_class_config", "wlm_service_class_state", "xrestore_alter_queue_state",
    }),
    "svv": frozenset({
        "active_cursors", "all_columns", "all_schemas", "all_tables", "alter_table_recommendations",
        "attached_masking_policy", "columns", "column_privileges", "copy_job_integrations",
        "data_masking_policies", "database_privileges", "datashare_consumers",
        "datashare_objects", "datashare_privileges", "datashares", "default_privileges",
        "diskusage", "external_columns", "external_databases", "external_partitions",
        "external_schemas", "external_tables", "function_privileges", "geography_columns",
        "geometry_columns", "iam_privileges", "identity_providers", "identity_role_mappings",
        "integration", "integration_table_mapping", "integration_table_state",
        "interleaved_columns", "language_privileges", "masking_policy", "ml_model_info",
        "ml_model_privileges", "mv_dependency", "mv_info", "query_inflight", "query_state",
        "redshift_columns", "redshift_databases", "redshift_functions", "redshift_schema_quota",
        "redshift_schemas", "redshift_tables", "relation_privileges",
        "restore_table_state", "rls_applied_policy", "rls_attached_policy", "rls_policy",
        "rls_relation", "role_grants", "roles", "schema_privileges", "schema_quota_state",
        "sem_usage", "sem_usage_leader", "system_privileges", "table_info", "tables",
        "transactions", "user_grants", "user_info", "vacuum_progress", "vacuum_summary",
    }),
    "svcs": frozenset({
        "alert_event_log", "compile", "concurrency_scaling_usage", "explain", "plan_info",
        "query_summary", "s3list", "s3log", "s3partition_summary", "s3query", "s3query_summary",
        "stream_segs", "unload_log",
    }),
}
# Schemas and catalogs of the server itself, by dialect.
_EVERYWHERE = frozenset({"information_schema", "pg_catalog", "performance_schema"})
_SCHEMAS = {
    "": frozenset({"sys", "mysql", "system"}),
    "mysql": frozenset({"mysql", "sys"}),
    "tsql": frozenset({"sys"}),
    "fabric": frozenset({"sys"}),
    "oracle": frozenset({"sys", "system"}),
    "clickhouse": frozenset({"system"}),
    "trino": frozenset({"system"}),
    "presto": frozenset({"system"}),
    "athena": frozenset({"system"}),
    "databricks": frozenset({"system"}),
}
# fmt: on
_WITH_CATALOG = frozenset({"trino", "presto", "athena", "databricks"})
SPECIAL_SCHEMAS = _EVERYWHERE.union(*_SCHEMAS.values())
"""All of them, whatever the dialect."""


def is_of_dictionary(parts: Sequence[str], dialect: str) -> bool:
    """Whether the name, in small letters, lies in a schema in which the server tells of itself.

    A catalog may have such a name, too: `mysql.shop.orders` of Trino is a table.
    """
    around = parts[:-1]
    own = _SCHEMAS.get(dialect, frozenset())
    is_catalog = dialect in _WITH_CATALOG and around[:1] == ["system"]
    return not _EVERYWHERE.isdisjoint(around) or is_catalog or around[-1] in own


def is_dictionary(parts: Sequence[str], dialect: str) -> bool:
    """Whether the name, in small letters, is that of such a view."""
    if parts[-1].startswith("information_schema."):
        return True
    if dialect == "oracle":
        return _is_of_oracle(parts[-1])
    if len(parts) > 1:
        return False
    if dialect == "postgres":
        return parts[0].startswith(_POSTGRES)
    if dialect != "redshift":
        return False
    kind, _, view = parts[0].partition("_")
    return kind == "pg" or view in _REDSHIFT.get(kind, ())


def _is_of_oracle(name: str) -> bool:
    kind, _, view = name.partition("_")
    return name.startswith(_FIXED) or (kind in _KINDS and view in _VIEWS)

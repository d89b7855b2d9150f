"""The code location: which jobs there are and when they run."""

import dagster as dg
from crm_assets import churn, customer_360, web_sessions
from ops_assets import late_orders, shipments, supplier_scores
from reports import pulse, quality_checks, revenue_report

ASSETS = [shipments, late_orders, supplier_scores, web_sessions, customer_360, churn]
CRONS = {
    "shipments_job": ("30 4 * * *", [shipments, late_orders]),
    "suppliers_job": ("0 5 * * 1", [supplier_scores]),
    "web_job": ("15 * * * *", [web_sessions]),
    "customer_360_job": ("0 5 * * *", [customer_360]),
    "churn_job": ("30 5 * * *", [churn]),
}
JOBS = {
    name: dg.define_asset_job(name, selection, executor_def=dg.in_process_executor)
    for name, (_, selection) in CRONS.items()
}

defs = dg.Definitions(
    assets=dg.with_source_code_references(ASSETS),
    jobs=[*JOBS.values(), revenue_report, quality_checks, pulse],
    schedules=[
        *(
            dg.ScheduleDefinition(name=f"{name}_schedule", job=JOBS[name], cron_schedule=cron)
            for name, (cron, _) in CRONS.items()
        ),
        dg.ScheduleDefinition(job=revenue_report, cron_schedule="30 6 * * *"),
        dg.ScheduleDefinition(job=pulse, cron_schedule="30 6 * * *"),
    ],
)

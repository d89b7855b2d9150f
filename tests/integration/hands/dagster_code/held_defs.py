"""Jobs that start every minute, for the tests of a hand."""

import dagster as dg

MINUTES = "* * * * *"
RUNNING = dg.DefaultScheduleStatus.RUNNING


@dg.op
def work() -> None:
    return None


def make(name: str) -> dg.JobDefinition:
    @dg.job(name=name)
    def job() -> None:
        work()

    return job


released = make("released")


@dg.schedule(
    job=released, cron_schedule=MINUTES, default_status=RUNNING, execution_timezone="Asia/Kolkata"
)
def released_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """What a run is told comes from its tick."""
    return dg.RunRequest(tags={"tick": context.scheduled_execution_time.isoformat()})


others = [make(name) for name in ("runs_out", "freed", "killed", "left_out", "goes_on", "skips")]
unscheduled = make("triggered")

defs = dg.Definitions(
    jobs=[released, *others, unscheduled],
    schedules=[
        released_schedule,
        *(
            dg.ScheduleDefinition(job=job, cron_schedule=MINUTES, default_status=RUNNING)
            for job in others
        ),
    ],
)

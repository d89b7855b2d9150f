"""Runs inside Prefect's environment: makes the pool, the queues and the deployments."""

import asyncio
from pathlib import Path

import lake_flows
from prefect import get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    WorkPoolCreate,
    WorkPoolUpdate,
)
from prefect.client.schemas.schedules import CronSchedule

POOL = "lake-pool"
SCHEDULES = {"visits": "0 4 * * *"}


async def main() -> None:
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        await client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=4))
        await client.create_work_queue(
            "backfill", work_pool_name=POOL, priority=9, concurrency_limit=1
        )
        for flow in (lake_flows.visits, lake_flows.assets, lake_flows.failing, lake_flows.nested):
            cron = SCHEDULES.get(flow.name)
            schedule = CronSchedule(cron=cron, timezone="UTC") if cron else None
            await client.create_deployment(
                flow_id=await client.create_flow(flow),
                name="lab",
                work_pool_name=POOL,
                work_queue_name="default",
                entrypoint=f"lake_flows.py:{flow.fn.__name__}",
                path=str(Path(__file__).parent),
                enforce_parameter_schema=False,
                tags=["lab", "team:web"],
                schedules=[DeploymentScheduleCreate(schedule=schedule)] if schedule else None,
            )


asyncio.run(main())

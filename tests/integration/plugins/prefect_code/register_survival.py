"""Runs inside Prefect's environment: makes a deployment of every flow of the tests."""

import asyncio
import os
import sys
from pathlib import Path

import survival
from prefect import get_client


async def main(pool: str) -> None:
    async with get_client() as client:
        for flow in survival.FLOWS:
            await client.create_deployment(
                flow_id=await client.create_flow(flow),
                name="test",
                work_pool_name=pool,
                entrypoint=f"survival.py:{flow.fn.__name__}",
                path=str(Path(__file__).parent),
                enforce_parameter_schema=False,
                job_variables={"env": {"TEST_NOTES": os.environ["TEST_NOTES"]}},
            )


asyncio.run(main(sys.argv[1]))

"""A line of the log is an object that machines read."""

import json
import subprocess
import sys

SCRIPT = """
import asyncio, structlog
from swarm.telemetry import caused_by, log_as_json
log_as_json()
log = structlog.get_logger()

async def follow(cause):
    caused_by(cause)
    await asyncio.sleep(0)
    log.warning("a pass", source="airflow")

async def main():
    await asyncio.gather(follow("one"), follow("two"))
    log.info("all is done")
    token = "sesame"
    try:
        {}["key"]
    except KeyError as fault:
        log.error("it ended", exc_info=fault)

asyncio.run(main())
"""


def test_it_carries_its_cause_and_its_fault():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, two, last, fault = map(json.loads, done.stdout.splitlines())
    assert [(line["event"], line["cause_id"]) for line in (one, two)] == [
        ("a pass", "one"),
        ("a pass", "two"),
    ]
    assert (one["level"], one["source"]) == ("warning", "airflow")
    assert one["timestamp"].endswith("Z")
    assert "cause_id" not in last
    assert fault["exception"][0]["exc_type"] == "KeyError"
    assert fault["exception"][0]["frames"][-1]["name"] == "main"
    assert "sesame" not in done.stdout, "what variables held is nobody's business"

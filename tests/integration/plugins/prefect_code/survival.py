"""Flows of the tests. Each notes when its code runs, and under which grant, by flow run."""

import atexit
import os
import time
from pathlib import Path

from prefect import flow, runtime, task

GRANT = int(os.environ.get("SWARM_GRANT", "0"))
FOLDER = Path(os.environ.get("TEST_NOTES", "."))
STUCK_S = 300


def note(word):
    with (FOLDER / str(runtime.flow_run.id)).open("a") as notes:
        notes.write(f"{word} {GRANT}\n")


@task
def work():
    note("task")


@flow
def outlives():
    """Its first worker has to die; then it ends."""
    note("flow")
    work()
    if GRANT == 1:
        time.sleep(STUCK_S)


@flow(retries=1)
def fails_once_after_a_loss():
    note("flow")
    if GRANT == 1:
        time.sleep(STUCK_S)
    if len((FOLDER / str(runtime.flow_run.id)).read_text().splitlines()) == 2:
        raise ValueError("as the test wants")


@flow
def lingers():
    """Its run is over, its process is not."""
    note("flow")
    if GRANT == 1:
        atexit.register(time.sleep, STUCK_S)


@flow
def waits():
    """Until it is told to go on."""
    note("flow")
    deadline_s = time.monotonic() + STUCK_S
    while not (FOLDER / "go").exists() and time.monotonic() < deadline_s:
        time.sleep(0.1)


def at_cancellation(flow, flow_run, state):
    note("hook")


@flow(on_cancellation=[at_cancellation])
def is_cancelled():
    note("flow")
    time.sleep(STUCK_S)


@flow
def dies():
    note("flow")
    os._exit(7)


FLOWS = (outlives, fails_once_after_a_loss, lingers, waits, is_cancelled, dies)

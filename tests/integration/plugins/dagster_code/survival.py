"""Jobs of the tests. Each op notes when its code runs, and under which grant, by run."""

import atexit
import os
import time
from pathlib import Path

from dagster import (
    Definitions,
    In,
    Nothing,
    RetryPolicy,
    in_process_executor,
    job,
    op,
)

from swarm.plugins.dagster.steps import swarm_executor

GRANT = int(os.environ.get("SWARM_GRANT", "0"))
FOLDER = Path(os.environ.get("TEST_NOTES", "."))
STUCK_S = 300
AFTER = {"after": In(Nothing)}


def note(context, word):
    with (FOLDER / context.run_id).open("a") as notes:
        notes.write(f"{word} {GRANT}\n")


def stuck_at_first(context):
    """This op's first worker has to die."""
    if GRANT == 1:
        time.sleep(STUCK_S)


@op
def first(context) -> int:
    note(context, "first")
    return 40


@op
def second(context, number: int) -> int:
    note(context, "second")
    stuck_at_first(context)
    return number + 2


@op
def third(context, number: int) -> None:
    note(context, f"third:{number}")


@op(retry_policy=RetryPolicy(max_retries=1))
def fails_once_after_a_loss(context) -> None:
    note(context, f"try:{context.retry_number}")
    if context.retry_number == 0:
        stuck_at_first(context)
        raise ValueError("as the test wants")


@op
def lingers(context) -> int:
    """The step is over, its process is not."""
    note(context, "lingers")
    atexit.register(stuck_at_first, context)
    return 1


@op
def sleeps(context) -> None:
    note(context, "sleeps")
    time.sleep(STUCK_S)


@op(tags={"swarm/cpu": "64", "swarm/wait_for_capacity": "true"})
def too_large(context) -> None:
    note(context, "too_large")


@op(tags={"swarm/cpu": "64"})
def refused(context) -> None:
    note(context, "refused")


@op
def dies(context) -> None:
    note(context, "dies")
    os._exit(7)


@job
def three_steps():
    third(second(first()))


@job
def retried():
    fails_once_after_a_loss()


@job
def plain():
    third(first())


@job
def lingering():
    third(lingers())


@job
def stopped():
    sleeps()
    too_large()


@job
def dying():
    dies()


@job
def asking_too_much():
    refused()


@job(executor_def=in_process_executor)
def whole():
    third(second(first()))


defs = Definitions(
    jobs=[three_steps, plain, retried, lingering, stopped, dying, asking_too_much, whole],
    executor=swarm_executor,
)

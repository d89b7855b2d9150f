"""What the benchmark of dispatch calls: a module of its own, so that it is quick to import."""

import time


def noop() -> None:
    """Nothing."""


def sleep() -> None:
    """10 ms."""
    time.sleep(0.01)

"""The file that a task prints into. Standard library only: it is opened beside the task."""

import fcntl
import os
from typing import IO


def open_output(path: str) -> IO[bytes]:
    """A new file that stays locked until the last process that prints into it is gone; under its
    name it is never seen unlocked before that."""
    folder, name = os.path.split(path)
    making = os.path.join(folder, "." + name)
    output = open(making, "ab", buffering=0)  # noqa: SIM115  # the caller closes it
    fcntl.flock(output, fcntl.LOCK_SH)
    os.replace(making, path)
    return output

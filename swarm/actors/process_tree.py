"""The processes below this one, what they use, and their end. Standard library only.

Who calls this is the subreaper of its tree (prctl(2)): whatever loses its parent becomes its child.
"""

import contextlib
import os
import signal
import time
from collections.abc import Sequence

_PAGE = os.sysconf("SC_PAGE_SIZE")
_AGAIN_S = 0.002
_LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def descendants() -> list[int]:
    """Every process below this one. What forks or ends meanwhile may be missing."""
    below_one = _children_of if _LISTS_CHILDREN else _by_parent().get
    found, waiting = [], [os.getpid()]
    while waiting:
        below = below_one(waiting.pop()) or []
        found += below
        waiting += below
    return found


def children(pid: int) -> list[int]:
    """Those directly below; nothing where the process is gone."""
    return _children_of(pid) if _LISTS_CHILDREN else _by_parent().get(pid, [])


def end_descendants() -> None:
    """Kill until nothing is left: what forks meanwhile is found in the next round. Whatever has no
    other parent any more is a child of ours, so without children there are no descendants."""
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        for pid in descendants():
            kill(pid)
        time.sleep(_AGAIN_S)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def memory_bytes(family: Sequence[int], enough: int) -> int:
    """What a family has in memory. Up to `enough` bytes, pages that several share may be counted
    for each of them; more than that is counted exactly, because it may be somebody's end."""
    resident = sum(map(resident_bytes, family))
    if len(family) < 2 or resident <= enough:
        return resident
    return sum(map(_proportional_bytes, family))


def resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def kills_for_memory() -> int:
    """How many processes the kernel has killed because memory ran out, there or in a group."""
    try:
        with open("/proc/vmstat", "rb") as vmstat:
            return next((int(line[9:]) for line in vmstat if line.startswith(b"oom_kill ")), 0)
    except OSError:
        return 0


def _proportional_bytes(pid: int) -> int:
    """A page that n processes share counts as its n-th part for each."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            line = next((line for line in rollup if line.startswith(b"Pss:")), b"")
            return int(line.split()[1]) * 1024 if line else resident_bytes(pid)
    except OSError:
        return resident_bytes(pid)


def _children_of(pid: int) -> list[int]:
    """By the kernel's own lists, one for each thread: costs what the family is large."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended while we looked
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as children:
                found += map(int, children.read().split())
    return found


def _by_parent() -> dict[int, list[int]]:
    """Where the kernel keeps no such lists: all of /proc is read."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            parent = _parent(int(name))
            if parent is not None:
                parents.setdefault(parent, []).append(int(name))
    return parents


def _parent(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return None  # it ended while we looked

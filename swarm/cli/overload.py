"""The demo's third part: an agent with four items in progress runs out of memory and dies."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from swarm.cli.survival import PROMISED_AGAIN_S, PROMISED_SEEN_S
from swarm.cli.tasks import shown
from swarm.client import Client
from swarm.client.calls.tasks import TaskStory
from swarm.demo.checker import CAPABILITY, MEMORY_BYTES, SLOTS

# What is published of such a death: seen, its items moved, the agent replaced.
PUBLISHED_S = (3.2, 8.0, 24.0)
AGENT = "swarm.demo.checker:Checker"
_WITHIN_S = 90.0
_LOOK_S = 0.05

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Overload:
    """Seconds since the agent began to take what it may not: until its death was seen, until all
    its items ran in another agent, until a new agent was there."""

    seen_s: float
    moved_s: float
    replaced_s: float
    outcomes: frozenset[str]

    @property
    def kept(self) -> bool:
        """Was the promise kept?"""
        return (
            self.outcomes == {"succeeded"}
            and self.seen_s <= PROMISED_SEEN_S
            and max(self.moved_s, self.replaced_s) <= PROMISED_AGAIN_S
        )

    def told(self) -> str:
        """In a line, beside what is promised and published."""
        seen, moved, replaced = PUBLISHED_S
        return (
            f"An agent ran out of memory with {SLOTS} items in progress: seen after "
            f"{self.seen_s:.2f} s (promised {PROMISED_SEEN_S:.0f} s, published {seen} s), "
            f"the items ran in another after {self.moved_s:.2f} s (promised "
            f"{PROMISED_AGAIN_S:.0f} s, published {moved:g} s), a new agent was there after "
            f"{self.replaced_s:.2f} s "
            f"(published {replaced:g} s)"
        )


def overload(swarm: Client, folder: Path) -> Overload:
    """Two agents, of which the first has four items; one of these takes more memory than it may."""
    folder.mkdir(parents=True, exist_ok=True)
    for mark in folder.glob("overload.*"):  # of an earlier demo: its items would not wait
        mark.unlink()
    go = folder.resolve() / "overload.go"
    swarm.keep_agents(AGENT, 1, memory_bytes=MEMORY_BYTES)
    _until("the agent is there", lambda: _agents(swarm))
    items: list[dict[str, Any]] = [
        {"capability": CAPABILITY, "item": {"go": str(go), "hungry": number == 0}, "team": "demo"}
        for number in range(SLOTS)
    ]
    tasks = swarm.submit(items)
    for task in tasks:
        _until("the items run", lambda task=task: _state(swarm, task, "running"))  # type: ignore[misc]
    swarm.keep_agents(AGENT, 2, memory_bytes=MEMORY_BYTES)
    before = _until("there are two agents", lambda: _enough(swarm))
    go.touch()
    _until("a new agent is there", lambda: (now := _enough(swarm)) and now != before)
    replaced_at_s = time.time()
    stories = swarm.wait_all(tasks, _WITHIN_S)
    at_s = float(go.with_suffix(".at").read_text())
    swarm.keep_agents(AGENT, 0)
    lost_at_s = [
        line["at_s"]
        for story in stories
        for line in story["story"]
        if line["text"].startswith("grant 1 lost")
    ]
    moved_at_s = [float(swarm.output(task, 2)) for task in tasks]
    return Overload(
        seen_s=max(lost_at_s) - at_s,
        moved_s=max(moved_at_s) - at_s,
        replaced_s=replaced_at_s - at_s,
        outcomes=frozenset(story["state"] for story in stories),
    )


def _agents(swarm: Client) -> frozenset[str]:
    return frozenset(row["worker"] for row in swarm.workers() if CAPABILITY in row["capabilities"])


def _enough(swarm: Client) -> frozenset[str]:
    found = _agents(swarm)
    return found if len(found) == 2 else frozenset()


def _state(swarm: Client, task: str, *states: str) -> TaskStory | None:
    found = shown(swarm, task)
    return found if found is not None and found["state"] in states else None


def _until(what: str, look: Callable[[], T | None]) -> T:
    deadline_s = time.monotonic() + _WITHIN_S
    while not (found := look()):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {_WITHIN_S:.0f} s: {what}")
        time.sleep(_LOOK_S)
    return found

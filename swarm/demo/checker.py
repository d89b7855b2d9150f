"""The demo's agent. Its items wait for a file; then one of them takes more memory than there is."""

import time
from pathlib import Path
from typing import Any

from swarm.agents import Context, agent

CAPABILITY = "quality-check"
SLOTS = 4
MEMORY_BYTES = 150_000_000
_LOOK_S = 0.01


@agent(capability=CAPABILITY, slots=SLOTS)
class Checker:
    """Says when it begins an item; under a later grant than the first it ends at once."""

    def __init__(self) -> None:
        self._held: list[bytearray] = []

    def handle(self, item: dict[str, Any], context: Context) -> int:
        print(time.time(), flush=True)  # noqa: T201  # the output of the item
        go = Path(item["go"])
        while context.grant == 1:
            if go.exists() and item["hungry"]:
                go.with_suffix(".at").write_text(str(time.time()))
                self._held.append(bytearray(2 * MEMORY_BYTES))
            time.sleep(_LOOK_S)
        return context.grant

"""Brings what tasks print from the files of a node to where all can read it.

Rules
1. One process ships a folder, the others stand by: whatever a dead worker left goes with the rest.
2. Where an output stands is asked of the receiver, by a part that may be known there already.
3. A file goes when its end is there. Until then the disk keeps what is not shipped, and of an
   output that grows faster than it is shipped only the end.
4. Nothing else waits for it: not grants, not ends.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog

from swarm.actors.output_files import OutputFiles, held
from swarm.actors.ports import Outputs
from swarm.errors import StoreError
from swarm.model.outputs import DEFAULT, Output, Part

log = structlog.get_logger()

_LOOK_S = 0.1
_RETRY_S = 1.0
_PART_BYTES = 256 << 10
_PASS_BYTES = 1 << 20
_PASS_FILES = 1_000
_FREE_BYTES = 1 << 20  # given back to the disk at a time


@dataclass(slots=True)
class _Place:
    """How far one output is: what the receiver has, and what the disk has back."""

    shipped: int = 0
    freed: int = 0


@dataclass(slots=True)
class Shipper:
    """Ships one folder until its process ends."""

    files: OutputFiles
    outputs: Outputs
    _places: dict[Output, _Place] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            with held(self.files.folder) as alone:
                while alone:
                    await self._step()
            await asyncio.sleep(_RETRY_S)

    async def _step(self) -> None:
        try:
            shipped = await self.ship()
        except (OSError, StoreError) as fault:
            log.warning("output is not shipped, it waits on its node", fault=str(fault))
            await asyncio.sleep(_RETRY_S)
        else:
            await asyncio.sleep(0 if shipped >= _PASS_FILES else _LOOK_S)

    async def ship(self) -> int:
        """One pass over all that is there; how many parts went."""
        parts = await asyncio.to_thread(lambda: list(self._news()))
        if parts:
            known = await self.outputs.put(parts)
            await asyncio.to_thread(self._settle, parts, known)
        return len(parts)

    def _news(self) -> Iterator[Part]:
        left = _PASS_BYTES
        outputs = list(self.files.outputs())
        self._places = {one: self._places.get(one, _Place()) for one in outputs}
        # Who has had the least comes first: one that prints much does not keep the others waiting.
        outputs.sort(key=lambda one: self._places[one].shipped)
        for output in outputs[:_PASS_FILES]:
            at = self._places[output].shipped
            try:
                text, size, whole = self.files.read(output, at, min(left, _PART_BYTES))
                if size - at > DEFAULT.head_bytes + DEFAULT.tail_bytes:
                    at = size - DEFAULT.tail_bytes  # what is between would be left out there too
                    text, size, whole = self.files.read(output, at, min(left, _PART_BYTES))
            except FileNotFoundError:  # its call ended meanwhile and printed nothing
                continue
            left -= len(text)
            last = whole and at + len(text) == size
            if text or last:
                yield Part(output, at, text, last)
            if left <= 0:
                return

    def _settle(self, parts: list[Part], known: dict[Output, int]) -> None:
        for part in parts:
            if part.last and known[part.output] >= part.at + len(part.text):
                self.files.drop(part.output)
                continue
            place = self._places[part.output]
            place.shipped = max(place.shipped, known[part.output])
            if place.shipped - place.freed >= _FREE_BYTES:
                self.files.free(part.output, place.shipped)
                place.freed = place.shipped

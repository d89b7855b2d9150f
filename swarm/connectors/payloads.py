"""Where the payloads of an orchestrator meet their mapping: what a strange one costs.

An answer that as a whole is not the product's own ends the pass: a wrong URL, another version. One
strange row in an answer costs what it is about, and that is said; the rest goes on.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from swarm.errors import MalformedResponse
from swarm.model.lineage import Unresolved, UnresolvedReason

T = TypeVar("T")
Payload = Mapping[str, Any]

STRANGE = (KeyError, TypeError, ValueError, AttributeError)
"""What a mapping raises when a payload is not shaped as it expects."""


@dataclass(frozen=True, slots=True)
class Payloads:
    """Reads the answers of `instance`, which is a `product` (with its oldest known version)."""

    instance: str
    product: str

    def whole(self, read: Callable[..., T], *arguments: object) -> T:
        """Call a mapping of a whole answer; raises `MalformedResponse`."""
        try:
            return read(*arguments)
        except STRANGE as error:
            name = getattr(read, "__name__", "read")
            raise MalformedResponse(
                f"{self.instance}: the answer has not the known form ({name}: {error!r}); "
                f"is it {self.product} or later?"
            ) from error

    def sift(
        self,
        rows: Iterable[Payload],
        read: Callable[[Payload], object],
        place: str,
        pipeline: Callable[[Payload], object] = lambda row: None,
    ) -> tuple[list[Payload], list[Unresolved]]:
        """The rows that `read` can follow, and what to say of the others.

        `pipeline` gives the name of the pipeline that a row is about, if the row tells.
        """
        sound: list[Payload] = []
        strange: list[Unresolved] = []
        for row in rows:
            try:
                read(row)
            except STRANGE as error:
                name = pipeline(row) if isinstance(row, Mapping) else None
                strange.append(self.unresolved(name, place, error))
            else:
                sound.append(row)
        return sound, strange

    def unresolved(self, pipeline: object, place: str, error: Exception) -> Unresolved:
        """That something of a pipeline (of the instance, if none is named) was strange."""
        subject = f"{self.instance}/{pipeline}" if pipeline else self.instance
        detail = f"has not the form of {self.product} or later: {error!r}; only this was left out"
        return Unresolved(subject, UnresolvedReason.MALFORMED, place, detail)

"""Which SLAs there are, and who says so: the settings, people, and pipelines themselves. Of several
of one name the first of these counts."""

from collections.abc import Iterable, Iterator, Mapping

from swarm.model.graph import GraphRecord, PipelineGone, PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.sequencing import SlaAccepted, SlaDeclined
from swarm.model.sla import Origin, Sla, Terms
from swarm.sequencing.stated import stated_by


class Promised:
    """All SLAs by name."""

    def __init__(self, settings: Iterable[Sla]) -> None:
        self._settings = {sla.name: sla for sla in settings}
        self._accepted: dict[PipelineKey, SlaAccepted] = {}
        self._declined: dict[PipelineKey, SlaDeclined] = {}
        self._stated: dict[PipelineKey, tuple[Sla, ...]] = {}
        self._slas = dict(self._settings)

    def apply(self, record: GraphRecord | SlaAccepted | SlaDeclined) -> None:
        match record:
            case SlaAccepted(sla):
                self._declined.pop(sla.pipeline, None)
                self._accepted[sla.pipeline] = record
            case SlaDeclined(pipeline):
                self._accepted.pop(pipeline, None)
                self._declined[pipeline] = record
            case PipelineSeen(pipeline):
                stated = stated_by(pipeline)
                if stated == self._stated.get(pipeline.key, ()):
                    return
                self._stated[pipeline.key] = stated
            case PipelineGone(key):
                self._stated.pop(key, None)
            case _:
                return
        of_pipelines = (sla for slas in self._stated.values() for sla in slas)
        of_people = (one.sla for one in self._accepted.values())
        said = {sla.name: sla for sla in (*of_pipelines, *of_people)}
        self._slas = self._settings | {n: sla for n, sla in said.items() if n not in self._settings}

    @property
    def slas(self) -> Mapping[str, Sla]:
        """What is promised."""
        return self._slas

    @property
    def terms(self) -> Terms:
        """The same, and what was declined."""
        return Terms(tuple(self._slas.values()), frozenset(self._declined))

    def origin(self, sla: Sla) -> Origin:
        """Who says so."""
        if sla.name in self._settings:
            return Origin.SETTINGS
        accepted = self._accepted.get(sla.pipeline)
        is_accepted = accepted is not None and accepted.sla.name == sla.name
        return Origin.ACCEPTED if is_accepted else Origin.STATED

    def records(self) -> Iterator[SlaAccepted | SlaDeclined]:
        """What people said."""
        yield from self._accepted.values()
        yield from self._declined.values()

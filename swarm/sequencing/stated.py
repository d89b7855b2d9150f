"""The SLAs that pipelines state themselves: in the way of their orchestrator, which its connector
reads, or by a tag: `sla:07:30`, by the clock of a place `sla:07:30@Europe/Berlin`.

A tag that begins with `sla:` and has another form, or names a time zone that is not known, states
none: that is a finding, since who wrote it relies on it.
"""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from swarm.model.findings import Finding, FindingKind, finding_id, told
from swarm.model.graph import FindingChanged, GraphRecord, PipelineGone, PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level
from swarm.model.pipelines import Pipeline
from swarm.model.sla import Sla

_TAG = re.compile(r"sla:([01]\d|2[0-3]):([0-5]\d)(?:@(.+))?")
_MEANT = re.compile(r"sla\s*:", re.IGNORECASE)
_FORM = "write `sla:HH:MM` (UTC, `sla:07:30`) or `sla:HH:MM@PLACE` (`sla:07:30@Europe/Berlin`)"


def stated_by(pipeline: Pipeline) -> tuple[Sla, ...]:
    """Each once; those of its tags are for every day."""
    found = dict.fromkeys(sla for sla in pipeline.slas if is_zone(sla.timezone))
    for tag in pipeline.tags:
        match = _TAG.fullmatch(tag.strip())
        if match is None:
            continue
        hours, minutes, zone = match.groups("UTC")
        if is_zone(zone):
            found[Sla(pipeline.key, int(hours) * 3_600.0 + int(minutes) * 60.0, zone)] = None
    return tuple(found)


def is_zone(name: str) -> bool:
    """Is that a time zone?"""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


class Misstated:
    """The tags that were meant to state an SLA and do not."""

    def __init__(self) -> None:
        self._found: dict[PipelineKey, dict[str, str]] = {}
        self._open: dict[PipelineKey, dict[str, Finding]] = {}
        self._moved: set[PipelineKey] = set()

    def apply(self, record: GraphRecord) -> None:
        match record:
            case PipelineSeen(pipeline):
                self._put(pipeline.key, _wrongs(pipeline))
            case PipelineGone(key):
                self._put(key, {})
            case FindingChanged(finding) if finding.kind is FindingKind.MISSTATED_SLA:
                [key] = finding.pipelines
                known = self._open.setdefault(key, {})
                if finding.closed_at_s is None:
                    known[finding.id] = finding
                else:
                    known.pop(finding.id, None)
                if not known:
                    del self._open[key]
                self._moved.add(key)
            case _:
                pass

    def decide(self, now_s: float) -> list[FindingChanged]:
        """The tags to be told of, and those that were put right."""
        moved, self._moved = self._moved, set()
        news = []
        for key in sorted(moved):
            wrong = self._found.get(key, {}).items()
            holds = {
                one.id: one for one in (_finding(key, what, why, now_s) for what, why in wrong)
            }
            known = self._open.get(key, {})
            for name in sorted(known.keys() | holds.keys()):
                finding = told(known.get(name), holds.get(name), now_s)
                news += [FindingChanged(finding)] if finding is not None else []
        return news

    def find(self, name: str) -> Finding | None:
        """The finding of that id, where it is open here."""
        return next((of[name] for of in self._open.values() if name in of), None)

    def records(self) -> Iterator[FindingChanged]:
        """A snapshot of what is open."""
        for known in self._open.values():
            yield from map(FindingChanged, known.values())

    def _put(self, key: PipelineKey, found: dict[str, str]) -> None:
        if found:
            self._found[key] = found
        else:
            self._found.pop(key, None)
        if found or key in self._open:
            self._moved.add(key)


def _wrongs(pipeline: Pipeline) -> dict[str, str]:
    """What of a pipeline was meant to state an SLA and does not, and why."""
    tags = {f"tag `{tag}`": why for tag in pipeline.tags if (why := _wrong(tag))}
    odd = {sla.name: sla.timezone for sla in pipeline.slas if not is_zone(sla.timezone)}
    return tags | {f"deadline `{name}`": _no_zone(zone) for name, zone in odd.items()}


def _no_zone(name: str) -> str:
    return f"there is no time zone `{name}` here; {_FORM}"


def _wrong(tag: str) -> str:
    """Why a tag that was meant to state an SLA states none; empty for any other."""
    match = _TAG.fullmatch(tag.strip())
    if match is None:
        return _FORM if _MEANT.match(tag.strip()) else ""
    zone = match.group(3)
    return "" if zone is None or is_zone(zone) else _no_zone(zone)


def _finding(key: PipelineKey, what: str, why: str, now_s: float) -> Finding:
    kind = FindingKind.MISSTATED_SLA
    detail = f"its {what} states no SLA: {why}"
    name = finding_id(kind, str(key), what)
    return Finding(name, kind, (key,), (), Level.SHOW, now_s, now_s, detail=detail)

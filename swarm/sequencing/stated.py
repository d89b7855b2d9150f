"""The SLAs that pipelines state themselves: `sla:07:30` among their tags, `sla:07:30@Europe/Berlin`
by the clock of a place."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from swarm.model.pipelines import Pipeline
from swarm.model.sla import Sla

_TAG = re.compile(r"sla:([01]\d|2[0-3]):([0-5]\d)(?:@(.+))?")


def stated_by(pipeline: Pipeline) -> tuple[Sla, ...]:
    """Those of its tags, each once, every day; a tag of another form, or with a time zone that is
    not known, states none."""
    found: dict[Sla, None] = {}
    for tag in pipeline.tags:
        match = _TAG.fullmatch(tag.strip())
        if match is None:
            continue
        hours, minutes, zone = match.groups("UTC")
        if is_zone(zone):
            found[Sla(pipeline.key, int(hours) * 3_600.0 + int(minutes) * 60.0, zone)] = None
    return tuple(found)


def is_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True

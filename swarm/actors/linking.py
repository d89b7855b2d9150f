"""Links as settings and people give them."""

from collections.abc import Iterable, Sequence

from swarm.config import LinkRule
from swarm.model.keys import PipelineKey
from swarm.model.links import Grain, Link
from swarm.model.sequencing import LinkGone, LinkMade
from swarm.sequencing.links import Links

SETTINGS = "settings"


def link_of(rule: LinkRule, by: str, now_s: float) -> Link:
    """What `by` wants from now on."""
    return Link(
        tuple(map(PipelineKey.told, rule.upstreams)),
        PipelineKey.told(rule.downstream),
        Grain(rule.every),
        Grain(rule.per),
        rule.timezone,
        rule.shift_s,
        tuple(day.isoformat() for day in rule.holidays),
        by,
        now_s,
    )


def settled(links: Links, rules: Iterable[LinkRule], now_s: float) -> Sequence[LinkMade | LinkGone]:
    """What makes the links of the settings those that there are; people's own are left alone,
    unless the settings start the same pipeline."""
    wanted = {PipelineKey.told(rule.downstream): rule for rule in rules}
    gone = [
        LinkGone(awaited.link.downstream, SETTINGS)
        for awaited in links.awaited()
        if awaited.link.by == SETTINGS and awaited.link.downstream not in wanted
    ]
    made = []
    for downstream, rule in wanted.items():
        known = links.of(downstream)
        if known is None or known != link_of(rule, SETTINGS, known.made_at_s):
            made.append(LinkMade(link_of(rule, SETTINGS, now_s)))
    return [*gone, *made]

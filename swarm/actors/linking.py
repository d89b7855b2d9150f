"""Links as settings and people give them."""

from collections.abc import Iterable, Mapping, Sequence

from swarm.config import LinkRule
from swarm.errors import ConfigError, Rejected
from swarm.model.keys import PipelineKey
from swarm.model.links import Grain, Link
from swarm.model.sequencing import LinkGone, LinkMade
from swarm.sequencing.history import History
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
    wanted = _by_downstream(rules)
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


def refuse_rings(rules: Iterable[LinkRule]) -> None:
    """Raises `ConfigError` with the way round where the links of the settings go round by
    themselves. With links that people made there may be a ring all the same; it starts nothing."""
    links = Links(History())
    for rule in _by_downstream(rules).values():
        try:
            links.apply(links.made(link_of(rule, SETTINGS, 0.0)))
        except Rejected as error:
            raise ConfigError(f"settings: `links`: {error}") from None


def _by_downstream(rules: Iterable[LinkRule]) -> Mapping[PipelineKey, LinkRule]:
    """A pipeline has one link: the last that is said."""
    return {PipelineKey.told(rule.downstream): rule for rule in rules}

"""The links of the settings become those that there are."""

from swarm.actors.linking import settled
from swarm.config import LinkRule
from swarm.model.keys import PipelineKey
from swarm.model.links import Grain, Link
from swarm.model.sequencing import LinkGone, LinkMade
from swarm.sequencing.history import History
from swarm.sequencing.links import Links

A, B, C = (PipelineKey("air", name) for name in "abc")
RULE = LinkRule(upstreams=("air/a",), downstream="air/b", per="day", holidays=("2026-12-25",))


def written(links: Links, *rules: LinkRule, now_s: float = 10.0) -> list[LinkMade | LinkGone]:
    records = list(settled(links, rules, now_s))
    for record in records:
        links.apply(record)
    return records


def test_settings_are_followed_and_are_no_news_at_the_next_start() -> None:
    links = Links(History())
    made = Link((A,), B, per=Grain.DAY, holidays=("2026-12-25",), by="settings", made_at_s=10.0)
    assert written(links, RULE) == [LinkMade(made)]
    assert written(links, RULE, now_s=20.0) == []
    changed = RULE.model_copy(update={"per": "week"})
    assert [type(one) for one in written(links, changed, now_s=20.0)] == [LinkMade]
    assert written(links, now_s=30.0) == [LinkGone(B, "settings")]


def test_what_people_linked_stays_unless_the_settings_start_the_same_pipeline() -> None:
    links = Links(History())
    links.apply(LinkMade(Link((A,), C, by="ann")))
    links.apply(LinkMade(Link((A,), B, by="ann")))
    written(links, RULE)
    by = {told.link.downstream: told.link.by for told in links.awaited()}
    assert by == {B: "settings", C: "ann"}
    assert written(links) == [LinkGone(B, "settings")]

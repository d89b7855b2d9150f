"""What became of the findings of each kind of hazard, over HTTP."""

from swarm.model.findings import FindingKind, RuleWeek
from swarm.model.journal import RuleScored

WEEK_S = 7 * 86_400.0


async def test_kinds_say_how_right_they_were_and_whether_they_are_muted(api):
    assert await api.get("findings/score") == []
    weeks = RuleWeek(4 * 86_400.0, 0, 1, 2, 0), RuleWeek(4 * 86_400.0 + WEEK_S, 0, 0, 1, 1)
    good = (RuleWeek(4 * 86_400.0, 3, 1, 1, 0),)
    await api.deps.sequencer.write(
        [RuleScored(FindingKind.STALE_READ, good), RuleScored(FindingKind.RACE, weeks)]
    )
    race, stale = await api.get("findings/score")
    assert race == {
        "kind": "race",
        "came_true": 0,
        "acted_on": 1,
        "rejected": 3,
        "refuted": 1,
        "precision": 0.2,
        "muted": "only 1 of its last 5 findings came true or were acted on",
    }
    assert (stale["kind"], stale["precision"], stale["muted"]) == ("stale_read", 0.8, "")

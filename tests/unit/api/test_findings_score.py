"""What became of the findings of each kind of hazard, over HTTP."""

from swarm.model.findings import FindingKind, RuleWeek
from swarm.model.graph import FindingChanged
from swarm.model.sequencing import RuleScored
from tests.unit.alerts.builders import a_finding

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
        "confirmed": 0,
        "precision": 0.2,
        "muted": "only 1 of its last 5 findings came true or were acted on",
    }
    assert (stale["kind"], stale["precision"], stale["muted"]) == ("stale_read", 0.8, "")


async def test_a_thumb_counts_and_can_be_sent_again(api):
    finding = a_finding()
    await api.deps.sequencer.write([FindingChanged(finding)])
    body = {"right": False, "by": "ann"}
    for _ in range(2):
        answer = await api.http.post(f"findings/{finding.id}/feedback", json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    await api.deps.sequencer.write(api.deps.sequencer.state.hazards.decide(api.clock.now_s()))
    (row,) = await api.get("findings/score")
    assert (row["kind"], row["rejected"], row["precision"]) == ("stale_read", 1, 0.0)


async def test_what_is_not_open_cannot_be_rated(api):
    body = {"right": True, "by": "ann"}
    problem = await api.post("findings/none/feedback", body, status=404)
    assert "no hazard none is open" in problem["detail"]
    await api.post("findings/none/feedback", {"right": "perhaps"}, status=422)

"""How SLAs stand, and how right their warnings were."""

from dataclasses import replace

from swarm.actors.journaled import Journaled
from swarm.model.keys import PipelineKey
from swarm.model.sequencing import SlaChanged
from swarm.model.sla import Sla, SlaState, Standing, Week
from swarm.sequencing.promises import Promises
from swarm.sequencing.world import World

MONDAY_S = 20_003 * 86_400.0


def a_state(name: str, *weeks: Week) -> SlaState:
    at_s = MONDAY_S + 7 * 3_600
    return SlaState(Sla(PipelineKey("a", name), 25_200.0), at_s, Standing.AT_RISK, 0.9, weeks=weeks)


async def told(api, *states):
    promises = Promises(World(), ())
    journaled = Journaled(api.settings, "sequencing", promises, snapshot_every=100)
    await journaled.append([SlaChanged(state) for state in states], 1.0, "cause")
    api.see()


async def test_an_sla_says_when_it_was_first_warned_of(api):
    await told(api, replace(a_state("close"), warned_at_s=MONDAY_S + 6 * 3_600))
    [row] = await api.get("slas")
    assert (row["standing"], row["muted"]) == ("at_risk", "")
    assert row["warned_at_s"] == MONDAY_S + 6 * 3_600


async def test_warnings_are_scored_by_week_and_by_sla(api):
    before = Week(MONDAY_S - 7 * 86_400, 7, 5, 1, 1, (1_800.0,))
    now = Week(MONDAY_S, 1, 0, 0, 1, ())
    await told(api, a_state("close", before, now), a_state("export", before._replace(right=4)))
    found = await api.get("slas/score")
    assert [(week["starts_s"], week["warned"], week["right"]) for week in found["weeks"]] == [
        (before.starts_s, 10, 5),
        (now.starts_s, 0, 0),
    ]
    assert [week["precision"] for week in found["weeks"]] == [0.5, None]
    close, export = found["rules"]
    assert (close["name"], close["muted"]) == (
        "a/close by 07:00 UTC",
        "only 1 of its last 5 warnings came true",
    )
    assert (close["recall"], close["lead_s"]) == (0.5, 1_800.0)
    assert export["muted"] == ""

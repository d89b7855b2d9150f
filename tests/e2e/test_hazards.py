"""A stale read that only the runs show: told while swarm runs, and still so after a kill."""

import os
import signal

from tests.e2e.test_up import actor_process, eventually

DAY_S, FIVE_S, SIX_S = 86_400, 5 * 3_600, 6 * 3_600


def run(pipeline, day, at_s, took_s):
    began_s = day * DAY_S + at_s
    return {
        "pipeline": pipeline,
        "run_id": f"{pipeline}-{day}",
        "state": "succeeded",
        "started_at_s": began_s,
        "ended_at_s": began_s + took_s,
    }


def mornings(days, late):
    """The export takes half an hour from five on, two hours when late; the close begins at six."""
    for day in days:
        yield run("crm_export", day, FIVE_S, 7_200 if day in late else 1_800)
        yield run("finance_close", day, SIX_S, 600)


def stale(swarm):
    return [row for row in swarm.client.findings() if row["kind"] == "stale_read"]


def counted(swarm, seen):
    found = stale(swarm)
    return found if found and found[0]["hazard"]["seen"] == seen else None


def test_a_stale_read_is_counted_across_a_kill_of_the_sequencer(swarm):
    swarm.client.push("manifest", runs=list(mornings(range(20_000, 20_030), late={20_003})))
    [found] = eventually(lambda: counted(swarm, 1))
    assert [key["pipeline"] for key in found["pipelines"]] == ["crm_export", "finance_close"]
    assert found["hazard"]["of"] == 30
    assert found["hazard"]["behind"] == 2  # the board's deck is made of it
    victim = actor_process(swarm, "SequencerActor")
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait(10)
    swarm.client.push("manifest", runs=list(mornings([20_030], late={20_030})))
    [again] = eventually(lambda: counted(swarm, 2))
    assert (again["id"], again["first_seen_s"]) == (found["id"], found["first_seen_s"])
    shown = swarm.cli("findings").stdout
    assert "finance_close read what was not new from manifest/crm_export on 2 of 31 runs" in shown
    assert "Start manifest/finance_close when manifest/crm_export is done" in shown

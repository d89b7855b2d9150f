"""A reader is held while its data is not there, whoever dies, and a person's word counts."""

import os
import signal
import time

import pytest

from swarm.sequencing.holds import LEAD_S
from tests.e2e.test_hazards import DAY_S, is_the_read, one_run
from tests.e2e.test_up import actor_process, eventually

pytestmark = pytest.mark.parametrize("swarm", ["postgres"], indirect=True)
MIN_S = 60


def holds(swarm):
    """What is held; the close may be promoted besides, for its SLA."""
    return [row for row in swarm.client.decisions() if row["act"] == "hold"]


def held(swarm):
    return [row["pipeline"] for row in holds(swarm)]


def test_a_reader_is_held_until_its_data_is_there_across_a_kill_of_the_sequencer(swarm):
    """Each day the export begins an hour before the close and takes half an hour; today it is under
    way when the close is about to begin."""
    [read] = eventually(lambda: [e for e in swarm.client.dependencies() if is_the_read(e)])
    swarm.client.judge(read, "accepted", by="test")
    begins_s = time.time() + LEAD_S - 5
    days = [begins_s - ago * DAY_S for ago in range(28, 0, -1)]
    runs = [
        one_run(pipeline, at_s - before_s, 30 * MIN_S)
        for at_s in days
        for pipeline, before_s in (("crm_export", 60 * MIN_S), ("finance_close", 0))
    ]
    under_way = one_run("crm_export", begins_s - 60 * MIN_S, None)
    swarm.client.push("manifest", runs=[*runs, under_way])
    eventually(lambda: held(swarm) == ["manifest/finance_close"])
    [row] = holds(swarm)
    assert (row["act"], row["mode"], row["by"]) == ("hold", "gate", "swarm")
    assert row["waits_for"] == ["manifest/crm_export"]
    assert "waits for manifest/crm_export (under way since" in row["reason"]
    victim = actor_process(swarm, "SequencerActor")
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait(180)
    done = one_run("crm_export", begins_s - 60 * MIN_S, 58 * MIN_S)
    swarm.client.push("manifest", runs=[done])
    eventually(lambda: held(swarm) == [])
    [last] = swarm.client.decisions(every=True)
    assert last["number"] > row["number"]
    assert last["reason"] == "manifest/crm_export is there" or last["act"] == "promote"


def test_a_person_holds_and_releases(swarm):
    done = swarm.cli("hold", "manifest/board_deck", "--for", "10m")
    assert done.returncode == 0, done.stderr
    eventually(lambda: held(swarm) == ["manifest/board_deck"])
    assert "hold     manifest/board_deck until" in swarm.cli("decisions").stdout
    done = swarm.cli("release", "manifest/board_deck")
    assert done.returncode == 0, done.stderr
    eventually(lambda: held(swarm) == [])
    again = swarm.cli("release", "manifest/board_deck")
    assert "manifest/board_deck is not held" in again.stderr

"""What is held waits, on swarm's own workers and elsewhere; what is linked starts."""

import time

import httpx2 as httpx
import pytest

from tests.e2e.test_tasks import in_state, story
from tests.e2e.test_up import eventually

pytestmark = pytest.mark.parametrize("swarm", ["shared"], indirect=True)
DECK = "manifest/board_deck"


def waits_for(swarm, task, reason):
    return eventually(lambda: (found := story(swarm, task))["waiting"] == reason and found)


def asked(swarm):
    headers = {"Authorization": f"Bearer {swarm.token}"}
    return httpx.get(f"{swarm.url}/api/v1/holds/{DECK}", headers=headers, timeout=60).json()


def test_a_held_run_waits_until_it_is_released(swarm):
    held = swarm.cli("hold", DECK, "--for", "1h")
    assert held.returncode == 0, held.stderr
    # Nothing could run this one, so it is there to see when the dispatcher has heard of the hold.
    probe = {"argv": ["true"], "pool": "nowhere", "wait_for_capacity": True}
    swarm.client.submit([{"id": "probe", "pipeline": DECK, "run": "r0", **probe}])
    waits_for(swarm, "probe", "held")
    swarm.client.submit([{"id": "held", "argv": ["true"], "pipeline": DECK, "run": "r1"}])
    swarm.client.submit([{"id": "free", "argv": ["true"], "pipeline": "manifest/x", "run": "r1"}])
    in_state(swarm, "free", "succeeded")
    found = waits_for(swarm, "held", "held")
    assert "held: held by " in found["waiting_text"]
    eventually(lambda: "held by" in swarm.client.explain_task("held")["waiting_text"])
    eventually(lambda: asked(swarm)["for_s"] > 0)  # as a line of a crontab asks
    released = swarm.cli("release", DECK)
    assert released.returncode == 0, released.stderr
    assert asked(swarm)["for_s"] == 0.0
    in_state(swarm, "held", "succeeded")
    waits_for(swarm, "probe", "no_pool")
    swarm.client.cancel("probe")


def test_a_deadline_that_was_kept_is_offered_and_accepted(swarm):
    midnight_s = time.time() // 86_400 * 86_400
    begun_s = [midnight_s - day * 86_400 + 6 * 3_600 for day in range(1, 21)]
    run = {"pipeline": "crm_export", "state": "succeeded"}
    runs = [
        {**run, "run_id": f"{at_s}", "started_at_s": at_s, "ended_at_s": at_s + 1_800}
        for at_s in begun_s
    ]
    swarm.client.push("manifest", runs=runs)
    eventually(lambda: [row["days"] for row in swarm.client.offered_slas()] == [20])
    offered = swarm.cli("sla", "--offered")
    assert "manifest/crm_export by 06:30 UTC" in offered.stdout, offered.stderr
    assert "kept on 20 of 20 good days" in offered.stdout
    accepted = swarm.cli("sla", "accept", "manifest/crm_export", "--at", "07:15")
    assert "manifest/crm_export by 07:15 UTC" in accepted.stdout, accepted.stderr
    assert swarm.client.offered_slas() == []
    declined = swarm.cli("sla", "decline", "manifest/crm_export")
    assert declined.returncode == 0, declined.stderr
    assert swarm.client.offered_slas() == []


def test_a_linked_pipeline_starts_once_for_what_its_upstream_made(swarm):
    linked = swarm.cli("link", "manifest/crm_export", DECK, "--per", "day")
    assert linked.returncode == 0, linked.stderr
    now_s = time.time()
    run = {"pipeline": "crm_export", "state": "succeeded", "started_at_s": now_s - 5}
    for run_id in ("first", "again"):
        swarm.client.push("manifest", runs=[{**run, "run_id": run_id, "ended_at_s": now_s + 60}])

    def started():
        return [row for row in swarm.client.decisions(every=True) if row["act"] == "trigger"]

    [trigger] = eventually(started)
    assert (trigger["pipeline"], trigger["waits_for"]) == (DECK, ["manifest/crm_export"])
    day = time.strftime("%Y-%m-%d", time.gmtime(now_s - 5))
    shown = swarm.cli("links").stdout
    assert f"manifest/crm_export -> {DECK} once a day, UTC; last for {day}" in shown
    assert swarm.cli("unlink", DECK).returncode == 0
    assert swarm.client.links() == []

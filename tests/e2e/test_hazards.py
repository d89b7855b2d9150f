"""What only the runs show: a stale read, and an SLA that will be missed for what runs upstream."""

import json
import os
import signal
import time

import pytest

from tests.e2e.conftest import MANIFEST, SLA_IN_MIN, cli
from tests.e2e.test_up import actor_process, complete, eventually

pytestmark = pytest.mark.parametrize("swarm", ["postgres"], indirect=True)
DAY_S, FIVE_S, SIX_S = 86_400, 5 * 3_600, 6 * 3_600


def one_run(pipeline, began_s, took_s):
    """A run; one that takes None is under way."""
    return {
        "pipeline": pipeline,
        "run_id": f"{pipeline}-{began_s}",
        "state": "running" if took_s is None else "succeeded",
        "started_at_s": began_s,
        "ended_at_s": None if took_s is None else began_s + took_s,
    }


def mornings(days, late):
    """The export takes half an hour from five on, two hours when late; the close begins at six."""
    for day in days:
        yield one_run("crm_export", day * DAY_S + FIVE_S, 7_200 if day in late else 1_800)
        yield one_run("finance_close", day * DAY_S + SIX_S, 600)


def is_the_read(edge):
    return edge["downstream"]["pipeline"] == "finance_close"


def stale(swarm):
    return [row for row in swarm.client.findings() if row["kind"] == "stale_read"]


def counted(swarm, seen, of):
    found = stale(swarm)
    hazard = found[0]["hazard"] if found else {"seen": 0, "of": 0}
    return found if (hazard["seen"], hazard["of"]) == (seen, of) else None


def test_a_stale_read_is_counted_across_a_kill_of_the_sequencer(swarm):
    eventually(lambda: complete(swarm))
    swarm.client.push("manifest", runs=list(mornings(range(20_000, 20_030), late={20_003})))
    [found] = eventually(lambda: counted(swarm, 1, 30))
    assert [key["pipeline"] for key in found["pipelines"]] == ["crm_export", "finance_close"]
    assert found["hazard"]["behind"] == 2  # the board's deck is made of it
    swarm.client.mute(found["id"], by="kim", note="known")
    [other, *_] = [one for one in swarm.client.findings() if one["kind"] != found["kind"]]
    swarm.client.mute(other["id"], by="kim", for_s=3_600)
    victim = actor_process(swarm, "SequencerActor")
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait(180)
    swarm.client.push("manifest", runs=list(mornings([20_030], late={20_030})))
    [again] = eventually(lambda: counted(swarm, 2, 31))
    assert (again["id"], again["first_seen_s"]) == (found["id"], found["first_seen_s"])
    assert again["mute"] == {"by": "kim", "until_s": None, "note": "known"}
    assert [one["id"] for one in swarm.client.findings() if one["mute"]] == [
        other["id"],
        again["id"],
    ]
    shown = swarm.cli("findings", "--muted").stdout
    assert "finance_close read what was not new from manifest/crm_export on 2 of 31 runs" in shown
    assert "Start manifest/finance_close when manifest/crm_export is done" in shown


def test_an_sla_at_risk_names_the_upstream_that_is_late(swarm):
    """Each day the export begins ten hours before the close is due, and the close one
    hour before; each takes half an hour. Today the export does not end."""
    minute_s = 60
    # A dependency that is only probable makes a warning only probable.
    [read] = eventually(lambda: [e for e in swarm.client.dependencies() if is_the_read(e)])
    swarm.client.judge(read, "accepted", by="test")
    [sla] = eventually(swarm.client.slas)
    due_s = sla["deadline_s"]
    assert 0 < due_s - time.time() <= SLA_IN_MIN * minute_s
    days = [due_s - ago * DAY_S for ago in range(28, 0, -1)]
    runs = [
        one_run(pipeline, at_s - before_min * minute_s, 30 * minute_s)
        for at_s in days
        for pipeline, before_min in (("crm_export", 600), ("finance_close", 60))
    ]
    export = one_run("crm_export", due_s - 600 * minute_s, None)
    swarm.client.push("manifest", runs=[*runs, export])

    def at_risk():
        return [row for row in swarm.client.findings() if row["kind"] == "sla_at_risk"]

    def of_the_export():
        return [row for row in at_risk() if row["sla"]["late"] == "manifest/crm_export"]

    [warning] = eventually(of_the_export)
    assert warning["sla"]["path"] == ["manifest/crm_export", "manifest/finance_close"]
    shown = swarm.cli("sla", "--at-risk").stdout
    assert "late: manifest/crm_export" in shown
    swarm.client.push(
        "manifest",
        runs=[
            one_run("crm_export", due_s - 600 * minute_s, 60 * minute_s),
            one_run("finance_close", due_s - 85 * minute_s, 20 * minute_s),
        ],
    )
    eventually(lambda: not at_risk())
    eventually(lambda: [row["standing"] for row in swarm.client.slas()] == ["met"])


def test_what_if_and_a_pull_request_are_answered_from_what_ran(swarm, tmp_path):
    """Of the runs above: the export takes half an hour, nine hours before the close begins."""
    late = ("simulate", "--late", "crm_export=12h", "--draws", "10", "-o", "json")
    rows = {row["pipeline"]: row for row in json.loads(swarm.cli(*late).stdout)["pipelines"]}
    assert rows["manifest/crm_export"]["moved_s"] == 12 * 3_600
    assert rows["manifest/finance_close"]["moved_s"] > 2 * 3_600
    up = json.loads((swarm.state / "up.json").read_text())
    head = tmp_path / "head.jsonl"
    reader = {"pipeline": "tax", "task": "t", "reads": ["dwh.orders"], "writes": ["fin.tax"]}
    close = MANIFEST[1] | {"reads": ["fin.tax"]}
    lines = (MANIFEST[0], close, MANIFEST[2], reader | {"expected_duration_s": 3_600})
    head.write_text("".join(json.dumps(line) + "\n" for line in lines))
    base = swarm.settings.parent / "tasks.jsonl"
    told = cli(
        *("diff", "--base", str(base), "--head", str(head), "-o", "json"),
        SWARM_URL=up["url"],
        SWARM_TOKEN_FILE=up["token_file"],
    )
    (sla,) = json.loads(told.stdout)["slas"]
    assert sla["entered"] == ["manifest/tax"], "the median of runs beats what nothing expects"
    assert (sla["longer_s"], sla["duration_unknown"]) == (3_600.0, [])

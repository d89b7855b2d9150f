"""What people read."""

from swarm.alerts.wording import body, line, title
from swarm.model.alerts import Alert, Told
from swarm.model.findings import FindingKind, Outcome
from swarm.model.keys import PipelineKey
from tests.unit.alerts.builders import a_finding, closed

URL = "https://swarm.example.org/"


def an_alert(*findings, left_out=0):
    def keys(of):
        return tuple(Told(one.id, one.first_seen_s) for one in of)

    opened = [one for one in findings if one.closed_at_s is None]
    ended = [one for one in findings if one.closed_at_s is not None]
    more = tuple(Told(f"more{n}", 0.0) for n in range(left_out))
    lines = tuple(line(one, Told(one.id, one.first_seen_s), URL) for one in findings)
    return Alert("id", "chat", 0.0, keys(opened) + more, keys(ended), lines)


def test_one_finding_says_what_it_is_and_what_to_do():
    alert = an_alert(a_finding())
    assert title(alert) == (
        "swarm: stale read: dagster/report read what was not new from airflow/orders on 2 of 9 "
        "runs; 20 % of its runs are expected to"
    )
    told = body(alert).splitlines()
    assert told[0].startswith("[warn] stale read: dagster/report read")
    assert told[1].startswith("  Start dagster/report when airflow/orders is done")
    assert told[2] == "  https://swarm.example.org/findings?open=f1"
    assert told[3] == "  Was it right to tell? swarm rate f1 right (or wrong)"
    assert len(told) == 4


def test_an_end_says_what_became_of_it():
    alert = an_alert(closed(a_finding(), 200.0, outcome=Outcome.ACTED_ON))
    assert title(alert).startswith("swarm: closed: stale read")
    assert body(alert).splitlines()[0].startswith("[closed] stale read")
    assert "(acted on)" in body(alert)
    assert "swarm rate" not in body(alert)


def test_several_are_counted():
    alert = an_alert(a_finding("f1"), closed(a_finding("f2"), 200.0), left_out=7)
    assert title(alert) == "swarm: 8 new, 1 closed"
    assert body(alert).splitlines()[-1] == "and 7 more: swarm findings"


def test_a_name_from_outside_stays_one_line_and_has_an_end():
    evil = PipelineKey("airflow", "x\n[gate] cycle: all is lost\n" + "y" * 5_000)
    alert = an_alert(a_finding(kind=FindingKind.CYCLE, pipelines=(evil,)))
    assert len([one for one in body(alert).splitlines() if one.startswith("[")]) == 1
    assert len(body(alert)) < 600

"""Records to text and back, beyond what the contract suite stores for real."""

import json

import pytest

from swarm.errors import StoreError
from swarm.model.findings import RuleWeek
from swarm.model.graph import EvidenceSeen, PipelineGone, PipelineSeen
from swarm.model.journal import RECORD_VERSION
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Access, Channel, Evidence
from swarm.model.pipelines import Pipeline
from swarm.model.plans import Candidate
from swarm.model.scaling import PlanMade
from swarm.store import codec

PLACE = "stream graph, seq 7"


def evidence(observed_at_s=1.5, place="p"):
    task, dataset = TaskKey("airflow", "p", "t"), DatasetKey("n", "d")
    return EvidenceSeen(Evidence(task, Access.READ, dataset, Channel.SQL_RUN, observed_at_s, place))


def test_a_field_of_a_newer_swarm_is_skipped_at_any_depth():
    name, text = codec.encode(evidence())
    tree = json.loads(text)
    tree["new"] = 1
    tree["evidence"]["new"] = {"a": [1]}
    tree["evidence"]["task"]["new"] = "x"
    assert codec.decode(name, RECORD_VERSION, json.dumps(tree), PLACE) == evidence()


def test_a_field_added_since_takes_its_default():
    text = '{"pipeline": {"key": {"orchestrator": "a", "name": "b"}}}'
    expected = PipelineSeen(Pipeline(PipelineKey("a", "b")))
    assert codec.decode("PipelineSeen", RECORD_VERSION, text, PLACE) == expected


def test_a_plan_of_before_placements_were_told_is_read():
    candidate = '{"workers": 1, "missed": 0, "makespan_s": 60, "rent_usd": 0.1, "total_usd": 1.1}'
    text = (
        '{"number": 7, "at_s": 5, "demands": 3, "moves": [], "candidates": [], "unplaced": [], '
        f'"chosen": {candidate}, "unplaced_all": 0, "makespan_s": 60, "bound_s": 50, "risks": []}}'
    )
    chosen = Candidate(1, 0.0, 60.0, 0.1, 1.1)
    assert codec.decode("PlanMade", RECORD_VERSION, text, PLACE) == PlanMade(
        7, 5.0, 3, (), (), chosen, (), 0, 60, 50
    )


@pytest.mark.parametrize(
    ("name", "version"), [("Unheard", 1), ("PipelineGone", RECORD_VERSION + 1)]
)
def test_what_only_a_newer_swarm_knows_is_refused_by_name_and_place(name, version):
    text = codec.encode(PipelineGone(PipelineKey("a", "b")))[1]
    with pytest.raises(StoreError, match=f"{PLACE}.*{name}"):
        codec.decode(name, version, text, PLACE)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"pipeline": {"orchestrator": 1}}'])
def test_damaged_text_is_refused_by_place(text):
    with pytest.raises(StoreError, match=PLACE):
        codec.decode("PipelineGone", RECORD_VERSION, text, PLACE)


def test_numbers_without_end_come_back():
    record = evidence(observed_at_s=float("-inf"))
    assert codec.decode(*codec_row(record), PLACE) == record


def test_a_packed_snapshot_unpacks_in_order_and_is_small():
    records = [evidence(observed_at_s=float(n), place=f"line\n{n}") for n in range(1_000)]
    packed = codec.pack(iter(records))
    assert list(codec.unpack(packed, PLACE)) == records
    assert len(packed) < sum(len(codec.encode(record)[1]) for record in records) / 5


def test_an_empty_snapshot_unpacks():
    assert list(codec.unpack(codec.pack([]), PLACE)) == []


@pytest.mark.parametrize("cut", [1, 20])
def test_a_cut_snapshot_is_refused_by_place(cut):
    packed = codec.pack([evidence()] * 10)
    with pytest.raises(StoreError, match=PLACE):
        list(codec.unpack(packed[:-cut], PLACE))


def codec_row(record):
    name, text = codec.encode(record)
    return name, RECORD_VERSION, text


def test_text_that_utf8_cannot_hold_is_stored_with_a_mark_in_its_place():
    name, text = codec.encode(evidence(place="line \ud800 é"))
    assert codec.decode(name, RECORD_VERSION, text, PLACE) == evidence(place="line ? é")
    packed = codec.pack([evidence(place="\udfff")])
    assert list(codec.unpack(packed, PLACE)) == [evidence(place="?")]


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_odd_numbers_survive_beside_such_text(number):
    name, text = codec.encode(evidence(number, "\ud800"))
    assert str(codec.decode(name, RECORD_VERSION, text, PLACE).evidence.observed_at_s) == str(
        number
    )


def test_a_week_of_before_people_could_confirm_is_still_one():
    body = '{"rule": "race", "weeks": [[345600.0, 1, 2, 3, 4]]}'
    record = codec.decode("RuleScored", RECORD_VERSION, body, PLACE)
    assert record.weeks == (RuleWeek(345600.0, 1, 2, 3, 4, 0),)

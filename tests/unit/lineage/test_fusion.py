"""How channels add up to a confidence."""

from math import exp, log

import pytest

from swarm.lineage.fusion import (
    PRIOR,
    RELIABILITY,
    WINDOW_CONFIDENCE,
    Belief,
    Looked,
    Sighting,
    believe,
    edge_confidence,
)
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence, level_of

TASK = TaskKey("airflow", "load", "copy")
ORDERS = DatasetKey("postgres://w:5432", "db.sales.orders")


def seen(channel: Channel, confidence: float = 1.0, place: str = "f:1") -> Sighting:
    return Sighting(Evidence(TASK, Access.READ, ORDERS, channel, 10.0, place, "select", confidence))


def belief(*sightings: Sighting, covering: tuple[Channel, ...] = ()) -> Belief:
    coverage = {channel: Coverage(TASK, channel, 20.0) for channel in covering}
    return believe(TASK, Access.READ, sightings, coverage)


def odds(probability: float) -> float:
    return log(probability / (1 - probability))


def test_there_is_a_reliability_for_every_channel() -> None:
    assert set(RELIABILITY) == set(Channel) - {Channel.TIMING}  # which only confirms
    assert all(0 < r.errs < r.sees < 1 for r in RELIABILITY.values())


def test_one_channel_adds_its_likelihood_ratio_to_the_prior() -> None:
    reliability = RELIABILITY[Channel.CODE]
    expected = odds(PRIOR) + log(reliability.sees / reliability.errs)
    assert odds(belief(seen(Channel.CODE)).probability) == pytest.approx(expected, abs=0.01)


def test_an_unsure_extractor_adds_less() -> None:
    half = odds(belief(seen(Channel.CODE, confidence=0.5)).probability)
    full = odds(belief(seen(Channel.CODE)).probability)
    assert half - odds(PRIOR) == pytest.approx((full - odds(PRIOR)) / 2, abs=0.01)


@pytest.mark.parametrize("channel", list(RELIABILITY))
def test_each_channel_alone_makes_an_edge_worth_showing(channel: Channel) -> None:
    end = belief(seen(channel))
    assert edge_confidence(end, end) > 0.8


def test_silence_of_a_covering_channel_speaks_against() -> None:
    alone = belief(seen(Channel.CODE))
    doubted = belief(seen(Channel.CODE), covering=(Channel.SQL_RUN,))
    reliability = RELIABILITY[Channel.SQL_RUN]
    lost = log((1 - reliability.sees) / (1 - reliability.errs))
    assert odds(doubted.probability) - odds(alone.probability) == pytest.approx(lost, abs=0.01)
    (silent,) = [proof for proof in doubted.proofs if proof.weight < 0]
    assert (silent.channel, silent.last_seen_s) == (Channel.SQL_RUN, 20.0)
    assert "shows no such read" in silent.excerpt


def test_dead_code_that_the_run_never_shows_falls_below_one_half() -> None:
    assert belief(seen(Channel.CODE), covering=(Channel.OPENLINEAGE,)).probability < 0.5
    both = belief(seen(Channel.CODE), seen(Channel.OPENLINEAGE), covering=(Channel.OPENLINEAGE,))
    assert both.probability > 0.99


def test_a_branch_of_sql_that_never_ran_falls_below_one_half() -> None:
    assert belief(seen(Channel.SQL_SOURCE), covering=(Channel.SQL_RUN,)).probability < 0.5


@pytest.mark.parametrize(
    "channel", [Channel.DECLARED, Channel.MANIFEST, Channel.QUERY_LOG, Channel.ACCESS_LOG]
)
def test_silence_of_what_never_sees_everything_says_nothing(channel: Channel) -> None:
    assert belief(seen(Channel.CODE), covering=(channel,)) == belief(seen(Channel.CODE))


def test_channels_of_the_same_text_count_once() -> None:
    four = (Channel.SQL_SOURCE, Channel.SQL_RUN, Channel.QUERY_LOG, Channel.OPENLINEAGE)
    together = belief(*map(seen, four))
    assert together.probability == max(belief(seen(channel)).probability for channel in four)
    assert len(together.proofs) == 4
    assert sorted(proof.weight == 0 for proof in together.proofs) == [False, True, True, True]


def test_the_log_of_an_object_store_is_evidence_of_its_own() -> None:
    both = belief(seen(Channel.ACCESS_LOG), seen(Channel.OPENLINEAGE)).probability
    assert both > belief(seen(Channel.OPENLINEAGE)).probability


@pytest.mark.parametrize("channel", [Channel.QUERY_LOG, Channel.ACCESS_LOG])
def test_that_a_task_ran_at_that_time_never_makes_an_edge_alone(channel: Channel) -> None:
    assert belief(seen(channel, WINDOW_CONFIDENCE)).probability < 0.5


def test_independent_channels_add_up() -> None:
    both = belief(seen(Channel.CODE), seen(Channel.SQL_RUN)).probability
    assert both > belief(seen(Channel.SQL_RUN)).probability


def test_the_proof_keeps_the_surest_words_whatever_the_order() -> None:
    sightings = [seen(Channel.CODE, 0.5, "a:1"), seen(Channel.CODE, 0.9, "b:1")]
    assert belief(*sightings) == belief(*reversed(sightings))
    assert [proof.place for proof in belief(*sightings).proofs] == ["b:1"]


def test_a_completed_name_costs_a_tenth_once() -> None:
    whole = belief(seen(Channel.SQL_RUN))
    guessed = belief(Sighting(seen(Channel.SQL_RUN).evidence, named="orders"))
    assert edge_confidence(guessed, guessed) == pytest.approx(
        0.9 * whole.probability * whole.probability, abs=1e-5
    )
    assert edge_confidence(whole, guessed) == edge_confidence(guessed, whole)
    assert guessed.proofs[0].named == "orders"


def test_the_weights_of_the_proofs_explain_the_probability() -> None:
    end = belief(
        seen(Channel.CODE),
        seen(Channel.SQL_SOURCE),
        covering=(Channel.OPENLINEAGE, Channel.SQL_RUN),
    )
    total = odds(PRIOR) + sum(proof.weight for proof in end.proofs)
    assert end.probability == pytest.approx(1 / (1 + exp(-total)))


@pytest.mark.parametrize(
    ("confidence", "level"),
    [
        (1.0, "gate"),
        (0.99, "gate"),
        (0.9899, "warn"),
        (0.8, "warn"),
        (0.5, "show"),
        (0.49, "hidden"),
    ],
)
def test_levels(confidence: float, level: str) -> None:
    assert level_of(confidence) == level


def test_lists_that_the_same_people_keep_count_once() -> None:
    both = belief(seen(Channel.DECLARED), seen(Channel.MANIFEST))
    assert both.probability == belief(seen(Channel.MANIFEST)).probability


def test_two_logs_that_know_a_task_by_time_alone_count_once() -> None:
    logs = [seen(c, WINDOW_CONFIDENCE) for c in (Channel.QUERY_LOG, Channel.ACCESS_LOG)]
    assert belief(*logs).probability < 0.5
    tagged = belief(seen(Channel.QUERY_LOG), logs[1]).probability
    assert tagged > belief(seen(Channel.QUERY_LOG)).probability


@pytest.mark.parametrize("still", [0.9, 0.5, 0.1])
def test_one_report_of_runs_is_as_sure_as_that_it_still_happens(still: float) -> None:
    coverage: dict[Channel, Coverage] = {}
    faded = believe(TASK, Access.READ, [seen(Channel.SQL_RUN)], coverage, Looked(still))
    assert faded.probability == pytest.approx(still, abs=0.02)
    text = believe(TASK, Access.READ, [seen(Channel.CODE)], coverage, Looked(still))
    assert text == belief(seen(Channel.CODE))


def test_what_two_channels_saw_ends_for_both() -> None:
    reports = [seen(Channel.SQL_RUN), seen(Channel.ACCESS_LOG)]
    assert believe(TASK, Access.READ, reports, {}, Looked(0.5)).probability < 0.55

"""How channels add up to a confidence."""

from math import exp, log

import pytest

from swarm.lineage.channels import NEVER_COVERING, PRIOR, RELIABILITY, Learned
from swarm.lineage.fusion import (
    KEPT,
    REREAD_STILL,
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


def belief(*sightings: Sighting, covering: tuple[Channel, ...] = (), looks: int = 1) -> Belief:
    """With coverage of so many days in a row."""
    days = (1 << looks) - 1
    coverage = {channel: Coverage(TASK, channel, 20.0, days) for channel in covering}
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


def lost_by(covering: Channel, looks: int = 1) -> float:
    """The log-odds that what a list says loses by the silence of another channel."""
    alone = belief(seen(Channel.DECLARED)).probability
    return odds(
        belief(seen(Channel.DECLARED), covering=(covering,), looks=looks).probability
    ) - odds(alone)


@pytest.mark.parametrize("looks", [1, 40])
def test_silence_of_a_text_that_covers_the_task_speaks_against(looks: int) -> None:
    reliability = RELIABILITY[Channel.CODE]
    lost = log((1 - reliability.sees) / (1 - reliability.errs))
    assert lost_by(Channel.CODE, looks) == pytest.approx(lost, abs=0.01)


def test_silence_of_a_run_weighs_less_than_that_of_many() -> None:
    """One run may be without what is rare; what a channel never sees, no run shows."""
    reliability = RELIABILITY[Channel.SQL_RUN]
    at_most = log((1 - reliability.sees) / (1 - reliability.errs))
    lost = [lost_by(Channel.SQL_RUN, looks) for looks in (1, 2, 4, 8, 16, 32)]
    assert lost == sorted(lost, reverse=True)
    assert len(set(lost)) == len(lost)
    assert -2 < lost[0] < -1
    assert at_most < lost[-1] < 0.9 * at_most


def test_who_looked_on_the_day_it_happened_has_no_excuse() -> None:
    """Two channels on one run: what the one saw was there for the other to see."""
    alone = odds(belief(seen(Channel.ACCESS_LOG)).probability)
    same_day = odds(belief(seen(Channel.ACCESS_LOG), covering=(Channel.SQL_RUN,)).probability)
    later = {Channel.SQL_RUN: Coverage(TASK, Channel.SQL_RUN, 10 * 86_400.0)}
    other_day = believe(TASK, Access.READ, [seen(Channel.ACCESS_LOG)], later).probability
    reliability = RELIABILITY[Channel.SQL_RUN]
    lost = log((1 - reliability.sees) / (1 - reliability.errs))
    assert same_day - alone == pytest.approx(lost, abs=0.01)
    assert lost / 2 < odds(other_day) - alone < 0


def test_the_ledger_says_who_was_silent() -> None:
    doubted = belief(seen(Channel.CODE), covering=(Channel.SQL_RUN,))
    (silent,) = [proof for proof in doubted.proofs if proof.weight < 0]
    assert (silent.channel, silent.last_seen_s) == (Channel.SQL_RUN, 20.0)
    assert "shows no such read" in silent.excerpt


@pytest.mark.parametrize("text", [Channel.CODE, Channel.SQL_SOURCE])
@pytest.mark.parametrize("runs", [Channel.OPENLINEAGE, Channel.SQL_RUN])
def test_text_that_the_runs_never_show_is_hidden(text: Channel, runs: Channel) -> None:
    once = belief(seen(text), covering=(runs,))
    fortnight = belief(seen(text), covering=(runs,), looks=14)
    assert edge_confidence(once, once) < 0.8
    assert edge_confidence(fortnight, fortnight) < 0.5
    both = belief(seen(text), seen(runs), covering=(runs,))
    assert both.probability > 0.99


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


@pytest.mark.parametrize("listed", [Channel.DECLARED, Channel.MANIFEST])
def test_a_list_does_not_keep_alive_what_runs_no_longer_do(listed: Channel) -> None:
    """Of what ended, people still list half: that they list it doubles the odds, no more."""
    reports = [seen(Channel.SQL_RUN), seen(listed)]
    both = believe(TASK, Access.READ, reports, {}, Looked(0.2)).probability
    assert odds(both) - odds(0.2) == pytest.approx(log(1 / KEPT), abs=0.15)
    assert belief(*reports).probability > 0.999


def test_a_text_that_was_read_again_without_it_counts_little() -> None:
    looked = Looked(reread=frozenset({Channel.CODE}))
    gone = believe(TASK, Access.READ, [seen(Channel.CODE)], {}, looked)
    assert gone.probability == pytest.approx(REREAD_STILL, abs=0.03)
    other = believe(TASK, Access.READ, [seen(Channel.SQL_SOURCE)], {}, looked)
    assert other == belief(seen(Channel.SQL_SOURCE))


def knowing(channel: Channel, looks: int = 1) -> Looked:
    return Looked(knowing={channel: Coverage(TASK, channel, 20.0, (1 << looks) - 1)})


@pytest.mark.parametrize("channel", list(RELIABILITY))
def test_who_knows_other_accesses_there_speaks_against_a_little(channel: Channel) -> None:
    said = Channel.CODE if channel is not Channel.CODE else Channel.DECLARED
    alone = belief(seen(said)).probability
    partly = believe(TASK, Access.READ, [seen(said)], {}, knowing(channel, 30)).probability
    assert partly < alone
    if channel not in NEVER_COVERING:
        wholly = belief(seen(said), covering=(channel,), looks=30).probability
        assert wholly < partly
        both = {channel: Coverage(TASK, channel, 20.0, (1 << 30) - 1)}
        again = believe(TASK, Access.READ, [seen(said)], both, knowing(channel, 30)).probability
        assert again == wholly, "its silence counts once"


def test_who_saw_the_access_is_not_silent_about_it() -> None:
    known = believe(TASK, Access.READ, [seen(Channel.CODE)], {}, knowing(Channel.CODE))
    assert known == belief(seen(Channel.CODE))


def test_verdicts_on_a_channel_move_what_it_reports_and_no_other() -> None:
    taught = Learned(offsets={Channel.CODE: -2.0})
    moved = believe(TASK, Access.READ, [seen(Channel.CODE)], {}, learned=taught).probability
    assert odds(moved) - odds(belief(seen(Channel.CODE)).probability) == pytest.approx(-2, abs=0.01)
    other = believe(TASK, Access.READ, [seen(Channel.SQL_RUN)], {}, learned=taught)
    assert other == belief(seen(Channel.SQL_RUN))


def test_no_verdict_turns_a_report_into_evidence_against() -> None:
    taught = Learned(offsets={Channel.CODE: -50.0})
    worst = believe(TASK, Access.READ, [seen(Channel.CODE)], {}, learned=taught)
    assert worst.probability == pytest.approx(PRIOR)


@pytest.mark.parametrize("listed", [Channel.DECLARED, Channel.MANIFEST])
def test_a_list_that_lacks_it_is_as_incomplete_as_lists_are(listed: Channel) -> None:
    alone = odds(belief(seen(Channel.CODE)).probability)
    lacking = believe(TASK, Access.READ, [seen(Channel.CODE)], {}, knowing(listed)).probability
    assert odds(lacking) - alone == pytest.approx(log(1 - RELIABILITY[listed].sees), abs=0.01)


def test_who_knows_a_task_in_part_speaks_the_more_the_more_often_it_looked() -> None:
    once, often = (
        believe(TASK, Access.READ, [seen(Channel.CODE)], {}, knowing(Channel.SQL_RUN, looks))
        for looks in (1, 30)
    )
    assert odds(often.probability) < odds(once.probability) - 0.3


def test_weak_words_of_texts_are_not_known_by_the_time_of_a_run() -> None:
    weak = [seen(c, WINDOW_CONFIDENCE) for c in (Channel.CODE, Channel.DECLARED)]
    both = belief(*weak).probability
    assert both > max(belief(one).probability for one in weak)
